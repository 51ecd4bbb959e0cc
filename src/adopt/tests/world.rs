//! A workspace with the service `orders` and some files, for proposals without cargo.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::adopt::{AdoptError, Proposal, Request, edit, json, propose, text};
use crate::cargo::Profile;
use crate::config::{self, Config, Overrides};
use crate::process::Environment;
use crate::workspace::{NameOrigin, Package, Service, Workspace};

const MANIFEST: &str = "[package]\r\nname = \"orders\" # ours\r\n\n[dependencies]\n";

pub(super) struct World {
    directory: TempDir,
    workspace: Workspace,
    environment: Environment,
    config: Config,
    profiles: BTreeMap<String, Profile>,
}

impl World {
    pub(super) fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let root = directory.path();
        for (file, text) in [
            ("Cargo.toml", "[workspace]\nmembers = [\"orders\"]\n"),
            ("orders/Cargo.toml", MANIFEST),
            ("orders/config/a.toml", ""),
            ("config/x", ""),
            ("static", ""),
        ] {
            let path = root.join(file);
            fs_err::create_dir_all(path.parent().expect("has one")).expect("created");
            fs_err::write(path, text).expect("written");
        }
        let package = Package {
            id: "orders".to_owned(),
            name: "orders".to_owned(),
            version: "1.0.0".to_owned(),
            manifest: root.join("orders/Cargo.toml"),
            directory: root.join("orders"),
            facts: BTreeMap::new(),
            binaries: vec!["orders".to_owned()],
            features: [("postgres".to_owned(), Vec::new())].into(),
            member: true,
            procedural: false,
            targets: Vec::new(),
            dependencies: Vec::new(),
            links: None,
        };
        let workspace = Workspace {
            root: root.to_owned(),
            manifest: root.join("Cargo.toml"),
            repository_root: root.to_owned(),
            target_directory: root.join("target"),
            packages: vec![package],
            linking: BTreeSet::new(),
            services: vec![Service {
                name: "orders".to_owned(),
                named_after: NameOrigin::Binary,
                package: 0,
                binary: "orders".to_owned(),
                required_features: Vec::new(),
                closure: vec![0],
            }],
            left_out: Vec::new(),
        };
        let environment = Environment::new(root, []);
        let config = config::resolve(&workspace, &environment, &Overrides::default())
            .expect("legal manifests");
        Self {
            directory,
            workspace,
            environment,
            config,
            profiles: ["dev", "release"]
                .map(|name| (name.to_owned(), Profile::default()))
                .into(),
        }
    }

    /// The same with a `strip = true` below `[profile.release]`.
    pub(super) fn stripping() -> Self {
        let mut world = Self::new();
        let release = Profile { strips: true };
        world.profiles.insert("release".to_owned(), release);
        world
    }

    /// Another service of the same package.
    pub(super) fn add_service(&mut self, name: &str) {
        let mut service = self.workspace.services[0].clone();
        name.clone_into(&mut service.name);
        name.clone_into(&mut service.binary);
        self.workspace.services.push(service);
    }

    /// One for many cases.
    pub(super) fn shared() -> &'static Self {
        static WORLD: OnceLock<World> = OnceLock::new();
        WORLD.get_or_init(Self::new)
    }

    pub(super) fn propose(&self, text: &str) -> Result<Proposal, AdoptError> {
        let request = Request {
            text,
            file: "Dockerfile",
            directory: self.directory.path(),
            context: None,
            service: None,
            stage: None,
            arguments: &BTreeMap::new(),
            profiles: Some(&self.profiles),
        };
        propose(&self.workspace, &self.config, &request)
    }

    /// Where the workspace is.
    pub(super) fn path(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// Puts a file into the workspace.
    pub(super) fn write(&self, file: &str, text: &str) {
        let path = self.directory.path().join(file);
        fs_err::create_dir_all(path.parent().expect("has one")).expect("created");
        fs_err::write(path, text).expect("written");
    }

    /// The table and the remarks for a Dockerfile whose executable was built before.
    #[track_caller]
    pub(super) fn told(&self, rest: &str) -> (String, String) {
        let head = "FROM debian:12\nUSER 1:1\nWORKDIR /app\nCOPY target/release/orders /app/\n";
        self.whole(&format!("{head}{rest}"))
    }

    /// The table and the remarks for all of a Dockerfile.
    #[track_caller]
    pub(super) fn whole(&self, text_of_file: &str) -> (String, String) {
        let proposal = self.propose(text_of_file).expect("a proposal");
        let remarks = proposal.remarks.iter().map(|remark| {
            let advice = remark.advice.as_deref().unwrap_or_default();
            format!(
                "{:?} {}: {} [{advice}]\n",
                remark.weight, remark.line, remark.message
            )
        });
        (text(&proposal), remarks.collect())
    }

    /// A proposal is one that the program takes, on its own and in a manifest of which nothing else
    /// changes.
    #[track_caller]
    pub(super) fn check(&self, dockerfile: &str) {
        let Ok(proposal) = self.propose(dockerfile) else {
            return;
        };
        json(&proposal);
        let table = text(&proposal);
        let edited = edit(&proposal, MANIFEST).expect("a manifest");
        for manifest in [format!("{MANIFEST}\n{table}"), edited.text.clone()] {
            let path = &self.workspace.packages[0].manifest;
            let again = config::resolve_edited(
                &self.workspace,
                &self.environment,
                &Overrides::default(),
                Some((path, &manifest)),
            );
            assert!(again.is_ok(), "{again:?}\n{dockerfile}\n{manifest}");
        }
        let mut lines = edited.text.split_inclusive('\n');
        for line in MANIFEST.split_inclusive('\n') {
            assert!(
                lines.any(|other| other == line),
                "{line:?} is lost in {}",
                edited.text
            );
        }
        assert!(edited.kept.is_empty());
    }
}

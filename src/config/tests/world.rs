//! A workspace in a temporary directory: services `orders` and `billing`, library `shared`.

use std::path::Path;

use crate::config::{Config, ConfigErrors, Overrides, ServiceConfig, resolve};
use crate::process::Environment;
use crate::workspace::{NameOrigin, Package, Service, Workspace};

/// Manifests, variables and flags of a test. Manifests are what stands below the lines that every
/// manifest has: the first line of a test's text is line 4 of the file.
#[derive(Default)]
pub(super) struct World<'a> {
    pub(super) root: &'a str,
    pub(super) orders: &'a str,
    pub(super) billing: &'a str,
    pub(super) shared: &'a str,
    pub(super) variables: &'a [(&'a str, &'a str)],
    pub(super) flags: Overrides,
}

impl World<'_> {
    pub(super) fn resolve(&self) -> Result<Config, ConfigErrors> {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let root = directory.path();
        write(
            root,
            "",
            "[workspace]\nmembers = [\"services/*\"]\n",
            self.root,
        );
        for (name, folder, text) in [
            ("orders", "services/orders", self.orders),
            ("billing", "services/billing", self.billing),
            ("shared", "shared", self.shared),
        ] {
            let head = format!("[package]\nname = \"{name}\"\n");
            write(root, folder, &head, text);
        }
        let variables = self
            .variables
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()));
        let environment = Environment::new(root, variables);
        resolve(&workspace(root), &environment, &self.flags)
    }

    /// The configuration of `orders`.
    pub(super) fn orders(&self) -> ServiceConfig {
        match self.resolve() {
            Ok(config) => config.service("orders").expect("a service").clone(),
            Err(errors) => panic!("{errors}"),
        }
    }

    /// Each mistake as a line, with its hint after a ` | `.
    pub(super) fn mistakes(&self) -> Vec<String> {
        let errors = self.resolve().expect_err("mistakes");
        errors
            .mistakes()
            .iter()
            .map(|mistake| match &mistake.hint {
                Some(hint) => format!("{mistake} | {hint}"),
                None => mistake.to_string(),
            })
            .collect()
    }
}

fn write(root: &Path, folder: &str, head: &str, text: &str) {
    let directory = root.join(folder);
    fs_err::create_dir_all(&directory).expect("created");
    let whole = format!("{head}\n{text}");
    fs_err::write(directory.join("Cargo.toml"), whole).expect("written");
}

fn workspace(root: &Path) -> Workspace {
    let package = |name: &str, folder: &str, binaries: &[&str], features: &[&str]| Package {
        id: name.to_owned(),
        name: name.to_owned(),
        version: "1.2.3+build.4".to_owned(),
        manifest: root.join(folder).join("Cargo.toml"),
        directory: root.join(folder),
        facts: std::collections::BTreeMap::new(),
        binaries: binaries.iter().map(ToString::to_string).collect(),
        features: features
            .iter()
            .map(|name| ((*name).to_owned(), Vec::new()))
            .collect(),
        member: true,
        procedural: false,
        targets: Vec::new(),
        dependencies: Vec::new(),
        links: None,
    };
    let service = |name: &str, package: usize| Service {
        name: name.to_owned(),
        named_after: NameOrigin::Binary,
        package,
        binary: name.to_owned(),
        required_features: Vec::new(),
        closure: vec![package],
    };
    Workspace {
        root: root.to_owned(),
        manifest: root.join("Cargo.toml"),
        repository_root: root.to_owned(),
        target_directory: root.join("target"),
        packages: vec![
            package(
                "billing",
                "services/billing",
                &["billing", "billing-tool"],
                &["default", "metrics"],
            ),
            package(
                "orders",
                "services/orders",
                &["orders"],
                &["default", "metrics", "postgres"],
            ),
            package("shared", "shared", &[], &[]),
        ],
        linking: std::collections::BTreeSet::new(),
        services: vec![service("billing", 0), service("orders", 1)],
        left_out: Vec::new(),
    }
}

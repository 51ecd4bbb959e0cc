//! A tiny workspace written down as one text, its splits, and what cargo says about both.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_lighter::cargo::Lockfile;
use cargo_lighter::digest::Digest;
use tempfile::TempDir;

use crate::support::cli::{Lighter, Run};
use crate::support::tools::run;

/// A repository in `repo/`, a registry beside it, and a cargo home that knows no other registry.
///
/// Its text is a list of sections, each begun by a line of one of these forms. Paths are relative to
/// the repository; `{top}` in a text is the directory that holds it, `{toolchain}` rustup's name of the
/// toolchain that runs the tests.
///
/// - `== PATH`: a file.
/// - `== executable PATH`: one that may be executed.
/// - `== link PATH -> TARGET`: a symbolic link.
/// - `== service PATH [NAME]`, `== library PATH [NAME]`: a package of edition 2021, with what stands
///   below as the rest of its manifest, and with a source if none is given.
/// - `== crate NAME VERSION`: a crate of the registry, likewise.
/// - `== vendored NAME VERSION`: one in `vendor/` of the repository.
/// - `== repository PATH`: everything that is in this directory by then becomes a git repository.
#[derive(Debug)]
pub(super) struct World {
    top: TempDir,
    workspace: PathBuf,
}

impl World {
    /// The workspace at the root of a git repository, with a lock that cargo made.
    #[track_caller]
    pub(super) fn new(text: &str) -> Self {
        Self::in_directory("", text)
    }

    /// The workspace in a directory of the repository.
    #[track_caller]
    pub(super) fn in_directory(directory: &str, text: &str) -> Self {
        let world = Self::unlocked(directory, text);
        run(world.cargo(&world.workspace).arg("generate-lockfile"));
        world
    }

    /// The same without a lock.
    #[track_caller]
    pub(super) fn unlocked(directory: &str, text: &str) -> Self {
        let world = Self::without_git(directory, text);
        run(Command::new("git")
            .args(["init", "-q", "-b", "main"])
            .env_remove("GIT_DIR")
            .current_dir(world.repository()));
        world
    }

    /// The same without a lock and without git.
    #[track_caller]
    pub(super) fn without_git(directory: &str, text: &str) -> Self {
        let top = TempDir::with_prefix("lighter test ").expect("a temporary directory");
        let top_path = top.path().canonicalize().expect("there");
        let workspace = top_path.join("repo").join(directory);
        let world = Self {
            workspace: workspace.components().collect(),
            top,
        };
        let registry = world.top().join("registry");
        fs_err::create_dir_all(&registry).expect("created");
        world.write(
            "../home/config.toml",
            &format!(
                "[source.crates-io]\nreplace-with = \"tiny\"\n[source.tiny]\ndirectory = '{}'\n",
                registry.display()
            ),
        );
        world.add(text);
        world
    }

    /// Writes further sections.
    #[track_caller]
    pub(super) fn add(&self, text: &str) {
        let toolchain = std::env::var("RUSTUP_TOOLCHAIN").unwrap_or_else(|_| "stable".to_owned());
        let text = text
            .replace("{top}", &self.top().to_string_lossy())
            .replace("{toolchain}", &toolchain);
        let mut sections = text.split("\n== ");
        assert_eq!(sections.next(), Some(""), "text before the first section");
        let sections: Vec<(&str, &str)> = sections
            .map(|section| section.split_once('\n').unwrap_or((section, "")))
            .collect();
        for (title, body) in &sections {
            let end = if body.is_empty() { "" } else { "\n" };
            self.section(title, &format!("{}{end}", body.trim_end_matches('\n')));
        }
        // Sources that nobody gave.
        for (title, _) in &sections {
            let words: Vec<&str> = title.split(' ').collect();
            match words[..] {
                ["service", path, ..] => self.write_missing(path, "src/main.rs", "fn main() {}\n"),
                ["library", path, ..] => self.write_missing(path, "src/lib.rs", ""),
                _ => {}
            }
        }
    }

    fn section(&self, title: &str, body: &str) {
        let words: Vec<&str> = title.split(' ').collect();
        match words[..] {
            ["service" | "library", path] => self.package(path, name_of(path), "0.1.0", body),
            ["service" | "library", path, name] => self.package(path, name, "0.1.0", body),
            ["crate", name, version] => self.crate_at("../registry", name, version, body),
            ["vendored", name, version] => self.crate_at("vendor", name, version, body),
            ["executable", path] => {
                self.write(path, body);
                run(Command::new("chmod").arg("755").arg(self.path(path)));
            }
            ["link", path, "->", target] => self.link(path, target),
            ["repository", path] => commit_all(&self.path(path)),
            [path] => self.write(path, body),
            _ => panic!("what is `{title}`?"),
        }
    }

    fn package(&self, path: &str, name: &str, version: &str, rest: &str) {
        let text = format!(
            "[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2021\"\n{rest}"
        );
        self.write(&format!("{path}/Cargo.toml"), &text);
    }

    fn crate_at(&self, registry: &str, name: &str, version: &str, rest: &str) {
        let place = format!("{registry}/{name}-{version}");
        self.package(&place, name, version, rest);
        self.write_missing(&place, "src/lib.rs", "");
        let checksum = Digest::of(place.as_bytes()).hex();
        let text = format!("{{\"files\":{{}},\"package\":\"{checksum}\"}}\n");
        self.write(&format!("{place}/.cargo-checksum.json"), &text);
    }

    fn write_missing(&self, package: &str, file: &str, text: &str) {
        let path = format!("{package}/{file}");
        if !self.path(&path).exists() {
            self.write(&path, text);
        }
    }

    /// A path from the repository.
    pub(super) fn path(&self, relative: &str) -> PathBuf {
        let path = self.repository().join(relative);
        cargo_lighter::fs::normalized(&path)
    }

    /// Writes a file.
    pub(super) fn write(&self, relative: &str, text: &str) {
        let path = self.path(relative);
        fs_err::create_dir_all(path.parent().expect("has a parent")).expect("created");
        fs_err::write(path, text).expect("written");
    }

    /// Makes a link.
    pub(super) fn link(&self, relative: &str, target: &str) {
        let path = self.path(relative);
        fs_err::create_dir_all(path.parent().expect("has a parent")).expect("created");
        fs_err::os::unix::fs::symlink(target, path).expect("linked");
    }

    /// The text of a file.
    pub(super) fn read(&self, relative: &str) -> String {
        fs_err::read_to_string(self.path(relative)).expect("readable")
    }

    pub(super) fn top(&self) -> PathBuf {
        self.top.path().canonicalize().expect("there")
    }

    pub(super) fn repository(&self) -> PathBuf {
        self.top().join("repo")
    }

    /// The directory of the workspace's root manifest.
    pub(super) fn workspace(&self) -> &Path {
        &self.workspace
    }

    /// cargo in this world's home, without a network.
    pub(super) fn cargo(&self, directory: &Path) -> Command {
        let mut command = Command::new("cargo");
        command
            .env_clear()
            .envs(self.environment())
            .current_dir(directory);
        command
    }

    fn environment(&self) -> Vec<(&'static str, std::ffi::OsString)> {
        let home = std::env::var_os("HOME").unwrap_or_default();
        let rustup = std::env::var_os("RUSTUP_HOME")
            .unwrap_or_else(|| Path::new(&home).join(".rustup").into());
        vec![
            ("PATH", std::env::var_os("PATH").unwrap_or_default()),
            ("HOME", "/nonexistent".into()),
            ("RUSTUP_HOME", rustup),
            ("CARGO_HOME", self.top().join("home").into()),
        ]
    }

    /// A run of the program in the workspace.
    pub(super) fn lighter(&self, arguments: &[&str]) -> Lighter {
        let lighter = Lighter::at(&self.workspace).args(arguments);
        let environment = self.environment();
        environment
            .into_iter()
            .fold(lighter, |lighter, (name, value)| lighter.env(name, value))
    }

    /// `split --out OUT` with further arguments, `OUT` beside the repository.
    pub(super) fn run_split(&self, arguments: &[&str]) -> Run {
        let out = self.out();
        let out = out.to_str().expect("UTF-8");
        self.lighter(&["split", "--out", out])
            .args(arguments.iter().copied())
            .run()
    }

    /// Where [`World::run_split`] writes.
    pub(super) fn out(&self) -> PathBuf {
        self.top().join("out")
    }

    /// The whole split of a service, moved to where nothing of this world is.
    #[track_caller]
    pub(super) fn split(&self, service: &str) -> Parted {
        self.part(service, &[])
    }

    #[track_caller]
    fn part(&self, service: &str, arguments: &[&str]) -> Parted {
        let run = self.run_split(&[&[service], arguments].concat()).expect(0);
        let out = self.out().join(service);
        let manifest = PathBuf::from(run.stdout.trim_end());
        let manifest = manifest
            .strip_prefix(&out)
            .expect("in the split")
            .to_owned();
        let place = TempDir::with_prefix("moved split ").expect("a temporary directory");
        let root = place.path().canonicalize().expect("there").join("here");
        fs_err::rename(&out, &root).expect("moved");
        Parted {
            _place: place,
            root,
            manifest,
        }
    }

    /// Splits a service off in both views, and asserts that each is taken by cargo and resolves as the
    /// original does.
    #[track_caller]
    pub(super) fn holds(&self, service: impl Into<Service>) -> Parts {
        let service = service.into();
        let whole = self.part(&service.name, &[]);
        let kinds = ["-e", "normal,build,dev", "--target", "all"];
        self.same_resolution(&service, &whole, &kinds);
        let production = self.part(&service.name, &["--no-dev-deps"]);
        self.same_resolution(&service, &production, &["-e", "normal,build"]);
        if is_long() {
            self.same_program(&service, &whole);
            self.same_program(&service, &production);
        }
        Parts { whole, production }
    }

    /// The same for the whole view alone, where there is no other.
    #[track_caller]
    pub(super) fn holds_whole(&self, service: impl Into<Service>) -> Parted {
        let service = service.into();
        let whole = self.part(&service.name, &[]);
        let kinds = ["-e", "normal,build,dev", "--target", "all"];
        self.same_resolution(&service, &whole, &kinds);
        if is_long() {
            self.same_program(&service, &whole);
        }
        whole
    }

    /// [`World::holds`], and the program of the production view, which has less to build it from, is the
    /// original's, byte for byte. Gives what it prints.
    #[track_caller]
    pub(super) fn runs(&self, service: impl Into<Service>) -> String {
        let service = service.into();
        let parts = self.holds(service.clone());
        self.same_program(&service, &parts.production)
    }

    /// Asserts that cargo takes the split, lock and all, and resolves the service's package as in the
    /// original.
    #[track_caller]
    pub(super) fn same_resolution(&self, service: &Service, parted: &Parted, kinds: &[&str]) {
        parted.accepted(self);
        let locked = Lockfile::read(&parted.workspace().join("Cargo.lock")).expect("a lock");
        let original = Lockfile::read(&self.workspace.join("Cargo.lock")).expect("a lock");
        assert_eq!(locked.beyond(&original), Vec::<String>::new());
        assert_eq!(locked.version, original.version);
        let before = self.resolution(&self.workspace, self.base(parted), service, kinds);
        let after = self.resolution(&parted.workspace(), &parted.root, service, kinds);
        assert!(!before.is_empty(), "the resolution is empty");
        assert_eq!(after, before);
    }

    /// The directory of this world that the split's root stands for.
    fn base(&self, parted: &Parted) -> &Path {
        let depth = parted.manifest.components().count();
        let mut above = self.workspace.ancestors();
        above.nth(depth - 1).expect("deep enough")
    }

    /// Packages, with versions, sources and features, one a line. Paths are relative to `base`.
    #[track_caller]
    fn resolution(
        &self,
        workspace: &Path,
        base: &Path,
        service: &Service,
        kinds: &[&str],
    ) -> BTreeSet<String> {
        let mut tree = self.cargo(workspace);
        tree.args(["tree", "--locked", "--offline", "--prefix", "none"])
            .args(["--no-dedupe", "--charset", "ascii", "--format", "{p} {f}"])
            .args([
                "--package",
                &specification(&workspace.join(&service.directory)),
            ])
            .args(kinds)
            .args(&service.features);
        let told = run(&mut tree);
        let base = format!("({}", base.display());
        told.lines()
            .map(|line| line.replace(&base, "(").trim_end().to_owned())
            .filter(|line| !line.is_empty() && !line.starts_with('['))
            .collect()
    }

    /// Builds and runs the service in both places; gives what it printed.
    #[track_caller]
    fn same_program(&self, service: &Service, parted: &Parted) -> String {
        let before = self.program(service, &self.workspace, self.base(parted), "original");
        let after = self.program(service, &parted.workspace(), &parted.root, "split");
        let printed = run(&mut Command::new(&after));
        assert_eq!(run(&mut Command::new(&before)), printed);
        // The absolute path of a package outside of the workspace is in the names of its symbols.
        let workspace = parted.manifest.parent().expect("has a parent");
        let files = parted.files();
        let mut manifests = files.iter().filter(|path| path.ends_with("Cargo.toml"));
        if manifests.all(|path| path.starts_with(workspace)) {
            let bytes = |path: &Path| fs_err::read(path).expect("readable");
            assert!(bytes(&before) == bytes(&after), "the programs differ");
        }
        printed
    }

    #[track_caller]
    fn program(&self, service: &Service, workspace: &Path, base: &Path, name: &str) -> PathBuf {
        let target = self.top().join("builds").join(name);
        let flags = [
            format!("--remap-path-prefix={}=/base", base.display()),
            format!("--remap-path-prefix={}=/target", target.display()),
        ];
        run(self
            .cargo(workspace)
            .args(["build", "--locked", "--offline", "--release", "-q"])
            .arg("--manifest-path")
            .arg(workspace.join(&service.directory).join("Cargo.toml"))
            .args(["--bin", &service.binary])
            .args(&service.features)
            .env("CARGO_TARGET_DIR", &target)
            // The paths have blanks in them.
            .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}")));
        target.join("release").join(&service.binary)
    }
}

/// Whether everything is to be built.
fn is_long() -> bool {
    std::env::var_os("LIGHTER_TEST_LONG").is_some_and(|value| value == "1")
}

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The package in a directory, told from all others to cargo.
fn specification(directory: &Path) -> String {
    let directory = cargo_lighter::fs::normalized(directory);
    let manifest = fs_err::read_to_string(directory.join("Cargo.toml")).expect("readable");
    let name = manifest
        .lines()
        .find_map(|line| line.strip_prefix("name = "));
    let name = name.expect("it has a name").trim_matches('"');
    let path = directory.display().to_string().replace(' ', "%20");
    format!("path+file://{path}#{name}")
}

fn commit_all(directory: &Path) {
    for arguments in [
        &["init", "-q", "-b", "main"][..],
        &["add", "-A"],
        &["commit", "-q", "-m", "all"],
    ] {
        let settings = ["-c", "user.name=Test", "-c", "user.email=test@example.com"];
        run(Command::new("git")
            .args(settings)
            .args(arguments)
            .env_remove("GIT_DIR")
            .current_dir(directory));
    }
}

/// A service, and where its package is.
#[derive(Debug, Clone)]
pub(super) struct Service {
    name: String,
    /// From the workspace root.
    directory: String,
    binary: String,
    features: Vec<String>,
}

impl Service {
    /// The binary `name` of the package in a directory of that name.
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            directory: name.to_owned(),
            binary: name.to_owned(),
            features: Vec::new(),
        }
    }

    /// In another directory, seen from the workspace root.
    pub(super) fn at(mut self, directory: &str) -> Self {
        directory.clone_into(&mut self.directory);
        self
    }

    /// With another binary's name.
    pub(super) fn binary(mut self, binary: &str) -> Self {
        binary.clone_into(&mut self.binary);
        self
    }

    /// With features, where cargo is asked directly.
    pub(super) fn features(mut self, features: &str) -> Self {
        self.features = vec!["--features".to_owned(), features.to_owned()];
        self
    }
}

impl From<&str> for Service {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

/// Both views of a split.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) whole: Parted,
    pub(super) production: Parted,
}

/// A split that was moved out of its world.
#[derive(Debug)]
pub(super) struct Parted {
    _place: TempDir,
    root: PathBuf,
    manifest: PathBuf,
}

impl Parted {
    /// Its directory.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The directory of its root manifest.
    pub(super) fn workspace(&self) -> PathBuf {
        let manifest = self.root.join(&self.manifest);
        manifest.parent().expect("has a parent").to_owned()
    }

    /// Asserts that cargo takes it as it is.
    #[track_caller]
    pub(super) fn accepted(&self, world: &World) {
        let arguments = ["metadata", "--locked", "--offline", "--format-version", "1"];
        run(world.cargo(&self.workspace()).args(arguments));
    }

    /// A text in it.
    #[track_caller]
    pub(super) fn text(&self, path: &str) -> String {
        fs_err::read_to_string(self.root.join(path)).expect("readable")
    }

    /// Asserts that these files, links or directories are in it.
    #[track_caller]
    pub(super) fn has(&self, paths: &[&str]) -> &Self {
        for path in paths {
            let exists = self.root.join(path).symlink_metadata().is_ok();
            assert!(exists, "no `{path}` in {:#?}", self.files());
        }
        self
    }

    /// Asserts that these are not.
    #[track_caller]
    pub(super) fn lacks(&self, paths: &[&str]) -> &Self {
        for path in paths {
            let exists = self.root.join(path).symlink_metadata().is_ok();
            assert!(!exists, "`{path}` is in {:#?}", self.files());
        }
        self
    }

    /// All its files.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let files = cargo_lighter::fs::sorted_files(&self.root).expect("readable");
        files.into_iter().map(|file| file.relative).collect()
    }

    /// Names and versions in its lock, sorted.
    pub(super) fn locked(&self) -> Vec<String> {
        let lock = Lockfile::read(&self.workspace().join("Cargo.lock")).expect("a lock");
        let packages = lock.packages.iter();
        packages
            .map(|package| format!("{} {}", package.name, package.version))
            .collect()
    }
}

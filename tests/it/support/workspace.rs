//! Workspaces: the shop, and small ones made for one test.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

use super::tools::run;

/// What everything is compiled for.
pub(crate) const TARGET: &str = "x86_64-unknown-linux-gnu";

/// The shop as it stands in the repository.
pub(crate) fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/shop")
}

/// The services of the shop, in the order of every plan.
pub(crate) const SHOP_SERVICES: [&str; 5] = [
    "billing-report",
    "invoice",
    "shop-catalog",
    "shop-gateway",
    "shop-worker",
];

/// A checkout of the shop that all tests share, and that stays from run to run so that its builds do.
/// Tests that change files take [`Checkout::copy`].
pub(crate) fn shop() -> &'static Path {
    static SHOP: OnceLock<PathBuf> = OnceLock::new();
    SHOP.get_or_init(|| {
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("shop");
        mirror(&fixture(), &place);
        place
    })
}

/// A directory of a test's own, removed with it.
#[derive(Debug)]
pub(crate) struct Checkout {
    directory: TempDir,
}

impl Checkout {
    /// An empty one.
    pub(crate) fn empty() -> Self {
        Self {
            directory: TempDir::with_prefix("lighter test ").expect("a temporary directory"),
        }
    }

    /// The shop.
    pub(crate) fn copy() -> Self {
        let checkout = Self::empty();
        mirror(&fixture(), checkout.path());
        checkout
    }

    /// A workspace of `packages`, each a service without dependencies, with a lock.
    pub(crate) fn of_services(packages: &[&str]) -> Self {
        let checkout = Self::empty();
        let members: Vec<String> = packages.iter().map(|name| format!("\"{name}\"")).collect();
        let root = format!(
            "[workspace]\nresolver = \"3\"\nmembers = [{}]\n",
            members.join(", ")
        );
        checkout.write("Cargo.toml", &root);
        for name in packages {
            checkout.write(&format!("{name}/Cargo.toml"), &manifest(name, ""));
            checkout.write(
                &format!("{name}/src/main.rs"),
                "fn main() {\n    println!(\"hello\");\n}\n",
            );
        }
        checkout.write_lock(packages);
        checkout
    }

    /// Two services: `alpha` on `shared` and the crate `x`, `beta` on `other` and `y`. `alpha` reads
    /// `texts/motd.txt`, the variable `BUILD_NAME`, and `schemas` and `REGION` by its `inputs`; it ships
    /// `alpha/assets`. Crates come from `vendor`, and everything is committed.
    pub(crate) fn of_two() -> Self {
        let checkout = Self::empty();
        checkout.write_two("");
        checkout.commit("first");
        checkout
    }

    /// The files of [`Checkout::of_two`] in a directory, given with a slash behind.
    pub(crate) fn write_two(&self, at: &str) {
        self.write(".gitignore", "target\n*.ignored\n");
        let root = "# A comment.\n[workspace]\nresolver = \"3\"\nmembers = [\"alpha\", \"beta\", \"shared\", \"other\"]\n\n\
                    [workspace.dependencies]\nshared = { path = \"shared\" }\n\n\
                    [profile.release]\nopt-level = 3\n";
        self.write(&format!("{at}Cargo.toml"), root);
        self.write(
            ".cargo/config.toml",
            "[source.crates-io]\nreplace-with = \"vendored\"\n[source.vendored]\ndirectory = \"vendor\"\n",
        );
        for (name, version) in [("x", "1.0.0"), ("y", "1.0.0")] {
            self.vendor(name, version);
        }
        let alpha = "\n[features]\nextra = []\n\n[dependencies]\nshared.workspace = true\nx = \"1\"\n\n\
                     [package.metadata.lighter]\ninputs = [\"schemas/*.json\", \"env:REGION\"]\n\
                     assets = [{ from = \"assets\", to = \"/srv\" }]\n";
        self.write(&format!("{at}alpha/Cargo.toml"), &manifest("alpha", alpha));
        self.write(
            &format!("{at}alpha/src/main.rs"),
            "const MOTD: &str = include_str!(\"../../texts/motd.txt\");\n\
             const NAME: Option<&str> = option_env!(\"BUILD_NAME\");\n\
             fn main() {\n    println!(\"{MOTD}{NAME:?}\");\n}\n",
        );
        self.write(&format!("{at}texts/motd.txt"), "hello\n");
        self.write(&format!("{at}alpha/schemas/a.json"), "{}\n");
        self.write(&format!("{at}alpha/assets/index.html"), "<p>\n");
        self.write(&format!("{at}alpha/README.md"), "alpha\n");
        self.write(&format!("{at}alpha/tests/all.rs"), "");
        self.write(&format!("{at}alpha/examples/one.rs"), "fn main() {}\n");
        let beta = "\n[dependencies]\nother = { path = \"../other\" }\ny = \"1\"\n";
        self.write(&format!("{at}beta/Cargo.toml"), &manifest("beta", beta));
        self.write(&format!("{at}beta/src/main.rs"), "fn main() {}\n");
        for name in ["shared", "other"] {
            self.write(&format!("{at}{name}/Cargo.toml"), &manifest(name, ""));
            self.write(&format!("{at}{name}/src/lib.rs"), "");
        }
        let path = format!("--manifest-path={at}Cargo.toml");
        self.cargo(&["generate-lockfile", &path]);
    }

    /// A lock for packages without dependencies, version 0.1.0.
    pub(crate) fn write_lock(&self, packages: &[&str]) {
        let mut names = packages.to_vec();
        names.sort_unstable();
        let entries = names
            .iter()
            .map(|name| format!("\n[[package]]\nname = \"{name}\"\nversion = \"0.1.0\"\n"));
        let text = format!(
            "# This file is automatically @generated by Cargo.\n# It is not intended for manual editing.\nversion = 4\n{}",
            entries.collect::<String>()
        );
        self.write("Cargo.lock", &text);
    }

    /// Commits everything to git, and gives the commit.
    pub(crate) fn commit(&self, message: &str) -> String {
        if !self.path().join(".git").exists() {
            self.git(&["init", "-q", "-b", "main"]);
        }
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// What git says.
    #[track_caller]
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let settings = [
            "user.name=Test",
            "user.email=test@example.com",
            "protocol.file.allow=always",
        ];
        let settings = settings.iter().flat_map(|setting| ["-c", setting]);
        let said = run(Command::new("git")
            .args(settings)
            .args(arguments)
            .env_remove("GIT_DIR")
            .current_dir(self.path()));
        said.trim().to_owned()
    }

    /// Puts everything back to what was committed last, but for what git ignores.
    pub(crate) fn restore(&self) {
        self.git(&["reset", "-q", "--hard"]);
        self.git(&["clean", "-q", "-f", "-d"]);
    }

    /// Runs cargo, without a network.
    pub(crate) fn cargo(&self, arguments: &[&str]) {
        run(Command::new("cargo")
            .args(arguments)
            .args(["--offline", "--quiet"])
            .env_remove("RUSTFLAGS")
            .current_dir(self.path()));
    }

    /// Writes a crate into `vendor`, where cargo finds it if its configuration says so.
    pub(crate) fn vendor(&self, name: &str, version: &str) {
        let place = format!("vendor/{name}-{version}");
        let manifest =
            format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2021\"\n");
        self.write(&format!("{place}/Cargo.toml"), &manifest);
        self.write(&format!("{place}/src/lib.rs"), "");
        let digest = cargo_lighter::digest::Digest::of(place.as_bytes()).hex();
        let text = format!("{{\"files\":{{}},\"package\":\"{digest}\"}}\n");
        self.write(&format!("{place}/.cargo-checksum.json"), &text);
    }

    /// Replaces a part of a file, which must be there.
    #[track_caller]
    pub(crate) fn replace(&self, relative: &str, from: &str, to: &str) {
        let path = self.path().join(relative);
        let before = fs_err::read_to_string(&path).expect("readable");
        assert!(
            before.contains(from),
            "no `{from}` in {relative}:\n{before}"
        );
        fs_err::write(path, before.replacen(from, to, 1)).expect("written");
    }

    /// Removes a file.
    pub(crate) fn remove(&self, relative: &str) {
        fs_err::remove_file(self.path().join(relative)).expect("removed");
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a file below it.
    pub(crate) fn write(&self, relative: &str, text: &str) {
        let path = self.path().join(relative);
        fs_err::create_dir_all(path.parent().expect("has a parent")).expect("created");
        fs_err::write(path, text).expect("written");
    }

    /// Gives a file below it this mode.
    pub(crate) fn set_mode(&self, relative: &str, mode: u32) {
        let mode = std::fs::Permissions::from_mode(mode);
        fs_err::set_permissions(self.path().join(relative), mode).expect("set");
    }

    /// Writes a program below it. Another process writes it: had this one the file open while some
    /// other thread forks, running the program could fail with "text file busy".
    pub(crate) fn write_executable(&self, relative: &str, text: &str) {
        let path = self.path().join(relative);
        let mut install = Command::new("install")
            .args(["-D", "-m", "755", "/dev/stdin"])
            .arg(&path)
            .stdin(Stdio::piped())
            .spawn()
            .expect("install starts");
        let mut stdin = install.stdin.take().expect("piped");
        stdin.write_all(text.as_bytes()).expect("written");
        drop(stdin);
        assert!(install.wait().expect("it ends").success());
    }

    /// Adds text at the end of a file.
    pub(crate) fn append(&self, relative: &str, text: &str) {
        let path = self.path().join(relative);
        let before = fs_err::read_to_string(&path).expect("readable");
        fs_err::write(path, before + text).expect("written");
    }

    /// All files below it, sorted, with their sizes: to see that nothing changed.
    pub(crate) fn listing(&self) -> Vec<(PathBuf, u64)> {
        let files = cargo_lighter::fs::sorted_files(self.path()).expect("readable");
        let size = |path: &Path| path.symlink_metadata().expect("there").len();
        files
            .into_iter()
            .map(|file| (file.relative, size(&file.path)))
            .collect()
    }
}

/// A manifest of a package without dependencies.
pub(crate) fn manifest(name: &str, more: &str) -> String {
    format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{more}")
}

/// Makes `to` hold what `from` holds, touching only what differs, so that cargo finds fresh what is.
fn mirror(from: &Path, to: &Path) {
    for file in cargo_lighter::fs::sorted_files(from).expect("readable") {
        if file.relative.starts_with("target") {
            continue;
        }
        let place = to.join(&file.relative);
        let bytes = fs_err::read(&file.path).expect("readable");
        if fs_err::read(&place).ok().as_deref() != Some(&bytes) {
            fs_err::create_dir_all(place.parent().expect("has a parent")).expect("created");
            fs_err::copy(&file.path, &place).expect("copied");
            let now = std::time::SystemTime::now();
            let file = fs_err::OpenOptions::new()
                .write(true)
                .open(&place)
                .expect("there");
            file.file().set_modified(now).expect("touched");
        }
    }
}

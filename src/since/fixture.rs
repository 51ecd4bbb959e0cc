//! Repositories to test with.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::digest::Digest;
use crate::process::{Environment, Interrupt};

/// A directory with a repository `r`, and room beside it.
pub(super) struct World {
    directory: TempDir,
    pub(super) environment: Environment,
    pub(super) interrupt: Interrupt,
}

impl World {
    /// Nothing but the directory.
    pub(super) fn empty() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = std::env::var_os("PATH").expect("a PATH");
        let environment = Environment::new(directory.path(), [("PATH".into(), path)])
            .with("HOME", directory.path())
            .with("GIT_CONFIG_NOSYSTEM", "1");
        let config = "[user]\nname = A\nemail = a@b\n[init]\ndefaultBranch = main\n\
                      [protocol \"file\"]\nallow = always\n[commit]\ngpgSign = false\n";
        fs_err::write(directory.path().join(".gitconfig"), config).expect("written");
        Self {
            directory,
            environment,
            interrupt: Interrupt::new(),
        }
    }

    /// With a repository of one commit: a workspace's manifest and a file.
    pub(super) fn new() -> Self {
        Self::with_format("sha1")
    }

    pub(super) fn with_format(format: &str) -> Self {
        let world = Self::empty();
        world.git_in(
            world.directory.path(),
            &["init", "--quiet", "--object-format", format, "r"],
        );
        world.write("Cargo.toml", "[workspace]\n");
        world.write("src/a.rs", "a\n");
        world.commit("first");
        world
    }

    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(super) fn repository(&self) -> PathBuf {
        self.beside("r")
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.repository().join(name)
    }

    pub(super) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs_err::create_dir_all(path.parent().expect("a parent")).expect("created");
        fs_err::write(path, content).expect("written");
    }

    pub(super) fn executable(&self, name: &str) {
        let permissions = std::fs::Permissions::from_mode(0o755);
        fs_err::set_permissions(self.path(name), permissions).expect("changed");
    }

    /// Gives a file the time of so many seconds after 1970.
    pub(super) fn age(&self, name: &str, seconds: u64) {
        let file = fs_err::OpenOptions::new().write(true).open(self.path(name));
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        let aged = file.expect("opened").file().set_modified(time);
        aged.expect("aged");
    }

    pub(super) fn remove(&self, name: &str) {
        fs_err::remove_file(self.path(name)).expect("removed");
    }

    /// Commits all there is, and tells the id.
    pub(super) fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    pub(super) fn git(&self, arguments: &[&str]) -> String {
        self.git_in(&self.repository(), arguments)
    }

    /// What git prints, as the user's own git would.
    pub(super) fn git_in(&self, directory: &Path, arguments: &[&str]) -> String {
        let program = crate::process::Program::new("git", &self.environment.clone().at(directory))
            .args(arguments.iter().copied());
        let captured = program.capture(b"").expect("git runs");
        let stderr = String::from_utf8_lossy(&captured.stderr);
        assert!(captured.status.success(), "git {arguments:?}: {stderr}");
        String::from_utf8_lossy(&captured.stdout).trim().to_owned()
    }

    /// Every file of a directory with its content's digest, to see whether it was touched.
    pub(super) fn snapshot(directory: &Path) -> Vec<(PathBuf, Digest)> {
        let mut files: Vec<(PathBuf, Digest)> = walkdir::WalkDir::new(directory)
            .into_iter()
            .map(|entry| entry.expect("readable"))
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| {
                let content = fs_err::read(entry.path()).expect("readable");
                (entry.into_path(), Digest::of(&content))
            })
            .collect();
        files.sort();
        files
    }
}

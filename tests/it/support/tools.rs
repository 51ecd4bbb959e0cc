//! Other tools that read what we write.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// Runs a program that must end well, and gives its standard output.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> String {
    let output = output(command);
    assert!(
        output.status.success(),
        "{command:?}\n{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs a program.
#[track_caller]
pub(crate) fn output(command: &mut Command) -> Output {
    match command.output() {
        Ok(output) => output,
        Err(error) => panic!("{command:?}: {error} (tests/run installs what tests need)"),
    }
}

/// Says why a test shows nothing on this machine. cargo test hides what tests that pass print with
/// macros, and this must be seen.
pub(crate) fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {}", why.trim_end());
}

/// `skopeo inspect` of an image in any of skopeo's forms.
#[track_caller]
pub(crate) fn skopeo_inspect(image: &str) -> serde_json::Value {
    let text = run(Command::new("skopeo").args(["inspect", "--tls-verify=false", image]));
    serde_json::from_str(&text).expect("JSON")
}

/// `skopeo inspect --config`: the image's configuration.
#[track_caller]
pub(crate) fn skopeo_config(image: &str) -> serde_json::Value {
    let arguments = ["inspect", "--config", "--tls-verify=false", image];
    let text = run(Command::new("skopeo").args(arguments));
    serde_json::from_str(&text).expect("JSON")
}

/// A root file system that umoci unpacked.
#[derive(Debug)]
pub(crate) struct Unpacked {
    directory: TempDir,
}

impl Unpacked {
    /// Unpacks `NAME:TAG` of a layout.
    #[track_caller]
    pub(crate) fn of_layout(layout: &Path, name: &str) -> Self {
        // umoci takes the part after the first colon for the tag, which must not hold another.
        let copy = TempDir::new().expect("a temporary directory");
        let plain = format!("oci:{}:image", copy.path().join("layout").display());
        let source = format!("oci:{}:{name}", layout.display());
        run(Command::new("skopeo").args(["copy", "-q", &source, &plain]));
        Self::unpack(copy)
    }

    #[track_caller]
    fn unpack(directory: TempDir) -> Self {
        let image = format!("{}:image", directory.path().join("layout").display());
        let rights: &[&str] = if is_root() { &[] } else { &["--rootless"] };
        run(Command::new("umoci")
            .args(["unpack", "--image", &image])
            .args(rights)
            .arg(directory.path().join("bundle")));
        Self { directory }
    }

    /// Where the files are.
    pub(crate) fn root(&self) -> PathBuf {
        self.directory.path().join("bundle/rootfs")
    }

    /// A command inside the root, as `uid`. Where the tests are not root's, it is `uid` only in a user
    /// namespace of its own; outside it is whoever runs the tests.
    pub(crate) fn command(&self, uid: u32, program: &str) -> Command {
        let mut command;
        if is_root() {
            command = Command::new("/usr/sbin/chroot");
            command.arg(format!("--userspec={uid}:{uid}"));
        } else {
            command = Command::new("/usr/bin/unshare");
            command
                .arg(format!("--map-user={uid}"))
                .arg(format!("--map-group={uid}"))
                .arg("--root");
        }
        command.arg(self.root()).arg(program).env_clear();
        command
    }
}

/// Whether root runs the tests.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

//! Container engines of a test's own: what they keep goes with the value, and nothing of the machine's is
//! touched.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::tools::{is_root, output, run, skipped};
use super::workspace::Checkout;

/// What works without the right to raise limits, and without a network of the container's own.
pub(crate) const RUN: [&str; 7] = [
    "--rm",
    "--ulimit",
    "nofile=20000:20000",
    "--ulimit",
    "nproc=4096:4096",
    "--network",
    "host",
];

/// A docker client that is pointed at this finds no daemon, not even the machine's own.
pub(crate) const NO_DAEMON: (&str, &str) = ("DOCKER_HOST", "unix:///nonexistent/docker.sock");

/// What podman keeps.
pub(crate) struct Podman(TempDir);

impl Podman {
    /// `None` where podman cannot run containers; that is said.
    pub(crate) fn ready() -> Option<Self> {
        if !is_root() {
            skipped("podman leaves files and a process behind when it runs for others than root");
            return None;
        }
        let podman = Self(TempDir::new().expect("a temporary directory"));
        if let Err(reason) = podman.runs() {
            skipped(&format!("podman cannot run containers here:\n{reason}"));
            return None;
        }
        Some(podman)
    }

    pub(crate) fn command(&self, command: &str) -> Command {
        let mut podman = Command::new("podman");
        podman.args(self.flags()).arg(command);
        podman
    }

    /// Asks the first process of a container to end.
    pub(crate) fn terminate(&self, container: &str) -> Command {
        let mut kill = self.command("kill");
        kill.args(["--signal", "TERM", container]);
        kill
    }

    /// A directory in which `podman` is one that keeps everything here.
    pub(crate) fn program(&self, checkout: &Checkout) -> PathBuf {
        let podman = run(Command::new("sh").args(["-c", "command -v podman"]));
        let script = format!(
            "#!/bin/sh\nexec {} {} \"$@\"\n",
            podman.trim(),
            self.flags().join(" ")
        );
        checkout.write_executable("programs/podman", &script);
        checkout.path().join("programs")
    }

    fn flags(&self) -> Vec<String> {
        let path = |name| self.0.path().join(name).display().to_string();
        let (root, state) = (path("root"), path("run"));
        let flags = ["--root", &root, "--runroot", &state];
        let engine = ["--runtime", "runc", "--cgroup-manager", "cgroupfs"];
        flags
            .iter()
            .chain(&engine)
            .map(ToString::to_string)
            .collect()
    }

    /// Whether podman can run anything here: many sandboxes let it not. What it is asked to run is
    /// none of our images, lest a broken one of them passes for a sandbox.
    fn runs(&self) -> Result<(), String> {
        let root = self.0.path().join("probe");
        fs_err::create_dir(&root).expect("created");
        let source = self.0.path().join("probe.c");
        fs_err::write(&source, "int main(void) { return 0; }\n").expect("written");
        run(Command::new("cc")
            .args(["-static", "-o"])
            .args([&root.join("probe"), &source]));
        let mut probe = self.command("run");
        let tried = output(probe.args(RUN).arg("--rootfs").arg(&root).arg("/probe"));
        if tried.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&tried.stderr).into_owned())
        }
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        // After a run that failed, podman leaves a mount there, and the directory could not go.
        let overlay = self.0.path().join("root/overlay");
        let _ = Command::new("umount").arg(overlay).output();
    }
}

/// A docker daemon without a network.
pub(crate) struct Docker {
    child: Child,
    directory: TempDir,
}

impl Docker {
    /// `None` where no daemon can be started; that is said.
    pub(crate) fn start() -> Option<Self> {
        if !is_root() {
            skipped("a docker daemon wants to be root's");
            return None;
        }
        let directory = TempDir::new().expect("a temporary directory");
        let place = |name: &str| directory.path().join(name).display().to_string();
        let mut command = Command::new("dockerd");
        command
            .args(["--host", &format!("unix://{}", place("docker.sock"))])
            .args(["--data-root", &place("data"), "--exec-root", &place("exec")])
            .args([
                "--pidfile",
                &place("pid"),
                "--config-file",
                &place("none.json"),
            ])
            .args(["--iptables=false", "--ip6tables=false", "--bridge=none"])
            .args(["--default-ulimit", "nofile=20000:20000"])
            .args(["--default-ulimit", "nproc=4096:4096"]);
        fs_err::write(directory.path().join("none.json"), "{}").expect("written");
        match started(&mut command, "API listen on") {
            Ok(child) => Some(Self { child, directory }),
            Err(said) => {
                skipped(&format!("no docker daemon starts here:\n{said}"));
                None
            }
        }
    }

    /// The value of `DOCKER_HOST`.
    pub(crate) fn host(&self) -> String {
        format!("unix://{}/docker.sock", self.directory.path().display())
    }

    pub(crate) fn command(&self, command: &str) -> Command {
        let mut docker = Command::new("docker");
        docker.env("DOCKER_HOST", self.host()).arg(command);
        docker
    }

    /// The ID of an image.
    pub(crate) fn id(&self, name: &str) -> String {
        let mut inspect = self.command("image");
        let id = run(inspect.args(["inspect", "--format", "{{.Id}}", name]));
        id.trim().to_owned()
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// containerd alone, as Kubernetes has it.
pub(crate) struct Containerd {
    child: Child,
    directory: TempDir,
}

impl Containerd {
    /// `None` where it cannot be started; that is said.
    pub(crate) fn start() -> Option<Self> {
        if !is_root() {
            skipped("containerd wants to be root's");
            return None;
        }
        let directory = TempDir::new().expect("a temporary directory");
        let here = directory.path().display();
        let config = format!(
            "version = 2\nroot = \"{here}/root\"\nstate = \"{here}/state\"\n\
             disabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n[grpc]\naddress = \"{here}/socket\"\n"
        );
        let file = directory.path().join("config.toml");
        fs_err::write(&file, config).expect("written");
        let mut command = Command::new("containerd");
        match started(command.arg("--config").arg(&file), "successfully booted") {
            Ok(child) => Some(Self { child, directory }),
            Err(said) => {
                skipped(&format!("no containerd starts here:\n{said}"));
                None
            }
        }
    }

    pub(crate) fn ctr(&self, arguments: &[&str]) -> String {
        run(Command::new("ctr")
            .arg("--address")
            .arg(self.directory.path().join("socket"))
            .args(arguments))
    }
}

impl Drop for Containerd {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Starts a daemon and waits until it says that it is ready; else gives what it said. That the program is
/// missing is no reason to skip anything.
fn started(command: &mut Command, ready: &str) -> Result<Child, String> {
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| {
            panic!("{command:?}: {error} (tests/run installs what tests need)")
        });
    let mut messages = BufReader::new(child.stderr.take().expect("piped"));
    let mut said = String::new();
    while !said.contains(ready) {
        if messages.read_line(&mut said).expect("readable") == 0 {
            let _ = child.wait();
            return Err(said);
        }
    }
    thread::spawn(move || messages.lines().for_each(drop));
    Ok(child)
}

/// Asks a daemon to end, so that it takes its mounts with it.
fn end(child: &mut Child) {
    let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if id.is_some_and(|id| kill_process(id, Signal::TERM).is_ok()) {
        let _ = child.wait();
    }
}

/// A directory of links to all programs on PATH but container engines.
pub(crate) fn without_engines(checkout: &Checkout) -> PathBuf {
    let place = checkout.path().join("without-engines");
    fs_err::create_dir(&place).expect("created");
    let path = std::env::var_os("PATH").unwrap_or_default();
    for directory in std::env::split_paths(&path).filter(|directory| directory.is_dir()) {
        for entry in fs_err::read_dir(directory).expect("readable") {
            let entry = entry.expect("readable");
            let name = entry.file_name();
            let engine = ["docker", "podman", "nerdctl"].map(Path::new);
            if !engine.contains(&Path::new(&name)) {
                // The first of a name is the one that counts.
                let _ = std::os::unix::fs::symlink(entry.path(), place.join(&name));
            }
        }
    }
    place
}

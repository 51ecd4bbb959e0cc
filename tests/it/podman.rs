//! A container engine runs what we push.

use std::process::Command;

use tempfile::TempDir;

use crate::support::cli::Lighter;
use crate::support::registry::Registry;
use crate::support::serving::Serving;
use crate::support::tools::{is_root, output, run, skipped};
use crate::support::workspace::shop;

#[test]
fn podman_pulls_and_runs_a_service_as_its_user() {
    if !is_root() {
        skipped("podman leaves files and a process behind when it runs for others than root");
        return;
    }
    let storage = Storage(TempDir::new().expect("a temporary directory"));
    if let Err(reason) = storage.podman_runs() {
        skipped(&format!("podman cannot run containers here:\n{reason}"));
        return;
    }
    let registry = Registry::open();
    let repo = format!("{}/shop", registry.host());
    Lighter::at(shop())
        .args(["push", "--repo", &repo, "shop-gateway"])
        .run()
        .expect(0);
    let image = format!("docker://{repo}/shop-gateway:latest");
    let gateway = Serving::start(
        storage
            .podman("run")
            .args(RUN)
            .args(["--quiet", "--tls-verify=false", "--name", "gateway"])
            .args(["--env", "HOST=127.0.0.1", "--env", "PORT=0"])
            .arg(&image),
    );
    let answer = gateway.get("/livez");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let main = storage
        .podman("inspect")
        .args(["--format", "{{.State.Pid}}", "gateway"])
        .output()
        .expect("podman starts");
    let main = String::from_utf8_lossy(&main.stdout).trim().to_owned();
    let status = std::fs::read_to_string(format!("/proc/{main}/status")).expect("it runs");
    assert!(status.contains("Uid:\t65532\t65532"), "{status}");
    // podman hands the signal on, to a service that is the first process of its namespace.
    let (printed, code) = gateway.stop();
    assert_eq!(code, Some(0), "{printed}");
    assert!(printed.contains("event=stopped"), "{printed}");
}

/// What works without the right to raise limits, and without a network of the container's own.
const RUN: [&str; 7] = [
    "--rm",
    "--ulimit",
    "nofile=20000:20000",
    "--ulimit",
    "nproc=4096:4096",
    "--network",
    "host",
];

/// What podman keeps, which goes with the value.
struct Storage(TempDir);

impl Storage {
    fn podman(&self, command: &str) -> Command {
        let mut podman = Command::new("podman");
        podman
            .arg("--root")
            .arg(self.0.path().join("root"))
            .arg("--runroot")
            .arg(self.0.path().join("run"))
            .args(["--runtime", "runc", "--cgroup-manager", "cgroupfs"])
            .arg(command);
        podman
    }

    /// Whether podman can run anything here: many sandboxes let it not. What it is asked to run is
    /// none of our images, lest a broken one of them passes for a sandbox.
    fn podman_runs(&self) -> Result<(), String> {
        let root = self.0.path().join("probe");
        fs_err::create_dir(&root).expect("created");
        let source = self.0.path().join("probe.c");
        fs_err::write(&source, "int main(void) { return 0; }\n").expect("written");
        run(Command::new("cc")
            .args(["-static", "-o"])
            .args([&root.join("probe"), &source]));
        let mut probe = self.podman("run");
        let tried = output(probe.args(RUN).arg("--rootfs").arg(&root).arg("/probe"));
        if tried.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&tried.stderr).into_owned())
        }
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        // After a run that failed, podman leaves a mount there, and the directory could not go.
        let overlay = self.0.path().join("root/overlay");
        let _ = Command::new("umount").arg(overlay).output();
    }
}

//! A container engine runs what we push.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::support::cli::Lighter;
use crate::support::registry::Registry;
use crate::support::serving::Serving;
use crate::support::tools::{output, skipped};
use crate::support::workspace::{Checkout, shop};

#[test]
fn podman_pulls_and_runs_a_service_as_its_user() {
    let storage = TempDir::new().expect("a temporary directory");
    if let Err(reason) = podman_runs(storage.path()) {
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
        podman(storage.path(), "run")
            .args(RUN)
            .args(["--tls-verify=false", "--name", "gateway"])
            .args(["--env", "HOST=127.0.0.1", "--env", "PORT=0"])
            .arg(&image),
    );
    let answer = gateway.get("/livez");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let main = podman(storage.path(), "inspect")
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

fn podman(storage: &Path, command: &str) -> Command {
    let mut podman = Command::new("podman");
    podman
        .arg("--root")
        .arg(storage.join("root"))
        .arg("--runroot")
        .arg(storage.join("run"))
        .args(["--runtime", "runc", "--cgroup-manager", "cgroupfs"])
        .arg(command);
    podman
}

/// Whether podman can run anything here: many sandboxes let it not.
fn podman_runs(storage: &Path) -> Result<(), String> {
    let checkout = Checkout::of_services(&["probe"]);
    Lighter::at(checkout.path()).args(["build"]).run().expect(0);
    let layout = checkout.path().join("target/lighter/oci");
    // podman takes everything after the second colon for the name.
    let image = format!("oci:{}:probe:latest", layout.display());
    let tried = output(podman(storage, "run").args(RUN).arg(image));
    let said = String::from_utf8_lossy(&tried.stderr).into_owned();
    if tried.status.success() {
        Ok(())
    } else {
        Err(said)
    }
}

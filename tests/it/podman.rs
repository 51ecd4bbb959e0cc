//! A container engine runs what we push.

use crate::support::cli::Lighter;
use crate::support::engines::{Podman, RUN};
use crate::support::registry::Registry;
use crate::support::serving::Serving;
use crate::support::workspace::shop;

#[test]
fn podman_pulls_and_runs_a_service_as_its_user() {
    let Some(podman) = Podman::ready() else {
        return;
    };
    let registry = Registry::open();
    let repo = format!("{}/shop", registry.host());
    Lighter::at(shop())
        .args(["push", "--repo", &repo, "shop-gateway"])
        .run()
        .expect(0);
    let image = format!("docker://{repo}/shop-gateway:latest");
    let gateway = Serving::start(
        podman
            .command("run")
            .args(RUN)
            .args(["--quiet", "--tls-verify=false", "--name", "gateway"])
            .args(["--env", "HOST=127.0.0.1", "--env", "PORT=0"])
            .arg(&image),
    );
    let answer = gateway.get("/livez");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let main = podman
        .command("inspect")
        .args(["--format", "{{.State.Pid}}", "gateway"])
        .output()
        .expect("podman starts");
    let main = String::from_utf8_lossy(&main.stdout).trim().to_owned();
    let status = std::fs::read_to_string(format!("/proc/{main}/status")).expect("it runs");
    assert!(status.contains("Uid:\t65532\t65532"), "{status}");
    // The service is the first process of its namespace, whom no signal ends by default.
    let (printed, code) = gateway.stop_by(&mut podman.terminate("gateway"));
    assert_eq!(code, Some(0), "{printed}");
    assert!(printed.contains("event=stopped"), "{printed}");
}

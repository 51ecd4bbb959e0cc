//! R7: bodies without an end, at every endpoint, and the memory that they take.
//!
//! The kernel's own mark of what was resident (`VmHWM`, proc(5)) never falls, so that it is read in a process
//! which does nothing else: this test runs itself again, once for each flood.

use std::process::Command;

use cargo_lighter::registry::RegistryError;

use super::scenario::{Scenario, play, scenario};
use crate::fault_registry::{Act, Flood, on};

const UPLOADS: &str = "/blobs/uploads/";
const BY_DIGEST: &str = "/manifests/sha256:";
/// What a flood may add.
const LIMIT: u64 = 64 * 1024 * 1024;
const NAME: &str = "registry_faults::floods::bodies_without_an_end_take_little_memory";
const VARIABLE: &str = "LIGHTER_TEST_FLOOD";
const TOLD: &str = "bytes added: ";

/// Whether a flood that breaks the protocol is told: a broken connection, or no HTTP at all.
fn is_no_answer(error: &RegistryError) -> bool {
    let kinds = matches!(
        error,
        RegistryError::Protocol { .. }
            | RegistryError::NotPlain { .. }
            | RegistryError::Lost { .. }
    );
    kinds && error.to_string().len() < 2000
}

fn is_told(error: &RegistryError) -> bool {
    let kinds = matches!(
        error,
        RegistryError::Protocol { .. }
            | RegistryError::Refused { .. }
            | RegistryError::Unauthorized { .. }
            | RegistryError::NotFound { .. }
            | RegistryError::NotStored { .. }
            | RegistryError::LoginRefused { .. }
    );
    kinds && error.to_string().len() < 2000
}

/// Every such request is answered with 400 MB.
fn flood(method: &'static str, part: &'static str, status: u16) -> Scenario {
    flood_of(method, part, status, Flood::Body)
}

fn flood_of(method: &'static str, part: &'static str, status: u16, of: Flood) -> Scenario {
    scenario(format!("R7 {method} {part} {status} {of:?}"))
        .tokens(300)
        .fault(on(method, part).always().act(Act::Flood(status, of)))
}

/// The same of pieces and headers, at each kind of endpoint.
fn other_floods() -> impl Iterator<Item = Scenario> {
    let endpoints = [
        ("GET", "/token", 200),
        ("GET", "/v2/", 401),
        ("HEAD", "/manifests/", 200),
        ("HEAD", "/blobs/", 200),
        ("POST", UPLOADS, 202),
        ("PUT", UPLOADS, 400),
        ("PUT", BY_DIGEST, 201),
        ("GET", BY_DIGEST, 200),
    ];
    let kinds = [
        Flood::Pieces,
        Flood::Headers,
        Flood::Header,
        Flood::Warnings,
    ];
    endpoints
        .into_iter()
        .flat_map(move |(method, part, status)| {
            kinds.map(|of| {
                let scenario = flood_of(method, part, status, of);
                match of {
                    // What is not answered to a look is no reason not to push, and of an answer to it only the
                    // head counts.
                    _ if method == "HEAD" => scenario.either(),
                    Flood::Headers | Flood::Header => scenario.fails(is_no_answer),
                    _ => scenario.fails(is_told),
                }
            })
        })
}

fn floods() -> Vec<Scenario> {
    let endpoints = [
        ("GET", "/token", [200, 400, 401]),
        ("GET", "/v2/", [400, 403, 500]),
        ("POST", UPLOADS, [202, 400, 403]),
        ("PUT", UPLOADS, [201, 400, 500]),
        ("PUT", BY_DIGEST, [201, 400, 404]),
        ("PUT", "/manifests/v1", [201, 409, 500]),
        ("GET", BY_DIGEST, [200, 404, 500]),
    ];
    let refused = endpoints.into_iter().flat_map(|(method, part, statuses)| {
        statuses.map(|status| flood(method, part, status).fails(is_told))
    });
    // Where HEAD is not allowed, the manifest itself is read.
    let headless = flood("GET", "/manifests/v1", 200)
        .fault(on("HEAD", "/manifests/v1").always().status(405))
        .fails(is_told);
    // Who answers the first question at length is as open as anybody.
    let open = flood("GET", "/v2/", 200).either();
    let exchange = flood("POST", "/token", 200)
        .login(Some("<token>:identity/secret"))
        .fails(is_told);
    // What is not taken over is sent.
    let mounts = [201, 202, 500].map(|status| flood("POST", "mount=", status).two_services());
    let pieces = flood("PATCH", UPLOADS, 202)
        .fault(on("PUT", UPLOADS).always().status(405))
        .fails(is_told);
    let close = flood("DELETE", UPLOADS, 202)
        .fault(on("PUT", UPLOADS).always().status(403))
        .fails(is_told);
    refused
        .chain([headless, open, exchange, pieces, close])
        .chain(mounts)
        .chain(other_floods())
        .collect()
}

#[test]
#[expect(clippy::print_stdout, reason = "figures for whoever asks for them")]
fn bodies_without_an_end_take_little_memory() {
    if let Some(number) = std::env::var_os(VARIABLE) {
        let number: usize = number
            .to_str()
            .and_then(|text| text.parse().ok())
            .expect("a number");
        let before = most_resident();
        play(floods().into_iter().skip(number).take(1).collect());
        println!("{TOLD}{}", most_resident() - before);
        return;
    }
    let mut worst = 0;
    for (number, flood) in floods().into_iter().enumerate() {
        let added = added_by(number, &flood.id);
        assert!(added < LIMIT, "{}: {added} bytes", flood.id);
        worst = worst.max(added);
    }
    println!("a body of 400 MB added at most {} KiB", worst / 1024);
}

/// What a process has resident more at some time because it plays this scenario, with the server and the image
/// that the scenario needs.
fn added_by(number: usize, id: &str) -> u64 {
    let itself = std::env::current_exe().expect("a program");
    let output = Command::new(itself)
        .args(["--exact", NAME, "--nocapture"])
        .env(VARIABLE, number.to_string())
        .output()
        .expect("starts");
    let told = String::from_utf8_lossy(&output.stdout);
    let cause = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{id}: {told}\n{cause}");
    let figure = told.lines().find_map(|line| line.strip_prefix(TOLD));
    figure.and_then(|text| text.parse().ok()).expect("a figure")
}

/// In bytes.
fn most_resident() -> u64 {
    let status = fs_err::read_to_string("/proc/self/status").expect("readable");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let number = kibibytes.expect("a mark").trim().parse::<u64>();
    number.expect("a number") * 1024
}

//! R6: connections that end as HTTP/2 lets them.

use std::time::Duration;

use cargo_lighter::process::{Environment, Interrupt};
use cargo_lighter::reference::Repository;
use cargo_lighter::registry::{Limits, Options, Registry};
use cargo_lighter::report::Clock;
use fs_err as fs;

use super::program::is_whole;
use crate::fault_registry::{FaultRegistry, Settings};
use crate::support::authority::Authority;
use crate::support::cli::Lighter;
use crate::support::http2::{Fault, Faults, Front};
use crate::support::workspace::Checkout;

const UPLOADS: &str = "/blobs/uploads/";
const SERVICES: [&str; 2] = ["orders", "users"];

/// A push that meets these faults, all of them, and stores everything.
#[track_caller]
fn survives(faults: Faults) {
    let server = FaultRegistry::start(Settings::default());
    let authority = Authority::new();
    let front = Front::new(&server.host(), &authority, faults);
    let checkout = Checkout::of_services(&SERVICES);
    let home = Checkout::empty();
    let place = home.path().join("containers/certs.d").join(front.host());
    fs::create_dir_all(&place).expect("made");
    fs::copy(authority.file("ca.crt"), place.join("ca.crt")).expect("copied");
    Lighter::at(checkout.path())
        .env("XDG_CONFIG_HOME", home.path())
        .args([
            "push",
            "-vv",
            "-t",
            "v1",
            "--repo",
            &format!("{}/shop", front.host()),
        ])
        .run_process(":")
        .expect(0);
    assert_eq!(front.left(), 0, "faults that never came about");
    for service in SERVICES {
        assert!(is_whole(&server, service), "{service}");
    }
}

#[test]
fn all_goes_over_one_protocol() {
    survives(Vec::new());
}

#[test]
fn a_connection_that_ends_between_requests_is_made_anew() {
    survives(vec![
        ("GET", "/v2/", 1, Fault::Last),
        ("HEAD", "/blobs/", 2, Fault::Last),
        ("PUT", UPLOADS, 1, Fault::Last),
        ("PUT", "/manifests/", 2, Fault::Last),
    ]);
}

#[test]
fn a_connection_that_ends_within_a_request_is_made_anew() {
    survives(vec![
        ("HEAD", "/manifests/", 1, Fault::CutOff),
        ("POST", UPLOADS, 1, Fault::CutOff),
        ("PUT", UPLOADS, 2, Fault::CutOff),
        ("PUT", "/manifests/", 1, Fault::CutOff),
    ]);
}

#[test]
fn requests_that_are_refused_unseen_are_sent_again() {
    survives(vec![
        ("GET", "/v2/", 1, Fault::Refused),
        ("POST", UPLOADS, 2, Fault::Refused),
        ("PUT", UPLOADS, 2, Fault::Refused),
        ("PUT", "/manifests/", 2, Fault::Refused),
    ]);
}

#[test]
fn a_connection_that_died_without_a_word_is_made_anew() {
    let server = FaultRegistry::start(Settings::default());
    let authority = Authority::new();
    let faults = vec![("POST", UPLOADS, 1, Fault::Dead)];
    let front = Front::new(&server.host(), &authority, faults);
    let home = Checkout::empty();
    let place = home.path().join("containers/certs.d").join(front.host());
    fs::create_dir_all(&place).expect("made");
    fs::copy(authority.file("ca.crt"), place.join("ca.crt")).expect("copied");
    let environment =
        Environment::new(home.path(), Vec::new()).with("XDG_CONFIG_HOME", home.path());
    let options = Options {
        limits: Limits {
            ping: Duration::from_millis(200),
            answer: Duration::from_secs(20),
            ..Limits::default()
        },
        ..Options::default()
    };
    let registry = Registry::with(&environment, Clock::monotonic(), &Interrupt::new(), options);
    let repository = format!("{}/shop/orders", front.host());
    let repository = Repository::parse(&repository).expect("legal");
    let checked = registry.expect("a client").check_push(&repository);
    checked.expect("over another connection");
    assert_eq!(front.left(), 0);
}

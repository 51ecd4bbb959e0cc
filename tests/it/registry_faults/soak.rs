//! Many pushes while something goes wrong all the time. `tests/soak` runs this with more of them.

use super::stage::Stage;
use crate::fault_registry::{Guard, Scopes, Settings};

/// Of a thousand requests, so many meet a fault.
const FAULTS: u64 = 50;
const PUSHES: u64 = 200;
const SEED: u64 = 20_260_101;

/// A number that the environment may set.
fn number(name: &str, otherwise: u64) -> u64 {
    let set = std::env::var(name).ok();
    set.map_or(otherwise, |text| text.parse().expect("a number"))
}

#[test]
#[expect(clippy::print_stdout, reason = "figures for whoever asks for them")]
fn pushes_succeed_while_one_request_in_twenty_fails() {
    let pushes = number("LIGHTER_SOAK_PUSHES", PUSHES);
    let seed = number("LIGHTER_SOAK_SEED", SEED);
    let guard = Guard::Bearer {
        seconds: 300,
        scopes: Scopes::All,
    };
    let settings = Settings {
        guard,
        ..Settings::default()
    };
    let stage = Stage::new(settings, Some("me:secret"));
    stage.server.fail_by_chance(seed, FAULTS);
    let mut failed = Vec::new();
    for push in 0..pushes {
        let image = stage.small_image(push);
        let (service, tag) = (format!("service-{}", push % 50), format!("v{push}"));
        match stage.client().push(&service, &image, &[&tag]) {
            Ok(_) => assert!(stage.has(&service, &image, &tag), "push {push} is broken"),
            Err(error) => {
                let is_tagged = stage
                    .server
                    .manifest(&format!("shop/{service}"), &tag)
                    .is_some();
                let is_whole = stage.has(&service, &image, &tag);
                assert!(
                    is_whole || !is_tagged,
                    "push {push} left a broken tag: {error}"
                );
                failed.push(format!("push {push}: {error}"));
            }
        }
    }
    let requests = stage.server.log().len();
    let faults = stage.server.chances();
    println!(
        "seed {seed}: {pushes} pushes, {requests} requests, {faults} faults, {} failed",
        failed.len()
    );
    assert!(failed.len() as u64 * 1000 <= pushes, "{failed:#?}");
}

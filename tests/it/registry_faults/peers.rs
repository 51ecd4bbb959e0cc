//! The same scenarios for other programs: `tests/peers` has this test binary serve one by its id, pushes to
//! it, and asks what came of it.

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::program::is_whole;
use super::scenario::{Scenario, leaks};
use crate::fault_registry::{FaultRegistry, Settings};

/// Says what is wanted instead of a test: `list`, or a directory that is told in `DIRECTORY`.
const WANTED: &str = "LIGHTER_PEERS";
const DIRECTORY: &str = "LIGHTER_PEERS_DIRECTORY";

/// Lists scenarios or serves one of them, if that is what this process is for.
pub(super) fn serve_instead(scenarios: &mut Vec<Scenario>) -> bool {
    let Ok(wanted) = std::env::var(WANTED) else {
        return false;
    };
    let found = scenarios
        .drain(..)
        // An identity token is something else to each program.
        .filter(|scenario| scenario.login.is_none_or(|login| !login.starts_with('<')))
        .filter(Scenario::is_for_peers);
    for scenario in found {
        if wanted == "list" {
            tell(
                &[
                    "scenario",
                    test_name().as_str(),
                    scenario.aim(),
                    &scenario.id,
                ]
                .join("\t"),
            );
        } else if wanted == scenario.id {
            let directory = std::env::var_os(DIRECTORY).expect("a directory");
            serve(scenario, Path::new(&directory));
        }
    }
    true
}

#[expect(clippy::print_stdout, reason = "the script reads it")]
fn tell(line: &str) {
    println!("{line}");
}

fn test_name() -> String {
    let thread = std::thread::current();
    thread.name().unwrap_or_default().to_owned()
}

/// Until standard input ends; then tells whether `shop/orders:v1` is stored whole, and whether the other origin
/// saw a credential, and whether any fault came about.
fn serve(scenario: Scenario, directory: &Path) {
    let began = Instant::now();
    let server = FaultRegistry::start(Settings {
        now: Arc::new(move || began.elapsed()),
        ..scenario.settings
    });
    let host = server.host();
    let auths = scenario.login.map_or_else(String::new, |login| {
        use base64::Engine as _;
        let pair = base64::engine::general_purpose::STANDARD.encode(login);
        format!(r#""{host}":{{"auth":"{pair}"}}"#)
    });
    let config = format!(r#"{{"auths":{{{auths}}}}}"#);
    fs_err::write(directory.join("config.json"), config).expect("written");
    let faults = scenario.faults.len();
    for fault in scenario.faults.into_iter().chain(scenario.traps) {
        server.add(fault);
    }
    tell(&format!("serving\t{host}"));
    let mut rest = Vec::new();
    std::io::stdin().read_to_end(&mut rest).expect("readable");
    let stored = is_whole(&server, "orders");
    let leaked = server.log().iter().any(leaks);
    // Programs go different ways, so that a fault may never come about.
    let unused = server.unused();
    let met = faults == 0 || (0..faults).any(|fault| !unused.contains(&fault));
    tell(&format!("verdict\t{stored}\t{leaked}\t{met}"));
}

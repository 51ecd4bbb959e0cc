//! Nothing changed: `build` of ten compiled services into a layout, beside the ten runs of cargo that
//! it makes, alone.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

mod support;

use std::fs;
use std::process::Command;

use support::{Workspace, done, median, seconds};

const SERVICES: usize = 10;
const ROUNDS: usize = 11;

fn main() {
    let workspace = Workspace::of_services(SERVICES);
    let first = done(&mut workspace.lighter(&["build", "-v"]));
    let commands = cargo_commands(&String::from_utf8_lossy(&first.stderr));
    assert_eq!(commands.len(), SERVICES, "one run of cargo a service");
    let layout = workspace.path().join("target/lighter/oci");
    let (mut fresh, mut kept, mut alone) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        alone.push(seconds(|| {
            for command in &commands {
                done(
                    Command::new("sh")
                        .args(["-c", command])
                        .current_dir(workspace.path()),
                );
            }
        }));
        fs::remove_dir_all(&layout).expect("there");
        let build = || drop(done(&mut workspace.lighter(&["build"])));
        fresh.push(seconds(build));
        kept.push(seconds(build));
    }
    let (fresh, kept, alone) = (median(fresh), median(kept), median(alone));
    println!("{SERVICES} services, nothing to compile, {ROUNDS} rounds, medians");
    println!("  cargo alone, {SERVICES} runs     {alone:.3} s");
    println!(
        "  build, empty layout       {fresh:.3} s, {:.2} times cargo alone",
        fresh / alone
    );
    println!(
        "  build, layout has them    {kept:.3} s, {:.2} times cargo alone",
        kept / alone
    );
}

/// The commands that `-v` shows, as a shell takes them.
fn cargo_commands(messages: &str) -> Vec<String> {
    let shown = messages
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("running "));
    shown.map(str::to_owned).collect()
}

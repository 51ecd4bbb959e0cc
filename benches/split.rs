//! Splits of ten services of the shop: made anew, beside the runs of `cargo update` that are in it, alone;
//! and made again with nothing changed, beside one `cargo metadata`.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use support::{Workspace, done, in_turns};
use tempfile::TempDir;

const SERVICES: usize = 10;
const ROUNDS: usize = 7;

fn main() {
    let workspace = Workspace::of_the_shop(SERVICES);
    workspace.commit();
    let place = TempDir::new().expect("a temporary directory");
    let out = place.path().join("splits");
    let split = || {
        let mut lighter = workspace.lighter(&["split", "--quiet", "--out"]);
        done(lighter.arg(&out));
    };
    split();
    let alone = place.path().join("alone");
    let mut copy = Command::new("cp");
    done(copy.arg("-r").args([&out, &alone]));
    let lock = workspace.path().join("Cargo.lock");
    let update = || {
        for service in fs::read_dir(&alone).expect("written") {
            let service = service.expect("an entry").path();
            update_in(&service, &lock);
        }
    };
    let anew = || {
        fs::remove_dir_all(&out).expect("written");
        fs::remove_dir_all(workspace.path().join("target/lighter/cache")).expect("written");
        split();
    };
    let metadata = || {
        let arguments = ["metadata", "--locked", "--offline", "--format-version", "1"];
        let platform = ["--filter-platform", "x86_64-unknown-linux-gnu"];
        workspace.cargo(&[&arguments[..], &platform[..]].concat());
    };
    let [anew, alone, again, metadata] = in_turns(ROUNDS, [&anew, &update, &split, &metadata]);
    println!("{SERVICES} services, {ROUNDS} rounds, medians");
    println!("  cargo update alone, {SERVICES} runs   {alone:.3} s");
    println!(
        "  split, nothing there          {anew:.3} s, {:.2} times that (aim: 1.5)",
        anew / alone
    );
    println!("  cargo metadata                {metadata:.3} s");
    println!(
        "  split, nothing changed        {again:.3} s, {:.2} times that (aim: 2)",
        again / metadata
    );
}

/// What `split` lets cargo do for each service.
fn update_in(service: &Path, lock: &Path) {
    fs::copy(lock, service.join("Cargo.lock")).expect("copied");
    let mut cargo = Command::new("cargo");
    cargo.args(["update", "--workspace", "--offline", "--quiet"]);
    done(cargo.current_dir(service));
}

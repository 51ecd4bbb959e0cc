//! What is asked most often, with nothing changed: which services a change reaches, beside the questions to
//! cargo and git that are in it; and a large workspace, listed, planned and keyed, beside `cargo metadata`.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

mod support;

use std::process::Command;

use support::{Workspace, done, in_turns};

const SERVICES: usize = 10;
const MANY_CRATES: usize = 300;
const MANY_SERVICES: usize = 100;
const ROUNDS: usize = 9;

fn main() {
    unchanged();
    large();
}

fn metadata(workspace: &Workspace) {
    workspace.cargo(&["metadata", "--locked", "--format-version", "1"]);
}

fn unchanged() {
    let workspace = Workspace::of_the_shop(SERVICES);
    workspace.commit();
    let since = || drop(done(&mut workspace.lighter(&["plan", "--since", "HEAD"])));
    let asked = || {
        metadata(&workspace);
        let mut git = Command::new("git");
        git.args(["diff", "--name-only", "HEAD"]);
        done(git.current_dir(workspace.path()));
    };
    since();
    let [since, asked] = in_turns(ROUNDS, [&since, &asked]);
    println!("{SERVICES} services, nothing changed, {ROUNDS} rounds, medians");
    println!("  cargo metadata and git diff   {asked:.3} s");
    println!(
        "  plan --since HEAD             {since:.3} s, {:.2} times that (aim: 1.3)",
        since / asked
    );
}

fn large() {
    let workspace = Workspace::large(MANY_CRATES, MANY_SERVICES);
    workspace.commit();
    let run = |arguments: &[&str]| drop(done(&mut workspace.lighter(arguments)));
    let list = || run(&["list"]);
    let plan = || run(&["plan"]);
    let keys = || run(&["plan", "--keys"]);
    let metadata = || metadata(&workspace);
    keys();
    let [list, plan, keys, metadata] = in_turns(ROUNDS, [&list, &plan, &keys, &metadata]);
    println!("{MANY_CRATES} crates, {MANY_SERVICES} services, {ROUNDS} rounds, medians");
    println!("  cargo metadata                {metadata:.3} s");
    for (what, seconds, aim) in [
        ("list", list, 1.3),
        ("plan", plan, 1.3),
        ("keys", keys, 3.0),
    ] {
        println!(
            "  {what:<29} {seconds:.3} s, {:.2} times that (aim: {aim})",
            seconds / metadata
        );
    }
}

//! Input keys are the same wherever a workspace stands, and whatever was built in it.

use std::process::Command;

use crate::keys::{keys, plan};
use crate::support::cli::Lighter;
use crate::support::tools::run;
use crate::support::workspace::{Checkout, manifest};

#[test]
fn a_key_is_the_same_in_every_checkout() {
    let first = Checkout::of_two();
    let before = keys(plan(first.path()).run());
    let elsewhere = Checkout::empty();
    let place = |name: &str| elsewhere.path().join(name);
    let clone = ["clone", "-q", ".", &place("clone").to_string_lossy()].map(str::to_owned);
    first.git(&clone.each_ref().map(String::as_str));
    assert_eq!(keys(plan(&place("clone")).run()), before);
    // As from an archive: no git, and other permissions.
    let export = format!(
        "umask 077; mkdir -p {0:?}; git archive HEAD | tar -x -C {0:?} --no-same-permissions",
        place("deep/er/export")
    );
    run(Command::new("sh")
        .args(["-c", &export])
        .current_dir(first.path()));
    assert_eq!(keys(plan(&place("deep/er/export")).run()), before);
    let far = [
        "worktree",
        "add",
        "-q",
        "--detach",
        &place("tree").to_string_lossy(),
    ]
    .map(str::to_owned);
    first.git(&far.each_ref().map(String::as_str));
    let tree = plan(&place("tree")).run_process("umask 077");
    assert_eq!(keys(tree), before);
    // What git ignores may lie about.
    elsewhere.write("clone/alpha/src/x.ignored", "x");
    elsewhere.write("clone/target/debug/alpha.d", "x");
    let from_member = plan(&place("clone/beta")).run();
    assert_eq!(keys(from_member), before);
}

#[test]
fn a_key_is_the_same_without_git_around_a_dependency_outside_of_the_workspace() {
    let checkout = Checkout::empty();
    checkout.write("lib/Cargo.toml", &manifest("lib", ""));
    checkout.write("lib/src/lib.rs", "");
    let dependency = "[dependencies]\nlib = { path = \"../lib\" }\n[workspace]\n";
    checkout.write("app/Cargo.toml", &manifest("app", dependency));
    checkout.write("app/src/main.rs", "fn main() {}\n");
    checkout.cargo(&["generate-lockfile", "--manifest-path=app/Cargo.toml"]);
    let without = keys(plan(&checkout.path().join("app")).run());
    checkout.commit("first");
    assert_eq!(keys(plan(&checkout.path().join("app")).run()), without);
}

#[test]
fn a_key_is_the_same_before_and_after_a_build() {
    let checkout = Checkout::of_services(&["one"]);
    checkout.write(".gitignore", "/target\n");
    checkout.commit("first");
    let before = keys(plan(checkout.path()).run());
    Lighter::at(checkout.path()).args(["build"]).run().expect(0);
    assert_eq!(keys(plan(checkout.path()).run()), before);
    let again = [
        "plan",
        "--keys",
        "--format",
        "json",
        "--target-dir",
        "other-target",
    ];
    let moved = Lighter::at(checkout.path()).args(again).run();
    assert_eq!(keys(moved), before);
}

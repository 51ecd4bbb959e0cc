//! `plan --since` where there is nothing to compare with.

use std::path::Path;

use crate::support::affected::{affected, assert_affected, changed, since};
use crate::support::cli::{Lighter, Run};
use crate::support::workspace::Checkout;

/// Asserts that both services count as affected, with a warning that has `parts`.
#[track_caller]
fn assert_everything(run: Run, parts: &[&str]) {
    let run = run
        .says(&["every service counts as affected: "])
        .says(parts);
    let found = affected(run);
    assert!(found.keys().eq(["alpha", "beta"]), "{found:?}");
    for reasons in found.values() {
        assert!(
            reasons[0].starts_with("everything counts as affected: "),
            "{reasons:?}"
        );
    }
}

#[test]
fn without_a_base_everything_is_affected() {
    let checkout = Checkout::of_two();
    checkout.commit("second");
    let json =
        |directory: &Path, revision: &str| since(directory, revision).args(["--format", "json"]);
    let zeros = "0".repeat(40);
    assert_everything(json(checkout.path(), &zeros).run(), &["the branch is new"]);
    let elsewhere = Checkout::empty();
    let shallow = elsewhere.path().join("shallow");
    let address = format!("file://{}", checkout.path().display());
    elsewhere.git(&["clone", "-q", "--depth=1", &address, "shallow"]);
    let ci = json(&shallow, "HEAD~1").env("GITHUB_ACTIONS", "true").run();
    assert_everything(ci, &["the clone is shallow", "fetch-depth: 0"]);
    elsewhere.git(&["clone", "-q", &address, "whole"]);
    let whole = elsewhere.path().join("whole");
    assert_everything(
        json(&whole, "origin/feature").run(),
        &["was never fetched", "git fetch origin feature"],
    );
    fs_err::remove_dir_all(whole.join(".git")).expect("there");
    assert_everything(json(&whole, "HEAD").run(), &["is in no work tree of git"]);
}

#[test]
fn an_unknown_revision_is_refused_with_near_names() {
    let checkout = Checkout::of_two();
    checkout.git(&["branch", "release-1"]);
    since(checkout.path(), "relaese-1").run().expect(2).says(&[
        "there is no commit `relaese-1`",
        "did you mean `release-1`?",
    ]);
    since(checkout.path(), "")
        .run()
        .expect(2)
        .says(&["is empty"]);
    Lighter::at(checkout.path())
        .args(["plan", "--head", "HEAD"])
        .run()
        .expect(2)
        .says(&["--since"]);
}

#[test]
fn a_base_that_cannot_be_read_affects_everything() {
    let checkout = Checkout::empty();
    checkout.write("README.md", "nothing yet\n");
    checkout.commit("empty");
    checkout.write_two("");
    checkout.replace("alpha/Cargo.toml", "[package]", "[package");
    checkout.commit("broken");
    checkout.replace("alpha/Cargo.toml", "[package", "[package]");
    let json = |revision: &str| {
        since(checkout.path(), revision)
            .args(["--format", "json"])
            .run()
    };
    assert_everything(json("HEAD~1"), &["was not there"]);
    let broken = json("HEAD");
    for text in [&broken.stdout, &broken.stderr] {
        assert!(text.contains("member `the base/alpha`"), "{text}");
        assert!(!text.contains("lighter-commit-"), "{text}");
    }
    assert_everything(broken, &["the workspace of the base cannot be read"]);
    checkout.commit("whole");
    assert_affected(&changed(&checkout), &[]);
}

#[test]
fn a_tmpdir_that_does_not_exist_is_not_blamed_on_the_base() {
    let checkout = Checkout::of_two();
    checkout.git(&["switch", "-q", "-c", "topic"]);
    checkout.append("alpha/src/main.rs", "// more\n");
    checkout.commit("second");
    checkout.git(&["switch", "-q", "main"]);
    for head in [&[][..], &["--head", "topic"]] {
        let run = since(checkout.path(), "main").args(head.iter().copied());
        run.env("TMPDIR", "/nowhere/at/all").run().expect(2).says(&[
            "TMPDIR names a directory that does not exist: `/nowhere/at/all`",
            "hint: create it",
        ]);
    }
    let run = Lighter::at(checkout.path()).args(["plan", "--keys"]);
    run.env("TMPDIR", "/nowhere/at/all")
        .run()
        .expect(2)
        .says(&["TMPDIR names a directory"]);
}

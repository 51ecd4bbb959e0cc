//! No workspace, no lock, no such service: told at once, and nothing is changed.

use crate::support::cli::{Lighter, Run};
use crate::support::refusal::Before;
use crate::support::workspace::{Checkout, manifest};

/// Runs `build` with `arguments` in a workspace that must not change.
fn build(checkout: &Checkout, arguments: &[&str]) -> Run {
    let before = Before::of(checkout.path());
    let run = Lighter::at(checkout.path())
        .args(["build"])
        .args(arguments)
        .run();
    before.holds();
    run
}

#[test]
fn a_directory_without_a_manifest_is_named() {
    let empty = Checkout::empty();
    let here = empty.path().display();
    build(&empty, &[]).refuses(
        2,
        &format!("no `Cargo.toml` in `{here}` or in any directory above it"),
        "go to a Cargo workspace, or name its manifest with `--manifest-path`",
    );
}

#[test]
fn a_manifest_path_must_be_a_manifest() {
    let checkout = Checkout::of_services(&["alpha"]);
    let here = checkout.path().display();
    let takes = "`--manifest-path` takes the path of a `Cargo.toml`";
    build(&checkout, &["--manifest-path", "none/Cargo.toml"]).refuses(
        2,
        &format!("there is no file `{here}/none/Cargo.toml`"),
        takes,
    );
    build(&checkout, &["--manifest-path", "./alpha/"]).refuses(
        2,
        &format!("`{here}/alpha` is a directory, not a `Cargo.toml`"),
        &format!("name the file in it: `--manifest-path {here}/alpha/Cargo.toml`"),
    );
    build(&checkout, &["--manifest-path", "Cargo.lock"]).refuses(
        2,
        &format!("`{here}/Cargo.lock` is not a `Cargo.toml`"),
        takes,
    );
}

#[test]
fn a_missing_lock_is_not_made() {
    let checkout = Checkout::of_services(&["alpha"]);
    fs_err::remove_file(checkout.path().join("Cargo.lock")).expect("removed");
    let here = checkout.path().display();
    build(&checkout, &[]).refuses(
        2,
        &format!("the workspace at `{here}` has no `Cargo.lock`"),
        "run `cargo generate-lockfile` and commit `Cargo.lock`: images are only reproducible with it",
    );
}

#[test]
fn a_stale_lock_stays_byte_for_byte() {
    let checkout = Checkout::of_services(&["alpha", "beta"]);
    checkout.write_lock(&["alpha"]);
    let here = checkout.path().display();
    build(&checkout, &[]).refuses(
        2,
        &format!("`Cargo.lock` of the workspace at `{here}` does not fit its manifests"),
        "run `cargo update --workspace` and commit `Cargo.lock`",
    );
}

#[test]
fn a_broken_manifest_is_shown_in_cargos_words() {
    let checkout = Checkout::of_services(&["alpha"]);
    checkout.append("alpha/Cargo.toml", "= broken\n");
    let run = build(&checkout, &[]).expect(2);
    let mut lines = run.stderr.lines();
    let first = lines.next().unwrap_or_default();
    assert!(first.starts_with("error: `"), "{first}");
    assert!(first.ends_with("` failed"), "{first}");
    for line in lines.clone() {
        assert!(line.starts_with("  "), "{line}");
    }
    let rest: String = lines.collect();
    assert!(rest.contains("alpha/Cargo.toml:5"), "{rest}");
}

#[test]
fn unknown_names_are_answered_with_near_ones() {
    let checkout = Checkout::of_services(&["alpha", "beta"]);
    let cases: &[(&[&str], &str, &str)] = &[
        (&["alhpa"], "service `alhpa`", "did you mean `alpha`?"),
        (&["zzz"], "service `zzz`", "choose `alpha` or `beta`"),
        (&[""], "service ``", "choose `alpha` or `beta`"),
        (
            &["alpha", "zz*"],
            "service matches `zz*`",
            "choose `alpha` or `beta`",
        ),
        (&["-p", "betta"], "package `betta`", "did you mean `beta`?"),
        (
            &["-p", "zz?"],
            "package matches `zz?`",
            "choose `alpha` or `beta`",
        ),
        (
            &["--exclude", "alfa"],
            "package `alfa`",
            "did you mean `alpha`?",
        ),
    ];
    for (arguments, what, hint) in cases {
        let message = format!("no {what} in this workspace");
        build(&checkout, arguments).refuses(2, &message, hint);
    }
}

#[test]
fn among_many_services_none_is_guessed() {
    let names = ["aa", "bb", "cc", "dd", "ee", "ff", "gg", "hh", "ii"];
    let checkout = Checkout::of_services(&names);
    build(&checkout, &["zzz"]).refuses(
        2,
        "no service `zzz` in this workspace",
        "see what there is with `cargo lighter list`",
    );
}

#[test]
fn an_illegal_glob_is_explained() {
    let checkout = Checkout::of_services(&["alpha"]);
    let hint = "write for example `'bill*'`, `'order?'` or `'{orders,billing}'`";
    let message = "`a[` is not a glob: unclosed character class; missing ']'";
    for arguments in [&["a["][..], &["-p", "a["], &["--exclude", "a["]] {
        build(&checkout, arguments).refuses(2, message, hint);
    }
}

#[test]
fn a_selection_must_leave_something() {
    let checkout = Checkout::of_services(&["alpha", "beta"]);
    build(&checkout, &["alpha", "--exclude", "al*"]).refuses(
        2,
        "the selection leaves no service",
        "see the services with `cargo lighter list`",
    );
}

#[test]
fn a_binary_that_is_no_service_is_answered_with_the_reason() {
    let checkout = Checkout::of_services(&["alpha", "tool", "extra"]);
    checkout.append(
        "tool/Cargo.toml",
        "[package.metadata.lighter]\nskip = true\n",
    );
    checkout.append(
        "extra/Cargo.toml",
        "[[bin]]\nname = \"extra\"\nrequired-features = [\"big\"]\n[features]\nbig = []\n",
    );
    build(&checkout, &["tool"]).refuses(
        2,
        "no service `tool` in this workspace",
        "it is a binary but no service: `skip = true` in its metadata",
    );
    build(&checkout, &["extra"]).refuses(
        2,
        "no service `extra` in this workspace",
        "it is a binary but no service: it requires the feature `big`, which neither defaults nor \
         `features` turn on",
    );
}

#[test]
fn a_workspace_without_services_says_what_was_left_out() {
    let checkout = Checkout::of_services(&["tool"]);
    let here = checkout.path().display().to_string();
    checkout.append(
        "tool/Cargo.toml",
        "[package.metadata.lighter]\nskip = true\n",
    );
    build(&checkout, &[]).refuses(
        2,
        &format!(
            "the workspace at `{here}` has no service:\n  `tool` of package `tool`: `skip = true` in its \
             metadata"
        ),
        "remove `skip`, or turn the missing features on",
    );
    let library = Checkout::empty();
    library.write("Cargo.toml", &manifest("words", ""));
    library.write("src/lib.rs", "");
    library.write_lock(&["words"]);
    build(&library, &[]).refuses(
        2,
        &format!(
            "the workspace at `{}` has no service",
            library.path().display()
        ),
        "a service is a package's binary: add `src/main.rs` to a package",
    );
}

//! What manifests and cargo's configuration mean to a key: only what a build of the service reads.

use std::collections::BTreeMap;

use crate::support::cli::Lighter;
use crate::support::workspace::Checkout;

fn keys(checkout: &Checkout, profile: &str) -> BTreeMap<String, String> {
    let run = Lighter::at(checkout.path()).args(["plan", "--keys", "--format", "json"]);
    let run = run.args(["--profile", profile]).run().expect(0);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    let services = json["services"].as_array().expect("a list").iter();
    let text = |row: &serde_json::Value, name: &str| row[name].as_str().expect(name).to_owned();
    services
        .map(|row| (text(row, "service"), text(row, "key")))
        .collect()
}

#[test]
fn tables_that_no_build_reads_leave_every_key() {
    type Edit = fn(&Checkout);
    let table: &[Edit] = &[
        |it| it.append(".cargo/config.toml", "[alias]\nb = \"build\"\n"),
        |it| it.append(".cargo/config.toml", "[term]\nverbose = true\n"),
        |it| it.append(".cargo/config.toml", "[cargo-new]\nvcs = \"none\"\n"),
        |it| it.append(".cargo/config.toml", "[doc]\nbrowser = \"x\"\n"),
        |it| {
            it.append(
                ".cargo/config.toml",
                "[future-incompat-report]\nfrequency = \"never\"\n",
            );
        },
        |it| {
            it.append(
                ".cargo/config.toml",
                "[profile.other]\ninherits = \"dev\"\n",
            );
        },
        |it| it.append("alpha/Cargo.toml", "[lints.rust]\nunused = \"warn\"\n"),
        |it| it.append("Cargo.toml", "[workspace.lints.rust]\nunused = \"warn\"\n"),
        |it| it.append("Cargo.toml", "[profile.dev]\nopt-level = 1\n"),
        |it| {
            it.append(
                "Cargo.toml",
                "[profile.other]\ninherits = \"release\"\nlto = true\n",
            );
        },
    ];
    let checkout = Checkout::of_two();
    let before = keys(&checkout, "release");
    for edit in table {
        edit(&checkout);
        let change = checkout.git(&["diff"]);
        assert_eq!(keys(&checkout, "release"), before, "{change}");
        checkout.restore();
    }
    // The split itself has them all.
    checkout.append(".cargo/config.toml", "[alias]\nb = \"build\"\n");
    let out = Checkout::empty();
    let run = Lighter::at(checkout.path()).args(["split", "beta", "--out"]);
    run.args([out.path()]).run().expect(0);
    let text = fs_err::read_to_string(out.path().join("beta/.cargo/config.toml"));
    assert!(text.expect("there").contains("[alias]"));
}

#[test]
fn every_profile_that_the_chosen_one_inherits_from_changes_the_key() {
    let checkout = Checkout::of_two();
    checkout.append(
        ".cargo/config.toml",
        "[profile.fast]\ninherits = \"release\"\n",
    );
    checkout.append("Cargo.toml", "[profile.dist]\ninherits = \"fast\"\n");
    checkout.append("Cargo.toml", "[profile.dev]\nopt-level = 0\n");
    checkout.commit("second");
    let before = keys(&checkout, "dist");
    let edits: [(&str, &str, &str, bool); 4] = [
        ("Cargo.toml", "opt-level = 3", "opt-level = 2", true),
        (
            "Cargo.toml",
            "[profile.dist]\n",
            "[profile.dist]\nlto = true\n",
            true,
        ),
        (
            ".cargo/config.toml",
            "[profile.fast]\n",
            "[profile.fast]\nlto = true\n",
            true,
        ),
        ("Cargo.toml", "opt-level = 0", "opt-level = 1", false),
    ];
    for (file, from, to, counts) in edits {
        checkout.replace(file, from, to);
        assert_eq!(keys(&checkout, "dist") != before, counts, "{to}");
        checkout.restore();
    }
}

//! Which of the services a command line means; and workspaces with very many.

use std::fmt::Write as _;
use std::process::Command;

use serde_json::Value;

use crate::support::check::assert_sound;
use crate::support::cli::Lighter;
use crate::support::tools::run;
use crate::support::workspace::{Checkout, manifest};

#[test]
fn names_globs_packages_and_exclusions_choose_services() {
    let checkout = Checkout::of_services(&["bill", "billing", "orders", "users"]);
    let source = "fn main() {}\n";
    checkout.write("users/src/bin/user-import.rs", source);
    for (arguments, expected) in [
        (
            &[][..],
            &["bill", "billing", "orders", "user-import", "users"][..],
        ),
        (&["orders"], &["orders"]),
        (&["users", "bill"], &["bill", "users"]),
        (&["bill*"], &["bill", "billing"]),
        (&["user{s,-import}"], &["user-import", "users"]),
        (&["-p", "users"], &["user-import", "users"]),
        (
            &["--package", "b*", "orders"],
            &["bill", "billing", "orders"],
        ),
        (&["--exclude", "users"], &["bill", "billing", "orders"]),
        (&["bill*", "--exclude", "bill"], &["billing"]),
        (
            &["user*", "--exclude", "billing"],
            &["user-import", "users"],
        ),
    ] {
        let planned = plan(&checkout, arguments);
        assert_eq!(planned, expected, "{arguments:?}");
    }
    for arguments in [
        &["no*"][..],
        &["-p", "nobody"],
        &["--exclude", "nobody"],
        &["--exclude", "*"],
    ] {
        let plan = Lighter::at(checkout.path()).args(["plan"]).args(arguments);
        plan.run().expect(2).says(&["error: ", "hint: "]);
    }
}

#[test]
fn a_manifest_path_names_a_workspace_from_anywhere() {
    let checkout = Checkout::of_services(&["first", "second"]);
    let elsewhere = Checkout::empty();
    for path in ["Cargo.toml", "second/Cargo.toml"] {
        let run = Lighter::at(elsewhere.path())
            .args(["list", "--format", "json", "--manifest-path"])
            .args([checkout.path().join(path)])
            .run()
            .expect(0);
        let listed: Value = serde_json::from_str(&run.stdout).expect("JSON");
        let services = listed["services"].as_array().expect("a list").iter();
        let names: Vec<&Value> = services.map(|row| &row["service"]).collect();
        assert_eq!(names, ["first", "second"]);
    }
    let built = Lighter::at(elsewhere.path())
        .args(["build", "first", "--to", "oci:here", "--manifest-path"])
        .args([checkout.path().join("Cargo.toml")])
        .run()
        .expect(0);
    assert!(built.stdout.starts_with("oci:here:first:latest@sha256:"));
    assert_sound(&elsewhere.path().join("here"));
    assert!(checkout.path().join("target/lighter/build").is_dir());
}

#[test]
fn twenty_services_and_a_hundred_crates_are_listed_planned_and_built() {
    let checkout = Checkout::empty();
    let members = "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\", \"services/*\"]\n";
    checkout.write("Cargo.toml", members);
    for number in 0..100 {
        let mut more = "[dependencies]\n".to_owned();
        // Each needs the one at half its number: closures of up to seven crates.
        if number > 0 {
            let needed = number / 2;
            writeln!(more, "c{needed:02} = {{ path = \"../c{needed:02}\" }}").expect("a string");
        }
        let name = format!("c{number:02}");
        checkout.write(
            &format!("crates/{name}/Cargo.toml"),
            &manifest(&name, &more),
        );
        checkout.write(&format!("crates/{name}/src/lib.rs"), "");
    }
    for number in 0..20 {
        let name = format!("s{number:02}");
        let more = format!(
            "[dependencies]\nc{0} = {{ path = \"../../crates/c{0}\" }}\n",
            99 - number
        );
        checkout.write(
            &format!("services/{name}/Cargo.toml"),
            &manifest(&name, &more),
        );
        checkout.write(&format!("services/{name}/src/main.rs"), "fn main() {}\n");
    }
    run(Command::new("cargo")
        .args(["generate-lockfile", "--offline"])
        .current_dir(checkout.path()));
    let listed = Lighter::at(checkout.path())
        .args(["list", "--format", "json"])
        .run()
        .expect(0);
    let listed: Value = serde_json::from_str(&listed.stdout).expect("JSON");
    let services = listed["services"].as_array().expect("a list");
    assert_eq!(services.len(), 20);
    // Itself, and c99, c49, c24, c12, c06, c03, c01, c00.
    assert_eq!(services[0]["closure"], 9);
    assert_eq!(plan(&checkout, &[]).len(), 20);
    let built = Lighter::at(checkout.path())
        .args(["build", "s00", "s19", "--profile", "dev"])
        .run()
        .expect(0);
    assert_eq!(built.lines().len(), 2);
    assert_sound(&checkout.path().join("target/lighter/oci"));
}

/// Names of the planned services.
#[track_caller]
fn plan(checkout: &Checkout, arguments: &[&str]) -> Vec<String> {
    let run = Lighter::at(checkout.path())
        .args(["plan", "--format", "json"])
        .args(arguments)
        .run()
        .expect(0);
    let plan: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(plan["version"], 1);
    let services = plan["services"].as_array().expect("a list").iter();
    services
        .map(|row| row["service"].as_str().expect("a name").to_owned())
        .collect()
}

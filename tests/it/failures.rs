//! Runs that do not go well: exit codes, and what is still delivered and told.

use serde_json::Value;

use crate::support::check::{Described, assert_sound, names, read_json};
use crate::support::cli::Lighter;
use crate::support::registry::Registry;
use crate::support::workspace::{Checkout, manifest};

const BROKEN: &str = "fn main() { this does not compile }\n";

#[test]
fn a_failed_compilation_is_101_and_hides_no_other_service_with_keep_going() {
    let checkout = Checkout::of_services(&["broken", "good"]);
    checkout.write("broken/src/main.rs", BROKEN);
    let run = Lighter::at(checkout.path())
        .args(["build", "--keep-going", "--metadata-file", "summary.json"])
        .run()
        .expect(101)
        .says(&["error: expected", "service `broken` could not be compiled"]);
    assert_eq!(run.lines().len(), 1);
    assert!(run.stdout.contains(":good:latest@sha256:"));
    let summary = read_json(&checkout.path().join("summary.json"));
    assert_eq!(statuses(&summary), ["failed", "built"]);
    let error = summary["services"][0]["error"].as_str();
    assert!(
        error.is_some_and(|error| error.contains("`broken`")),
        "{error:?}"
    );
    let layout = checkout.path().join("target/lighter/oci");
    assert_eq!(names(&layout), ["good:latest"]);
    assert_sound(&layout);
}

#[test]
fn without_keep_going_no_tag_moves_when_a_compilation_fails() {
    let checkout = Checkout::of_services(&["broken", "good"]);
    let layout = checkout.path().join("target/lighter/oci");
    Lighter::at(checkout.path()).args(["build"]).run().expect(0);
    let before = Described::of(&layout, "broken:latest").layers();
    checkout.write("broken/src/main.rs", BROKEN);
    let run = Lighter::at(checkout.path())
        .args(["build", "--image-refs", "refs.txt"])
        .args(["--metadata-file", "summary.json"])
        .run()
        .expect(101);
    assert_eq!(run.stdout, "");
    let references = fs_err::read_to_string(checkout.path().join("refs.txt"));
    assert_eq!(references.expect("written"), "");
    let summary = read_json(&checkout.path().join("summary.json"));
    assert_eq!(statuses(&summary), ["failed", "failed"]);
    assert_eq!(Described::of(&layout, "broken:latest").layers(), before);
    assert_sound(&layout);
}

#[test]
fn one_refusing_destination_hides_nothing_of_the_other_with_keep_going() {
    let registry = Registry::open();
    let checkout = Checkout::of_services(&["first", "second"]);
    // Manifests have nowhere to go, so that every check beforehand passes.
    let repository = registry
        .data()
        .join("docker/registry/v2/repositories/team/second");
    fs_err::create_dir_all(&repository).expect("created");
    fs_err::write(repository.join("_manifests"), "").expect("written");
    let repo = format!("docker://{}/team", registry.host());
    let at_registry = ["first"];
    let at_layout = ["first", "second"];
    let none = (&[][..], &[][..], &[][..]);
    for (keep_going, at_registry, at_layout) in [
        none,
        (&["--keep-going"][..], &at_registry[..], &at_layout[..]),
    ] {
        let run = Lighter::at(checkout.path())
            .args(["build", "--to", &repo, "--to", "oci:out"])
            .args([
                "--metadata-file",
                "summary.json",
                "--image-refs",
                "refs.txt",
            ])
            .args(keep_going)
            .run()
            .expect(1)
            .says(&[
                &format!("cannot deliver to `{repo}`"),
                "/team/second",
                "500",
            ]);
        let mut expected: Vec<String> = at_registry
            .iter()
            .map(|service| format!("{}/team/{service}:latest@", registry.host()))
            .collect();
        let in_layout = at_layout.iter();
        expected.extend(in_layout.map(|service| format!("oci:out:{service}:latest@")));
        let mut delivered: Vec<String> = run
            .lines()
            .iter()
            .map(|line| line.split("sha256:").next().unwrap_or_default().to_owned())
            .collect();
        delivered.sort_by_key(|line| line.starts_with("oci:"));
        assert_eq!(delivered, expected);
        let references = fs_err::read_to_string(checkout.path().join("refs.txt"));
        assert_eq!(references.expect("written"), run.stdout);
        let summary = read_json(&checkout.path().join("summary.json"));
        for service in summary["services"].as_array().expect("a list") {
            let [registry, layout] = [0, 1].map(|n| &service["deliveries"][n]["status"]);
            let is_there = |status: &Value| status == "pushed" || status == "exists";
            assert_eq!(is_there(layout), !at_layout.is_empty(), "{service}");
            let arrived = at_registry.iter().any(|name| service["service"] == *name);
            assert_eq!(is_there(registry), arrived, "{service}");
            assert_eq!(service["status"] == "built", arrived, "{service}");
        }
        let tags = at_layout.iter().map(|service| format!("{service}:latest"));
        assert_eq!(
            names(&checkout.path().join("out")),
            tags.collect::<Vec<_>>()
        );
        assert_sound(&checkout.path().join("out"));
        fs_err::remove_dir_all(checkout.path().join("out")).expect("removed");
    }
}

#[test]
fn a_registry_that_is_not_there_is_told_before_anything_is_compiled() {
    let checkout = Checkout::of_services(&["service"]);
    let port = crate::support::registry::free_port();
    let repo = format!("127.0.0.1:{port}/team");
    let run = Lighter::at(checkout.path())
        .args(["push", "--repo", &repo])
        .run()
        .expect(1)
        .says(&[&repo, "hint: "]);
    assert!(!run.stderr.contains("Building"), "{}", run.stderr);
}

#[test]
fn what_makes_no_sense_is_2_and_says_what_would() {
    let checkout = Checkout::of_services(&["orders"]);
    let layout = ["build", "--to"];
    for (arguments, said) in [
        (&["build", "ordres"][..], "did you mean `orders`?"),
        (&["build", "--no-such-flag"], "--no-such-flag"),
        (&["push"], "--repo HOST/PREFIX"),
        (&["build", "--to", "nowhere:x"], "oci:DIRECTORY"),
        (&["build", "--to", "oci:"], "oci:DIRECTORY"),
        (&["build", "--to", "ghcr.io/Acme"], "lower-case"),
        (&["build", "-t", "not a tag"], "not a tag"),
        (
            &["build", "--metadata-file", "no/such/place.json"],
            "no/such/place.json",
        ),
        (
            &["build", "--target", "x86_64-pc-windows-msvc"],
            "x86_64-pc-windows-msvc",
        ),
        (&["build", "--compression", "brotli"], "brotli"),
        (&["list", "--manifest-path", "orders"], "Cargo.toml"),
        (&[], "Usage"),
    ] {
        let run = Lighter::at(checkout.path()).args(arguments).run().expect(2);
        assert!(run.stderr.contains(said), "{arguments:?}: {}", run.stderr);
        assert_eq!(run.stdout, "", "{arguments:?}");
    }
    let epoch = Lighter::at(checkout.path()).args(layout).args(["oci:out"]);
    epoch
        .env("SOURCE_DATE_EPOCH", "yesterday")
        .run()
        .expect(2)
        .says(&["SOURCE_DATE_EPOCH", "yesterday", "hint: "]);
    checkout.write(
        "orders/Cargo.toml",
        &manifest("orders", "[package.metadata.lighter]\nport = [8080]\n"),
    );
    Lighter::at(checkout.path())
        .args(["list"])
        .run()
        .expect(2)
        .says(&["orders/Cargo.toml", "`port`", "`ports`"]);
    assert!(!checkout.path().join("target").exists());
}

#[test]
fn help_and_version_are_data() {
    let checkout = Checkout::empty();
    for flag in ["--help", "--version"] {
        let run = Lighter::at(checkout.path()).args([flag]).run().expect(0);
        assert!(run.stdout.contains("lighter"), "{}", run.stdout);
        assert_eq!(run.stderr, "");
    }
}

fn statuses(summary: &Value) -> Vec<&str> {
    let services = summary["services"].as_array().expect("a list");
    services
        .iter()
        .map(|service| service["status"].as_str().expect("a status"))
        .collect()
}

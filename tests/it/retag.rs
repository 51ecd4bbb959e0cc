//! `build --since` and `push --since`: services that a change does not reach keep their images.

use std::path::Path;

use serde_json::Value;

use crate::support::check::read_json;
use crate::support::cli::{Lighter, Run};
use crate::support::registry::Registry;
use crate::support::workspace::{Checkout, manifest};

const SERVICES: [&str; 2] = ["orders", "users"];
const OTHER: &str = "fn main() {\n    println!(\"something else\");\n}\n";

/// A repository of two services with one commit.
fn repository() -> Checkout {
    let checkout = Checkout::of_services(&SERVICES);
    checkout.write(".gitignore", "target\n");
    checkout.commit("one");
    checkout
}

fn run(checkout: &Path, arguments: &[&str]) -> (Run, Vec<Value>) {
    let results = Checkout::empty();
    let summary = results.path().join("summary.json");
    let run = Lighter::at(checkout)
        .args(arguments)
        .args(["--metadata-file"])
        .args([&summary])
        .run();
    let services = read_json(&summary)["services"].as_array().cloned();
    (run, services.expect("a list"))
}

fn field<'a>(services: &'a [Value], name: &str) -> Vec<&'a str> {
    let text = |service: &'a Value| service[name].as_str().unwrap_or_default();
    services.iter().map(text).collect()
}

#[test]
fn unaffected_services_are_retagged_in_a_layout_and_affected_ones_built() {
    let checkout = repository();
    let (first, built) = run(checkout.path(), &["build", "--since", "HEAD"]);
    let first = first
        .expect(0)
        .says(&["no image tagged `latest` is known to be of its inputs"]);
    assert_eq!(field(&built, "status"), ["built", "built"]);
    let (second, kept) = run(checkout.path(), &["build", "--since", "HEAD"]);
    let second = second
        .expect(0)
        .says(&["Unchanged `orders`", "Unchanged `users`"]);
    assert!(!second.stderr.contains("Building"), "{}", second.stderr);
    assert_eq!(field(&kept, "status"), ["retagged", "retagged"]);
    assert_eq!(field(&kept, "digest"), field(&built, "digest"));
    assert_eq!(field(&kept, "key"), field(&built, "key"));
    assert_eq!(second.stdout, first.stdout);

    checkout.write("users/src/main.rs", OTHER);
    let (third, changed) = run(
        checkout.path(),
        &["build", "--since", "HEAD", "-t", "two", "-t", "{digest}"],
    );
    let third = third.expect(0).says(&[
        "Unchanged `orders`",
        "Affected `users`: users/src/main.rs changed",
    ]);
    assert_eq!(field(&changed, "status"), ["retagged", "built"]);
    assert_eq!(changed[0]["digest"], built[0]["digest"]);
    assert_ne!(changed[1]["digest"], built[1]["digest"]);
    assert_ne!(changed[1]["key"], built[1]["key"]);
    let digest = built[0]["digest"].as_str().expect("text");
    let hexadecimal = digest.trim_start_matches("sha256:");
    for tag in ["two", hexadecimal] {
        let line = format!("oci:target/lighter/oci:orders:{tag}@{digest}");
        assert!(third.lines().contains(&line.as_str()), "{}", third.stdout);
    }
    assert_eq!(third.lines().len(), 4);
}

#[test]
fn an_image_that_is_not_of_these_inputs_is_never_taken_over() {
    let checkout = repository();
    let since = ["build", "--since", "HEAD", "orders"];
    run(checkout.path(), &since).0.expect(0);
    // A plain build moves the tag to an image of other inputs.
    checkout.write("orders/src/main.rs", OTHER);
    run(checkout.path(), &["build", "orders"]).0.expect(0);
    checkout.commit("two");
    let (run_again, services) = run(checkout.path(), &since);
    run_again
        .expect(0)
        .says(&["`orders` is built, though the change does not reach it"]);
    assert_eq!(field(&services, "status"), ["built"]);
    // Another tag may be asked for.
    let (_, services) = run(
        checkout.path(),
        &["build", "--since", "HEAD", "--from-tag", "old", "orders"],
    );
    assert_eq!(field(&services, "status"), ["built"]);
    let (_, services) = run(checkout.path(), &since);
    assert_eq!(field(&services, "status"), ["retagged"]);
}

#[test]
fn an_image_that_lost_a_blob_is_built_again() {
    let checkout = repository();
    let since = ["build", "--since", "HEAD", "orders"];
    run(checkout.path(), &since).0.expect(0);
    let blobs = checkout.path().join("target/lighter/oci/blobs/sha256");
    let largest = fs_err::read_dir(&blobs)
        .expect("a layout")
        .map(|entry| entry.expect("an entry").path())
        .max_by_key(|path| fs_err::metadata(path).expect("there").len());
    fs_err::remove_file(largest.expect("an image has blobs")).expect("removed");
    let (run_again, services) = run(checkout.path(), &since);
    run_again.expect(0);
    assert_eq!(field(&services, "status"), ["built"]);
}

#[test]
fn unaffected_services_are_retagged_in_a_registry_without_an_upload() {
    let registry = Registry::open();
    let repo = format!("{}/team", registry.host());
    let checkout = repository();
    let push = |more: &[&str]| {
        let mut arguments = vec!["push", "--repo", &repo, "--since", "HEAD"];
        arguments.extend(more);
        let (run, services) = run(checkout.path(), &arguments);
        (run.expect(0), services)
    };
    let (first, built) = push(&[]);
    assert_eq!(field(&built, "status"), ["built", "built"]);
    let uploads = registry.uploads();
    let (second, kept) = push(&["-t", "latest", "-t", "next"]);
    assert_eq!(field(&kept, "status"), ["retagged", "retagged"]);
    assert_eq!(field(&kept, "digest"), field(&built, "digest"));
    assert!(!second.stderr.contains("Building"), "{}", second.stderr);
    assert_eq!(second.lines().len(), 4);
    assert!(second.stdout.contains("/team/users:next@sha256:"));
    // The check before the first compile opens one for each repository.
    assert_eq!(registry.uploads(), uploads);
    let key = built[0]["key"].as_str().expect("a key").replace(':', "-");
    let tag = format!(
        "/v2/team/orders/manifests/key-{}",
        key.trim_start_matches("sha256-")
    );
    assert!(
        registry
            .requests()
            .iter()
            .any(|line| line.contains("\"PUT ") && line.contains(&tag))
    );
    // Somebody else's image under the tag is none of these inputs.
    checkout.write("orders/src/main.rs", OTHER);
    run(checkout.path(), &["push", "--repo", &repo, "orders"])
        .0
        .expect(0);
    checkout.write(
        "orders/src/main.rs",
        "fn main() {\n    println!(\"hello\");\n}\n",
    );
    let (third, services) = push(&[]);
    assert_eq!(field(&services, "status"), ["built", "retagged"]);
    assert_eq!(third.stdout, first.stdout);
}

/// A build script that reads what no scan can see.
const SECRETIVE: &str = r#"fn main() {
    let path = std::fs::read_to_string("list.txt").expect("readable");
    println!("cargo::rerun-if-changed={}", path.trim());
}
"#;

#[test]
fn an_image_whose_build_read_more_than_its_key_knows_is_never_taken_over() {
    let checkout = repository();
    checkout.write("orders/build.rs", SECRETIVE);
    checkout.write("orders/list.txt", "../elsewhere/rates.csv\n");
    checkout.write("elsewhere/rates.csv", "1,2\n");
    checkout.commit("two");
    let since = ["build", "--since", "HEAD", "orders"];
    let told = [
        "elsewhere/rates.csv",
        "add `inputs = [\"/elsewhere/rates.csv\"]`",
    ];
    run(checkout.path(), &since).0.expect(0).says(&told);
    // From then on it is known before anything is built.
    let (again, services) = run(checkout.path(), &since);
    again.expect(0).says(&told);
    assert_eq!(field(&services, "status"), ["built"]);
    Lighter::at(checkout.path())
        .args(["split", "orders", "--out", "target/splits"])
        .run()
        .expect(2)
        .says(&told);
    let inputs = "[package.metadata.lighter]\ninputs = [\"/elsewhere/rates.csv\"]\n";
    checkout.write("orders/Cargo.toml", &manifest("orders", inputs));
    checkout.commit("three");
    run(checkout.path(), &since).0.expect(0);
    let (_, services) = run(checkout.path(), &since);
    assert_eq!(field(&services, "status"), ["retagged"]);
}

#[test]
fn an_image_whose_sources_changed_while_it_was_built_is_never_taken_over() {
    let checkout = repository();
    // The build itself changes a source, as somebody who works on does.
    let main = checkout.path().join("orders/src/main.rs");
    let script =
        format!("fn main() {{\n    std::fs::write({main:?}, {OTHER:?}).expect(\"written\");\n}}\n");
    checkout.write("orders/build.rs", &script);
    checkout.commit("two");
    let since = ["build", "--since", "HEAD", "orders"];
    let changed = "its inputs changed while it was built";
    run(checkout.path(), &since).0.expect(0).says(&[changed]);
    checkout.write(
        "orders/src/main.rs",
        "fn main() {\n    println!(\"hello\");\n}\n",
    );
    let (_, services) = run(checkout.path(), &since);
    assert_eq!(field(&services, "status"), ["built"]);
}

#[test]
fn a_service_whose_build_asks_git_is_always_built() {
    let checkout = repository();
    let script = "fn main() {\n    let _ = std::process::Command::new(\"git\").status();\n}\n";
    checkout.write("orders/build.rs", script);
    checkout.commit("two");
    Lighter::at(checkout.path())
        .args(["plan", "--keys", "orders"])
        .run()
        .expect(0);
    for _ in 0..2 {
        let (run, services) = run(checkout.path(), &["build", "--since", "HEAD"]);
        run.expect(0).says(&["the build of `orders` asks git"]);
        assert_eq!(field(&services, "status")[0], "built");
        assert_eq!(services[0]["key"], Value::Null);
    }
}

#[test]
fn the_head_must_be_what_is_built() {
    let checkout = repository();
    checkout.write("users/src/main.rs", OTHER);
    let arguments = ["build", "--since", "HEAD", "--head", "HEAD"];
    Lighter::at(checkout.path())
        .args(arguments)
        .run()
        .expect(2)
        .says(&["`--head", "differs from it", "hint: "]);
}

#[test]
fn deps_lists_what_a_service_is_made_from_as_json() {
    let checkout = repository();
    checkout.write("orders/README.md", "For people.\n");
    checkout.write("orders/src/more.rs", "");
    let run = Lighter::at(checkout.path().join("orders"))
        .args(["deps", "orders"])
        .run()
        .expect(0);
    let paths: Vec<String> = serde_json::from_str(&run.stdout).expect("JSON");
    let expected = [
        "../Cargo.lock",
        "../Cargo.toml",
        "Cargo.toml",
        "src/main.rs",
        "src/more.rs",
    ];
    assert_eq!(paths, expected);
}

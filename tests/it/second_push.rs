//! What a registry has is not sent again.

use std::path::PathBuf;

use serde_json::Value;

use crate::support::check::{Copied, blobs, read_json};
use crate::support::cli::Lighter;
use crate::support::registry::Registry;
use crate::support::workspace::{Checkout, SHOP_SERVICES, shop};

/// Pushes, and gives the summary's deliveries.
#[track_caller]
fn push(checkout: &std::path::Path, repo: &str) -> Vec<Value> {
    let results = Checkout::empty();
    let summary = results.path().join("summary.json");
    Lighter::at(checkout)
        .args(["push", "--repo", repo, "--metadata-file"])
        .args([&summary])
        .run()
        .expect(0);
    let summary = read_json(&summary);
    let services = summary["services"].as_array().expect("a list");
    let deliveries = services
        .iter()
        .map(|service| service["deliveries"][0].clone());
    deliveries.collect()
}

#[test]
fn a_second_push_asks_for_the_manifest_only() {
    let registry = Registry::open();
    let repo = format!("{}/shop", registry.host());
    for delivery in push(shop(), &repo) {
        assert_eq!(delivery["status"], "pushed");
        assert!(delivery["uploaded_bytes"].as_u64() > Some(0));
    }
    let (before, uploads) = (registry.requests().len(), registry.uploads());
    assert!(uploads >= SHOP_SERVICES.len() * 2);
    for delivery in push(shop(), &repo) {
        assert_eq!(delivery["status"], "exists");
        assert_eq!(delivery["uploaded_bytes"], 0);
        assert_eq!(delivery["mounted_blobs"], 0);
        assert!(delivery["existing_blobs"].as_u64() > Some(2));
    }
    assert_eq!(registry.uploads(), uploads);
    let second = registry.requests().split_off(before);
    for service in SHOP_SERVICES {
        let ours = |line: &&String| line.contains(&format!("/v2/shop/{service}/"));
        let lines: Vec<&String> = second.iter().filter(ours).collect();
        // Each of its two tags is looked at once, and nothing else is asked.
        let asks = format!("\"HEAD /v2/shop/{service}/manifests/");
        assert_eq!(lines.len(), 2, "{lines:#?}");
        assert!(lines.iter().all(|line| line.contains(&asks)), "{lines:#?}");
    }
    Copied::of_registry(&repo, &SHOP_SERVICES, None);
}

#[test]
fn a_blob_that_the_registry_lost_with_its_manifest_is_sent_again() {
    let registry = Registry::open();
    let repo = format!("{}/team", registry.host());
    let checkout = Checkout::of_services(&["first"]);
    push(checkout.path(), &repo);
    let copied = Copied::of_registry(&repo, &["first"], None);
    let stored = registry.data().join("docker/registry/v2/blobs/sha256");
    let file = |digest: &String| stored.join(&digest[..2]).join(digest).join("data");
    let files = blobs(&copied.layout()).iter().map(file).collect::<Vec<_>>();
    let size = |path: &&PathBuf| fs_err::metadata(path).expect("stored").len();
    // The executable's layer is the largest.
    let lost = files.iter().max_by_key(size).expect("an image has blobs");
    fs_err::remove_file(lost).expect("it was there");
    // A manifest that is there is the registry's word for its blobs.
    let repository = "docker/registry/v2/repositories/team/first/_manifests";
    fs_err::remove_dir_all(registry.data().join(repository)).expect("it was there");
    let uploads = registry.uploads();
    let deliveries = push(checkout.path(), &repo);
    assert_eq!(deliveries[0]["status"], "pushed");
    assert!(deliveries[0]["uploaded_bytes"].as_u64() > Some(0));
    assert_eq!(registry.uploads(), uploads + 1);
    assert!(lost.is_file());
    Copied::of_registry(&repo, &["first"], None);
}

#[test]
fn a_push_from_another_checkout_uploads_nothing() {
    let registry = Registry::open();
    let repo = format!("{}/team", registry.host());
    let services = ["first", "second"];
    push(Checkout::of_services(&services).path(), &repo);
    let uploads = registry.uploads();
    assert!(uploads > 0);
    for delivery in push(Checkout::of_services(&services).path(), &repo) {
        assert_eq!(delivery["status"], "exists");
    }
    assert_eq!(registry.uploads(), uploads);
    Copied::of_registry(&repo, &services, None);
}

#[test]
fn layers_that_services_share_are_sent_once_and_taken_over() {
    let registry = Registry::open();
    let repo = format!("{}/team", registry.host());
    let services = ["first", "second", "third"];
    let deliveries = push(Checkout::of_services(&services).path(), &repo);
    let number = |name: &str| -> u64 {
        let of = |delivery: &Value| delivery[name].as_u64().expect("a number");
        deliveries.iter().map(of).sum()
    };
    let lines = registry.requests();
    let mounts = lines.iter().filter(|line| line.contains("?mount="));
    let (mounted, refused): (Vec<&String>, Vec<&String>) =
        mounts.partition(|line| line.contains("HTTP/1.1\" 201"));
    assert_eq!(refused, Vec::<&String>::new());
    // What every image has: users and certificates, and the C library.
    assert_eq!(mounted.len(), 2 * 2);
    assert_eq!(number("mounted_blobs"), 2 * 2);
    // And what only one has: its executable and its configuration.
    assert_eq!(registry.uploads(), 2 + 2 * 3);
    Copied::of_registry(&repo, &services, None);
}

#[test]
fn a_changed_service_sends_only_what_changed() {
    let registry = Registry::open();
    let repo = format!("{}/team", registry.host());
    let checkout = Checkout::of_services(&["first", "second"]);
    push(checkout.path(), &repo);
    let uploads = registry.uploads();
    checkout.write(
        "first/src/main.rs",
        "fn main() {\n    println!(\"new\");\n}\n",
    );
    let deliveries = push(checkout.path(), &repo);
    assert_eq!(deliveries[0]["status"], "pushed");
    assert_eq!(deliveries[1]["status"], "exists");
    // The application's layer, and the configuration that names it.
    assert_eq!(registry.uploads(), uploads + 2);
    Copied::of_registry(&repo, &["first", "second"], None);
}

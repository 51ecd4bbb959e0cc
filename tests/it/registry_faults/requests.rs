//! E: how many requests a push needs.

use super::stage::{Image, Stage};
use crate::fault_registry::{Act, Exchange, Fault, Guard, Scopes, Settings, on};

pub(super) fn with_tokens() -> Stage {
    let guard = Guard::Bearer {
        seconds: 300,
        scopes: Scopes::All,
    };
    let settings = Settings {
        guard,
        ..Settings::default()
    };
    Stage::new(settings, Some("me:secret"))
}

/// The same with an image in `orders`, tagged `v1`, and nothing in the log.
pub(super) fn with_an_image() -> (Stage, Image) {
    let stage = with_tokens();
    let image = stage.image(1);
    stage
        .client()
        .push("orders", &image, &["v1"])
        .expect("pushed");
    stage.server.forget();
    (stage, image)
}

/// `METHOD` and the kind of thing asked for, each with its number.
pub(super) fn kinds(log: &[Exchange]) -> Vec<(String, usize)> {
    let mut kinds = std::collections::BTreeMap::new();
    for exchange in log {
        let kind = match exchange.path.as_str() {
            "/v2/" => "ping",
            "/token" => "token",
            path if path.contains("/blobs/uploads/") && exchange.query.contains("mount=") => {
                "mount"
            }
            path if path.contains("/blobs/uploads/") => "upload",
            path if path.contains("/blobs/") => "blob",
            path if path.contains("/manifests/sha256:") => "manifest",
            _ => "tag",
        };
        *kinds
            .entry(format!("{} {kind}", exchange.method))
            .or_insert(0) += 1;
    }
    kinds.into_iter().collect()
}

pub(super) fn expected(kinds: &[(&str, usize)]) -> Vec<(String, usize)> {
    kinds
        .iter()
        .map(|(kind, count)| ((*kind).to_owned(), *count))
        .collect()
}

#[test]
fn a_new_image_needs_one_look_and_two_requests_and_a_confirmation_for_each_blob() {
    let stage = with_tokens();
    let image = stage.image(1);
    let client = stage.client();
    let pushed = client
        .push("orders", &image, &["v1", "latest"])
        .expect("pushed");
    let log = stage.server.log();
    assert_eq!(
        kinds(&log),
        expected(&[
            // The manifest's confirmation.
            ("GET manifest", 1),
            ("GET ping", 1),
            ("GET token", 1),
            // Looks and confirmations.
            ("HEAD blob", 3 + 3),
            // One look, and the confirmations of both tags.
            ("HEAD tag", 1 + 2),
            ("POST upload", 3),
            ("PUT manifest", 1),
            ("PUT tag", 2),
            ("PUT upload", 3),
        ])
    );
    assert_eq!(pushed.requests, log.len() as u64);
    assert_eq!(pushed.tags, ["v1", "latest"]);
    assert_eq!(client.registry.requests(), log.len() as u64);
}

#[test]
fn without_confirmations_a_blob_needs_one_look_and_two_requests() {
    let stage = with_tokens();
    let image = stage.image(1);
    let client = stage.client_with(false);
    client.push("orders", &image, &["v1"]).expect("pushed");
    assert_eq!(
        kinds(&stage.server.log()),
        expected(&[
            ("GET ping", 1),
            ("GET token", 1),
            ("HEAD blob", 3),
            ("HEAD tag", 1),
            ("POST upload", 3),
            ("PUT manifest", 1),
            ("PUT tag", 1),
            ("PUT upload", 3),
        ])
    );
}

#[test]
fn where_nothing_changed_one_look_at_the_manifest_is_all() {
    let (stage, image) = with_an_image();
    let again = stage
        .client()
        .push("orders", &image, &["v1"])
        .expect("pushed");
    let expected = expected(&[("GET ping", 1), ("GET token", 1), ("HEAD tag", 1)]);
    assert_eq!(kinds(&stage.server.log()), expected);
    assert_eq!((again.uploaded_bytes, again.existing_blobs), (0, 3));
}

#[test]
fn an_image_under_a_new_tag_is_looked_for_and_not_sent() {
    let (stage, image) = with_an_image();
    stage
        .client()
        .push("orders", &image, &["v2"])
        .expect("pushed");
    assert_eq!(
        kinds(&stage.server.log()),
        expected(&[
            ("GET ping", 1),
            ("GET token", 1),
            // A manifest without a tag says nothing of its blobs.
            ("HEAD blob", 3),
            ("HEAD manifest", 1),
            // Two looks, and the new tag's confirmation.
            ("HEAD tag", 2 + 1),
            ("PUT tag", 1),
        ])
    );
    assert!(stage.has("orders", &image, "v2"));
}

#[test]
fn services_of_one_registry_share_the_ping_and_blobs_and_need_one_token_each() {
    let stage = with_tokens();
    let client = stage.client();
    let services = ["orders", "users", "web"];
    client.expect(&services);
    let mut mounted = 0;
    for (seed, service) in (1..).zip(services) {
        let image = stage.image(seed);
        let pushed = client.push(service, &image, &["v1"]).expect("pushed");
        mounted += pushed.mounted_blobs;
        assert!(stage.has(service, &image, "v1"));
    }
    assert_eq!(mounted, 2);
    assert_eq!(
        kinds(&stage.server.log()),
        expected(&[
            ("GET manifest", 3),
            ("GET ping", 1),
            ("GET token", 3),
            ("HEAD blob", 2 * 9),
            ("HEAD tag", 2 * 3),
            ("POST mount", 2),
            ("POST upload", 7),
            ("PUT manifest", 3),
            ("PUT tag", 3),
            ("PUT upload", 7),
        ])
    );
}

#[test]
fn a_layer_that_one_repository_has_is_taken_over_by_the_others_at_the_same_time() {
    let stage = with_tokens();
    let client = stage.client();
    client.expect(&["a", "b", "c", "d"]);
    client.push("a", &stage.image(1), &["v1"]).expect("pushed");
    let together = on("POST", "mount=").always().act(Act::Gather(3));
    stage.server.add(together);
    let images: Vec<_> = (2..5).map(|seed| stage.image(seed)).collect();
    std::thread::scope(|scope| {
        for (image, service) in images.iter().zip(["b", "c", "d"]) {
            let (stage, client) = (&stage, &client);
            scope.spawn(move || {
                client.push(service, image, &["v1"]).expect("pushed");
                assert!(stage.has(service, image, "v1"));
            });
        }
    });
    let log = stage.server.log();
    let mounts = log.iter().filter(|seen| seen.query.contains("mount="));
    let statuses: Vec<_> = mounts.map(|seen| seen.status).collect();
    assert_eq!(statuses, [Some(201); 3]);
}

/// What came of each request to take a layer over, and what was sent, where four services share it and nobody looks
/// for it, so that it stays new.
fn taken_over(not_yet: Vec<Fault>) -> (Vec<u16>, Vec<Exchange>) {
    let stage = with_tokens();
    let client = stage.client_with(false);
    let services = ["a", "b", "c", "d"];
    client.expect(&services);
    for fault in not_yet {
        stage.server.add(fault);
    }
    for (seed, service) in (1..).zip(services) {
        let image = stage.image(seed);
        client.push(service, &image, &["v1"]).expect("pushed");
        assert!(stage.has(service, &image, "v1"));
    }
    let log = stage.server.log();
    let mounts = log.iter().filter(|seen| seen.query.contains("mount="));
    (mounts.filter_map(|seen| seen.status).collect(), log)
}

/// Two such refusals had every other repository get the layer once more.
#[test]
fn a_layer_that_parts_of_a_registry_do_not_know_yet_is_taken_over_later() {
    let not_yet = ["b", "c"].map(|service| {
        let mount = on("POST", format!("/{service}/blobs/uploads/?mount="));
        mount.status(404)
    });
    let (mounts, log) = taken_over(not_yet.into());
    assert_eq!(mounts, [404, 201, 404, 201, 201]);
    let large = log.iter().filter(|seen| seen.body > 1_000_000);
    assert_eq!(large.count(), 1);
}

/// Who does not know it later either may not take over anything.
#[test]
fn a_registry_that_knows_no_source_is_soon_not_asked_any_more() {
    let never = on("POST", "mount=").always().status(404);
    let (mounts, _) = taken_over(vec![never]);
    assert_eq!(mounts, [404; 4]);
}

#[test]
fn what_a_repository_has_is_not_sent_to_it_again_because_another_did_not_have_it() {
    for mounts in [true, false] {
        let stage = Stage::new(
            Settings {
                mounts,
                ..Settings::default()
            },
            Some("me:secret"),
        );
        let old = stage.client().push("old", &stage.image(2), &["v1"]);
        old.expect("pushed");
        stage.server.forget();
        let client = stage.client();
        client.expect(&["new", "old"]);
        client
            .push("new", &stage.image(1), &["v2"])
            .expect("pushed");
        client
            .push("old", &stage.image(3), &["v2"])
            .expect("pushed");
        let log = stage.server.log();
        let to_old = log.iter().filter(|seen| seen.path.contains("/old/"));
        let large = to_old.clone().filter(|seen| seen.body > 1_000_000);
        assert_eq!(large.count(), 0, "{mounts}");
        let mounted = to_old.filter(|seen| seen.query.contains("mount="));
        assert_eq!(mounted.count(), 0, "{mounts}");
    }
}

#[test]
fn services_that_are_pushed_at_the_same_time_send_a_common_layer_once() {
    let stage = with_tokens();
    let client = stage.client();
    let services = ["a", "b", "c", "d"];
    client.expect(&services);
    let images: Vec<_> = (1..5).map(|seed| stage.image(seed)).collect();
    std::thread::scope(|scope| {
        for (image, service) in images.iter().zip(services) {
            let (stage, client) = (&stage, &client);
            scope.spawn(move || {
                client.push(service, image, &["v1"]).expect("pushed");
                assert!(stage.has(service, image, "v1"));
            });
        }
    });
    let log = stage.server.log();
    let asked = kinds(&log);
    let count = |wanted: &str| {
        let found = asked.iter().find(|(kind, _)| kind == wanted);
        found.map_or(0, |(_, count)| *count)
    };
    assert_eq!(count("GET ping"), 1);
    // Whoever shows the password first asks for nothing else. If it is not the one that sends the layer, it
    // needs another token to take it over.
    let tokens = count("GET token");
    assert!(
        (services.len()..=services.len() + 1).contains(&tokens),
        "{asked:?}"
    );
    let large = |exchange: &&Exchange| exchange.body > 1_000_000;
    assert_eq!(log.iter().filter(large).count(), 1);
    assert_eq!(
        stage.server.count("PUT", "/blobs/uploads/"),
        1 + 2 * services.len()
    );
}

/// They were counted as there and as sent.
#[test]
fn blobs_that_are_lost_meanwhile_are_sent_and_not_there() {
    let stage = Stage::new(Settings::default(), None);
    let image = stage.image(1);
    stage.store_all_but_one("orders", &image);
    let lost = on("PUT", "/manifests/sha256").act(Act::LoseBlobs);
    stage.server.add(lost);
    let pushed = stage.client().push("orders", &image, &["v1"]);
    assert_eq!(pushed.expect("pushed").existing_blobs, 0);
    assert!(stage.has("orders", &image, "v1"));
}

/// A registry keeps it for a week, and one that counts them refuses the next.
#[test]
fn an_upload_that_was_too_large_is_closed_before_the_next_is_opened() {
    let stage = Stage::new(Settings::default(), None);
    let image = stage.image(1);
    stage.server.add(on("PUT", "/blobs/uploads/").status(413));
    let client = stage.client();
    client.push("orders", &image, &["v1"]).expect("pushed");
    assert_eq!(stage.server.open_uploads(), 0);
    assert_eq!(stage.server.count("DELETE", "/blobs/uploads/"), 1);
}

#[test]
fn an_upload_that_was_refused_is_closed() {
    let stage = Stage::new(Settings::default(), None);
    let image = stage.image(1);
    stage
        .server
        .add(on("PUT", "/blobs/uploads/").always().status(403));
    let client = stage.client();
    client.push("orders", &image, &["v1"]).expect_err("refused");
    drop(client);
    assert_eq!(stage.server.open_uploads(), 0);
}

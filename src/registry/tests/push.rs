//! Blobs and manifests against registries that differ where registries differ.

use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::fake::Fake;
use super::server::{Answer, Received, Server};
use super::stage::{BlobOutcome, Stage, repository, tag};
use crate::digest::Digest;
use crate::hint::Hint as _;
use crate::oci::media_type::MANIFEST;
use crate::registry::{Limits, ManifestReference, Options, RegistryError};

/// A registry that keeps to the specification where `script` says nothing.
pub(super) fn deviating(
    script: impl Fn(&Received) -> Option<Answer> + Send + Sync + 'static,
) -> Server {
    let fake = Fake::default();
    Server::start(move |request| script(request).unwrap_or_else(|| fake.answer(request)))
}

pub(super) fn push(server: &Server, content: &[u8]) -> Result<BlobOutcome, RegistryError> {
    let stage = Stage::anonymous();
    let (blob, path) = stage.blob(content);
    stage
        .registry()
        .push_blob(&repository(&server.host()), &blob, &path)
}

#[test]
fn the_second_push_sends_nothing() {
    let fake = Arc::new(Fake::default());
    let server = {
        let fake = Arc::clone(&fake);
        Server::start(move |request| fake.answer(request))
    };
    let content: Vec<u8> = (0..=255).cycle().take(1_000_000).collect();
    for content in [content.as_slice(), b""] {
        let first = push(&server, content).expect("pushed");
        let bytes = content.len() as u64;
        assert_eq!(first, BlobOutcome::Uploaded { bytes, requests: 5 });
        let second = push(&server, content).expect("pushed");
        assert_eq!(second, BlobOutcome::Existed { requests: 2 });
        assert!(fake.blobs().contains(&content.to_vec()));
    }
    assert!(
        server
            .received()
            .iter()
            .all(|request| request.authorization().is_none())
    );
}

#[test]
fn small_blobs_come_from_memory() {
    let server = deviating(|_| None);
    let stage = Stage::anonymous();
    let (registry, repository) = (stage.registry(), repository(&server.host()));
    let (blob, _) = stage.blob(b"{}");
    let pushed = registry
        .push_blob_bytes(&repository, &blob, b"{}")
        .expect("pushed");
    assert_eq!(pushed.uploaded_bytes(), 2);
    let again = registry.push_blob_bytes(&repository, &blob, b"{}");
    assert!(matches!(again, Ok(BlobOutcome::Existed { .. })));
    let short = registry.push_blob_bytes(&repository, &blob, b"{");
    assert!(matches!(short, Err(RegistryError::File { .. })));
}

#[test]
fn an_unclear_answer_about_a_blob_means_upload() {
    for status in [400, 402, 403, 405, 410, 418, 451, 500, 501, 505] {
        let server =
            deviating(move |request| (request.method == "HEAD").then(|| Answer::status(status)));
        assert_eq!(
            push(&server, b"content").expect("pushed").uploaded_bytes(),
            7,
            "{status}"
        );
    }
    let server = deviating(|request| {
        (request.method == "HEAD").then(|| Answer::status(200).with("Content-Length", "6"))
    });
    assert_eq!(
        push(&server, b"content").expect("pushed").uploaded_bytes(),
        7
    );
}

#[test]
fn any_success_commits_a_blob() {
    for status in [200, 201, 202, 204] {
        let fake = Fake::default();
        let server = Server::start(move |request| {
            let answer = fake.answer(request);
            if request.method == "PUT" {
                Answer::status(status)
            } else {
                answer
            }
        });
        assert_eq!(
            push(&server, b"content").expect("pushed").uploaded_bytes(),
            7,
            "{status}"
        );
    }
}

#[test]
fn a_file_of_another_size_is_not_sent() {
    let server = deviating(|_| None);
    for content in [b"short".as_slice(), b"much longer than before"] {
        let stage = Stage::anonymous();
        let (blob, path) = stage.blob(b"content");
        fs_err::write(&path, content).expect("written");
        let error = stage
            .registry()
            .push_blob(&repository(&server.host()), &blob, &path)
            .expect_err("another size");
        assert!(matches!(error, RegistryError::File { .. }), "{error}");
    }
    assert_eq!(server.count("PUT", ""), 0);
}

#[test]
fn an_upload_may_go_to_another_host_without_credentials() {
    let store = Server::start(|_| Answer::status(201));
    let session = store.url("/session?signature=a%2Fb");
    let server = deviating(move |request| match request.method.as_str() {
        _ if request.authorization().is_none() => {
            Some(Answer::status(401).with("WWW-Authenticate", "Basic"))
        }
        "POST" => Some(Answer::status(202).with("Location", session.clone())),
        _ => None,
    });
    let stage = Stage::with_login(&server.host());
    let (blob, path) = stage.blob(b"content");
    // The store does not tell the registry.
    let trusting = Options {
        confirm: false,
        ..Options::default()
    };
    stage
        .registry_with(trusting)
        .push_blob(&repository(&server.host()), &blob, &path)
        .expect("pushed");
    let [put] = &store.received()[..] else {
        panic!("one request expected");
    };
    assert_eq!(put.authorization(), None);
    assert_eq!(
        put.target,
        format!("/session?signature=a%2Fb&digest={}", blob.digest)
    );
    assert_eq!(put.body, b"content");
}

#[test]
fn a_bad_location_is_refused_without_a_panic() {
    for location in [
        "http://[::bad/",
        "http://10.0.0.1/x?signature=s3cret",
        "https://user:s3cret@store.example/x",
        "ftp://store.example/x",
        "http://store.example/x",
    ] {
        let server = deviating(move |request| {
            (request.method == "POST").then(|| Answer::status(202).with("Location", location))
        });
        let error = push(&server, b"content").expect_err("refused");
        assert!(
            matches!(error, RegistryError::SentAway { .. }),
            "{location}: {error}"
        );
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    }
    let server = deviating(|request| (request.method == "POST").then(|| Answer::status(202)));
    assert!(matches!(
        push(&server, b"x"),
        Err(RegistryError::Protocol { .. })
    ));
}

#[test]
fn a_redirected_look_is_followed_without_credentials() {
    let store = Server::start(|_| Answer::status(200).with("Content-Length", "7"));
    let target = store.url("/object");
    let server = deviating(move |request| match request.method.as_str() {
        _ if request.authorization().is_none() => {
            Some(Answer::status(401).with("WWW-Authenticate", "Basic"))
        }
        "HEAD" => Some(Answer::status(307).with("Location", target.clone())),
        _ => None,
    });
    let stage = Stage::with_login(&server.host());
    let (registry, repository) = (stage.registry(), repository(&server.host()));
    let (blob, path) = stage.blob(b"content");
    let pushed = registry.push_blob(&repository, &blob, &path);
    assert!(matches!(pushed, Ok(BlobOutcome::Existed { .. })));
    assert_eq!(store.received()[0].authorization(), None);
}

#[test]
fn a_circle_of_redirects_ends() {
    let server = deviating(|request| {
        let looks = request.path().contains("/blobs/") && !request.path().contains("/uploads/");
        (looks && request.method == "HEAD").then(|| Answer::status(302).with("Location", "x"))
    });
    let pushed = push(&server, b"content").expect("an upload says what a look did not");
    assert_eq!(pushed.uploaded_bytes(), 7);
    // A look and a confirmation.
    assert_eq!(server.count("HEAD", ""), 2 * 6);
}

#[test]
fn a_manifest_is_put_and_found_by_tag_and_digest() {
    let server = deviating(|_| None);
    let stage = Stage::anonymous();
    let (registry, repository) = (stage.registry(), repository(&server.host()));
    let digest = Digest::of(b"{ }");
    for reference in [ManifestReference::Digest(digest), tag("v1")] {
        assert_eq!(
            registry
                .manifest_exists(&repository, &reference)
                .expect("asked")
                .digest,
            None
        );
        let put = registry
            .push_manifest(&repository, &reference, MANIFEST, b"{ }")
            .expect("put");
        assert_eq!(put.digest, digest);
        let found = registry
            .manifest_exists(&repository, &reference)
            .expect("asked");
        assert_eq!(found.digest, Some(digest));
    }
    let put = server
        .received()
        .into_iter()
        .find(|request| request.method == "PUT");
    let put = put.expect("a PUT");
    assert_eq!(put.header("content-type"), Some(MANIFEST));
    assert_eq!(put.body, b"{ }");
    let head = server
        .received()
        .into_iter()
        .find(|request| request.method == "HEAD");
    assert!(
        head.expect("a HEAD")
            .header("accept")
            .expect("a list")
            .contains(MANIFEST)
    );
}

#[test]
fn a_manifest_without_a_digest_header_is_read_and_hashed() {
    let server = deviating(|request| match request.method.as_str() {
        "HEAD" => Some(Answer::status(200)),
        "GET" if request.path().contains("/manifests/") => Some(Answer::status(200).body("{ }")),
        _ => None,
    });
    let stage = Stage::anonymous();
    let found = stage
        .registry()
        .manifest_exists(&repository(&server.host()), &tag("v1"));
    let found = found.expect("asked");
    assert_eq!(found.digest, Some(Digest::of(b"{ }")));
    assert_eq!(found.requests, server.received().len() as u64);
}

#[test]
fn another_digest_in_the_answer_is_an_error() {
    for theirs in [Digest::of(b"other").to_string(), "sha256:x\u{1}".to_owned()] {
        let header = theirs.replace('\u{1}', "");
        let server = deviating(move |request| {
            (request.method == "PUT")
                .then(|| Answer::status(201).with("Docker-Content-Digest", header.clone()))
        });
        let stage = Stage::anonymous();
        let (registry, repository) = (stage.registry(), repository(&server.host()));
        let put = registry.push_manifest(&repository, &tag("v1"), MANIFEST, b"{}");
        assert!(
            matches!(put, Err(RegistryError::DigestMismatch { .. })),
            "{put:?}"
        );
        let blob = push(&server, b"content");
        if theirs.len() > 64 {
            assert!(
                matches!(blob, Err(RegistryError::DigestMismatch { .. })),
                "{blob:?}"
            );
        } else {
            // Nothing is stored here, and that is what counts.
            assert!(
                matches!(blob, Err(RegistryError::NotStored { .. })),
                "{blob:?}"
            );
        }
    }
}

#[test]
fn a_digest_in_capitals_is_the_same_digest() {
    let fake = Fake::default();
    let server = Server::start(move |request| match fake.answer(request) {
        Answer::Reply {
            status,
            headers,
            body,
        } => {
            let upper = |(name, value): (String, String)| match name.as_str() {
                "Docker-Content-Digest" => (name, value.to_uppercase()),
                _ => (name, value),
            };
            Answer::Reply {
                status,
                headers: headers.into_iter().map(upper).collect(),
                body,
            }
        }
        other => other,
    });
    assert_eq!(
        push(&server, b"content").expect("pushed").uploaded_bytes(),
        7
    );
    let stage = Stage::anonymous();
    let (registry, repository) = (stage.registry(), repository(&server.host()));
    registry
        .push_manifest(&repository, &tag("v1"), MANIFEST, b"{}")
        .expect("pushed");
}

/// Whoever is redirected within the registry puts the same content there.
#[test]
fn redirects_within_a_registry_are_followed_with_method_and_content() {
    for status in [301, 302, 307, 308] {
        let fake = Fake::default();
        let server = Server::start(move |request| {
            let sends_on = match request.method.as_str() {
                "POST" => true,
                "PUT" => request.path().contains("/manifests/"),
                "GET" => request.path() == "/v2/",
                _ => false,
            };
            if sends_on && !request.target.contains("again=1") {
                let target = format!("{}?again=1", request.target);
                return Answer::status(status).with("Location", target);
            }
            fake.answer(request)
        });
        let pushed = push(&server, b"content");
        assert_eq!(pushed.expect("pushed").uploaded_bytes(), 7, "{status}");
        let stage = Stage::anonymous();
        let (registry, repository) = (stage.registry(), repository(&server.host()));
        registry
            .push_manifest(&repository, &tag("v1"), MANIFEST, b"{}")
            .expect("pushed");
        assert_eq!(server.count("GET", "/v2/"), 2 * 2, "{status}");
    }
}

#[test]
fn whoever_is_sent_to_another_host_is_told_its_name() {
    let store = Server::start(|_| Answer::status(202).with("Location", "/x"));
    let target = store.url("/v2/");
    for part in ["GET /v2/", "POST /v2/shop", "PUT /v2/shop/orders/manifests"] {
        let target = target.clone();
        let server = deviating(move |request| {
            let line = format!("{} {}", request.method, request.target);
            let root = part == "GET /v2/" && line != part;
            (line.starts_with(part) && !root)
                .then(|| Answer::status(307).with("Location", target.clone()))
        });
        let stage = Stage::anonymous();
        let (registry, repository) = (stage.registry(), repository(&server.host()));
        let error = registry
            .check_push(&repository)
            .and_then(|_| registry.push_manifest(&repository, &tag("v1"), MANIFEST, b"{}"))
            .expect_err("another host");
        assert!(
            matches!(error, RegistryError::Moved { .. }),
            "{part}: {error}"
        );
        assert!(error.hint().expect("a hint").contains(&store.host()));
    }
    assert_eq!(store.received().len(), 0);
}

#[test]
fn a_redirect_within_a_registry_that_has_no_end_is_told() {
    let server = deviating(|request| {
        (request.method == "POST").then(|| Answer::status(307).with("Location", "x"))
    });
    let error = push(&server, b"content").expect_err("a circle");
    assert!(matches!(error, RegistryError::Protocol { .. }), "{error}");
    assert_eq!(server.count("POST", ""), 6);
}

/// What is packed was believed to be what its header says.
#[test]
fn a_manifest_that_comes_packed_is_not_taken_for_another() {
    let packed = |content: &[u8]| {
        let mut writer = GzEncoder::new(Vec::new(), Compression::default());
        writer.write_all(content).expect("written");
        writer.finish().expect("packed")
    };
    let garbage = vec![0x1f, 0x8b, 8, 0];
    for (encoding, body, with_digest, expected) in [
        ("gzip", packed(b"{}"), true, None),
        ("gzip", packed(b"{}"), false, None),
        ("gzip", packed(b"{ }"), true, Some("does not have it")),
        ("gzip", b"{}".to_vec(), true, None),
        (
            "gzip",
            garbage.clone(),
            false,
            Some("packs its answer (`gzip`)"),
        ),
        ("br", garbage.clone(), true, None),
        ("br", garbage, false, Some("packs its answer (`br`)")),
    ] {
        let fake = Fake::default();
        let server = Server::start(move |request| {
            let answer = fake.answer(request);
            if request.method != "GET" || !request.path().contains("/manifests/") {
                return answer;
            }
            assert_eq!(request.header("accept-encoding"), Some("identity"));
            let answer = Answer::status(200).with("Content-Encoding", encoding);
            let answer = answer.body(body.clone());
            if with_digest {
                answer.with("Docker-Content-Digest", Digest::of(b"{}").to_string())
            } else {
                answer
            }
        });
        let stage = Stage::anonymous();
        let (registry, repository) = (stage.registry(), repository(&server.host()));
        let digest = ManifestReference::Digest(Digest::of(b"{}"));
        let put = registry.push_manifest(&repository, &digest, MANIFEST, b"{}");
        let told = put.err().map(|error| error.to_string());
        let is_it = match (&told, expected) {
            (None, None) => true,
            (Some(told), Some(expected)) => told.contains(expected),
            _ => false,
        };
        assert!(is_it, "{encoding} {with_digest}: {told:?}");
        // Where nobody can look into it, only the registry's word is there.
        let is_believed = encoding == "br" && expected.is_none();
        assert_eq!(!registry.warnings().is_empty(), is_believed, "{encoding}");
        let read = registry.read_manifest(&repository, &digest);
        let packs = read
            .expect_err("packed")
            .to_string()
            .contains("packs its answer");
        assert!(packs);
    }
}

#[test]
fn a_secret_in_place_of_a_digest_is_not_repeated() {
    let server = deviating(|request| {
        (request.method == "PUT")
            .then(|| Answer::status(201).with("Docker-Content-Digest", "sha256:bWU6c2VjcmV0"))
    });
    let stage = Stage::anonymous();
    let error = stage
        .registry()
        .push_manifest(&repository(&server.host()), &tag("v1"), MANIFEST, b"{}")
        .expect_err("another digest");
    let text = format!("{error} {error:?}");
    assert!(!text.contains("bWU6c2VjcmV0"), "{text}");
}

#[test]
fn a_manifest_beyond_the_limit_is_not_sent() {
    let server = deviating(|_| None);
    let stage = Stage::anonymous();
    let bytes = vec![b' '; 4 * 1024 * 1024 + 1];
    let registry = stage.registry();
    let put = registry.push_manifest(&repository(&server.host()), &tag("v1"), MANIFEST, &bytes);
    assert!(matches!(put, Err(RegistryError::TooLarge { .. })));
    assert_eq!(registry.requests(), 0);
}

#[test]
fn refusals_name_the_repository_and_the_servers_words() {
    for (status, code, hint) in [
        (404, "NAME_UNKNOWN", "create the repository"),
        (403, "DENIED", "cargo lighter login"),
        (413, "SIZE_INVALID", "raise the limit"),
    ] {
        let server = deviating(move |request| {
            let body =
                format!(r#"{{"errors":[{{"code":"{code}","message":"no\u001b[2J such"}}]}}"#);
            (request.method == "POST").then(|| Answer::status(status).body(body))
        });
        let stage = Stage::anonymous();
        let error = stage
            .registry()
            .check_push(&repository(&server.host()))
            .expect_err("refused");
        let text = error.to_string();
        assert!(
            text.contains(&format!("`{}/shop/orders`", server.host())),
            "{text}"
        );
        assert!(
            text.contains(&format!("status {status} ({code}: no [2J such)")),
            "{text}"
        );
        assert!(error.hint().expect("a hint").contains(hint), "{text}");
    }
}

#[test]
fn a_registry_that_is_silent_when_an_upload_is_dropped_holds_nobody_up() {
    let server = deviating(|request| (request.method == "DELETE").then_some(Answer::Silence));
    let stage = Stage::anonymous();
    let limits = Limits::default();
    assert!(limits.courtesy <= Duration::from_secs(5));
    let registry = stage.registry_within(Limits {
        courtesy: Duration::from_millis(50),
        ..limits
    });
    let started = Instant::now();
    registry
        .check_push(&repository(&server.host()))
        .expect("a push can work");
    assert!(started.elapsed() < limits.answer);
}

#[test]
fn the_preflight_drops_the_upload_that_it_opened() {
    let server = deviating(|request| (request.method == "DELETE").then(|| Answer::status(401)));
    let stage = Stage::anonymous();
    stage
        .registry()
        .check_push(&repository(&server.host()))
        .expect("a push can work");
    let methods: Vec<String> = server
        .received()
        .into_iter()
        .map(|request| request.method)
        .collect();
    assert_eq!(methods, ["GET", "POST", "DELETE"]);
}

//! Looks that say little, or something else than what is there.

use super::push::{deviating, push};
use super::server::{Answer, Server};
use super::stage::{Stage, repository};
use crate::digest::Digest;
use crate::registry::RegistryError;

#[test]
fn where_nobody_may_look_a_warning_says_so() {
    warns_of_its_word(&hiding(Answer::status(405)));
}

/// It was taken for any blob.
#[test]
fn a_page_in_the_place_of_every_blob_is_none() {
    let page = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n<html>\r\n0\r\n\r\n";
    let error = push(&hiding(Answer::Raw(page.to_vec())), b"content").expect_err("not stored");
    assert!(matches!(error, RegistryError::NotStored { .. }), "{error}");
    let blob = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\ncontent\r\n0\r\n\r\n";
    let pushed = push(&hiding(Answer::Raw(blob.to_vec())), b"content");
    assert_eq!(pushed.expect("pushed").uploaded_bytes(), 7);
}

/// A registry that answers nobody who looks for blobs, but those who read them with `answer`.
fn hiding(answer: Answer) -> Server {
    deviating(move |request| {
        let of_blob = request.path().contains("/blobs/sha256:");
        match request.method.as_str() {
            "HEAD" if of_blob => Some(Answer::status(405)),
            "GET" if of_blob => Some(answer.clone()),
            _ => None,
        }
    })
}

fn warns_of_its_word(server: &Server) {
    let stage = Stage::anonymous();
    let (registry, repository) = (stage.registry(), repository(&server.host()));
    for content in [&b"one"[..], b"another"] {
        let blob = crate::oci::Descriptor::new("x", Digest::of(content), content.len() as u64);
        let pushed = registry.push_blob_bytes(&repository, &blob, content);
        pushed.expect("pushed");
    }
    let host = server.host();
    let warning =
        "does not let us look at what it stored: only its word says that all of it arrived";
    assert_eq!(registry.warnings(), [format!("{host} {warning}")]);
}

/// It was taken for the blob.
#[test]
fn a_look_that_finds_another_digest_has_not_found_the_blob() {
    let server = deviating(|request| {
        let looks = request.method == "HEAD" && request.path().contains("/blobs/sha256:");
        let answer = Answer::status(200).with("Content-Length", "7");
        let other = Digest::of(b"another").to_string();
        looks.then(|| answer.with("Docker-Content-Digest", other))
    });
    assert_eq!(
        push(&server, b"content").expect("pushed").uploaded_bytes(),
        7
    );
}

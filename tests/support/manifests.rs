//! Manifests, tags and referrers, strictly by the specification ("Pushing manifests").

use serde_json::{Value, json};

use super::answer::Answer;
use super::contents::{Contents, Manifest, Repository, digest_of};
use super::registry::Settings;
use super::wire::Head;

const MOST_BYTES: usize = 4 * 1024 * 1024;
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const DEFAULT_PAGE: usize = 100;

/// `PUT …/manifests/REFERENCE`.
pub(super) fn put(
    contents: &mut Contents,
    settings: &Settings,
    (repository, reference): (&str, &str),
    head: &Head,
    body: &[u8],
) -> Answer {
    if body.len() > MOST_BYTES {
        return Answer::refusal(413, "SIZE_INVALID");
    }
    let digest = digest_of(body);
    let by_digest = reference.starts_with("sha256:");
    if by_digest && reference != digest {
        return Answer::refusal(400, "DIGEST_INVALID");
    }
    let document: Value = serde_json::from_slice(body).unwrap_or_default();
    let media_type = head.header("content-type").unwrap_or_default();
    if media_type.is_empty() || document["mediaType"] != media_type {
        return Answer::refusal(400, "MANIFEST_INVALID");
    }
    let repository_name = repository;
    let repository = contents.repository(repository);
    if let Some(status) = settings.unknown_status
        && let Some(missing) = missing(repository, &document)
    {
        let error = json!({ "code": "MANIFEST_BLOB_UNKNOWN", "message": "blob unknown to registry",
            "detail": missing });
        return Answer::status(status).json(&json!({ "errors": [error] }));
    }
    let taken = repository
        .tags
        .get(reference)
        .filter(|known| **known != digest);
    if settings.immutable_tags && (taken.is_some() || repository.tags.contains_key(reference)) {
        return Answer::refusal(settings.immutable_status, "TAG_INVALID");
    }
    let manifest = Manifest {
        media_type: media_type.to_owned(),
        bytes: body.to_vec(),
    };
    repository.manifests.insert(digest.clone(), manifest);
    if !by_digest {
        repository.tags.insert(reference.to_owned(), digest.clone());
    }
    created(repository_name, reference, &digest, &document)
}

/// What a stored manifest is answered with.
pub(super) fn created(repository: &str, reference: &str, digest: &str, document: &Value) -> Answer {
    let answer = Answer::status(201)
        .with(
            "Location",
            format!("/v2/{repository}/manifests/{reference}"),
        )
        .with("Docker-Content-Digest", digest);
    match document["subject"]["digest"].as_str() {
        Some(subject) => answer.with("OCI-Subject", subject),
        None => answer,
    }
}

/// The first blob or manifest that a manifest needs and that is not there with its size.
fn missing(repository: &Repository, document: &Value) -> Option<String> {
    let size = |entry: &Value| entry["size"].as_u64();
    let digest = |entry: &Value| entry["digest"].as_str().unwrap_or_default().to_owned();
    let layers = document["layers"].as_array().into_iter().flatten();
    let blobs = layers.chain(document.get("config"));
    let children = document["manifests"].as_array().into_iter().flatten();
    let blob = blobs.into_iter().find(|entry| {
        let found = repository.blobs.get(&digest(entry));
        found.map(|blob| blob.len() as u64) != size(entry)
    });
    let child = children.into_iter().find(|entry| {
        let found = repository.manifests.get(&digest(entry));
        found.map(|child| child.bytes.len() as u64) != size(entry)
    });
    blob.or(child).map(digest)
}

/// `HEAD` and `GET …/manifests/REFERENCE`.
pub(super) fn read(
    contents: &mut Contents,
    repository: &str,
    reference: &str,
    head: &Head,
) -> Answer {
    let Some((digest, manifest)) = contents.repository(repository).manifest(reference) else {
        return Answer::refusal(404, "MANIFEST_UNKNOWN");
    };
    let accepted = head.header("accept").unwrap_or_default();
    if !accepted.contains(&manifest.media_type) {
        return Answer::refusal(406, "UNSUPPORTED");
    }
    Answer::status(200)
        .with("Content-Type", manifest.media_type.clone())
        .with("Content-Length", manifest.bytes.len().to_string())
        .with("Docker-Content-Digest", digest)
        .body(manifest.bytes.clone())
}

/// `GET …/tags/list`, by pages.
pub(super) fn tags(contents: &mut Contents, repository: &str, head: &Head) -> Answer {
    let page = head.parameter("n").and_then(|text| text.parse().ok());
    let page = page.unwrap_or(DEFAULT_PAGE);
    let last = head.parameter("last").unwrap_or_default();
    let known = contents.repository(repository).tags.keys();
    let after: Vec<String> = known.filter(|tag| **tag > last).cloned().collect();
    let shown: Vec<&String> = after.iter().take(page).collect();
    let answer = Answer::status(200).json(&json!({ "name": repository, "tags": shown }));
    match shown.last() {
        Some(last) if after.len() > page => {
            let next = format!("</v2/{repository}/tags/list?n={page}&last={last}>; rel=\"next\"");
            answer.with("Link", next)
        }
        _ => answer,
    }
}

/// `GET …/referrers/DIGEST`.
pub(super) fn referrers(contents: &mut Contents, repository: &str, digest: &str) -> Answer {
    let manifests = contents.repository(repository).manifests.iter();
    let referring = manifests.filter_map(|(known, manifest)| {
        let document: Value = serde_json::from_slice(&manifest.bytes).ok()?;
        (document["subject"]["digest"] == digest).then(|| {
            json!({ "mediaType": manifest.media_type, "digest": known,
                "size": manifest.bytes.len(), "artifactType": document["artifactType"] })
        })
    });
    let referring: Vec<Value> = referring.collect();
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": referring });
    let mut answer = Answer::status(200).json(&index);
    answer.set("Content-Type", INDEX);
    answer
}

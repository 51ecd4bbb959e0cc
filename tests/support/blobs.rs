//! Blobs and their uploads, strictly by the specification ("Pushing blobs").

use super::answer::Answer;
use super::contents::{Contents, digest_of};
use super::registry::Settings;
use super::wire::Head;

const OCTETS: &str = "application/octet-stream";

/// `POST …/blobs/uploads/`: a mount where it can be, else a session.
pub(super) fn open(
    contents: &mut Contents,
    settings: &Settings,
    repository: &str,
    head: &Head,
) -> Answer {
    if head.length() > 0 {
        return Answer::refusal(400, "UNSUPPORTED");
    }
    if let (Some(digest), Some(from)) = (head.parameter("mount"), head.parameter("from"))
        && settings.mounts
        && let Some(blob) = contents.blob(&from, &digest).cloned()
    {
        contents
            .repository(repository)
            .blobs
            .insert(digest.clone(), blob);
        return created(repository, &digest);
    }
    let id = contents.open(repository);
    let answer = Answer::status(202)
        .with("Location", location(repository, &id, 0))
        .with("Range", "0-0");
    match settings.chunk_minimum {
        Some(minimum) => answer.with("OCI-Chunk-Min-Length", minimum.to_string()),
        None => answer,
    }
}

/// `PATCH` and `PUT …/blobs/uploads/ID`; of the body only `keep` bytes are kept, unchecked, where
/// the registry lies.
pub(super) fn write(
    contents: &mut Contents,
    settings: &Settings,
    id: &str,
    head: &Head,
    body: &[u8],
    keep: Option<usize>,
) -> Answer {
    let Some(session) = contents.sessions.get_mut(id) else {
        return Answer::refusal(404, "BLOB_UPLOAD_UNKNOWN");
    };
    let state = state_of(id, session.turn);
    let mut pairs = head.query().split('&');
    if !pairs.any(|pair| pair == state) {
        return Answer::refusal(400, "BLOB_UPLOAD_INVALID");
    }
    if !body.is_empty() && head.header("content-type") != Some(OCTETS) {
        return Answer::refusal(400, "BLOB_UPLOAD_INVALID");
    }
    let repository = session.repository.clone();
    if let Some(range) = head.header("content-range") {
        let expected = format!(
            "{}-{}",
            session.data.len(),
            (session.data.len() + body.len()).saturating_sub(1)
        );
        if range != expected {
            return Answer::refusal(416, "RANGE_INVALID")
                .with("Location", location(&repository, id, session.turn))
                .with("Range", range_of(session.data.len()));
        }
        // Only the last piece may be short.
        if session.short && !body.is_empty() {
            return Answer::refusal(400, "SIZE_INVALID");
        }
        let minimum = settings.chunk_minimum.unwrap_or(0);
        session.short = (body.len() as u64) < minimum;
    }
    session.data.extend(body);
    if head.method == "PATCH" {
        session.turn += 1;
        let (turn, length) = (session.turn, session.data.len());
        return Answer::status(202)
            .with("Location", location(&repository, id, turn))
            .with("Range", range_of(length));
    }
    let Some(digest) = head.parameter("digest") else {
        return Answer::refusal(400, "DIGEST_INVALID");
    };
    let mut data = std::mem::take(&mut session.data);
    contents.sessions.remove(id);
    if let Some(keep) = keep {
        data.truncate(keep);
    } else if digest_of(&data) != digest {
        return Answer::refusal(400, "DIGEST_INVALID");
    }
    contents
        .repository(&repository)
        .blobs
        .insert(digest.clone(), data);
    created(&repository, &digest)
}

/// `GET` and `DELETE …/blobs/uploads/ID`.
pub(super) fn session(contents: &mut Contents, id: &str, head: &Head) -> Answer {
    let Some(session) = contents.sessions.get(id) else {
        return Answer::refusal(404, "BLOB_UPLOAD_UNKNOWN");
    };
    if head.method == "DELETE" {
        contents.sessions.remove(id);
        return Answer::status(204);
    }
    Answer::status(204)
        .with("Location", location(&session.repository, id, session.turn))
        .with("Range", range_of(session.data.len()))
}

/// `HEAD` and `GET …/blobs/DIGEST`.
pub(super) fn read(
    contents: &Contents,
    repository: &str,
    digest: &str,
    range: Option<&str>,
) -> Answer {
    let Some(blob) = contents.blob(repository, digest) else {
        return Answer::refusal(404, "BLOB_UNKNOWN");
    };
    let begin = range.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'));
    let length = blob.len();
    match begin.and_then(|begin| begin.parse::<usize>().ok()) {
        Some(begin) if begin >= length => {
            Answer::refusal(416, "RANGE_INVALID").with("Content-Range", format!("bytes */{length}"))
        }
        Some(begin) => Answer::status(206)
            .with("Content-Type", OCTETS)
            .with(
                "Content-Range",
                format!("bytes {begin}-{}/{length}", length - 1),
            )
            .body(&blob[begin..]),
        None => Answer::status(200)
            .with("Content-Type", OCTETS)
            .with("Content-Length", length.to_string())
            .with("Docker-Content-Digest", digest)
            .body(blob.clone()),
    }
}

/// What a stored blob is answered with.
pub(super) fn created(repository: &str, digest: &str) -> Answer {
    Answer::status(201)
        .with("Location", format!("/v2/{repository}/blobs/{digest}"))
        .with("Docker-Content-Digest", digest)
}

fn location(repository: &str, id: &str, turn: usize) -> String {
    format!("/v2/{repository}/blobs/uploads/{id}?{}", state_of(id, turn))
}

/// With characters that a client must not write in another way.
fn state_of(id: &str, turn: usize) -> String {
    format!("_state=a%2Bb%3D{id}.{turn}")
}

fn range_of(length: usize) -> String {
    format!("0-{}", length.saturating_sub(1))
}

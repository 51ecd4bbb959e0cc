//! A small registry in memory that keeps to the specification, for scripts to deviate from.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::server::{Answer, Received};
use crate::digest::Digest;

/// Blobs and manifests by repository path and name.
#[derive(Debug, Default)]
pub(super) struct Fake {
    blobs: Mutex<BTreeMap<String, Vec<u8>>>,
    manifests: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl Fake {
    pub(super) fn answer(&self, request: &Received) -> Answer {
        let path = request.path();
        if path == "/v2/" {
            return Answer::status(200);
        }
        match request.method.as_str() {
            "POST" if path.ends_with("/blobs/uploads/") => {
                Answer::status(202).with("Location", "session-1?_state=a%2Bb%3D")
            }
            "PUT" if path.contains("/blobs/uploads/") => self.commit(request),
            "DELETE" => Answer::status(204),
            "HEAD" if path.contains("/blobs/") => self.look(path),
            "PUT" if path.contains("/manifests/") => {
                let digest = Digest::of(&request.body).to_string();
                let mut manifests = self.manifests.lock().expect("a lock");
                manifests.insert(path.to_owned(), request.body.clone());
                Answer::status(201).with("Docker-Content-Digest", digest)
            }
            "HEAD" | "GET" if path.contains("/manifests/") => {
                let manifests = self.manifests.lock().expect("a lock");
                manifests.get(path).map_or(Answer::status(404), |bytes| {
                    let digest = Digest::of(bytes).to_string();
                    let length = bytes.len().to_string();
                    Answer::status(200)
                        .with("Docker-Content-Digest", digest)
                        .with("Content-Length", length)
                        .body(bytes.clone())
                })
            }
            _ => Answer::status(405),
        }
    }

    pub(super) fn blobs(&self) -> Vec<Vec<u8>> {
        self.blobs
            .lock()
            .expect("a lock")
            .values()
            .cloned()
            .collect()
    }

    fn commit(&self, request: &Received) -> Answer {
        let digest = Digest::of(&request.body).to_string();
        let query = format!("_state=a%2Bb%3D&digest={digest}");
        let octets = request.header("content-type") == Some("application/octet-stream");
        if request.query() != query || !octets {
            return Answer::status(400)
                .body(r#"{"errors":[{"code":"DIGEST_INVALID","message":"bad upload"}]}"#);
        }
        let repository = request.path().split("/uploads/").next().expect("a path");
        let mut blobs = self.blobs.lock().expect("a lock");
        blobs.insert(format!("{repository}/{digest}"), request.body.clone());
        Answer::status(201).with("Docker-Content-Digest", digest)
    }

    fn look(&self, path: &str) -> Answer {
        let blobs = self.blobs.lock().expect("a lock");
        blobs.get(path).map_or(Answer::status(404), |blob| {
            Answer::status(200).with("Content-Length", blob.len().to_string())
        })
    }
}

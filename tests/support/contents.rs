//! What the registry holds: blobs and manifests by repository, and uploads under way.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

/// `sha256:` and the digits.
pub(super) fn digest_of(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A manifest as it was put.
#[derive(Debug, Clone)]
pub(super) struct Manifest {
    pub(super) media_type: String,
    pub(super) bytes: Vec<u8>,
}

#[derive(Debug, Default)]
pub(super) struct Repository {
    /// By digest.
    pub(super) blobs: BTreeMap<String, Vec<u8>>,
    /// By digest.
    pub(super) manifests: BTreeMap<String, Manifest>,
    /// From tags to digests.
    pub(super) tags: BTreeMap<String, String>,
}

impl Repository {
    /// The manifest under a tag or digest.
    pub(super) fn manifest(&self, reference: &str) -> Option<(&str, &Manifest)> {
        let digest = self.tags.get(reference).map_or(reference, String::as_str);
        let (digest, manifest) = self.manifests.get_key_value(digest)?;
        Some((digest, manifest))
    }
}

/// An upload under way.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) repository: String,
    pub(super) data: Vec<u8>,
    /// How often it was written to: a client has to use the newest `Location`.
    pub(super) turn: usize,
    /// Whether a piece was smaller than pieces may be.
    pub(super) short: bool,
}

#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) repositories: BTreeMap<String, Repository>,
    pub(super) sessions: BTreeMap<String, Session>,
    opened: usize,
}

impl Contents {
    pub(super) fn repository(&mut self, name: &str) -> &mut Repository {
        self.repositories.entry(name.to_owned()).or_default()
    }

    pub(super) fn blob(&self, repository: &str, digest: &str) -> Option<&Vec<u8>> {
        self.repositories.get(repository)?.blobs.get(digest)
    }

    pub(super) fn lose_blobs(&mut self) {
        for repository in self.repositories.values_mut() {
            repository.blobs.clear();
        }
    }

    /// Opens an upload, and gives its id.
    pub(super) fn open(&mut self, repository: &str) -> String {
        self.opened += 1;
        let id = format!("upload-{}", self.opened);
        let session = Session {
            repository: repository.to_owned(),
            data: Vec::new(),
            turn: 0,
            short: false,
        };
        self.sessions.insert(id.clone(), session);
        id
    }
}

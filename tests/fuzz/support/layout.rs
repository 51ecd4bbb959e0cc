//! An image layout that a target fills with what it was given.

use std::fs;
use std::path::{Path, PathBuf};

use cargo_lighter::digest::Digest;
use serde_json::{Value, json};
use tempfile::TempDir;

pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub const HEADER: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

/// The directory `layout` of a temporary one.
pub struct Layout {
    directory: TempDir,
}

impl Layout {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        fs::create_dir_all(directory.path().join("layout/blobs/sha256")).expect("created");
        Self { directory }
    }

    /// What it is in.
    pub fn around(&self) -> &Path {
        self.directory.path()
    }

    pub fn path(&self) -> PathBuf {
        self.around().join("layout")
    }

    /// Stores a blob; gives its descriptor.
    pub fn put(&self, bytes: &[u8], media_type: &str) -> Value {
        let digest = Digest::of(bytes);
        let blobs = self.path().join("blobs/sha256");
        fs::write(blobs.join(digest.hex()), bytes).expect("written");
        let (digest, size) = (digest.to_string(), bytes.len());
        json!({ "mediaType": media_type, "digest": digest, "size": size })
    }

    /// Writes what leads to the blobs.
    pub fn lead(&self, header: &[u8], index: &[u8]) {
        fs::write(self.path().join("oci-layout"), header).expect("written");
        fs::write(self.path().join("index.json"), index).expect("written");
    }
}

/// An index of these descriptors.
pub fn index(entries: &[Value]) -> Vec<u8> {
    let index = json!({ "schemaVersion": 2, "manifests": entries });
    index.to_string().into_bytes()
}

//! Where things stand in a layout's directory.

use std::path::{Path, PathBuf};

use crate::digest::Digest;
use crate::oci::LAYOUT_FILE;

/// Held shared by every open writer, alone by whoever collects garbage.
pub(super) const WRITERS_LOCK: &str = "writers.lock";
/// Held alone while `index.json` is read, changed and written.
pub(super) const INDEX_LOCK: &str = "index.lock";

/// Name of the directory that holds locks, staged files and the record of our blobs. The
/// specification allows further files in a layout.
pub(super) const STATE: &str = ".lighter";

/// The paths of one layout.
#[derive(Debug, Clone)]
pub(super) struct Places {
    directory: PathBuf,
}

impl Places {
    pub(super) fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
        }
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn header(&self) -> PathBuf {
        self.directory.join(LAYOUT_FILE)
    }

    pub(super) fn index(&self) -> PathBuf {
        self.directory.join("index.json")
    }

    pub(super) fn blobs(&self) -> PathBuf {
        self.directory.join("blobs").join("sha256")
    }

    pub(super) fn blob(&self, digest: &Digest) -> PathBuf {
        self.blobs().join(digest.hex())
    }

    pub(super) fn state(&self) -> PathBuf {
        self.directory.join(STATE)
    }

    /// Digests of the blobs that this program put here.
    pub(super) fn record(&self) -> PathBuf {
        self.state().join("written")
    }
}

//! A layout that an image is read from; what a registry has comes when it is needed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use super::SourceError;
use crate::medium::{LayoutReader, MANIFEST_LIMIT};
use crate::oci::Descriptor;
use crate::reference::Repository;
use crate::registry::{ManifestReference, Registry};

/// A blob that is read at most: what the largest registries take is less.
const MAX_BLOB: u64 = 64 << 30;

/// A layout, and where it is filled from.
#[derive(Debug, Clone)]
pub struct Place {
    directory: PathBuf,
    remote: Option<Remote>,
    /// Goes with the last who needs it.
    _keep: Option<Arc<TempDir>>,
}

#[derive(Debug, Clone)]
struct Remote {
    registry: Arc<Registry>,
    repository: Repository,
}

impl Place {
    /// A layout of the user's, where it stands.
    pub(super) fn standing(directory: PathBuf) -> Self {
        Self {
            directory,
            remote: None,
            _keep: None,
        }
    }

    /// A layout that was made of something else.
    pub(super) fn temporary(directory: PathBuf, keep: &Arc<TempDir>) -> Self {
        Self {
            directory,
            remote: None,
            _keep: Some(Arc::clone(keep)),
        }
    }

    /// A layout that gets what a repository has.
    pub(super) fn of_registry(
        directory: PathBuf,
        keep: &Arc<TempDir>,
        registry: Arc<Registry>,
        repository: Repository,
    ) -> Self {
        Self {
            directory,
            remote: Some(Remote {
                registry,
                repository,
            }),
            _keep: Some(Arc::clone(keep)),
        }
    }

    /// Where the layout is.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Whether blobs are brought from a registry.
    pub fn is_remote(&self) -> bool {
        self.remote.is_some()
    }

    /// The layout, to be read.
    ///
    /// # Errors
    /// [`SourceError::Layout`] when it is none.
    pub fn reader(&self) -> Result<LayoutReader, SourceError> {
        Ok(LayoutReader::open(&self.directory)?)
    }

    /// The bytes of a manifest or index, checked against its descriptor.
    ///
    /// # Errors
    /// [`SourceError`] when it is not there, or something else.
    pub fn manifest(&self, descriptor: &Descriptor) -> Result<Vec<u8>, SourceError> {
        let reader = self.reader()?;
        let path = reader.blob_path(&descriptor.digest);
        if let Some(remote) = &self.remote
            && !fs_err::exists(&path)?
        {
            let reference = ManifestReference::Digest(descriptor.digest);
            let pulled = remote
                .registry
                .pull_manifest(&remote.repository, &reference)?;
            fs_err::write(&path, &pulled.bytes)?;
        }
        Ok(reader.read_document(descriptor)?)
    }

    /// The bytes of a small blob, checked against its descriptor.
    ///
    /// # Errors
    /// [`SourceError`] when it is not there, something else, or too large.
    pub fn document(&self, descriptor: &Descriptor) -> Result<Vec<u8>, SourceError> {
        check_size(descriptor, MANIFEST_LIMIT)?;
        self.blob(descriptor)?;
        Ok(self.reader()?.read_document(descriptor)?)
    }

    /// The file of a blob. Those of a registry were checked when they came; whoever reads one of a layout
    /// has to do it.
    ///
    /// # Errors
    /// [`SourceError`] when it cannot be brought, or is larger than believable.
    pub fn blob(&self, descriptor: &Descriptor) -> Result<PathBuf, SourceError> {
        check_size(descriptor, MAX_BLOB)?;
        let path = self.reader()?.blob_path(&descriptor.digest);
        let Some(remote) = &self.remote else {
            return Ok(path);
        };
        if !fs_err::exists(&path)? {
            let arriving = path.with_extension("part");
            remote
                .registry
                .pull_blob(&remote.repository, descriptor, &arriving)?;
            fs_err::rename(&arriving, &path)?;
        }
        Ok(path)
    }
}

fn check_size(descriptor: &Descriptor, limit: u64) -> Result<(), SourceError> {
    if descriptor.size <= limit {
        return Ok(());
    }
    Err(SourceError::TooMuch {
        at: format!("blob {}", descriptor.digest),
        found: descriptor.size,
        unit: "bytes",
        limit,
    })
}

//! A layout that an image is read from; what a registry has comes when it is needed.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use super::SourceError;
use super::documents::other_algorithm;
use super::notes::Notes;
use super::oci_archive::INDEX;
use crate::digest::Digest;
use crate::medium::{
    INDEX_LIMIT, LayoutError, LayoutReader, MANIFEST_LIMIT, StoredIndex, read_capped,
};
use crate::oci::{Descriptor, LAYOUT_FILE};
use crate::reference::Repository;
use crate::registry::{ManifestReference, Registry};
use crate::report::{Meter, printable};

/// A blob that is read at most: what the largest registries take is less.
const MAX_BLOB: u64 = 64 << 30;

/// A layout, and where it is filled from.
#[derive(Debug, Clone)]
pub struct Place {
    directory: PathBuf,
    /// What it was made of, as it can be typed again.
    called: String,
    remote: Option<Remote>,
    notes: Arc<Notes>,
    /// Goes with the last who needs it.
    _keep: Option<Arc<TempDir>>,
}

#[derive(Debug, Clone)]
struct Remote {
    registry: Arc<Registry>,
    repository: Repository,
    /// Counts the bytes of layers.
    meter: Meter,
}

impl Place {
    /// A layout of the user's, where it stands.
    pub(super) fn standing(directory: PathBuf, called: String) -> Self {
        Self {
            directory,
            called,
            remote: None,
            notes: Arc::default(),
            _keep: None,
        }
    }

    /// A layout that was made of something else.
    pub(super) fn temporary(
        directory: PathBuf,
        called: String,
        notes: &Arc<Notes>,
        keep: &Arc<TempDir>,
    ) -> Self {
        Self {
            directory,
            called,
            remote: None,
            notes: Arc::clone(notes),
            _keep: Some(Arc::clone(keep)),
        }
    }

    /// A layout that gets what a repository has; `meter` counts the bytes of its layers.
    pub(super) fn of_registry(
        directory: PathBuf,
        keep: &Arc<TempDir>,
        registry: Arc<Registry>,
        repository: Repository,
        meter: &Meter,
    ) -> Self {
        Self {
            directory,
            called: repository.to_string(),
            remote: Some(Remote {
                registry,
                repository,
                meter: meter.clone(),
            }),
            notes: Arc::default(),
            _keep: Some(Arc::clone(keep)),
        }
    }

    /// Where the layout is.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// What is to be said of what the layout was made of.
    pub fn notes(&self) -> &Notes {
        &self.notes
    }

    /// Whether blobs are brought from a registry.
    pub fn is_remote(&self) -> bool {
        self.remote.is_some()
    }

    /// The layout, to be read.
    ///
    /// # Errors
    /// [`SourceError::Unsound`] when it is none.
    pub fn reader(&self) -> Result<LayoutReader, SourceError> {
        LayoutReader::open(&self.directory).map_err(|error| self.unsound(error))
    }

    /// The names that images have in it, and what they lead to.
    ///
    /// # Errors
    /// [`SourceError`] when it cannot be read.
    pub(super) fn index(&self) -> Result<StoredIndex, SourceError> {
        let reader = self.reader()?;
        reader.index().map_err(|error| self.unsound(error))
    }

    /// Refuses a layout that lists no image: there is nothing to look at.
    ///
    /// # Errors
    /// [`SourceError::NoImages`], and when it cannot be read.
    pub fn check_images(&self) -> Result<(), SourceError> {
        if self.index()?.is_empty() {
            return Err(SourceError::NoImages {
                place: self.called.clone(),
            });
        }
        Ok(())
    }

    /// The image that is named `name`; without a name, the only one.
    ///
    /// # Errors
    /// [`SourceError`] when there is none, or several and no name.
    pub(super) fn resolve(&self, name: Option<&str>) -> Result<Descriptor, SourceError> {
        let reader = self.reader()?;
        reader.resolve(name).map_err(|error| self.unsound(error))
    }

    /// What is wrong with the layout, told of what was typed: it may stand in a temporary directory.
    fn unsound(&self, error: LayoutError) -> SourceError {
        let name = |path: &Path| {
            let inside = path.strip_prefix(&self.directory).unwrap_or(path);
            format!("`{}`", inside.display())
        };
        let why = match error {
            LayoutError::NotALayout { .. } => format!("it has no `{LAYOUT_FILE}`"),
            LayoutError::Version { version, .. } => {
                format!("it is an image layout of version `{version}`, not 1.0.0")
            }
            LayoutError::Json { path, source } => {
                let bytes = read_capped(&path, INDEX_LIMIT).unwrap_or_default();
                if let Some(algorithm) = other_algorithm(&bytes) {
                    let at = format!("{} of `{}`", name(&path), self.called);
                    return SourceError::OtherAlgorithm { at, algorithm };
                }
                let why = printable(&source.to_string());
                format!("{} is not valid: {why}", name(&path))
            }
            LayoutError::TooLarge { path, limit } => {
                format!("{} is larger than {limit} bytes", name(&path))
            }
            LayoutError::NoBlob { digest, .. } => format!("it has no blob {digest}"),
            LayoutError::Content {
                path,
                expected,
                expected_size,
                found,
                found_size,
            } => format!(
                "{} has {found_size} bytes of digest {found}, not {expected_size} of {expected}",
                name(&path)
            ),
            LayoutError::Io(error) if error.kind() == io::ErrorKind::NotFound => {
                format!("it has no `{INDEX}`")
            }
            other => match self.directory_for_file() {
                Some(file) => format!("`{file}` is a directory"),
                None => return other.into(),
            },
        };
        SourceError::Unsound {
            place: self.called.clone(),
            why,
        }
    }

    /// What should be a file of the layout, and is a directory.
    fn directory_for_file(&self) -> Option<&'static str> {
        let mut files = [LAYOUT_FILE, INDEX].into_iter();
        files.find(|file| self.directory.join(file).is_dir())
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
                .pull_manifest(&remote.repository, &reference)
                .map_err(SourceError::of_part)?;
            fs_err::write(&path, &pulled.bytes)
                .map_err(|error| SourceError::from(error).while_unpacking(&self.called))?;
        }
        let bytes = reader.read_document(descriptor);
        bytes.map_err(|error| self.unsound(error))
    }

    /// The bytes of a small blob, checked against its descriptor.
    ///
    /// # Errors
    /// [`SourceError`] when it is not there, something else, or too large.
    pub fn document(&self, descriptor: &Descriptor) -> Result<Vec<u8>, SourceError> {
        check_size(descriptor, MANIFEST_LIMIT)?;
        self.brought(descriptor, |_| Meter::default())?;
        let bytes = self.reader()?.read_document(descriptor);
        bytes.map_err(|error| self.unsound(error))
    }

    /// The file of a blob. Those of a registry were checked when they came; whoever reads one of a layout
    /// has to do it.
    ///
    /// # Errors
    /// [`SourceError`] when it cannot be brought, or is larger than believable.
    pub fn blob(&self, descriptor: &Descriptor) -> Result<PathBuf, SourceError> {
        check_size(descriptor, MAX_BLOB)?;
        self.brought(descriptor, |remote| remote.meter.clone())
    }

    /// These blobs will be asked for, unless an error comes first.
    ///
    /// # Errors
    /// [`SourceError::Unsound`] when the layout cannot be read.
    pub fn expect(&self, blobs: impl Iterator<Item = Descriptor>) -> Result<(), SourceError> {
        let Some(remote) = &self.remote else {
            return Ok(());
        };
        let reader = self.reader()?;
        let missing: BTreeMap<Digest, u64> = blobs
            .filter(|blob| !reader.blob_path(&blob.digest).exists())
            .map(|blob| (blob.digest, blob.size))
            .collect();
        remote
            .meter
            .expect(missing.into_values().fold(0, u64::saturating_add));
        Ok(())
    }

    fn brought(
        &self,
        descriptor: &Descriptor,
        meter: impl FnOnce(&Remote) -> Meter,
    ) -> Result<PathBuf, SourceError> {
        let path = self.reader()?.blob_path(&descriptor.digest);
        let Some(remote) = &self.remote else {
            return Ok(path);
        };
        if !fs_err::exists(&path)? {
            let arriving = path.with_extension("part");
            let meter = meter(remote);
            remote
                .registry
                .pull_blob(&remote.repository, descriptor, &arriving, &meter)
                .map_err(SourceError::of_part)?;
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

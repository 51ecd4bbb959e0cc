//! Reading a layout: names, documents and blobs, each checked and limited.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::LayoutError;
use super::index::StoredIndex;
use super::places::Places;
use crate::digest::Digest;
use crate::oci::{Descriptor, LayoutHeader};
use crate::report::printable;

/// Bytes of a manifest, index or configuration that are read at most: what registries are asked to
/// cope with (distribution-spec, "Pushing Manifests").
pub const MANIFEST_LIMIT: u64 = 4 << 20;
/// Bytes of `index.json` that are read at most: some fifty thousand images.
pub const INDEX_LIMIT: u64 = 16 << 20;

/// Bytes of `oci-layout` that are read at most. It has one field; others may be added.
pub const HEADER_LIMIT: u64 = MANIFEST_LIMIT;

/// A layout to read from. It takes no lock: blobs never change, and `index.json` is replaced whole.
#[derive(Debug, Clone)]
pub struct LayoutReader {
    places: Places,
}

impl LayoutReader {
    /// Opens the layout at `directory`.
    ///
    /// # Errors
    /// [`LayoutError`] when there is no layout, or one of another version.
    pub fn open(directory: &Path) -> Result<Self, LayoutError> {
        let places = Places::new(directory);
        if !fs_err::exists(places.header())? {
            return Err(LayoutError::NotALayout {
                directory: directory.to_owned(),
                occupied: false,
            });
        }
        check_version(&places)?;
        Ok(Self { places })
    }

    /// The layout's directory.
    pub fn directory(&self) -> &Path {
        self.places.directory()
    }

    /// `index.json` as it is at this moment.
    ///
    /// # Errors
    /// [`LayoutError`] when it is missing, too large or no index.
    pub fn index(&self) -> Result<StoredIndex, LayoutError> {
        let path = self.places.index();
        let bytes = read_capped(&path, INDEX_LIMIT)?;
        StoredIndex::parse(&bytes).map_err(|source| LayoutError::Json { path, source })
    }

    /// The image that is named `name`; without a name, the only one.
    ///
    /// # Errors
    /// [`LayoutError`] when there is none, or several and no name.
    pub fn resolve(&self, name: Option<&str>) -> Result<Descriptor, LayoutError> {
        let index = self.index()?;
        let found = match name {
            Some(name) => index.find(name),
            None => index.only(),
        };
        found
            .map_err(|source| LayoutError::Json {
                path: self.places.index(),
                source,
            })?
            .ok_or_else(|| LayoutError::NoImage {
                directory: self.directory().to_owned(),
                name: name.unwrap_or_default().to_owned(),
                known: index.names(),
            })
    }

    /// The bytes of a manifest, index or configuration, after its size and digest were checked.
    ///
    /// # Errors
    /// [`LayoutError`] when it is missing, damaged, or larger than [`MANIFEST_LIMIT`].
    pub fn read_document(&self, descriptor: &Descriptor) -> Result<Vec<u8>, LayoutError> {
        let path = self.blob_path(&descriptor.digest);
        if !fs_err::exists(&path)? {
            return Err(self.no_blob(descriptor));
        }
        let bytes = read_capped(&path, MANIFEST_LIMIT)?;
        let found = Digest::of(&bytes);
        let found_size = bytes.len() as u64;
        if (found, found_size) != (descriptor.digest, descriptor.size) {
            return Err(LayoutError::Content {
                path,
                expected: descriptor.digest,
                expected_size: descriptor.size,
                found,
                found_size,
            });
        }
        Ok(bytes)
    }

    /// A document read as `T`; else as [`LayoutReader::read_document`].
    ///
    /// # Errors
    /// As [`LayoutReader::read_document`], and when it is not of the shape of `T`.
    pub fn read_json<T: DeserializeOwned>(
        &self,
        descriptor: &Descriptor,
    ) -> Result<T, LayoutError> {
        let bytes = self.read_document(descriptor)?;
        serde_json::from_slice(&bytes).map_err(|source| LayoutError::Json {
            path: self.blob_path(&descriptor.digest),
            source,
        })
    }

    /// Where the blob of this digest is, or would be.
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.places.blob(digest)
    }

    fn no_blob(&self, descriptor: &Descriptor) -> LayoutError {
        LayoutError::NoBlob {
            directory: self.directory().to_owned(),
            digest: descriptor.digest,
        }
    }
}

/// All bytes of the regular file at `path`.
///
/// # Errors
/// When it cannot be read, or has more than `limit` bytes.
pub fn read_capped(path: &Path, limit: u64) -> Result<Vec<u8>, LayoutError> {
    if !fs_err::metadata(path)?.is_file() {
        let problem = format!("`{}` is not a regular file", path.display());
        return Err(std::io::Error::other(problem).into());
    }
    let mut bytes = Vec::new();
    fs_err::File::open(path)?
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(LayoutError::TooLarge {
            path: path.to_owned(),
            limit,
        });
    }
    Ok(bytes)
}

/// Readers must refuse versions they do not know, and there is only one.
pub(super) fn check_version(places: &Places) -> Result<(), LayoutError> {
    let path = places.header();
    let bytes = read_capped(&path, HEADER_LIMIT)?;
    let header: LayoutHeader =
        serde_json::from_slice(&bytes).map_err(|source| LayoutError::Json { path, source })?;
    if header == LayoutHeader::default() {
        return Ok(());
    }
    Err(LayoutError::Version {
        directory: places.directory().to_owned(),
        version: printable(&header.image_layout_version),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_header_is_of_a_layout_or_refused_without_a_panic(
            bytes in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..200),
                r#"\{"imageLayoutVersion":("1\.0\.[0-9]"|null|7|"[ -~]{0,9}")\}"#.prop_map(String::into_bytes),
            ],
        ) {
            let directory = tempfile::tempdir().expect("a directory");
            fs_err::write(directory.path().join("oci-layout"), &bytes).expect("written");
            let is_layout = LayoutReader::open(directory.path()).is_ok();
            let text = String::from_utf8_lossy(&bytes);
            prop_assert!(!is_layout || text.contains("1.0.0"), "{text}");
        }
    }
}

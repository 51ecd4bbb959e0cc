//! Writing into a layout, together with any number of other writers.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;

use serde::Serialize;

use super::index::StoredIndex;
use super::places::{INDEX_LOCK, Places, STATE, WRITERS_LOCK};
use super::{INDEX_LIMIT, LayoutError, blob, garbage, read};
use crate::digest::Digest;
use crate::fs::{DirectoryLock, TEMPORARY_PREFIX, write_atomic};
use crate::oci::{Descriptor, LayoutHeader};

/// What became of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It was written.
    Stored {
        /// Its size.
        bytes: u64,
    },
    /// It was there already, with the right content.
    Existed,
}

/// An open layout. While any writer is open, nobody collects garbage in it.
#[derive(Debug)]
pub struct LayoutWriter {
    places: Places,
    /// Blobs whose content was compared with their digest since the writer was opened.
    intact: Mutex<BTreeSet<Digest>>,
    _writing: DirectoryLock,
}

impl LayoutWriter {
    /// Opens the layout at `directory`, and makes one where there is nothing or an empty directory.
    ///
    /// # Errors
    /// [`LayoutError`] when the directory holds something else or a layout of another version, or
    /// cannot be written; nothing was changed then.
    pub fn open(directory: &Path) -> Result<Self, LayoutError> {
        let places = Places::new(directory);
        let writing = prepare(&places).map_err(|error| match error {
            LayoutError::Io(source) => LayoutError::Unwritable {
                directory: directory.to_owned(),
                source,
            },
            other => other,
        })?;
        Ok(Self {
            places,
            intact: Mutex::default(),
            _writing: writing,
        })
    }

    /// The layout's directory.
    pub fn directory(&self) -> &Path {
        self.places.directory()
    }

    /// Whether a blob of the right size is there. The content is looked at only when it is put.
    ///
    /// # Errors
    /// When the blob's file cannot be looked at.
    pub fn has_blob(&self, descriptor: &Descriptor) -> Result<bool, LayoutError> {
        let path = self.places.blob(&descriptor.digest);
        Ok(fs_err::exists(&path)? && {
            let metadata = fs_err::metadata(&path)?;
            metadata.is_file() && metadata.len() == descriptor.size
        })
    }

    /// Stores the content of `source`, by a hard link where that is possible. A blob that is there
    /// is compared with its digest (once per writer), and replaced if it is damaged.
    ///
    /// # Errors
    /// [`LayoutError`] when `source` is not what `descriptor` says, or the disk refuses.
    pub fn put_blob_file(
        &self,
        descriptor: &Descriptor,
        source: &Path,
    ) -> Result<Put, LayoutError> {
        self.put(descriptor, || {
            blob::put_file(&self.places, descriptor, source)
        })
    }

    /// Stores `bytes`; else as [`LayoutWriter::put_blob_file`].
    ///
    /// # Errors
    /// As [`LayoutWriter::put_blob_file`].
    pub fn put_blob_bytes(
        &self,
        descriptor: &Descriptor,
        bytes: &[u8],
    ) -> Result<Put, LayoutError> {
        self.put(descriptor, || {
            blob::put_bytes(&self.places, descriptor, bytes)
        })
    }

    fn put(
        &self,
        descriptor: &Descriptor,
        store: impl FnOnce() -> Result<(), LayoutError>,
    ) -> Result<Put, LayoutError> {
        let known = self
            .intact
            .lock()
            .is_ok_and(|intact| intact.contains(&descriptor.digest));
        let present =
            self.has_blob(descriptor)? && (known || blob::is_intact(&self.places, descriptor)?);
        let put = if present {
            Put::Existed
        } else {
            store()?;
            // Recorded afterwards: a kill in between leaves a blob that nobody ever removes, while
            // the other order could claim one that another program writes later.
            garbage::record(&self.places, &descriptor.digest)?;
            Put::Stored {
                bytes: descriptor.size,
            }
        };
        if let Ok(mut intact) = self.intact.lock() {
            intact.insert(descriptor.digest);
        }
        Ok(put)
    }

    /// Lets each name, `NAME:TAG`, mean its descriptor, all in one step. Entries of the same names
    /// are replaced where they stand, new ones come last, all others stay byte for byte.
    ///
    /// # Errors
    /// [`LayoutError`] when a descriptor's blob is not there, or `index.json` cannot be read or
    /// written.
    pub fn tag(&self, images: &[(String, Descriptor)]) -> Result<(), LayoutError> {
        for (_, descriptor) in images {
            if !self.has_blob(descriptor)? {
                return Err(LayoutError::NoBlob {
                    directory: self.directory().to_owned(),
                    digest: descriptor.digest,
                });
            }
        }
        // The names of blobs must be on the disk before the index that speaks of them.
        fs_err::File::open(self.places.blobs())?.sync_all()?;
        let _lock = DirectoryLock::acquire(&self.places.state(), INDEX_LOCK)?;
        let path = self.places.index();
        let before = read::read_capped(&path, INDEX_LIMIT)?;
        let json_error = |source| LayoutError::Json {
            path: path.clone(),
            source,
        };
        let mut index = StoredIndex::parse(&before).map_err(json_error)?;
        for (name, descriptor) in images {
            index.tag(name, descriptor).map_err(json_error)?;
        }
        let after = index.to_bytes().map_err(json_error)?;
        if after != before {
            write_atomic(&path, &after)?;
        }
        Ok(())
    }
}

/// Joins the writers, makes whatever a layout needs and this one has not, and checks that blobs can
/// be added.
fn prepare(places: &Places) -> Result<DirectoryLock, LayoutError> {
    fs_err::create_dir_all(places.directory())?;
    if fs_err::exists(places.header())? {
        read::check_version(places)?;
    } else {
        refuse_foreign_content(places)?;
    }
    fs_err::create_dir_all(places.state())?;
    let writing = DirectoryLock::acquire_shared(&places.state(), WRITERS_LOCK)?;
    let _lock = DirectoryLock::acquire(&places.state(), INDEX_LOCK)?;
    fs_err::create_dir_all(places.blobs())?;
    for directory in [places.directory().to_owned(), places.blobs()] {
        writable(&directory)?;
    }
    if !fs_err::exists(places.index())? {
        write_json(&places.index(), &StoredIndex::default())?;
    }
    // Found out now, not after all is built.
    let path = places.index();
    let index = read::read_capped(&path, INDEX_LIMIT)?;
    StoredIndex::parse(&index).map_err(|source| LayoutError::Json { path, source })?;
    // Last, because it makes the directory a layout.
    if !fs_err::exists(places.header())? {
        write_json(&places.header(), &LayoutHeader::default())?;
    }
    Ok(writing)
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), LayoutError> {
    let bytes = serde_json::to_vec(value).map_err(|source| LayoutError::Json {
        path: path.to_owned(),
        source,
    })?;
    Ok(write_atomic(path, &bytes)?)
}

/// A directory may be turned into a layout if it is empty, or an earlier run was killed doing so.
fn refuse_foreign_content(places: &Places) -> Result<(), LayoutError> {
    let mut names = Vec::new();
    for entry in fs_err::read_dir(places.directory())? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    // Asked after the listing: whoever makes a layout at this moment began with this directory.
    let begun = fs_err::exists(places.state())?;
    let ours = |name: &String| {
        matches!(name.as_str(), STATE | "blobs" | "index.json" | "oci-layout")
            || name.starts_with(TEMPORARY_PREFIX)
    };
    if names.is_empty() || (begun && names.iter().all(ours)) {
        return Ok(());
    }
    Err(LayoutError::NotALayout {
        directory: places.directory().to_owned(),
        occupied: true,
    })
}

fn writable(directory: &Path) -> Result<(), LayoutError> {
    rustix::fs::access(directory, rustix::fs::Access::WRITE_OK).map_err(|error| {
        LayoutError::Unwritable {
            directory: directory.to_owned(),
            source: error.into(),
        }
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::medium::LayoutReader;
    use crate::oci::media_type;

    fn descriptor(content: &[u8]) -> Descriptor {
        let size = content.len() as u64;
        Descriptor::new(media_type::MANIFEST, Digest::of(content), size)
    }

    #[test]
    fn a_broken_index_is_found_when_the_layout_is_opened() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        drop(LayoutWriter::open(directory.path()).expect("made"));
        fs_err::write(directory.path().join("index.json"), "{").expect("written");
        let opened = LayoutWriter::open(directory.path());
        assert!(
            matches!(opened, Err(LayoutError::Json { .. })),
            "{opened:?}"
        );
    }

    fn source(directory: &Path, content: &[u8]) -> PathBuf {
        let path = directory.join("source");
        fs_err::write(&path, content).expect("written");
        path
    }

    /// A directory that does not exist yet, and what keeps the one around it.
    fn fresh() -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let layout = directory.path().join("a").join("layout");
        (directory, layout)
    }

    #[test]
    fn a_new_layout_is_complete() {
        let (_keep, layout) = fresh();
        LayoutWriter::open(&layout).expect("opened");
        let header = fs_err::read_to_string(layout.join("oci-layout")).expect("readable");
        assert_eq!(header, r#"{"imageLayoutVersion":"1.0.0"}"#);
        let reader = LayoutReader::open(&layout).expect("a layout");
        assert!(reader.index().expect("an index").names().is_empty());
        assert!(layout.join("blobs/sha256").is_dir());
    }

    #[test]
    fn other_directories_and_versions_are_left_alone() {
        let (_keep, layout) = fresh();
        fs_err::create_dir_all(&layout).expect("made");
        fs_err::write(layout.join("notes.txt"), "x").expect("written");
        let error = LayoutWriter::open(&layout).expect_err("not a layout");
        assert!(matches!(
            error,
            LayoutError::NotALayout { occupied: true, .. }
        ));
        let header = r#"{"imageLayoutVersion":"1.1.0"}"#;
        fs_err::write(layout.join("oci-layout"), header).expect("written");
        let error = LayoutWriter::open(&layout).expect_err("another version");
        assert!(matches!(error, LayoutError::Version { .. }));
        assert_eq!(fs_err::read_dir(&layout).expect("listed").count(), 2);
    }

    #[test]
    fn a_half_made_layout_is_completed() {
        let (_keep, layout) = fresh();
        LayoutWriter::open(&layout).expect("opened");
        for file in ["oci-layout", "index.json"] {
            fs_err::remove_file(layout.join(file)).expect("removed");
            LayoutWriter::open(&layout).expect("opened again");
            assert!(layout.join(file).exists());
        }
    }

    #[test]
    fn an_unwritable_place_is_named() {
        let (keep, _) = fresh();
        let file = source(keep.path(), b"x");
        let error = LayoutWriter::open(&file.join("layout")).expect_err("a file is in the way");
        assert!(error.to_string().contains(&file.display().to_string()));
        assert!(matches!(error, LayoutError::Unwritable { .. }));
    }

    #[test]
    fn blobs_are_stored_once() {
        let (keep, layout) = fresh();
        let writer = LayoutWriter::open(&layout).expect("opened");
        let blob = descriptor(b"content");
        let file = source(keep.path(), b"content");
        assert!(!writer.has_blob(&blob).expect("looked"));
        let put = writer.put_blob_file(&blob, &file).expect("stored");
        assert_eq!(put, Put::Stored { bytes: 7 });
        let put = writer.put_blob_bytes(&blob, b"content").expect("stored");
        assert_eq!(put, Put::Existed);
        let reader = LayoutReader::open(&layout).expect("a layout");
        assert_eq!(reader.read_document(&blob).expect("read"), b"content");
        let staged = fs_err::read_dir(layout.join(".lighter")).expect("listed");
        assert!(staged.into_iter().all(|entry| {
            let name = entry.expect("an entry").file_name();
            !name.to_string_lossy().starts_with(TEMPORARY_PREFIX)
        }));
    }

    #[test]
    fn a_linked_source_is_stored_by_its_content() {
        let (keep, layout) = fresh();
        let writer = LayoutWriter::open(&layout).expect("opened");
        let file = source(keep.path(), b"content");
        let link = keep.path().join("link");
        std::os::unix::fs::symlink(&file, &link).expect("linked");
        let blob = descriptor(b"content");
        writer.put_blob_file(&blob, &link).expect("stored");
        let stored = layout.join("blobs/sha256").join(blob.digest.hex());
        let metadata = fs_err::symlink_metadata(stored).expect("there");
        assert!(metadata.is_file());
    }

    #[test]
    fn damaged_blobs_are_repaired() {
        let (keep, layout) = fresh();
        let blob = descriptor(b"content");
        let path = layout.join("blobs/sha256").join(blob.digest.hex());
        let file = source(keep.path(), b"content");
        for damage in ["", "conten", "content+", "CONTENT"] {
            let writer = LayoutWriter::open(&layout).expect("opened");
            fs_err::write(&path, damage).expect("damaged");
            let put = writer.put_blob_file(&blob, &file).expect("stored");
            assert_eq!(put, Put::Stored { bytes: 7 }, "{damage}");
            assert_eq!(fs_err::read(&path).expect("readable"), b"content");
            // The next damage must not reach the source through the hard link.
            fs_err::remove_file(&path).expect("removed");
        }
    }

    #[test]
    fn content_that_is_not_the_descriptors_is_refused() {
        let (keep, layout) = fresh();
        let writer = LayoutWriter::open(&layout).expect("opened");
        let blob = descriptor(b"content");
        for wrong in [b"short".as_slice(), b"CONTENT", b"content and more"] {
            let file = source(keep.path(), wrong);
            let from_file = writer.put_blob_file(&blob, &file);
            assert!(matches!(from_file, Err(LayoutError::Content { .. })));
            let from_bytes = writer.put_blob_bytes(&blob, wrong);
            assert!(matches!(from_bytes, Err(LayoutError::Content { .. })));
        }
        assert!(!writer.has_blob(&blob).expect("looked"));
        let tag = writer.tag(&[("a:b".to_owned(), blob)]);
        assert!(matches!(tag, Err(LayoutError::NoBlob { .. })));
    }

    #[test]
    fn a_missing_name_suggests_near_ones() {
        use crate::hint::Hint as _;
        let (_keep, layout) = fresh();
        let writer = LayoutWriter::open(&layout).expect("opened");
        let image = descriptor(b"image");
        writer.put_blob_bytes(&image, b"image").expect("stored");
        writer
            .tag(&[("orders:latest".to_owned(), image.clone())])
            .expect("tagged");
        let reader = LayoutReader::open(&layout).expect("a layout");
        let error = reader.resolve(Some("order:latest")).expect_err("no such");
        assert_eq!(error.hint().as_deref(), Some("try `orders:latest`"));
        let only = reader.resolve(None).expect("the only one");
        assert_eq!(only.digest, image.digest);
    }
}

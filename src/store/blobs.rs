//! The blobs that one run makes, until they are delivered.
//!
//! A blob's digest is known only when its last byte is written, so it is streamed into a temporary
//! file and renamed to its digest. A blob's file goes when nobody holds the blob any more, so that a
//! run of many services needs room for few. All stand in one directory that goes with the run; what a
//! killed run left is removed by the next one in the same place.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tempfile::{TempDir, TempPath};

use crate::digest::Digest;
use crate::fs::{DirectoryLock, TEMPORARY_PREFIX};

/// Held by a run inside its own directory for as long as the directory is in use.
const RUN_LOCK: &str = "lock";
/// Held in the parent while a run directory is made and locked: without it, another run could take
/// a directory between these two steps for a leftover.
const PARENT_LOCK: &str = ".lighter-blobs.lock";

/// Content-addressed blobs of one run, removed when dropped. May be shared between threads.
#[derive(Debug)]
pub struct Blobs {
    // Before the lock, because fields are dropped in this order and a directory that is still being
    // removed is no leftover.
    directory: TempDir,
    _lock: DirectoryLock,
    held: Held,
}

/// The finished blobs that somebody holds.
#[derive(Debug, Clone, Default)]
struct Held(Arc<Mutex<BTreeMap<Digest, Weak<BlobFile>>>>);

impl Held {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Digest, Weak<BlobFile>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Blobs {
    /// Makes a directory of its own in `parent`, which is created if missing, and removes the
    /// directories of earlier runs that were killed. A leftover that cannot be removed (another
    /// user's) stays.
    ///
    /// # Errors
    /// When `parent` cannot be written; the error names it.
    pub fn create(parent: &Path) -> io::Result<Self> {
        fs_err::create_dir_all(parent)?;
        let _parent_lock = DirectoryLock::acquire(parent, PARENT_LOCK)?;
        remove_leftovers(parent)?;
        let directory = tempfile::Builder::new()
            .prefix(&run_prefix())
            .tempdir_in(parent)?;
        let lock = DirectoryLock::acquire(directory.path(), RUN_LOCK)?;
        Ok(Self {
            directory,
            _lock: lock,
            held: Held::default(),
        })
    }

    /// A new file to stream a blob into.
    ///
    /// # Errors
    /// When it cannot be created; the error names it.
    pub fn writer(&self) -> io::Result<BlobWriter> {
        let temporary = tempfile::Builder::new()
            .prefix(TEMPORARY_PREFIX)
            .permissions(std::fs::Permissions::from_mode(0o666))
            .tempfile_in(self.directory.path())?;
        let (file, temporary) = temporary.into_parts();
        Ok(BlobWriter {
            file: fs_err::File::from_parts(file, &temporary),
            temporary,
            directory: self.directory.path().to_owned(),
            held: self.held.clone(),
        })
    }

    /// The run's own directory, for whatever else must go with the run.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }
}

/// A finished blob, whose file is there as long as one of its clones, and the [`Blobs`] that it was
/// made in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob(Arc<BlobFile>);

impl Blob {
    /// The file.
    pub fn path(&self) -> &Path {
        &self.0.path
    }
}

#[derive(Debug)]
struct BlobFile {
    path: PathBuf,
    digest: Digest,
    held: Held,
}

impl PartialEq for BlobFile {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl Eq for BlobFile {}

impl Drop for BlobFile {
    fn drop(&mut self) {
        let mut held = self.held.lock();
        // An equal blob may have been finished since, and taken this one's place.
        if held
            .get(&self.digest)
            .is_some_and(|blob| blob.strong_count() == 0)
        {
            held.remove(&self.digest);
            // What cannot be removed goes with the directory.
            let _ = fs_err::remove_file(&self.path);
        }
    }
}

/// A blob on its way in. Dropped without [`BlobWriter::finish`], it leaves nothing.
#[derive(Debug)]
pub struct BlobWriter {
    file: fs_err::File,
    temporary: TempPath,
    directory: PathBuf,
    held: Held,
}

impl BlobWriter {
    /// Gives the blob its name. The caller computed `digest` over all bytes that it wrote. Where
    /// somebody holds an equal blob, that one is taken.
    ///
    /// Nothing is flushed to the disk: the blobs do not outlive the run.
    ///
    /// # Errors
    /// When the rename fails; the error names the file.
    pub fn finish(self, digest: &Digest) -> io::Result<Blob> {
        let Self {
            file,
            temporary,
            directory,
            held,
        } = self;
        drop(file);
        let mut known = held.lock();
        if let Some(blob) = known.get(digest).and_then(Weak::upgrade) {
            return Ok(Blob(blob));
        }
        let path = directory.join(format!("sha256-{}", digest.hex()));
        temporary.persist(&path).map_err(|failed| {
            io::Error::new(
                failed.error.kind(),
                format!("cannot write `{}`: {}", path.display(), failed.error),
            )
        })?;
        let file = Arc::new(BlobFile {
            path,
            digest: *digest,
            held: held.clone(),
        });
        known.insert(*digest, Arc::downgrade(&file));
        Ok(Blob(file))
    }
}

impl Write for BlobWriter {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.file.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn run_prefix() -> String {
    format!("{TEMPORARY_PREFIX}blobs-")
}

fn remove_leftovers(parent: &Path) -> io::Result<()> {
    for entry in fs_err::read_dir(parent)? {
        let entry = entry?;
        let is_run = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with(&run_prefix()));
        if is_run && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            let path = entry.path();
            if let Ok(Some(_unused)) = DirectoryLock::try_acquire(&path, RUN_LOCK) {
                let _ = fs_err::remove_dir_all(&path);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn store(blobs: &Blobs, bytes: &[u8]) -> Blob {
        let mut writer = blobs.writer().expect("created");
        writer.write_all(bytes).expect("written");
        writer.finish(&Digest::of(bytes)).expect("renamed")
    }

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs_err::read_dir(directory)
            .expect("listed")
            .map(|entry| entry.expect("listed").file_name().into_string())
            .map(|name| name.expect("UTF-8"))
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_blob_stands_under_its_digest_until_the_run_ends() {
        let parent = tempfile::tempdir().expect("a temporary directory");
        let nested = parent.path().join("target/lighter");
        let blobs = Blobs::create(&nested).expect("created");
        let blob = store(&blobs, b"one");
        let name = format!("sha256-{}", Digest::of(b"one").hex());
        assert_eq!(blob.path(), blobs.directory().join(name));
        assert_eq!(fs_err::read(blob.path()).expect("readable"), b"one");
        drop(blobs);
        assert_eq!(names(&nested), [PARENT_LOCK]);
    }

    #[test]
    fn an_abandoned_writer_leaves_nothing() {
        let parent = tempfile::tempdir().expect("a temporary directory");
        let blobs = Blobs::create(parent.path()).expect("created");
        let mut writer = blobs.writer().expect("created");
        writer.write_all(b"half").expect("written");
        drop(writer);
        assert_eq!(names(blobs.directory.path()), [RUN_LOCK]);
    }

    #[test]
    fn many_threads_may_store_the_same_blob() {
        let parent = tempfile::tempdir().expect("a temporary directory");
        let blobs = Blobs::create(parent.path()).expect("created");
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let blob = store(&blobs, b"shared");
                        assert_eq!(fs_err::read(blob.path()).expect("readable"), b"shared");
                    }
                });
            }
        });
        assert_eq!(names(blobs.directory.path()), [RUN_LOCK]);
    }

    #[test]
    fn a_blob_that_nobody_holds_is_gone_and_may_come_back() {
        let parent = tempfile::tempdir().expect("a temporary directory");
        let blobs = Blobs::create(parent.path()).expect("created");
        let first = store(&blobs, b"one");
        let second = store(&blobs, b"one");
        assert_eq!(first, second);
        let path = first.path().to_owned();
        drop(first);
        assert!(path.exists());
        drop(second);
        assert_eq!(names(blobs.directory()), [RUN_LOCK]);
        let again = store(&blobs, b"one");
        assert_eq!(fs_err::read(again.path()).expect("readable"), b"one");
    }

    #[test]
    fn leftovers_of_killed_runs_go_and_living_runs_stay() {
        let parent = tempfile::tempdir().expect("a temporary directory");
        let killed = parent.path().join(format!("{}killed", run_prefix()));
        fs_err::create_dir(&killed).expect("created");
        fs_err::write(killed.join("sha256-00"), b"old").expect("written");
        fs_err::write(killed.join(RUN_LOCK), b"").expect("written");
        let foreign = parent.path().join(".lighter-tmp-other");
        fs_err::create_dir(&foreign).expect("created");

        let living = Blobs::create(parent.path()).expect("created");
        let blob = store(&living, b"mine");
        let second = Blobs::create(parent.path()).expect("created");

        assert!(!killed.exists());
        assert!(foreign.exists());
        assert!(blob.path().exists());
        assert_ne!(living.directory.path(), second.directory.path());
    }

    #[test]
    fn an_error_names_the_directory() {
        let parent = tempfile::tempdir().expect("a temporary directory");
        let file = parent.path().join("file");
        fs_err::write(&file, b"").expect("written");
        let error = Blobs::create(&file.join("below")).expect_err("a file is in the way");
        assert!(error.to_string().contains("file/below"), "{error}");
    }
}

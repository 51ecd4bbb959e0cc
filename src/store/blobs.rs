//! The blobs that one run makes, until they are delivered.
//!
//! A blob's digest is known only when its last byte is written, so it is streamed into a temporary
//! file and renamed to its digest. All blobs of a run stand in one directory that goes with the run;
//! what a killed run left is removed by the next one in the same place.

use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

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
        })
    }

    /// The run's own directory, for whatever else must go with the run.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Where the blob of this digest stands, if a writer finished it.
    pub fn path(&self, digest: &Digest) -> PathBuf {
        blob_path(self.directory.path(), digest)
    }
}

/// A blob on its way in. Dropped without [`BlobWriter::finish`], it leaves nothing.
#[derive(Debug)]
pub struct BlobWriter {
    file: fs_err::File,
    temporary: TempPath,
    directory: PathBuf,
}

impl BlobWriter {
    /// Gives the blob its name and returns its path. The caller computed `digest` over all bytes
    /// that it wrote. A blob of the same digest is replaced by its equal, also while others read it.
    ///
    /// Nothing is flushed to the disk: the blobs do not outlive the run.
    ///
    /// # Errors
    /// When the rename fails; the error names the file.
    pub fn finish(self, digest: &Digest) -> io::Result<PathBuf> {
        let Self {
            file,
            temporary,
            directory,
        } = self;
        drop(file);
        let path = blob_path(&directory, digest);
        temporary.persist(&path).map_err(|failed| {
            io::Error::new(
                failed.error.kind(),
                format!("cannot write `{}`: {}", path.display(), failed.error),
            )
        })?;
        Ok(path)
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

fn blob_path(directory: &Path, digest: &Digest) -> PathBuf {
    directory.join(format!("sha256-{}", digest.hex()))
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

    fn store(blobs: &Blobs, bytes: &[u8]) -> PathBuf {
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
        let path = store(&blobs, b"one");
        assert_eq!(path, blobs.path(&Digest::of(b"one")));
        assert_eq!(fs_err::read(&path).expect("readable"), b"one");
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
                        let path = store(&blobs, b"shared");
                        assert_eq!(fs_err::read(path).expect("readable"), b"shared");
                    }
                });
            }
        });
        assert_eq!(names(blobs.directory.path()).len(), 2);
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
        let path = store(&living, b"mine");
        let second = Blobs::create(parent.path()).expect("created");

        assert!(!killed.exists());
        assert!(foreign.exists());
        assert!(path.exists());
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

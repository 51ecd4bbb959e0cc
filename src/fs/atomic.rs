//! Writing a file so that nobody ever sees half of it.
//!
//! A temporary file in the same directory, flushed to the disk, then renamed over the name. Whatever
//! happens before the rename leaves the old state, and dropping the value removes the temporary file.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// How the names of our temporary files begin, so that leftovers of a killed run can be told apart.
pub const TEMPORARY_PREFIX: &str = ".lighter-tmp-";

/// A file that appears under its name only when [`AtomicFile::commit`] succeeds.
#[derive(Debug)]
pub struct AtomicFile {
    temporary: NamedTempFile,
    path: PathBuf,
}

impl AtomicFile {
    /// Opens a temporary file beside `path`; the directory must exist. It has the mode of the file that it
    /// will replace: what its owner keeps from others stays so.
    ///
    /// # Errors
    /// When the directory cannot be written; the error names it.
    pub fn create(path: &Path) -> io::Result<Self> {
        let directory = parent_of(path);
        let temporary = tempfile::Builder::new()
            .prefix(TEMPORARY_PREFIX)
            .permissions(std::fs::Permissions::from_mode(0o666))
            .tempfile_in(directory)
            .map_err(|error| naming("cannot create a file in", directory, &error))?;
        let standing = path.symlink_metadata();
        if let Some(standing) = standing.ok().filter(std::fs::Metadata::is_file) {
            // Not by the mode of its making, of which the umask takes away.
            let mode = standing.permissions().mode() & 0o777;
            let kept = (temporary.as_file()).set_permissions(std::fs::Permissions::from_mode(mode));
            kept.map_err(|error| naming("cannot create a file in", directory, &error))?;
        }
        Ok(Self {
            temporary,
            path: path.to_owned(),
        })
    }

    /// Flushes what was written so far to the disk, so that [`AtomicFile::commit`] is left with the rename.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn sync(&self) -> io::Result<()> {
        let synced = self.temporary.as_file().sync_all();
        synced.map_err(|error| naming("cannot write", &self.path, &error))
    }

    /// Flushes to the disk and renames over the final name, replacing what was there.
    ///
    /// # Errors
    /// When the disk refuses; the final name is then as it was.
    pub fn commit(self) -> io::Result<()> {
        self.sync()?;
        let Self { temporary, path } = self;
        temporary
            .persist(&path)
            .map_err(|error| naming("cannot write", &path, &error.error))?;
        sync_directory(parent_of(&path))
    }
}

impl Write for AtomicFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.temporary
            .write(buffer)
            .map_err(|error| naming("cannot write", &self.path, &error))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.temporary
            .flush()
            .map_err(|error| naming("cannot write", &self.path, &error))
    }
}

/// Writes `bytes` to `path` in one step.
///
/// # Errors
/// As [`AtomicFile`]'s.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(bytes)?;
    file.commit()
}

/// The directory a path stands in; `.` for a bare name.
fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// A rename is only durable once its directory is.
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)
        .and_then(|handle| handle.sync_all())
        .map_err(|error| naming("cannot flush", directory, &error))
}

fn naming(action: &str, path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(
        error.kind(),
        format!("{action} `{}`: {error}", path.display()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_abandoned_file_leaves_the_old_content_and_no_temporary() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("index.json");
        write_atomic(&path, b"old").expect("written");
        let mut file = AtomicFile::create(&path).expect("created");
        file.write_all(b"half").expect("written");
        drop(file);
        assert_eq!(fs_err::read(&path).expect("readable"), b"old");
        assert_eq!(
            fs_err::read_dir(directory.path()).expect("listed").count(),
            1
        );
    }

    #[test]
    fn a_replaced_file_keeps_its_mode() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("images.tar");
        for mode in [0o600, 0o640, 0o666] {
            fs_err::write(&path, b"old").expect("written");
            let permissions = std::fs::Permissions::from_mode(mode);
            fs_err::set_permissions(&path, permissions).expect("owned");
            write_atomic(&path, b"new").expect("written");
            let found = fs_err::metadata(&path).expect("there").permissions().mode();
            assert_eq!(found & 0o7777, mode);
            assert_eq!(fs_err::read(&path).expect("readable"), b"new");
        }
    }

    #[test]
    fn the_error_names_the_directory() {
        let error = write_atomic(Path::new("/nowhere/at/all"), b"").expect_err("no such directory");
        assert!(error.to_string().contains("/nowhere/at"), "{error}");
    }
}

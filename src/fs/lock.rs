//! Advisory locks that a directory's writers share.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Held until dropped; the operating system releases it when the process dies.
///
/// Closing the file would not do: a child that another thread is just starting has a copy of it until
/// it runs its program, and a lock is held as long as one copy is open.
///
/// Each value opens the file anew, so two threads of one process exclude each other as two processes
/// do. The file stays: removing it would let two holders lock different files of one name.
#[derive(Debug)]
pub struct DirectoryLock {
    file: File,
}

impl DirectoryLock {
    /// Waits until no other holder of `directory/name` is left, shared or not.
    ///
    /// # Errors
    /// When the file cannot be opened or locked; the error names it.
    pub fn acquire(directory: &Path, name: &str) -> io::Result<Self> {
        let (file, path) = open(directory, name)?;
        file.lock().map_err(|error| naming(&path, &error))?;
        Ok(Self { file })
    }

    /// Waits until nobody holds `directory/name` for itself, then holds it together with others.
    ///
    /// # Errors
    /// When the file cannot be opened or locked; the error names it.
    pub fn acquire_shared(directory: &Path, name: &str) -> io::Result<Self> {
        let (file, path) = open(directory, name)?;
        file.lock_shared().map_err(|error| naming(&path, &error))?;
        Ok(Self { file })
    }

    /// Holds `directory/name` alone, or gives `None` at once where anybody else holds it.
    ///
    /// # Errors
    /// When the file cannot be opened or locked; the error names it.
    pub fn try_acquire(directory: &Path, name: &str) -> io::Result<Option<Self>> {
        let (file, path) = open(directory, name)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(naming(&path, &error)),
        }
    }
}

impl Drop for DirectoryLock {
    fn drop(&mut self) {
        // Closing follows, which releases it all the same, if later.
        let _ = self.file.unlock();
    }
}

fn open(directory: &Path, name: &str) -> io::Result<(File, PathBuf)> {
    let path = directory.join(name);
    let file = fs_err::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)?;
    Ok((file.into_parts().0, path))
}

fn naming(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(
        error.kind(),
        format!("cannot lock `{}`: {error}", path.display()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_holders_keep_an_exclusive_one_out() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let name = "lock";
        let first = DirectoryLock::acquire_shared(directory.path(), name).expect("free");
        let second = DirectoryLock::acquire_shared(directory.path(), name).expect("shared");
        drop(first);
        let attempt = DirectoryLock::try_acquire(directory.path(), name).expect("lockable");
        assert!(attempt.is_none());
        drop(second);
        let attempt = DirectoryLock::try_acquire(directory.path(), name).expect("lockable");
        assert!(attempt.is_some());
    }

    #[test]
    fn a_dropped_lock_is_free_even_while_a_child_has_a_copy_of_its_file() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let name = "lock";
        let first = DirectoryLock::acquire_shared(directory.path(), name).expect("free");
        let copy = first.file.try_clone().expect("a copy");
        drop(first);
        let attempt = DirectoryLock::try_acquire(directory.path(), name).expect("lockable");
        assert!(attempt.is_some());
        drop(copy);
    }

    #[test]
    fn the_error_names_the_file() {
        let missing = DirectoryLock::try_acquire(Path::new("/nowhere/at/all"), "lock");
        let error = missing.expect_err("there is no such directory");
        assert!(
            error.to_string().contains("/nowhere/at/all/lock"),
            "{error}"
        );
    }
}

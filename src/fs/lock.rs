//! An advisory lock that a directory's writers share.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

/// Held until dropped; the operating system releases it when the process dies.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Waits until no other holder of `directory/name` is left. The file stays: removing it would
    /// let two holders lock different files of one name.
    ///
    /// # Errors
    /// When the file cannot be opened or locked; the error names it.
    pub fn acquire(directory: &Path, name: &str) -> io::Result<Self> {
        let path = directory.join(name);
        let file = open(&path)?;
        file.lock().map_err(|error| naming(&path, &error))?;
        Ok(Self { _file: file })
    }

    /// As [`DirectoryLock::acquire`], but gives `None` at once where somebody else holds it.
    ///
    /// # Errors
    /// When the file cannot be opened or locked; the error names it.
    pub fn try_acquire(directory: &Path, name: &str) -> io::Result<Option<Self>> {
        let path = directory.join(name);
        let file = open(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(naming(&path, &error)),
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    let file = fs_err::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)?;
    Ok(file.into_parts().0)
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
    fn a_second_holder_is_refused_until_the_first_lets_go() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let first = DirectoryLock::acquire(directory.path(), "lock").expect("free");
        let try_again = || DirectoryLock::try_acquire(directory.path(), "lock").expect("usable");
        assert!(try_again().is_none());
        drop(first);
        assert!(try_again().is_some());
    }

    #[test]
    fn the_error_names_the_file() {
        let error =
            DirectoryLock::try_acquire(Path::new("/nowhere/at/all"), "lock").expect_err("missing");
        assert!(
            error.to_string().contains("/nowhere/at/all/lock"),
            "{error}"
        );
    }
}

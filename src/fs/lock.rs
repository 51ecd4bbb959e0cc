//! An advisory lock that a directory's writers share.

use std::fs::File;
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
        let file = fs_err::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)?;
        let file = file.into_parts().0;
        file.lock().map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("cannot lock `{}`: {error}", path.display()),
            )
        })?;
        Ok(Self { _file: file })
    }
}

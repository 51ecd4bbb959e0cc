//! Walking a directory in one order on every machine.

use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

/// Something below a walked directory that is not itself a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundFile {
    /// Relative to the walked directory.
    pub relative: PathBuf,
    /// The path to open.
    pub path: PathBuf,
}

/// All files, links and special files below `directory`, by the bytes of their relative paths. Links
/// to directories are listed, not followed.
///
/// # Errors
/// The first directory that cannot be read; the error names it.
pub fn sorted_files(directory: &Path) -> io::Result<Vec<FoundFile>> {
    sorted_files_where(directory, |_| true)
}

/// Those of [`sorted_files`] that `wanted` lets through; a directory that it refuses is not entered. It
/// is asked about full paths below `directory`.
///
/// # Errors
/// As [`sorted_files`].
pub fn sorted_files_where(
    directory: &Path,
    wanted: impl Fn(&Path) -> bool,
) -> io::Result<Vec<FoundFile>> {
    let mut found = Vec::new();
    let walk = WalkDir::new(directory).min_depth(1).into_iter();
    for entry in walk.filter_entry(|entry| wanted(entry.path())) {
        let entry = entry.map_err(io::Error::from)?;
        if entry.file_type().is_dir() {
            continue;
        }
        let relative = entry
            .path()
            .strip_prefix(directory)
            .map_err(io::Error::other)?
            .to_owned();
        found.push(FoundFile {
            relative,
            path: entry.into_path(),
        });
    }
    found.sort_by(|a, b| {
        a.relative
            .as_os_str()
            .as_encoded_bytes()
            .cmp(b.relative.as_os_str().as_encoded_bytes())
    });
    Ok(found)
}

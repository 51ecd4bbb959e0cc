//! A file that nobody but its owner may read, changed by one process at a time and in one step.

use std::fs::Permissions;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::fs::DirectoryLock;

/// Held while the file is changed.
const LOCK: &str = ".cargo-lighter.lock";
/// Links that lead to one another, until they are taken for a circle (as Linux has it).
const MAX_LINKS: usize = 40;

/// Where a file is, or will be: a symbolic link to a file kept elsewhere stays one, also where that file is yet to
/// be written.
///
/// # Errors
/// When links lead in a circle.
pub(in crate::registry) fn target_of(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_owned();
    for _ in 0..MAX_LINKS {
        let Ok(next) = fs_err::read_link(&target) else {
            return Ok(target);
        };
        target = target.parent().unwrap_or(Path::new(".")).join(next);
    }
    let what = format!("`{}` leads in a circle", path.display());
    Err(io::Error::other(what))
}

/// Keeps other processes of ours from changing a file.
pub(in crate::registry) fn lock(target: &Path) -> io::Result<DirectoryLock> {
    DirectoryLock::acquire(private_directory_of(target)?, LOCK)
}

/// Writes a file, readable by its owner only from the first byte on.
pub(in crate::registry) fn write(target: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = private_directory_of(target)?;
    // Made with mode 0600, where the crate's other atomic files follow the umask.
    let mut file = tempfile::Builder::new()
        .prefix(crate::fs::TEMPORARY_PREFIX)
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(directory)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(target)?;
    Ok(())
}

/// The directory of a file, made for its owner only where it is missing.
fn private_directory_of(path: &Path) -> io::Result<&Path> {
    let directory = path.parent().unwrap_or(Path::new("."));
    if !directory.exists() {
        fs_err::create_dir_all(directory)?;
        fs_err::set_permissions(directory, Permissions::from_mode(0o700))?;
    }
    Ok(directory)
}

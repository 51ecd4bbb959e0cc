//! A copy of the index, for git to write in place of the user's.
//!
//! Where `git diff` meets a file that was touched but not changed, it writes that into the index, and no
//! variable that asks for no locks keeps it from that. Told not to, it would take the file for changed.

use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::git::{Git, GitError, paths};
use crate::process::{Environment, temporary_directory};

/// A copy of a repository's index, which goes with the value.
#[derive(Debug)]
pub(super) struct IndexCopy {
    directory: TempDir,
}

impl IndexCopy {
    /// Copies the index of the repository in which `git` runs.
    ///
    /// # Errors
    /// [`GitError`] when git does not say where it is, or it cannot be read or written.
    pub(super) fn of(
        git: &Git,
        environment: &Environment,
        repository: &Path,
    ) -> Result<Self, GitError> {
        let asked = git.tell(["rev-parse", "--git-path", "index"])?;
        let below = paths(asked.strip_suffix(b"\n").unwrap_or(&asked)).next();
        let index = repository.join(below.unwrap_or_default());
        let parent = temporary_directory(environment)?;
        let directory = tempfile::Builder::new()
            .prefix("lighter-index-")
            .tempdir_in(&parent)
            .map_err(|source| GitError::Write {
                path: parent,
                source,
            })?;
        let copy = Self { directory };
        copy_with_time(&index, &copy.path()).map_err(|source| GitError::Write {
            path: copy.path(),
            source,
        })?;
        Ok(copy)
    }

    /// `git` with the copy for its index.
    pub(super) fn used_by(&self, git: &Git) -> Git {
        // A split index would get its other half in the repository.
        git.clone()
            .with("GIT_INDEX_FILE", self.path())
            .set("core.splitIndex=false")
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("index")
    }
}

/// By the time of the index git knows which files may have changed since without another time of their
/// own. A repository without an index is one in which nothing is tracked yet.
fn copy_with_time(from: &Path, to: &Path) -> io::Result<()> {
    let mut index = match fs_err::File::open(from) {
        Ok(index) => index,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut copy = fs_err::File::create(to)?;
    io::copy(&mut index, &mut copy)?;
    copy.file().set_modified(index.metadata()?.modified()?)
}

//! The files of a commit, laid out beside the user's repository.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::git::{Git, GitError, paths};
use crate::process::{Environment, Interrupt};

/// git's mode of a submodule (git-ls-files, `--stage`).
const SUBMODULE: &[u8] = b"160000";

/// What would make git write into the repository, start programs, or leave out files.
const SETTINGS: &[&str] = &[
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.sparseCheckout=false",
    "core.splitIndex=false",
    "core.untrackedCache=false",
    "index.sparse=false",
];

/// A commit's files in a directory of their own, which goes when this does.
///
/// They are what a checkout would write: line ends, attributes and filters of the commit apply, links
/// and executable files are such. Everything in it is tracked, so that who lists it needs no ignore
/// rules; it holds no `.git`. A sparse checkout is laid out whole.
///
/// The user's repository is only read. The index is a temporary file, nothing is registered there, and
/// no object is written or fetched.
#[derive(Debug)]
pub struct CommitTree {
    directory: TempDir,
    submodules: Vec<PathBuf>,
}

impl CommitTree {
    /// Lays out `commit` of the repository around `repository` in a new directory below `parent`.
    ///
    /// `parent` should be no directory of the workspace: cargo and git would find there what belongs to
    /// the work tree.
    ///
    /// # Errors
    /// [`GitError`] when the commit or some of its objects are not there, a filter fails, the directory
    /// cannot be written, or the run is interrupted; nothing is left behind then.
    pub fn lay_out(
        environment: &Environment,
        repository: &Path,
        commit: &str,
        parent: &Path,
        interrupt: &Interrupt,
    ) -> Result<Self, GitError> {
        let directory = tempfile::Builder::new()
            .prefix("lighter-commit-")
            .tempdir_in(parent)
            .map_err(|source| GitError::Write {
                path: parent.to_owned(),
                source,
            })?;
        let files = directory.path().join("files");
        fs_err::create_dir(&files).map_err(|source| GitError::Write {
            path: files.clone(),
            source,
        })?;
        let asked = Git::at(environment, repository, interrupt)
            .tell(["rev-parse", "--absolute-git-dir"])?;
        let git_directory = paths(asked.strip_suffix(b"\n").unwrap_or(&asked))
            .next()
            .unwrap_or_default();
        // With the new directory as work tree, git finds the attributes of the commit, not of the user's
        // work tree.
        let mut git = Git::at(environment, &files, interrupt)
            .with("GIT_DIR", git_directory)
            .with("GIT_WORK_TREE", &files)
            .with("GIT_INDEX_FILE", directory.path().join("index"))
            .patient();
        for setting in SETTINGS {
            git = git.set(setting);
        }
        let reading = |arguments: &[&str], input: &[u8]| {
            let answer = git.ask_with(arguments.iter().copied(), input)?;
            if answer.succeeded() {
                Ok(answer.stdout)
            } else {
                Err(git.failed_reading(commit, &answer))
            }
        };
        reading(&["read-tree", "--end-of-options", commit], b"")?;
        let entries = reading(&["ls-files", "--stage", "-z"], b"")?;
        let (submodules, input) = sorted_out(&entries);
        reading(&["checkout-index", "--force", "--stdin", "-z"], &input)?;
        Ok(Self {
            directory,
            submodules,
        })
    }

    /// Where the files are: what was at the top of the repository is directly below.
    pub fn path(&self) -> PathBuf {
        self.directory.path().join("files")
    }

    /// Submodules of the commit, relative to the top, sorted. Their files are
    /// not there, because they are another repository's: what reads them cannot be compared.
    pub fn submodules(&self) -> &[PathBuf] {
        &self.submodules
    }
}

/// Of an index's entries the submodules, and all others as input of `checkout-index`.
fn sorted_out(entries: &[u8]) -> (Vec<PathBuf>, Vec<u8>) {
    let mut submodules = Vec::new();
    let mut files = Vec::new();
    for (mode, path) in entries.split(|&byte| byte == 0).filter_map(entry) {
        if mode == SUBMODULE {
            submodules.push(PathBuf::from(OsStr::from_bytes(path)));
        } else {
            files.extend_from_slice(path);
            files.push(0);
        }
    }
    submodules.sort();
    (submodules, files)
}

/// Mode and path of `MODE ID STAGE<tab>PATH`.
fn entry(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let tab = line.iter().position(|&byte| byte == b'\t')?;
    let (facts, path) = line.split_at(tab);
    let mode = facts.split(|&byte| byte == b' ').next()?;
    let path = path.strip_prefix(b"\t").filter(|path| !path.is_empty())?;
    Some((mode, path))
}

#[cfg(test)]
mod tests;

//! What the rules of `.gitignore` let through where git is not at hand.

use std::path::{Path, PathBuf};
use std::sync::mpsc;

use ignore::{DirEntry, WalkBuilder};

use super::{ListingError, is_repository, is_secret, is_target_directory};
use crate::cargo::HomeInside;
use crate::process::{Interrupt, ProgramError};

/// Absolute paths of all that is not ignored below `root`, directories apart. Repositories inside it
/// are listed as directories, so that their own rules hold for them as they do for git. Rules of the
/// user, and of directories above `root`, are not asked for: they are no part of the tree.
pub(super) fn files(
    root: &Path,
    excluded: &[PathBuf],
    home: &HomeInside,
    interrupt: &Interrupt,
) -> Result<Vec<PathBuf>, ListingError> {
    let (excluded, home) = (excluded.to_owned(), home.clone());
    let (sender, repositories) = mpsc::channel();
    let is_entered = move |entry: &DirEntry| {
        let path = entry.path();
        if entry.depth() == 0 {
            return true;
        }
        if entry.file_name() == ".git" || excluded.iter().any(|directory| path == directory) {
            return false;
        }
        if home.holds(path) {
            return false;
        }
        if !entry.file_type().is_some_and(|kind| kind.is_dir()) {
            return true;
        }
        if is_repository(path) {
            // Nobody listens any more only where the walk failed.
            let _ = sender.send(path.to_owned());
            return false;
        }
        !is_target_directory(path)
    };
    let walk = WalkBuilder::new(root)
        .standard_filters(false)
        .git_ignore(true)
        .git_exclude(true)
        .require_git(false)
        .filter_entry(is_entered)
        .build();
    let mut found = Vec::new();
    for entry in walk {
        if interrupt.received().is_some() {
            return Err(ProgramError::Interrupted.into());
        }
        let entry = entry.map_err(|error| read_error(root, error))?;
        if !entry.file_type().is_some_and(|kind| kind.is_dir()) && !is_secret(entry.path(), root) {
            found.push(entry.into_path());
        }
    }
    found.extend(repositories.try_iter());
    Ok(found)
}

/// The path that an error of the walk is about, and what the operating system says.
fn read_error(root: &Path, error: ignore::Error) -> ListingError {
    let mut path = root.to_owned();
    let mut inner = &error;
    loop {
        inner = match inner {
            ignore::Error::WithPath { path: at, err } => {
                path.clone_from(at);
                err
            }
            ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => err,
            _ => break,
        };
    }
    let source = error
        .into_io_error()
        .unwrap_or_else(|| std::io::Error::other("it cannot be walked"));
    ListingError::Read { path, source }
}

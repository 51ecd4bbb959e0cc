//! Files that the configuration names: assets and inputs.

use std::path::{Path, PathBuf};

use super::SplitError;
use crate::cargo::HomeInside;
use crate::config::Source;
use crate::fs::{looks_secret, relative, sorted_files_where};
use crate::workspace::Workspace;

/// All files of `source`, whether git knows them or not: whoever names them wants them. Directories and
/// globs find nothing in `.git`, in the target directory and among what cargo keeps in its home, nor what
/// looks like a secret, unless `keeps` does.
pub(super) fn named_files(
    workspace: &Workspace,
    home: &HomeInside,
    source: &Source,
    keeps: impl Fn(&Path) -> bool,
) -> Result<Vec<PathBuf>, SplitError> {
    let matcher = source.matcher().map_err(|error| SplitError::Glob {
        pattern: source.text.clone(),
        source: error,
    })?;
    if matcher.is_none() && !source.path.is_dir() {
        let exists = source.path.symlink_metadata().is_ok();
        return Ok(exists.then(|| source.path.clone()).into_iter().collect());
    }
    if !source.path.is_dir() {
        return Ok(Vec::new());
    }
    let begins_in_target = source.path.starts_with(&workspace.target_directory);
    let begins_in_home = home.holds(&source.path);
    let wanted = |path: &Path| {
        !path.ends_with(".git")
            && (begins_in_target || *path != workspace.target_directory)
            && (begins_in_home || !home.holds(path))
    };
    let found = sorted_files_where(&source.path, wanted)?;
    let fits = found.into_iter().filter(|file| {
        let fits = matcher
            .as_ref()
            .is_none_or(|matcher| matcher.is_match(&file.relative));
        fits && (keeps(&file.path) || !looks_secret(&file.path, &workspace.repository_root))
    });
    Ok(fits.map(|file| file.path).collect())
}

/// How `inputs` names a file for a service whose package is in `directory`.
pub(super) fn input_of(path: &Path, directory: &Path, root: &Path) -> String {
    match (path.strip_prefix(directory), path.strip_prefix(root)) {
        (Ok(inside), _) => inside.display().to_string(),
        (_, Ok(inside)) => format!("/{}", inside.display()),
        _ => relative(path, directory).display().to_string(),
    }
}

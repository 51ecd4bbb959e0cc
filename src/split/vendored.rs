//! Crates that stand in the repository instead of a registry.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::SplitError;
use super::sources::Manifest;
use crate::cargo::Lockfile;
use crate::fs::sorted_files;

/// The files of those crates in `directories` that `lock` needs.
pub(super) fn vendored_files(
    directories: &BTreeSet<PathBuf>,
    lock: &Lockfile,
) -> Result<Vec<PathBuf>, SplitError> {
    let mut files = Vec::new();
    for directory in directories {
        for package in lock
            .packages
            .iter()
            .filter(|package| package.source.is_some())
        {
            let names = [
                package.name.clone(),
                format!("{}-{}", package.name, package.version),
            ];
            for name in names {
                let place = directory.join(name);
                if holds(&place, &package.version) {
                    files.extend(sorted_files(&place)?.into_iter().map(|file| file.path));
                }
            }
        }
    }
    Ok(files)
}

/// Whether a crate of this version is in a directory.
fn holds(directory: &Path, version: &str) -> bool {
    Manifest::read(&directory.join("Cargo.toml")).is_ok_and(|manifest| {
        let stated = manifest.document.get("package");
        stated.and_then(|package| package.get("version")?.as_str()) == Some(version)
    })
}

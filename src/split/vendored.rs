//! Crates that stand in the repository instead of a registry.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::SplitError;
use super::sources::Manifest;
use crate::cargo::Lockfile;
use crate::fs::sorted_files;

/// Name and version.
type Identity = (String, String);

/// The files of those crates in `directories` that `lock` needs: directories of cargo's `directory` or
/// `local-registry` sources.
pub(super) fn vendored_files(
    directories: &BTreeSet<PathBuf>,
    lock: &Lockfile,
) -> Result<Vec<PathBuf>, SplitError> {
    let foreign = lock.packages.iter();
    let foreign = foreign.filter(|package| package.source.is_some());
    let needed: BTreeSet<Identity> = foreign
        .map(|package| (package.name.clone(), package.version.clone()))
        .collect();
    let mut files = Vec::new();
    for directory in directories {
        if is_local_registry(directory) {
            files.extend(archives(directory, &needed));
            continue;
        }
        for place in places(directory, &needed)? {
            files.extend(sorted_files(&place)?.into_iter().map(|file| file.path));
        }
    }
    Ok(files)
}

/// The directories of the needed crates. They mostly have the names that `cargo vendor` gives them, but
/// cargo takes any.
fn places(directory: &Path, needed: &BTreeSet<Identity>) -> Result<Vec<PathBuf>, SplitError> {
    let mut found = BTreeMap::new();
    for (name, version) in needed {
        for usual in [name.clone(), format!("{name}-{version}")] {
            let place = directory.join(usual);
            let wanted = (name.clone(), version.clone());
            if identity(&place).as_ref() == Some(&wanted) {
                found.insert(wanted, place);
            }
        }
    }
    if found.len() < needed.len() {
        for entry in fs_err::read_dir(directory)? {
            let place = entry?.path();
            if let Some(identity) = identity(&place).filter(|identity| needed.contains(identity)) {
                found.entry(identity).or_insert(place);
            }
        }
    }
    Ok(found.into_values().collect())
}

/// Which crate a directory holds.
fn identity(directory: &Path) -> Option<Identity> {
    let manifest = Manifest::read(&directory.join("Cargo.toml")).ok()?;
    let package = manifest.document.get("package")?;
    let field = |name: &str| Some(package.get(name)?.as_str()?.to_owned());
    Some((field("name")?, field("version")?))
}

/// A registry on disk has an index; a crate of that name has a manifest.
fn is_local_registry(directory: &Path) -> bool {
    let index = directory.join("index");
    index.is_dir() && !index.join("Cargo.toml").exists()
}

/// The archives of the needed crates, and what the index says about them.
fn archives(registry: &Path, needed: &BTreeSet<Identity>) -> Vec<PathBuf> {
    let both = needed.iter().flat_map(|(name, version)| {
        let archive = registry.join(format!("{name}-{version}.crate"));
        [archive, registry.join("index").join(index_path(name))]
    });
    let files: BTreeSet<PathBuf> = both.filter(|path| path.is_file()).collect();
    files.into_iter().collect()
}

/// Where a registry's index has a crate (the Cargo book, "Index files").
fn index_path(name: &str) -> String {
    let name = name.to_lowercase();
    match (name.len(), name.get(..1), name.get(..2), name.get(2..4)) {
        (3, Some(first), ..) => format!("3/{first}/{name}"),
        (length, ..) if length < 3 => format!("{length}/{name}"),
        (_, _, Some(first), Some(second)) => format!("{first}/{second}/{name}"),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::index_path;

    #[test]
    fn crates_are_found_in_an_index() {
        for (name, path) in [
            ("a", "1/a"),
            ("ab", "2/ab"),
            ("abc", "3/a/abc"),
            ("Serde_json", "se/rd/serde_json"),
        ] {
            assert_eq!(index_path(name), path);
        }
    }
}

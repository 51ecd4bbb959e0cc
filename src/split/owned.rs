//! Which files belong to a package.
//!
//! A file belongs to the package whose manifest is nearest above it. A package that has others inside
//! its directory, such as one in the root of a repository, would so own whatever lies between them; it
//! owns only what cargo and the usual tools read of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::MARKER;
use super::sources::{Sources, View};
use crate::fs::relative;
use crate::workspace::{Package, Purpose};

/// Directories that build scripts, macros and the service itself read by convention.
const INPUT_DIRECTORIES: [&str; 7] = [
    ".sqlx",
    "i18n",
    "locales",
    "migrations",
    "proto",
    "protos",
    "templates",
];
/// Files that macros and tools read by convention.
const INPUT_FILES: [&str; 6] = [
    "Cargo.toml",
    "askama.toml",
    "build.rs",
    "diesel.toml",
    "rinja.toml",
    "sqlx-data.json",
];
/// Directories of tests, benches, examples and texts.
const PEOPLES_DIRECTORIES: [&str; 6] = ["benches", "doc", "docs", "examples", "tests", ".github"];
/// How the names of files for people begin, in capital letters.
const PEOPLES_FILES: [&str; 12] = [
    "AUTHORS",
    "CHANGELOG",
    "CHANGES",
    "CODE_OF_CONDUCT",
    "CONTRIBUTING",
    "COPYING",
    "LICENCE",
    "LICENSE",
    "NOTICE",
    "README",
    "RELEASES",
    "SECURITY",
];
/// How texts end, in capital letters.
const TEXTS: [&str; 7] = [".ADOC", ".HTML", ".MARKDOWN", ".MD", ".ORG", ".RST", ".TXT"];
/// Files of tools that have no part in a build.
const TOOL_FILES: [&str; 8] = [
    ".clippy.toml",
    ".editorconfig",
    ".gitattributes",
    ".gitignore",
    ".rustfmt.toml",
    "clippy.toml",
    "deny.toml",
    "rustfmt.toml",
];

/// The files that `package` owns, by their paths in the workspace, each with the file that stands there.
pub(super) fn owned_files(
    sources: &Sources<'_>,
    package: &Package,
    view: View,
) -> BTreeMap<PathBuf, PathBuf> {
    let directory = &package.directory;
    let listed = listed(sources, directory);
    let inner: BTreeSet<PathBuf> = listed
        .keys()
        .filter(|path| path.ends_with("Cargo.toml") && path.parent() != Some(directory))
        .filter_map(|path| path.parent().map(Path::to_owned))
        .collect();
    let others = &sources.workspace.packages;
    let has_others = others
        .iter()
        .any(|other| other.directory != *directory && other.directory.starts_with(directory));
    let targets = target_places(package, view);
    listed
        .into_iter()
        .filter(|(path, _)| !path.ancestors().any(|above| inner.contains(above)))
        // A split may be a repository itself; the list in it speaks of that directory only.
        .filter(|(path, _)| !path.ends_with(MARKER))
        .filter(|(path, _)| !has_others || is_input(path, directory, &targets))
        .filter(|(path, _)| view == View::Whole || !is_for_people(path, package))
        .collect()
}

/// All files below the directory. Where it is reached through a link, they are listed where they are.
fn listed(sources: &Sources<'_>, directory: &Path) -> BTreeMap<PathBuf, PathBuf> {
    let below = sources.below(directory);
    if !below.is_empty() {
        return below.into_iter().map(|path| (path.clone(), path)).collect();
    }
    let Ok(real) = directory.canonicalize() else {
        return BTreeMap::new();
    };
    let below = sources.below(&real).into_iter();
    below
        .map(|path| (directory.join(relative(&path, &real)), path))
        .collect()
}

/// The directories of a package's targets; a target at the top of the package stands for itself.
fn target_places(package: &Package, view: View) -> Vec<PathBuf> {
    let wanted = package
        .targets
        .iter()
        .filter(|target| view == View::Whole || target.purpose != Purpose::Development);
    wanted
        .map(|target| match target.source.parent() {
            Some(parent) if parent != package.directory => parent.to_owned(),
            _ => target.source.clone(),
        })
        .collect()
}

fn is_input(path: &Path, directory: &Path, targets: &[PathBuf]) -> bool {
    let inside = |name: &str| path.starts_with(directory.join(name));
    targets.iter().any(|place| path.starts_with(place))
        || INPUT_DIRECTORIES.iter().any(|name| inside(name))
        || INPUT_FILES.iter().any(|name| path == directory.join(name))
}

/// Whether no build of the package's executables reads a file, unless a source says so.
fn is_for_people(path: &Path, package: &Package) -> bool {
    let Ok(inside) = path.strip_prefix(&package.directory) else {
        return false;
    };
    let is_development = |target: &crate::workspace::Target| {
        target.purpose == Purpose::Development && target.source == *path
    };
    if package.targets.iter().any(is_development) {
        return true;
    }
    let mut parts = inside.components();
    let first = parts.next().map(|part| part.as_os_str().to_string_lossy());
    let first = first.unwrap_or_default();
    if parts.next().is_some() {
        return PEOPLES_DIRECTORIES.contains(&first.as_ref()) && !is_needed_place(path, package);
    }
    TOOL_FILES.contains(&first.as_ref()) || is_text_for_people(&first)
}

/// `README`, `README.md`, `LICENSE-MIT`, `CHANGELOG-2.x.md`: a usual name, alone, as text, or with more
/// after a line. `NOTICE.tmpl` may be anything.
fn is_text_for_people(name: &str) -> bool {
    let capital = name.to_uppercase();
    let stem = TEXTS.iter().find_map(|ending| capital.strip_suffix(ending));
    let stem = stem.unwrap_or(&capital);
    PEOPLES_FILES.iter().any(|usual| {
        let rest = stem.strip_prefix(usual);
        rest.is_some_and(|rest| {
            let is_text = stem.len() < capital.len() || !rest.contains('.');
            rest.is_empty() || (rest.starts_with(['-', '_']) && is_text)
        })
    })
}

/// Whether a directory of such a name holds a target that is needed.
fn is_needed_place(path: &Path, package: &Package) -> bool {
    let mut needed = package
        .targets
        .iter()
        .filter(|target| target.purpose != Purpose::Development);
    needed.any(|target| {
        target
            .source
            .parent()
            .is_some_and(|parent| parent != package.directory && path.starts_with(parent))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_texts_of_usual_names_are_for_people() {
        for name in [
            "README",
            "readme.md",
            "LICENSE-MIT",
            "LICENSE_APACHE.txt",
            "Changelog-2.x.md",
        ] {
            assert!(is_text_for_people(name), "{name}");
        }
        for name in [
            "NOTICE.tmpl",
            "SECURITY.rules",
            "changes.sql",
            "readme.rs",
            "READMEBOOK",
            "LICENSE-x.rs",
        ] {
            assert!(!is_text_for_people(name), "{name}");
        }
    }
}

//! Whether changed paths can have a part in a split at all: a question that needs no lock of its own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::SplitError;
use super::closure::closure;
use super::draft::{Draft, Drafted, Request, draft};
use super::sources::Sources;
use crate::cargo::LockedPackage;

/// Files that decide which others there are, or what holds for all.
const DECISIVE: [&str; 5] = [
    ".gitattributes",
    ".gitignore",
    "Cargo.lock",
    "rust-toolchain",
    "rust-toolchain.toml",
];

/// Changed paths, sorted by what can be said of them without looking at any service.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    paths: BTreeSet<PathBuf>,
    /// Whether one of them may have a part in every split.
    decisive: bool,
}

impl Changes {
    /// `paths` are absolute; one stands for all below it.
    pub fn new(sources: &Sources<'_>, paths: BTreeSet<PathBuf>) -> Self {
        let decisive = paths.iter().any(|path| is_decisive(sources, path));
        Self { paths, decisive }
    }

    /// Whether any of them may have a part in the split of a service. What is certainly none of its
    /// files, now or before, cannot.
    ///
    /// # Errors
    /// [`SplitError`] when the split's packages or files cannot be found.
    pub fn may_reach(
        &self,
        sources: &Sources<'_>,
        request: &Request<'_>,
    ) -> Result<bool, SplitError> {
        if self.decisive {
            return Ok(true);
        }
        if self.paths.is_empty() {
            return Ok(false);
        }
        let draft = rough(sources, request)?;
        if draft
            .files
            .iter()
            .any(|(path, file)| self.change(path, file))
        {
            return Ok(true);
        }
        let packages = draft.packages.iter();
        let packages = packages.map(|index| sources.package(*index).directory.as_path());
        let root = &request.config.library_root.value;
        let root = root.starts_with(&sources.workspace.repository_root);
        let root = root.then_some(request.config.library_root.value.as_path());
        let whole = draft.vendored.iter().map(PathBuf::as_path).chain(root);
        Ok(self.add_package_in(packages) || self.lie_in(whole))
    }

    /// Whether a file of a draft changed, or what it leads to if it is a link.
    fn change(&self, path: &Path, file: &Drafted) -> bool {
        let Drafted::From(real) = file else {
            return self.touch(path);
        };
        if self.touch(path) || self.touch(real) {
            return true;
        }
        let is_link = real
            .symlink_metadata()
            .is_ok_and(|metadata| metadata.is_symlink());
        // What a dangling link led to is gone, and counts for itself.
        is_link
            && fs_err::canonicalize(real)
                .is_ok_and(|end| self.touch(&end) || self.lie_in(std::iter::once(end.as_path())))
    }

    /// Whether a package came or went inside of another, which then owns other files.
    fn add_package_in<'a>(&self, directories: impl Iterator<Item = &'a Path>) -> bool {
        let directories: Vec<&Path> = directories.collect();
        let mut manifests = self
            .paths
            .iter()
            .filter(|path| path.ends_with("Cargo.toml"));
        manifests.any(|path| {
            directories
                .iter()
                .any(|directory| path.starts_with(directory))
        })
    }

    /// Whether any lies in one of `directories`.
    fn lie_in<'a>(&self, directories: impl Iterator<Item = &'a Path>) -> bool {
        let directories: Vec<&Path> = directories.collect();
        self.paths.iter().any(|path| {
            directories
                .iter()
                .any(|directory| path.starts_with(directory))
        })
    }

    fn touch(&self, path: &Path) -> bool {
        path.ancestors().any(|above| self.paths.contains(above))
    }
}

/// A draft of all that the workspace's lock has for a service, and so of more than its split will have.
pub(super) fn rough(sources: &Sources<'_>, request: &Request<'_>) -> Result<Draft, SplitError> {
    let start = request.service.package;
    let closure = closure(sources, &sources.lock, start, request.view)?;
    let needed: Vec<&LockedPackage> = closure
        .locked
        .iter()
        .map(|index| &sources.lock.packages[*index])
        .collect();
    draft(sources, request, &closure, &needed)
}

/// Whether a change of `path` may add files to a split, take some away, or change what all have.
fn is_decisive(sources: &Sources<'_>, path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let is_of_cargo = path.components().any(|part| part.as_os_str() == ".cargo");
    let is_setting = sources
        .settings
        .configuration
        .iter()
        .any(|file| file.path == path);
    let is_known = sources
        .workspace
        .packages
        .iter()
        .any(|package| package.manifest == path);
    let is_other_manifest = name == Some("Cargo.toml") && (!is_known || path == sources.root.path);
    // What is gone may have been anything, and a link may have led anywhere.
    let is_regular = path
        .symlink_metadata()
        .is_ok_and(|metadata| metadata.is_file());
    !is_regular
        || is_of_cargo
        || is_setting
        || is_other_manifest
        || name.is_some_and(|name| DECISIVE.contains(&name))
}

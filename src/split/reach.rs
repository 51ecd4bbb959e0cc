//! Whether changed paths can have a part in a split at all: a question that needs no lock of its own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::SplitError;
use super::closure::closure;
use super::draft::Request;
use super::named::named_files;
use super::sources::{Part, Sources};
use crate::config::Input;

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

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
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
        let start = request.service.package;
        let closure = closure(sources, &sources.lock, start, request.view)?;
        for index in closure.packages {
            if self.touch(&sources.package(index).manifest) {
                return Ok(true);
            }
            let part = Part::of(index, request.service, request.view);
            let contents = sources.contents(index, &part)?;
            if contents.files.values().any(|path| self.touch(path)) {
                return Ok(true);
            }
        }
        let config = request.config;
        let inputs = config.inputs.value.iter().filter_map(|input| match input {
            Input::Glob(source) => Some(source),
            Input::Env(_) => None,
        });
        for source in inputs.chain(config.assets.value.iter().map(|asset| &asset.from)) {
            let found = named_files(sources.workspace, source)?;
            if found.iter().any(|path| self.touch(path)) {
                return Ok(true);
            }
        }
        let root = &config.library_root.value;
        Ok(self.paths.iter().any(|path| {
            path.starts_with(root) && root.starts_with(&sources.workspace.repository_root)
        }))
    }

    fn touch(&self, path: &Path) -> bool {
        path.ancestors().any(|above| self.paths.contains(above))
    }
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

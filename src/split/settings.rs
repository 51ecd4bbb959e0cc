//! What rules a workspace from outside its manifests: cargo's configuration files and the toolchain
//! file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item, Value};

use super::SplitError;
use super::manifest::parse;
use super::sources::read_text;
use crate::cargo::cargo_home;
use crate::fs::normalized;
use crate::process::Environment;
use crate::workspace::Workspace;

const MAX_INCLUDES: usize = 16;

/// A file of cargo's configuration.
#[derive(Debug, Clone)]
pub(super) struct ConfigurationFile {
    pub(super) path: PathBuf,
    pub(super) document: DocumentMut,
}

/// Files that every split of the workspace has, and those above the repository that none has.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    /// Inside the repository, with what they include.
    pub(super) configuration: Vec<ConfigurationFile>,
    /// Above the repository, where they hold for the workspace and for nobody else's checkout.
    pub(super) foreign: Vec<PathBuf>,
    /// `rust-toolchain` or `rust-toolchain.toml`.
    pub(super) toolchain: Option<PathBuf>,
}

impl Settings {
    /// Finds them as cargo and rustup do: in the workspace root and in each directory above. cargo's
    /// home is the user's and belongs to no workspace, unless the repository lists what is in it.
    pub(super) fn read(
        workspace: &Workspace,
        environment: &Environment,
        is_listed: &dyn Fn(&Path) -> bool,
    ) -> Result<Self, SplitError> {
        let mut settings = Self::default();
        let home = cargo_home(environment);
        for directory in workspace.root.ancestors() {
            let inside = directory.starts_with(&workspace.repository_root);
            let place = directory.join(".cargo");
            // cargo prefers the old name where both exist.
            let names = [place.join("config"), place.join("config.toml")];
            if let Some(path) = names.into_iter().find(|path| path.is_file())
                && (home.as_deref() != Some(&place) || is_listed(&path))
            {
                if inside {
                    settings.add(&path, &workspace.repository_root, 0)?;
                } else {
                    settings.foreign.push(path);
                }
            }
            if inside && settings.toolchain.is_none() {
                // rustup prefers the name without ending.
                let names = ["rust-toolchain", "rust-toolchain.toml"];
                settings.toolchain = names
                    .map(|name| directory.join(name))
                    .into_iter()
                    .find(|path| path.is_file());
            }
        }
        Ok(settings)
    }

    fn add(&mut self, path: &Path, repository: &Path, depth: usize) -> Result<(), SplitError> {
        let known = self.configuration.iter().any(|file| file.path == path);
        if known || depth > MAX_INCLUDES {
            return Ok(());
        }
        let document = parse(path, &read_text(path)?)?;
        let included = included(&document);
        self.configuration.push(ConfigurationFile {
            path: path.to_owned(),
            document,
        });
        let directory = path.parent().unwrap_or(Path::new("/"));
        for include in included {
            let target = normalized(&directory.join(include));
            if !target.is_file() {
                continue;
            }
            if !target.starts_with(repository) {
                return Err(SplitError::EscapingInclude {
                    file: path.to_owned(),
                    included: target,
                });
            }
            self.add(&target, repository, depth + 1)?;
        }
        Ok(())
    }

    /// Directories that override dependencies: `paths` of cargo's configuration.
    pub(super) fn override_directories(&self) -> BTreeSet<PathBuf> {
        let mut directories = BTreeSet::new();
        for file in &self.configuration {
            let Some(base) = base_of(&file.path) else {
                continue;
            };
            let paths = file.document.get("paths").and_then(Item::as_array);
            let paths = paths.into_iter().flatten().filter_map(Value::as_str);
            directories.extend(paths.map(|path| normalized(&base.join(path))));
        }
        directories
    }
}

/// What relative paths in a configuration file are relative to: the directory that holds its `.cargo`.
pub(super) fn base_of(file: &Path) -> Option<&Path> {
    file.parent().and_then(Path::parent)
}

fn included(document: &DocumentMut) -> Vec<String> {
    let of_value = |value: &Value| match value {
        Value::String(path) => Some(path.value().clone()),
        Value::InlineTable(table) => table.get("path")?.as_str().map(str::to_owned),
        _ => None,
    };
    match document.get("include") {
        Some(Item::Value(Value::Array(array))) => array.iter().filter_map(of_value).collect(),
        Some(Item::Value(value)) => of_value(value).into_iter().collect(),
        Some(Item::ArrayOfTables(tables)) => tables
            .iter()
            .filter_map(|table| table.get("path")?.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    }
}

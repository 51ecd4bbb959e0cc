//! Local packages that cargo does not tell of, because they are no members and nothing turns them on, here
//! or for this platform. It reads their manifests all the same.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata};
use toml_edit::{DocumentMut, Item};

use super::WorkspaceError;
use crate::cargo::{self, Cargo, CargoError, Configuration, Lockfile};
use crate::fs::normalized;

/// Adds them to cargo's description. Asks cargo about each; in most workspaces there is none.
pub(super) fn complete(cargo: &Cargo, metadata: &mut Metadata) -> Result<(), WorkspaceError> {
    let mut asked = BTreeSet::new();
    loop {
        let known = known(metadata);
        let mut missing = dependencies(metadata, &known);
        if asked.is_empty() {
            missing.extend(substitutes(cargo, metadata, &known));
        }
        missing.retain(|manifest| !asked.contains(manifest) && manifest.is_file());
        if missing.is_empty() {
            return Ok(());
        }
        for manifest in missing {
            match cargo::package(cargo, &manifest) {
                Ok(package) => metadata.packages.extend(package),
                Err(CargoError::Program(error)) => return Err(CargoError::Program(error).into()),
                // cargo could describe the workspace without it, and so can we.
                Err(_) => {}
            }
            asked.insert(manifest);
        }
    }
}

/// The manifests of all packages, as texts: paths are compared component by component, which takes long
/// in a workspace of hundreds (measured).
fn known(metadata: &Metadata) -> BTreeSet<String> {
    let packages = metadata.packages.iter();
    packages
        .map(|package| package.manifest_path.as_str().to_owned())
        .collect()
}

/// Manifests that local packages depend on by path, and that are not among the packages.
fn dependencies(metadata: &Metadata, known: &BTreeSet<String>) -> BTreeSet<PathBuf> {
    let local = metadata.packages.iter();
    let local = local.filter(|package| package.source.is_none());
    local
        .flat_map(|package| {
            let is_member = metadata.workspace_members.contains(&package.id);
            let dependencies = package.dependencies.iter();
            // Nobody tests what is no member.
            dependencies.filter(move |dependency| {
                is_member || dependency.kind != DependencyKind::Development
            })
        })
        .filter_map(|dependency| dependency.path.as_ref())
        .map(|directory| directory.join("Cargo.toml"))
        .filter(|manifest| !known.contains(manifest.as_str()))
        .map(Into::into)
        .collect()
}

/// Manifests of local packages that stand in for others, are not among the packages, and are locked.
fn substitutes(cargo: &Cargo, metadata: &Metadata, known: &BTreeSet<String>) -> BTreeSet<PathBuf> {
    let root = metadata.workspace_root.as_std_path();
    let mut found = BTreeSet::new();
    if let Some(manifest) = document(&root.join("Cargo.toml")) {
        let tables = ["patch", "replace"].into_iter();
        let tables = tables.filter_map(|key| manifest.get(key));
        tables.for_each(|item| found.extend(paths(item, root)));
    }
    // What is wrong with the configuration is said where it decides something.
    if let Ok(configuration) = Configuration::read(cargo.at(root).environment()) {
        for table in ["patch", "paths"] {
            for (file, item) in configuration.items(&[table]) {
                let base = file.parent().and_then(Path::parent);
                found.extend(base.into_iter().flat_map(|base| paths(item, base)));
            }
        }
    }
    found.retain(|manifest| {
        let text = manifest.to_str();
        text.is_none_or(|text| !known.contains(text))
    });
    let lock = (!found.is_empty()).then(|| Lockfile::read(&root.join("Cargo.lock")).ok());
    let Some(lock) = lock.flatten() else {
        return BTreeSet::new();
    };
    found.retain(|manifest| {
        let document = document(manifest);
        let name = document.as_ref().and_then(|document| {
            let package = document.get("package")?;
            package.get("name")?.as_str()
        });
        name.is_some_and(|name| lock.packages.iter().any(|package| package.name == name))
    });
    found
}

fn document(path: &Path) -> Option<DocumentMut> {
    fs_err::read_to_string(path).ok()?.parse().ok()
}

/// The manifests that the values of `path` below `item` name, or those that stand in it as a list.
fn paths(item: &Item, base: &Path) -> Vec<PathBuf> {
    let manifest = |path: &str| normalized(&base.join(path)).join("Cargo.toml");
    if let Some(list) = item.as_array() {
        let named = list.iter().filter_map(|path| path.as_str());
        return named.map(manifest).collect();
    }
    let Some(table) = item.as_table_like() else {
        return Vec::new();
    };
    let inner = table.iter().flat_map(|(key, inner)| match inner.as_str() {
        Some(path) if key == "path" => vec![manifest(path)],
        _ => paths(inner, base),
    });
    inner.collect()
}

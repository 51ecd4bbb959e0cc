//! Manifests without what only tests, benches and examples need.

use std::collections::BTreeSet;
use std::path::Path;

use toml_edit::{DocumentMut, Item, TableLike, Value};

use super::edit::{edit, remove_empty, set, table, table_mut};
use super::{DEPENDENCIES, DEV_DEPENDENCIES, ManifestError};

/// Tables of targets for development.
const TARGETS: [&str; 3] = ["test", "bench", "example"];

/// Targets for development whose files are in the split nevertheless, because sources include them:
/// cargo would discover them, without the dependencies that they need.
///
/// This is asked of the split, never of the workspace: a new test must not change the production view.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::split) struct Development {
    /// Something in `tests/`.
    pub(in crate::split) tests: bool,
    /// Something in `benches/`.
    pub(in crate::split) benches: bool,
    /// Something in `examples/`.
    pub(in crate::split) examples: bool,
}

/// A package's manifest `text` without dev-dependencies, tests, benches and examples, and without what
/// its features say about dependencies that it no longer has.
///
/// Under the first resolver dev-dependencies turn on features of normal builds, so that the result is
/// another program; the caller refuses that.
///
/// # Errors
/// [`ManifestError`] naming `path` where it is not TOML.
pub(in crate::split) fn strip_development(
    path: &Path,
    text: &str,
    left: Development,
) -> Result<String, ManifestError> {
    edit(path, text, |document| {
        let gone = only_for_development(document);
        let root: &mut dyn TableLike = document.as_table_mut();
        remove_dependencies(root);
        for key in TARGETS {
            root.remove(key);
        }
        if let Some(features) = table_mut(root, "features") {
            for (_, value) in features.iter_mut() {
                forget(value, &gone);
            }
        }
        // `project` is what old manifests call it.
        let name = if root.contains_key("package") {
            "package"
        } else {
            "project"
        };
        if let Some(package) = table_mut(root, name) {
            discover_nothing(package, left);
        }
    })
}

fn discover_nothing(package: &mut dyn TableLike, left: Development) {
    let kinds = [
        ("autotests", left.tests),
        ("autobenches", left.benches),
        ("autoexamples", left.examples),
    ];
    for (key, is_left) in kinds {
        if is_left && package.get(key).and_then(Item::as_bool) != Some(false) {
            set(package, key, Value::from(false));
        }
    }
}

fn remove_dependencies(root: &mut dyn TableLike) {
    for key in DEV_DEPENDENCIES {
        root.remove(key);
    }
    let Some(targets) = table_mut(root, "target") else {
        return;
    };
    let names: Vec<String> = targets.iter().map(|(key, _)| key.to_owned()).collect();
    for name in names {
        if let Some(target) = table_mut(targets, &name) {
            for key in DEV_DEPENDENCIES {
                target.remove(key);
            }
        }
        remove_empty(targets, &name);
    }
    remove_empty(root, "target");
}

/// The names of dev-dependencies that name nothing else.
fn only_for_development(document: &DocumentMut) -> BTreeSet<String> {
    let mut names = dependency_names(document, &DEV_DEPENDENCIES);
    for name in dependency_names(document, &DEPENDENCIES) {
        names.remove(&name);
    }
    names
}

fn dependency_names(document: &DocumentMut, keys: &[&str]) -> BTreeSet<String> {
    let root: &dyn TableLike = document.as_table();
    let targets = table(root, "target").into_iter().flat_map(TableLike::iter);
    let targets = targets.filter_map(|(_, item)| item.as_table_like());
    std::iter::once(root)
        .chain(targets)
        .flat_map(|parent| keys.iter().filter_map(|key| table(parent, key)))
        .flat_map(TableLike::iter)
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// Removes from a feature what turns on parts of dependencies that are gone.
fn forget(feature: &mut Item, gone: &BTreeSet<String>) {
    let Some(values) = feature.as_array_mut() else {
        return;
    };
    let count = values.len();
    values.retain(|value| {
        let name = value.as_str().and_then(dependency_of);
        name.is_none_or(|name| !gone.contains(name))
    });
    if values.len() == count {
        return;
    }
    // The blank that followed the comma of one that went.
    if let Some(first) = values.get_mut(0) {
        let prefix = first.decor().prefix().and_then(|prefix| prefix.as_str());
        if prefix.is_some_and(|prefix| prefix.chars().all(|c| c == ' ')) {
            first.decor_mut().set_prefix("");
        }
    }
}

/// The dependency in `dep:name`, `name/feature` and `name?/feature`.
fn dependency_of(value: &str) -> Option<&str> {
    if let Some(name) = value.strip_prefix("dep:") {
        return Some(name);
    }
    let (name, _) = value.split_once('/')?;
    Some(name.strip_suffix('?').unwrap_or(name))
}

//! Root manifests of other workspaces, some of whose packages are path dependencies.

use std::path::Path;

use toml_edit::TableLike;

use super::ManifestError;
use super::edit::{edit, retain, set_list, table_mut};

/// What packages inherit, and what cargo needs to see that they do.
const INHERITED: [&str; 6] = [
    "members",
    "resolver",
    "package",
    "dependencies",
    "lints",
    "metadata",
];
/// What only counts in the root of the workspace that is built.
const ROOT_ONLY: [&str; 3] = ["profile", "patch", "replace"];

/// The root manifest `text` of a foreign workspace, reduced to what its packages in the split inherit.
/// `members` are those packages, relative to it and sorted, without its root package, which stays with
/// `keep_package`.
///
/// # Errors
/// [`ManifestError`] naming `path` where it is not TOML.
pub(in crate::split) fn rewrite_foreign_root(
    path: &Path,
    text: &str,
    members: &[String],
    keep_package: bool,
) -> Result<String, ManifestError> {
    edit(path, text, |document| {
        let root: &mut dyn TableLike = document.as_table_mut();
        retain(root, |key, _| match key {
            "cargo-features" | "workspace" => true,
            _ => keep_package && !ROOT_ONLY.contains(&key),
        });
        if let Some(workspace) = table_mut(root, "workspace") {
            retain(workspace, |key, _| INHERITED.contains(&key));
            set_list(workspace, "members", members);
        }
    })
}

//! What rules a package: the root manifest of its workspace, and the resolver.

use std::path::Path;

use toml_edit::DocumentMut;

use super::SplitError;
use super::manifest::workspace_pointer;
use super::sources::Manifest;
use crate::fs::normalized;

/// The resolver that rules the workspace: as stated, else by the edition of the root package, else
/// cargo's oldest.
pub(super) fn resolver(root: &DocumentMut) -> &str {
    let stated = |table: &str| root.get(table)?.get("resolver")?.as_str();
    if let Some(resolver) = stated("workspace").or_else(|| stated("package")) {
        return resolver;
    }
    let edition = root.get("package").and_then(|package| {
        let edition = package.get("edition")?;
        let inherited = || {
            root.get("workspace")?
                .get("package")?
                .get("edition")?
                .as_str()
        };
        edition.as_str().or_else(inherited)
    });
    match edition {
        Some("2021") => "2",
        Some("2015" | "2018") | None => "1",
        Some(_) => "3",
    }
}

/// The workspace that a package outside of ours belongs to.
pub(super) fn foreign_root(
    directory: &Path,
    document: &DocumentMut,
) -> Result<Option<Manifest>, SplitError> {
    if let Some(named) = workspace_pointer(document) {
        let path = normalized(&directory.join(named)).join("Cargo.toml");
        return Manifest::read(&path).map(Some);
    }
    for above in directory.ancestors().skip(1) {
        let path = above.join("Cargo.toml");
        if !path.is_file() {
            continue;
        }
        let manifest = Manifest::read(&path)?;
        if manifest.document.contains_key("workspace") {
            return Ok(Some(manifest));
        }
    }
    Ok(None)
}

//! Profiles, as far as they are known without cargo.

use std::collections::BTreeSet;
use std::path::Path;

use toml_edit::{DocumentMut, Item};

use super::Configuration;

/// Those that cargo has of itself.
const BUILT_IN: [&str; 4] = ["bench", "dev", "release", "test"];
/// Far more than any manifest has, in bytes; who has a larger one is told by cargo.
const MAX_MANIFEST: u64 = 4 * 1024 * 1024;

/// Names of all profiles that the workspace's root manifest and cargo's configuration define, and of
/// those that cargo has; `None` if the manifest cannot be read as we expect.
pub fn known_profiles(root: &Path, configuration: &Configuration) -> Option<BTreeSet<String>> {
    let manifest = root.join("Cargo.toml");
    if fs_err::metadata(&manifest).ok()?.len() > MAX_MANIFEST {
        return None;
    }
    let document: DocumentMut = fs_err::read_to_string(manifest).ok()?.parse().ok()?;
    let tables = document.get("profile").map(Item::as_table_like);
    let in_manifest = match tables {
        None => Vec::new(),
        Some(tables) => tables?.iter().map(|(name, _)| name.to_owned()).collect(),
    };
    let built_in = BUILT_IN.map(str::to_owned);
    let names = built_in.into_iter().chain(in_manifest);
    Some(
        names
            .chain(configuration.table_keys(&["profile"]))
            .collect(),
    )
}

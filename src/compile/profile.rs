//! Profiles, as far as they are known without cargo.

use std::collections::BTreeSet;
use std::path::Path;

use toml_edit::{DocumentMut, Item};

use super::CompileError;
use crate::cargo::Configuration;
use crate::process::Environment;

/// Those that cargo has of itself.
const BUILT_IN: [&str; 4] = ["bench", "dev", "release", "test"];
/// Far more than any manifest has, in bytes; who has a larger one is told by cargo.
const MAX_MANIFEST: u64 = 4 * 1024 * 1024;

/// Names of all profiles that the workspace's root manifest and cargo's configuration define, and of
/// those that cargo has; `None` if the manifest cannot be read as we expect.
pub(super) fn known(root: &Path, configuration: &Configuration) -> Option<BTreeSet<String>> {
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

/// Refuses a profile that nothing defines. One that a variable may define is left to cargo.
pub(super) fn check(
    known: &BTreeSet<String>,
    profile: &str,
    service: &str,
    environment: &Environment,
) -> Result<(), CompileError> {
    let prefix = format!(
        "CARGO_PROFILE_{}_",
        profile.to_ascii_uppercase().replace('-', "_")
    );
    let in_environment = || {
        let mut names = environment
            .variables()
            .map(|(name, _)| name.to_string_lossy());
        names.any(|name| name.starts_with(&prefix))
    };
    if known.contains(profile) || in_environment() {
        return Ok(());
    }
    Err(CompileError::UnknownProfile {
        service: service.to_owned(),
        profile: profile.to_owned(),
        known: known.iter().cloned().collect(),
    })
}

//! Profiles that nothing defines.

use std::collections::BTreeSet;

use super::CompileError;
use crate::process::Environment;

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

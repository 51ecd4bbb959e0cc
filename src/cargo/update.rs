//! `cargo update --workspace`: cargo's own way to make a lock as small as its workspace.

use std::path::{Path, PathBuf};

use super::{Cargo, CargoError};

/// Lets cargo drop from the lock in `directory` what the workspace there does not need. It never picks
/// a new version: what the workspace needs is in the lock that was put there (measured). Needs the
/// registry's index only, no sources. `configuration` are files of cargo's configuration that hold
/// for the original workspace and would not be found from `directory`.
///
/// # Errors
/// [`CargoError::Failed`] with what cargo said.
pub fn minimise_lock(
    cargo: &Cargo,
    directory: &Path,
    configuration: &[PathBuf],
) -> Result<(), CargoError> {
    let at = cargo.at(directory);
    let mut program = at
        .unlocked_command("update")
        .args(["--workspace", "--quiet"]);
    // The index that the original lock was made from is there; asking the network again would make
    // an answer out of the weather.
    program = program.arg("--offline");
    for file in configuration {
        program = program.arg("--config").arg(file.as_os_str());
    }
    Cargo::answer(program).map(drop)
}

/// What `cargo --version` prints: another cargo may resolve otherwise.
///
/// # Errors
/// When cargo cannot be run.
pub fn version(cargo: &Cargo) -> Result<String, CargoError> {
    let answer = Cargo::answer(cargo.unlocked_command("--version"))?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

//! `cargo vendor`: the sources of a lock as directories.

use std::path::{Path, PathBuf};

use super::{Cargo, CargoError};

/// Copies the sources of every package from elsewhere that the lock in `directory` has to `into`, and
/// gives what cargo's configuration must say so that they are used: TOML, empty where there is nothing to
/// copy. Packages of every platform are copied, since cargo reads them all; those that were never
/// downloaded need the network. `configuration` are files of cargo's configuration that hold for the
/// original workspace and would not be found from `directory`.
///
/// # Errors
/// [`CargoError::Failed`] with what cargo said.
pub fn vendor(
    cargo: &Cargo,
    directory: &Path,
    into: &Path,
    configuration: &[PathBuf],
) -> Result<String, CargoError> {
    // A mirror that the user's configuration names is where the sources are.
    let mut program = cargo
        .at(directory)
        .command("vendor")
        .arg("--respect-source-config");
    for file in configuration {
        program = program.arg("--config").arg(file.as_os_str());
    }
    // A cargo that is told to be quiet keeps the answer to itself, too.
    let program = program
        .arg(into.as_os_str())
        .env("CARGO_TERM_QUIET", "false");
    let command = program.command_line();
    let answer = Cargo::answer(program)?;
    String::from_utf8(answer).map_err(|error| CargoError::Answer {
        command,
        source: error.into(),
    })
}

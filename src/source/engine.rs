//! `docker-daemon:` and `containers-storage:`: a program is asked for what it has.

use std::path::Path;
use std::time::Duration;

use super::SourceError;
use super::spec::Engine;
use crate::process::{Environment, Interrupt, Program, ProgramError};
use crate::registry::RegistryError;
use crate::report::printable;

/// What an engine may take to write an image.
const SAVE_LIMIT: Duration = Duration::from_hours(1);

/// Lets an engine write an image to a file.
pub(super) fn save(
    engine: Engine,
    name: &str,
    file: &Path,
    environment: &Environment,
    interrupt: &Interrupt,
) -> Result<(), SourceError> {
    let program = engine.program();
    let saving = Program::new(program, environment)
        .args(["save", "--output"])
        .arg(file)
        .arg(name)
        .time_limit(SAVE_LIMIT)
        .interrupted_by(interrupt);
    let captured = saving.capture(b"").map_err(|error| match error {
        ProgramError::Interrupted => SourceError::Registry(RegistryError::Interrupted),
        other => other.into(),
    })?;
    if captured.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&captured.stderr);
    let last = said.lines().rev().find(|line| !line.trim().is_empty());
    let last = last.map(|line| line.strip_prefix("Error: ").unwrap_or(line));
    Err(SourceError::Save {
        program,
        name: name.to_owned(),
        words: printable(last.unwrap_or_default()),
    })
}

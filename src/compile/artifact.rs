//! Running one build, and keeping its executable.

use std::path::{Path, PathBuf};

use super::{CompileError, Preparation};
use crate::cargo;
use crate::report::{Event, Reporter};

/// A compiled executable, set aside from cargo's target directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// The service.
    pub service: String,
    /// Our copy of the executable.
    pub executable: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// Whether nothing had to be compiled.
    pub fresh: bool,
}

/// Builds one prepared service and copies its executable into `directory` at once, because a binary of
/// the same name in another package overwrites it.
///
/// # Errors
/// [`CompileError`]; cargo's own messages went to `reporter` as they came.
pub fn run(
    preparation: &Preparation,
    service: &str,
    directory: &Path,
    reporter: &dyn Reporter,
) -> Result<Artifact, CompileError> {
    let request = preparation.requests.get(service);
    let request = request.ok_or(CompileError::Failed)?;
    let on_line = |line: &str| reporter.report(Event::Compiler(line.to_owned()));
    let built = cargo::build(&preparation.cargo, request, on_line)?.ok_or(CompileError::Failed)?;
    let executable = directory.join(service);
    let size =
        fs_err::copy(&built.executable, &executable).map_err(|source| CompileError::SetAside {
            service: service.to_owned(),
            source,
        })?;
    Ok(Artifact {
        service: service.to_owned(),
        executable,
        size,
        fresh: built.fresh,
    })
}

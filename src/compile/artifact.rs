//! Running one build, and keeping its executable.

use std::path::{Path, PathBuf};

use super::{CompileError, Preparation, PreparedBuild};
use crate::cargo;
use crate::fs::write_atomic;
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
    prepared: &PreparedBuild,
    directory: &Path,
    reporter: &dyn Reporter,
) -> Result<Artifact, CompileError> {
    let on_line = |line: &str| reporter.report(Event::Compiler(line.to_owned()));
    let service = prepared.service.clone();
    let on_crate = |name: &str| {
        let (service, name) = (service.clone(), name.to_owned());
        reporter.report(Event::Compiled { service, name });
    };
    let built = cargo::build(&preparation.cargo, &prepared.request, on_line, on_crate)?
        .ok_or(CompileError::Failed)?;
    keep_inputs(preparation, &service, &built.executable);
    let executable = directory.join(&service);
    match fs_err::copy(&built.executable, &executable) {
        Ok(size) => Ok(Artifact {
            service,
            executable,
            size,
            fresh: built.fresh,
        }),
        Err(source) => Err(CompileError::SetAside { service, source }),
    }
}

/// Keeps cargo's list of the files that the build read, for who asks later. It only ever checks what was
/// found out in other ways, so one that cannot be kept is none.
fn keep_inputs(preparation: &Preparation, service: &str, executable: &Path) {
    let place = preparation.inputs.join(format!("{service}.d"));
    let kept = fs_err::create_dir_all(&preparation.inputs)
        .and_then(|()| fs_err::read(executable.with_extension("d")))
        .and_then(|list| write_atomic(&place, &list));
    if kept.is_err() {
        // That of an earlier build would tell of other sources.
        let _ = fs_err::remove_file(&place);
    }
}

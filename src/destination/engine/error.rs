//! Why an engine does not take images.

use crate::hint::Hint;
use crate::medium::ArchiveError;
use crate::process::ProgramError;

/// What stands in the way of images and an engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Its program is not there.
    #[error("`{program}` is not on PATH")]
    Missing {
        /// The program.
        program: &'static str,
    },
    /// Its program is there, and nobody answers it.
    #[error("`{program}` does not answer: {said}")]
    Silent {
        /// The program.
        program: &'static str,
        /// What it said, fit to be printed.
        said: String,
    },
    /// None of several answers.
    #[error("no container engine answers\n{}", .problems.join("\n"))]
    None {
        /// Why not, for each.
        problems: Vec<String>,
    },
    /// It does not take what it was given.
    #[error("`{program}` did not take the images: {said}")]
    Refused {
        /// The program.
        program: &'static str,
        /// What it said, fit to be printed.
        said: String,
    },
    /// It took the images, and has something else.
    #[error("`{program}` took the images, and has no `{image}` of this run")]
    Other {
        /// The program.
        program: &'static str,
        /// `NAME:TAG`.
        image: String,
    },
    /// It cannot be run, or was stopped.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// Something is wrong with the images.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

/// What can be done without any engine.
const WITHOUT: &str = "write a file with `--to oci-archive:FILE`";

impl Hint for EngineError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { program } => Some(format!("install {program}, or {WITHOUT}")),
            Self::Silent { program, .. } => Some(format!(
                "see what `{program} ps` says and mend that, or {WITHOUT}"
            )),
            Self::None { .. } => Some(format!(
                "start or install docker, podman or nerdctl, or {WITHOUT}"
            )),
            Self::Refused { .. } | Self::Other { .. } => Some(format!(
                "{WITHOUT}, and load that by hand to see what happens"
            )),
            Self::Program(error) => error.hint(),
            Self::Archive(error) => error.hint(),
        }
    }
}

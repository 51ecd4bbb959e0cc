//! Why a command ended early.

use super::Exit;
use crate::cargo::CargoError;
use crate::hint::{BoxedHint, Hint};
use crate::pipeline::PipelineError;
use crate::registry::RegistryError;
use crate::split::SplitError;
use crate::workspace::WorkspaceError;

/// An error on its way to the user, with the exit code it deserves.
#[derive(Debug)]
pub(super) struct Failure {
    /// What to print; nothing where all was told already.
    pub(super) error: Option<BoxedHint>,
    /// How to end.
    pub(super) exit: Exit,
}

impl Failure {
    /// The command line or configuration makes no sense.
    pub(super) fn usage(error: impl Hint + Send + Sync + 'static) -> Self {
        Self {
            error: Some(error.into()),
            exit: Exit::Usage,
        }
    }

    /// The machine, a destination or a service failed.
    pub(super) fn failed(error: impl Hint + Send + Sync + 'static) -> Self {
        Self {
            error: Some(error.into()),
            exit: Exit::Failed,
        }
    }
}

impl Failure {
    /// A run that cannot begin.
    pub(super) fn of_pipeline(error: PipelineError) -> Self {
        if error.is_configuration() {
            Self::usage(error)
        } else {
            Self::failed(error)
        }
    }

    /// A split that cannot be made.
    pub(super) fn of_split(error: SplitError) -> Self {
        if error.is_configuration() {
            Self::usage(error)
        } else {
            Self::failed(error)
        }
    }

    /// A workspace that cannot be described: by its manifests, unless cargo itself is the trouble.
    pub(super) fn of_workspace(error: WorkspaceError) -> Self {
        match error {
            WorkspaceError::Cargo(CargoError::Program(_) | CargoError::Answer { .. }) => {
                Self::failed(error)
            }
            _ => Self::usage(error),
        }
    }

    /// A registry that was named on the command line.
    pub(super) fn of_registry(error: RegistryError) -> Self {
        match error {
            RegistryError::InvalidRegistry { .. } | RegistryError::InvalidUser => {
                Self::usage(error)
            }
            error if error.is_configuration() => Self::usage(error),
            _ => Self::failed(error),
        }
    }
}

/// A file that a flag names cannot be written, or a stream cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct StreamError(#[source] pub(super) std::io::Error);

impl Hint for StreamError {}

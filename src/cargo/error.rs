//! What can go wrong when asking cargo.

use std::path::PathBuf;

use crate::hint::Hint;
use crate::process::ProgramError;
use crate::report::printable;

/// cargo or rustc could not answer.
#[derive(Debug, thiserror::Error)]
pub enum CargoError {
    /// No manifest where the user stands or pointed.
    #[error("no `Cargo.toml` at `{0}` or in any directory above it")]
    NoManifest(PathBuf),
    /// `--manifest-path` names nothing.
    #[error("`{0}` is not a `Cargo.toml`")]
    NotAManifest(PathBuf),
    /// There is no Cargo.lock.
    #[error("the workspace at `{0}` has no `Cargo.lock`")]
    LockMissing(PathBuf),
    /// Cargo.lock does not fit the manifests.
    #[error("`Cargo.lock` of the workspace at `{0}` does not fit its manifests")]
    LockStale(PathBuf),
    /// cargo failed for another reason and said why.
    #[error("`{command}` failed")]
    Failed {
        /// What was run.
        command: String,
        /// What it printed.
        #[source]
        said: Said,
    },
    /// cargo's output is not what its documentation promises.
    #[error("cannot read the answer of `{command}`")]
    Answer {
        /// What was run.
        command: String,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A configuration file of cargo cannot be read.
    #[error("cannot read cargo's configuration file `{path}`")]
    Configuration {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The program could not be run.
    #[error(transparent)]
    Program(#[from] ProgramError),
}

/// What a program printed, as the cause of its failure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Said(pub String);

impl Said {
    /// The text without what cannot be shown; its lines are kept.
    pub fn new(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let lines: Vec<String> = text.trim().lines().map(printable).collect();
        Self(if lines.is_empty() {
            "it said nothing".to_owned()
        } else {
            lines.join(
                "
",
            )
        })
    }
}

impl Hint for CargoError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoManifest(_) => {
                Some("go to a Cargo workspace, or name its manifest with `--manifest-path`".to_owned())
            }
            Self::NotAManifest(_) => Some("`--manifest-path` takes the path of a `Cargo.toml`".to_owned()),
            Self::LockMissing(_) => {
                Some("run `cargo generate-lockfile` and commit `Cargo.lock`: images are only reproducible with it".to_owned())
            }
            Self::LockStale(_) => {
                Some("run `cargo update --workspace` and commit `Cargo.lock`".to_owned())
            }
            Self::Program(error) => error.hint(),
            Self::Failed { .. } | Self::Answer { .. } | Self::Configuration { .. } => None,
        }
    }
}

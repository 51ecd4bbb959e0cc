//! What can go wrong when asking cargo.

use std::path::PathBuf;

use super::LockfileError;
use crate::hint::Hint;
use crate::process::ProgramError;
use crate::report::printable_lines;

/// cargo or rustc could not answer.
#[derive(Debug, thiserror::Error)]
pub enum CargoError {
    /// No manifest where the user stands or pointed.
    #[error("no `Cargo.toml` in `{0}` or in any directory above it")]
    NoManifest(PathBuf),
    /// `--manifest-path` names nothing.
    #[error("there is no file `{0}`")]
    ManifestMissing(PathBuf),
    /// `--manifest-path` names a directory.
    #[error("`{0}` is a directory, not a `Cargo.toml`")]
    ManifestIsDirectory(PathBuf),
    /// `--manifest-path` names another file.
    #[error("`{0}` is not a `Cargo.toml`")]
    NotAManifest(PathBuf),
    /// There is no Cargo.lock.
    #[error("the workspace at `{0}` has no `Cargo.lock`")]
    LockMissing(PathBuf),
    /// Cargo.lock does not fit the manifests.
    #[error("`Cargo.lock` of the workspace at `{0}` does not fit its manifests")]
    LockStale(PathBuf),
    /// Cargo.lock cannot be read.
    #[error(transparent)]
    Lock(#[from] LockfileError),
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

/// What a program printed before it failed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Said(String);

impl Said {
    /// Takes a program's standard error, whose `error: ` would stand behind ours.
    pub(super) fn new(stderr: &[u8]) -> Self {
        let text = String::from_utf8_lossy(stderr);
        let text = text.trim();
        let text = text.strip_prefix("error: ").unwrap_or(text);
        if text.is_empty() {
            return Self("it did not say why".to_owned());
        }
        // Excerpts of manifests are somebody else's text.
        Self(printable_lines(text))
    }

    /// The text.
    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

impl Hint for CargoError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoManifest(_) => {
                Some("go to a Cargo workspace, or name its manifest with `--manifest-path`".to_owned())
            }
            Self::ManifestIsDirectory(path) => Some(format!(
                "name the file in it: `--manifest-path {}`",
                path.join("Cargo.toml").display()
            )),
            Self::ManifestMissing(_) | Self::NotAManifest(_) => {
                Some("`--manifest-path` takes the path of a `Cargo.toml`".to_owned())
            }
            Self::LockMissing(_) => {
                Some("run `cargo generate-lockfile` and commit `Cargo.lock`: images are only reproducible with it".to_owned())
            }
            Self::LockStale(_) => {
                Some("run `cargo update --workspace` and commit `Cargo.lock`".to_owned())
            }
            Self::Lock(error) => error.hint(),
            Self::Program(error) => error.hint(),
            Self::Failed { .. } | Self::Answer { .. } | Self::Configuration { .. } => None,
        }
    }
}

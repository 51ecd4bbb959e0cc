//! What can be wrong with a lock.

use std::io;
use std::path::PathBuf;

use crate::hint::Hint;

/// A lock that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LockfileError {
    /// The file cannot be read.
    #[error("cannot read `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// No workspace has such a lock.
    #[error("`{0}` is larger than 64 MiB")]
    TooLarge(PathBuf),
    /// The file can be read, but not used.
    #[error("cannot use the lock `{path}`")]
    In {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        #[source]
        source: Box<LockfileError>,
    },
    /// git left both sides of a merge in it.
    #[error("it holds both sides of an unfinished merge (line {line})")]
    Conflict {
        /// Where the first marker stands, from 1.
        line: usize,
    },
    /// It is not TOML, or not of a lock's shape.
    #[error("line {line}: {message}")]
    Syntax {
        /// Where, from 1.
        line: usize,
        /// What is wrong there.
        message: String,
    },
    /// A format of the future.
    #[error("its format {0} is not known, only 1 to 4 are")]
    Version(i64),
    /// Two entries for one package.
    #[error("package {0} is in it twice")]
    Duplicate(String),
    /// A dependency that no entry fits.
    #[error("package {package} depends on `{dependency}`, which is not in it")]
    Unresolved {
        /// The package that names it.
        package: String,
        /// As written.
        dependency: String,
    },
    /// A dependency that several entries fit.
    #[error("package {package} depends on `{dependency}`, which several packages in it could be")]
    Ambiguous {
        /// The package that names it.
        package: String,
        /// As written.
        dependency: String,
    },
}

impl Hint for LockfileError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::In { source, .. } => source.hint(),
            Self::Read { .. } | Self::TooLarge(_) => None,
            Self::Conflict { .. } => Some(
                "finish the merge: take one side with `git checkout --ours Cargo.lock`, then run `cargo update --workspace`"
                    .to_owned(),
            ),
            Self::Version(_) => {
                Some("install the release of this program that fits the newer cargo".to_owned())
            }
            Self::Syntax { .. }
            | Self::Duplicate(_)
            | Self::Unresolved { .. }
            | Self::Ambiguous { .. } => Some(
                "restore the last good one with `git checkout Cargo.lock`, or run `cargo update --workspace`"
                    .to_owned(),
            ),
        }
    }
}

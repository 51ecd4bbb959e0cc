//! Why a layer could not be made.

use std::io;
use std::path::{Path, PathBuf};

use super::InvalidCompression;
use crate::fs::ImagePath;
use crate::hint::Hint;
use crate::report::printable;

/// A layer that could not be made. Nothing of it is left on disk.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// A file's content cannot be read.
    #[error("cannot read what should stand at `{path}` in the image")]
    Read {
        /// Where it should stand in the image.
        path: ImagePath,
        /// Names the file.
        #[source]
        source: io::Error,
    },
    /// A device, pipe, socket or directory stands where a file should.
    #[error("`{}` is not a regular file", shown(.file))]
    NotRegular {
        /// The file on this machine.
        file: PathBuf,
    },
    /// Somebody wrote to a file, so that its bytes may be of two states.
    #[error("`{}` changed while it was read", shown(.file))]
    Changed {
        /// The file on this machine.
        file: PathBuf,
    },
    /// A symbolic link that no file system can hold.
    #[error("`{path}` cannot be a link to `{}`: {why}", printable(.target))]
    LinkTarget {
        /// The link in the image.
        path: ImagePath,
        /// Where it should point.
        target: String,
        /// Which rule it breaks.
        why: &'static str,
    },
    /// A level out of range.
    #[error(transparent)]
    Compression(#[from] InvalidCompression),
    /// The blob cannot be compressed or stored.
    #[error("cannot store a layer")]
    Write(
        /// Names the file.
        #[source]
        io::Error,
    ),
    /// The run was told to stop.
    #[error("interrupted")]
    Interrupted,
}

impl Hint for LayerError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NotRegular { .. } => {
                Some("name regular files only, or leave it out of `assets`".to_owned())
            }
            Self::Changed { .. } => {
                Some("run the command again when nothing writes to the file".to_owned())
            }
            Self::Compression(inner) => inner.hint(),
            Self::Write(source) if source.kind() == io::ErrorKind::StorageFull => {
                Some("free some space, or choose another disk with `--target-dir`".to_owned())
            }
            _ => None,
        }
    }
}

fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy())
}

//! What can be wrong with a layout.

use std::io;
use std::path::PathBuf;

use crate::digest::Digest;
use crate::hint::{Hint, near_names, quoted_list};

/// A layout that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// A directory that holds other things.
    #[error("`{}` is not an image layout", .directory.display())]
    NotALayout {
        /// The directory.
        directory: PathBuf,
        /// Whether something else is in it.
        occupied: bool,
    },
    /// A layout that the specification does not describe.
    #[error("`{}` is an image layout of version `{version}`, not 1.0.0", .directory.display())]
    Version {
        /// The directory.
        directory: PathBuf,
        /// As written in `oci-layout`.
        version: String,
    },
    /// No permission, no space, or a file in the way.
    #[error("cannot write to image layout `{}`", .directory.display())]
    Unwritable {
        /// The directory.
        directory: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A blob that does not fit on the disk, or cannot be moved into place.
    #[error("cannot store {size} bytes in `{}`", .path.display())]
    Store {
        /// The blob's final path.
        path: PathBuf,
        /// Its size.
        size: u64,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Any other failure to read or write; the error names the path.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A document that is no JSON of the right shape.
    #[error("`{}` cannot be read as JSON", .path.display())]
    Json {
        /// The document.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: serde_json::Error,
    },
    /// A document beyond the limit of what is read into memory.
    #[error("`{}` is larger than {limit} bytes", .path.display())]
    TooLarge {
        /// The document.
        path: PathBuf,
        /// Bytes.
        limit: u64,
    },
    /// Content that is not what its descriptor says.
    #[error("`{}` has {found_size} bytes of digest {found}, not {expected_size} of {expected}", .path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// The descriptor's digest.
        expected: Digest,
        /// The descriptor's size.
        expected_size: u64,
        /// The digest of what was read.
        found: Digest,
        /// How much was read.
        found_size: u64,
    },
    /// A descriptor whose blob is not there.
    #[error("image layout `{}` has no blob {digest}", .directory.display())]
    NoBlob {
        /// The layout.
        directory: PathBuf,
        /// The blob's digest.
        digest: Digest,
    },
    /// A name that no entry of `index.json` has.
    #[error("image layout `{}` has no image `{name}`", .directory.display())]
    NoImage {
        /// The layout.
        directory: PathBuf,
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
}

impl Hint for LayoutError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NotALayout { occupied: true, .. } => Some(
                "name a directory that is empty, is an image layout or does not exist".to_owned(),
            ),
            Self::NotALayout { .. } => Some("name a directory that has an `oci-layout`".to_owned()),
            Self::Version { .. } | Self::Json { .. } => Some("name another directory".to_owned()),
            Self::Unwritable { source, .. } if is_in_the_way(source) => Some(
                "a file is in the way: name another directory, or write one file with \
                 `oci-archive:FILE`"
                    .to_owned(),
            ),
            Self::Unwritable { .. } => {
                Some("make the directory writable, or name another one".to_owned())
            }
            Self::Store { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                Some("free some space, or name a directory on another disk".to_owned())
            }
            Self::Content { .. } | Self::NoBlob { .. } => {
                Some("build or copy the image into the layout again".to_owned())
            }
            Self::NoImage { name, known, .. } => {
                let near = near_names(name, known.iter().map(String::as_str));
                (!near.is_empty()).then(|| format!("try {}", quoted_list(&near)))
            }
            Self::Store { .. } | Self::Io(_) | Self::TooLarge { .. } => None,
        }
    }
}

fn is_in_the_way(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory
    )
}

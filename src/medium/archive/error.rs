//! What can be wrong with an archive.

use std::io;
use std::path::PathBuf;

use crate::digest::Digest;
use crate::hint::{Hint, near_names, quoted_list};

/// An archive that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Something else stands where the archive should.
    #[error("`{}` is {what}", .path.display())]
    InTheWay {
        /// The archive.
        path: PathBuf,
        /// What stands there.
        what: &'static str,
    },
    /// No permission, no directory, or no space.
    #[error("cannot write archive `{}`", .path.display())]
    Write {
        /// The archive.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A tar that is compressed as a whole.
    #[error("`{}` is compressed with {by}: an archive of images is a plain tar", .path.display())]
    Compressed {
        /// The archive.
        path: PathBuf,
        /// The program that undoes it.
        by: &'static str,
    },
    /// A file that is no tar, or one of something else.
    #[error("`{}` is no archive of images: {why}", .path.display())]
    NoArchive {
        /// The archive.
        path: PathBuf,
        /// What is missing.
        why: &'static str,
    },
    /// A tar that ends too early.
    #[error("`{}` ends too early: {bytes} bytes are no whole tar", .path.display())]
    Truncated {
        /// The archive.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// An entry that no program writes which means well.
    #[error("entry `{name}` of archive `{}` {why}", .path.display())]
    Entry {
        /// The archive.
        path: PathBuf,
        /// The entry, fit to be printed.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// More of something than is read.
    #[error("archive `{}` has more than {limit} {what}", .path.display())]
    TooMany {
        /// The archive.
        path: PathBuf,
        /// Of what.
        what: &'static str,
        /// How many are read.
        limit: u64,
    },
    /// A document that is no JSON of the right shape.
    #[error("`{name}` of archive `{}` cannot be read as JSON", .path.display())]
    Json {
        /// The archive.
        path: PathBuf,
        /// The entry.
        name: String,
        /// Where and why.
        #[source]
        source: serde_json::Error,
    },
    /// Content that is not what its descriptor says.
    #[error("`{name}` has {found_size} bytes of digest {found}, not {expected_size} of {expected}")]
    Content {
        /// The file, or the blob's entry.
        name: String,
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
    #[error("archive `{}` has no blob {digest}", .path.display())]
    NoBlob {
        /// The archive.
        path: PathBuf,
        /// The blob's digest.
        digest: Digest,
    },
    /// A name that no image has, or no name where there are several.
    #[error("archive `{}` has no image `{name}`", .path.display())]
    NoImage {
        /// The archive.
        path: PathBuf,
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// Whatever takes the archive takes no more of it.
    #[error("the archive cannot be written")]
    Output(#[source] io::Error),
    /// The run was told to stop.
    #[error("interrupted")]
    Interrupted,
    /// Any other failure to read or write; the error names the path.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Hint for ArchiveError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::InTheWay { .. } => Some(
                "name a file that is empty, is an archive of images that may be written, or does not exist"
                    .to_owned(),
            ),
            Self::Write { source, .. } => Some(match source.kind() {
                io::ErrorKind::StorageFull => {
                    "free some space, or name a file on another disk".to_owned()
                }
                _ => "name a file in a directory that exists and can be written".to_owned(),
            }),
            Self::Compressed { path, by } => {
                let command = match *by {
                    "gzip" => "gunzip --keep",
                    "zstd" => "unzstd",
                    "xz" => "unxz --keep",
                    _ => "bunzip2 --keep",
                };
                Some(format!("undo that first: `{command} {}`", path.display()))
            }
            Self::Truncated { .. } | Self::Content { .. } | Self::NoBlob { .. } => {
                Some("build or copy the archive again".to_owned())
            }
            Self::NoImage { name, known, .. } => {
                let near = near_names(name, known.iter().map(String::as_str));
                let all: Vec<&str> = known.iter().take(3).map(String::as_str).collect();
                let shown = if near.is_empty() { &all } else { &near };
                (!shown.is_empty()).then(|| format!("try {}", quoted_list(shown)))
            }
            _ => None,
        }
    }
}

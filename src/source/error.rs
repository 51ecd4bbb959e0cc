//! Why an image cannot be read.

use std::io;
use std::path::PathBuf;

use super::spec::UnknownImage;
use crate::digest::Digest;
use crate::hint::{Hint, near_names, quoted_list};
use crate::medium::LayoutError;
use crate::process::{NoTemporaryDirectory, ProgramError};
use crate::registry::RegistryError;

/// An image that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// No image is called so.
    #[error(transparent)]
    Unknown(#[from] UnknownImage),
    /// A registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A layout, also one that was made of an archive.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// There is no place for what is read.
    #[error(transparent)]
    Temporary(#[from] NoTemporaryDirectory),
    /// A file, which the error names.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A program that keeps images.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// A program that gave no image.
    #[error("`{program}` cannot save image `{name}`{}", colon(.words))]
    Save {
        /// The program.
        program: &'static str,
        /// The image.
        name: String,
        /// What it printed, printable.
        words: String,
    },
    /// No archive of the kind that was named.
    #[error("`{}` cannot be read as {kind}: {why}", .file.display())]
    Archive {
        /// The file.
        file: PathBuf,
        /// With an article.
        kind: &'static str,
        /// What is wrong, printable.
        why: String,
    },
    /// No such image among several.
    #[error("`{place}` has no image {}", named(.name.as_deref()))]
    NoImage {
        /// The layout or archive as the user wrote it.
        place: String,
        /// What was asked for; nothing where one had to be named.
        name: Option<String>,
        /// What there is, printable.
        known: Vec<String>,
    },
    /// A name that leads to something else by now.
    #[error("`{name}` is image `{found}`, not `{expected}`")]
    Moved {
        /// The name.
        name: String,
        /// As it was written behind the name.
        expected: Digest,
        /// What is there.
        found: Digest,
    },
    /// An index without an image for the platform.
    #[error("`{image}` has no image for {wanted}")]
    NoPlatform {
        /// The image.
        image: String,
        /// The platform, in words.
        wanted: String,
        /// Those that it has.
        known: Vec<String>,
    },
    /// A document that is none, or of a kind that no image has any more.
    #[error("{at} is no image: {why}")]
    Document {
        /// Which document.
        at: String,
        /// What is wrong, printable.
        why: String,
    },
    /// More than is believable.
    #[error("{at} has {found} {unit}, more than {limit}")]
    TooMuch {
        /// Which document.
        at: String,
        /// How much.
        found: u64,
        /// Of what.
        unit: &'static str,
        /// How much there may be.
        limit: u64,
    },
}

fn colon(words: &str) -> String {
    if words.is_empty() {
        String::new()
    } else {
        format!(": {words}")
    }
}

fn named(name: Option<&str>) -> String {
    name.map_or_else(
        || "that could be meant without a name".to_owned(),
        |name| format!("`{name}`"),
    )
}

impl Hint for SourceError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown(error) => error.hint(),
            Self::Registry(error) => error.hint(),
            Self::Layout(error) => error.hint(),
            Self::Temporary(error) => error.hint(),
            Self::Program(error) => error.hint(),
            Self::Save { program, .. } => Some(format!(
                "see what there is with `{program} images`, and whether `{program} info` works"
            )),
            Self::Archive { kind, .. } if kind.contains("OCI") => {
                Some("if `docker save` wrote it, write `docker-archive:` before it".to_owned())
            }
            Self::Archive { .. } => {
                Some("if it is an image layout in a tar, write `oci-archive:` before it".to_owned())
            }
            Self::NoImage {
                place, name, known, ..
            } => match name {
                _ if known.is_empty() => {
                    Some("build an image first, or name another place".to_owned())
                }
                Some(name) => {
                    let near = near_names(name, known.iter().map(String::as_str));
                    let near = if near.is_empty() { first(known) } else { near };
                    Some(format!("it has {}", quoted_list(&near)))
                }
                None => Some(format!(
                    "write `{place}:NAME`: it has {}",
                    quoted_list(&first(known))
                )),
            },
            Self::Moved { .. } => Some("leave out the digest to see what is there now".to_owned()),
            Self::NoPlatform { known, .. } => {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                Some(format!(
                    "choose with `--platform`: it has {}",
                    quoted_list(&known)
                ))
            }
            Self::Io(_) | Self::Document { .. } | Self::TooMuch { .. } => None,
        }
    }
}

/// A few of many.
fn first(known: &[String]) -> Vec<&str> {
    known.iter().take(5).map(String::as_str).collect()
}

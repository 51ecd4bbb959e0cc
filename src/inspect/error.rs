//! Why an image cannot be looked into.

use std::io;

use crate::digest::Digest;
use crate::hint::Hint;
use crate::image::CheckError;
use crate::source::SourceError;

/// An image that cannot be looked into.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The run was told to stop.
    #[error("interrupted")]
    Interrupted,
    /// It cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// It cannot be checked.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// A file, which the error names.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Something else than an image.
    #[error("`{image}` is not an image that runs: its configuration is of type `{media_type}`")]
    Artifact {
        /// The image.
        image: String,
        /// The configuration's media type, printable.
        media_type: String,
    },
    /// A configuration that is none.
    #[error("the configuration of `{image}` is not valid: {why}")]
    Config {
        /// The image.
        image: String,
        /// What the parser says, printable.
        why: String,
    },
    /// A layer that whoever stores the image leaves out.
    #[error("layer {layer} of `{image}` is not with the image, but at `{url}`")]
    Elsewhere {
        /// The image.
        image: String,
        /// The blob.
        layer: Digest,
        /// Where it is, printable.
        url: String,
    },
    /// A layer that is sound, and does not go with those below it.
    #[error("layer {layer} of `{image}` cannot be unpacked: {why}")]
    Stack {
        /// The image.
        image: String,
        /// The blob.
        layer: Digest,
        /// What is wrong, printable.
        why: String,
    },
    /// A layer that is no layer.
    #[error("layer {layer} of `{image}` cannot be read: {why}")]
    Layer {
        /// The image.
        image: String,
        /// The blob.
        layer: Digest,
        /// What is wrong, printable.
        why: String,
    },
}

impl Hint for InspectError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Source(error) => error.hint(),
            Self::Check(error) => error.hint(),
            Self::Config { image, .. } | Self::Layer { image, .. } => Some(format!(
                "see all that is wrong with `cargo lighter inspect --verify {image}`"
            )),
            Self::Elsewhere { image, .. } => Some(format!(
                "check what is with it: `cargo lighter inspect --verify {image}`"
            )),
            Self::Stack { .. } => Some("build the image again without that".to_owned()),
            Self::Artifact { .. } => Some(
                "name an image; what else is stored like one is shown by `skopeo inspect --raw`"
                    .to_owned(),
            ),
            Self::Interrupted | Self::Io(_) => None,
        }
    }
}

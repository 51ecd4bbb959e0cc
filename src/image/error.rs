//! Why no image can be made.

use crate::hint::Hint;

/// Settings or layers that make no image.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// Nothing to run.
    #[error("an image needs at least one layer")]
    NoLayers,
    /// More than runtimes can stack.
    #[error("an image of {count} layers is more than runtimes stack, {limit}")]
    TooManyLayers {
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A layer that an image manifest of this program cannot name.
    #[error("a layer has the media type `{media_type}`")]
    LayerType {
        /// The layer's media type.
        media_type: String,
    },
    /// A name that no process can see.
    #[error("`{name}` is no name of an environment variable")]
    Environment {
        /// The name as set.
        name: String,
    },
    /// A moment that RFC 3339 cannot write.
    #[error("{seconds} seconds after 1970 is after the year 9999")]
    Time {
        /// Seconds since 1970.
        seconds: u64,
    },
    /// Never happens with the types of this crate.
    #[error("the image's documents cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

impl Hint for ImageError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Environment { .. } => {
                Some("use a name without `=` and control characters in `env`".to_owned())
            }
            Self::Time { .. } => Some("set SOURCE_DATE_EPOCH to seconds since 1970".to_owned()),
            Self::NoLayers
            | Self::TooManyLayers { .. }
            | Self::LayerType { .. }
            | Self::Json(_) => None,
        }
    }
}

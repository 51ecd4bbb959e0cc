//! Layers and settings to an image; and the checker of images.

mod assemble;
mod check;
mod error;
mod settings;
mod time;

pub use assemble::{Image, LayerEntry, assemble};
pub use check::{CheckError, ContentDigest, EntryFault, Problem, check_image, check_layout};
pub use error::ImageError;
pub use settings::Settings;
pub use time::rfc3339;

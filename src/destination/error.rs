//! Why an image cannot be delivered.

use super::EngineError;
use crate::hint::Hint;
use crate::medium::{ArchiveError, LayoutError};
use crate::reference::InvalidName;
use crate::registry::RegistryError;

/// What stands in a delivery's way.
#[derive(Debug, thiserror::Error)]
pub enum DestinationError {
    /// A registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A layout.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// An archive.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A container engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A name.
    #[error(transparent)]
    Name(#[from] InvalidName),
}

impl Hint for DestinationError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Registry(error) => error.hint(),
            Self::Layout(error) => error.hint(),
            Self::Archive(error) => error.hint(),
            Self::Engine(error) => error.hint(),
            Self::Name(error) => error.hint(),
        }
    }
}

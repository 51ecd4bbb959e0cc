//! Where images go: one file a destination, each checked early and delivered in two phases.

mod archive;
mod engine;
mod error;
mod gathered;
mod image;
mod oci_layout;
mod parse;
mod registry;

pub use archive::Archive;
pub use engine::{ContainerEngine, EngineChoice, EngineError};
pub use error::DestinationError;
pub use image::{DeliverableImage, LayerTar, RunCommand, Standing, Stored, Tagged, Wanted};
pub use oci_layout::OciLayout;
pub use parse::{Spec, UnknownDestination, parse};
pub use registry::RegistryDestination;

use crate::reference::Tag;

/// What stands in front of the names of images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix<'a> {
    /// Nothing: names stand alone.
    None,
    /// A registry, maybe with a path.
    Fixed(&'a str),
    /// The `repo` that is configured for the service.
    Configured,
}

/// A place that takes images.
///
/// Delivery has two phases, so that no tag of a run moves anywhere before every manifest of the run is stored
/// everywhere.
pub trait Destination: Send + Sync {
    /// The destination as the user wrote it, or what was chosen where the user left that open.
    fn name(&self) -> &str;

    /// What stands in front of image names here.
    fn prefix(&self) -> Prefix<'_>;

    /// Whether all images of a run go there in one piece, and none that stood there before is taken over.
    fn takes_all_at_once(&self) -> bool {
        false
    }

    /// Takes note of all images of the run, before any of them is checked.
    ///
    /// # Errors
    /// [`DestinationError`] when a name is not legal here.
    fn expect(&self, _images: &[String]) -> Result<(), DestinationError> {
        Ok(())
    }

    /// Checks, before anything is compiled, that an image of this name can be delivered. `tag` is the first
    /// that it will get, if that is known.
    ///
    /// # Errors
    /// [`DestinationError`] with what stands in the way.
    fn preflight(&self, image: &str, tag: Option<&Tag>) -> Result<(), DestinationError>;

    /// First phase: stores blobs and manifest, reachable by digest only.
    ///
    /// # Errors
    /// [`DestinationError`]; what was stored until then is harmless and found again next time.
    fn store(&self, image: &DeliverableImage) -> Result<Stored, DestinationError>;

    /// Between the phases, where tags may move: the images of these names are all that the run brings, in plan order.
    /// What goes in one piece is made ready, where it can be without being seen. Tells whether what
    /// [`Destination::complete`] is left with is a step that hardly fails.
    ///
    /// # Errors
    /// [`DestinationError`]; no tag is moved here then.
    fn prepare(&self, _images: &[String]) -> Result<bool, DestinationError> {
        Ok(false)
    }

    /// After all destinations prepared: what goes in one piece goes now. The names are the same.
    ///
    /// # Errors
    /// [`DestinationError`]; no tag is moved here then.
    fn complete(&self, _images: &[String]) -> Result<(), DestinationError> {
        Ok(())
    }

    /// Second phase: moves the tags of an image that was stored. Tags that moved before one failed
    /// stay, and must be told: an error alone would hide them. The files of its layers may be gone.
    fn tag(&self, image: &DeliverableImage, stored: Stored) -> Tagged;

    /// Looks for an image that need not be built: one that has the tag, and was made from the same
    /// inputs, as far as was written down when it was delivered.
    ///
    /// # Errors
    /// [`DestinationError`] when the destination cannot be asked.
    fn find(&self, wanted: &Wanted) -> Result<Option<Standing>, DestinationError>;

    /// Moves tags to an image that was found, as [`Destination::tag`] does to one that was stored.
    fn retag(&self, standing: &Standing, tags: &[Tag]) -> Tagged;

    /// How an image that got its tags is run here, where this is a place that runs images.
    fn run_command(&self, _image: &DeliverableImage) -> Option<RunCommand> {
        None
    }

    /// What the place had to say besides since this was asked last, for the user to know.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }

    /// The same for those who ask for detail (`-v`).
    fn details(&self) -> Vec<String> {
        Vec::new()
    }

    /// After the last image of the run: gives back what was held, and tidies up.
    ///
    /// # Errors
    /// [`DestinationError`]; what was delivered stays delivered.
    fn finish(&self) -> Result<(), DestinationError> {
        Ok(())
    }
}

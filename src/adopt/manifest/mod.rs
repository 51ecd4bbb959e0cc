//! What a manifest is given: takes keys and values, each tried on the configuration first, gives a proposal, and
//! writes that as text, as JSON or into a manifest.

mod draft;
mod places;
mod proposal;
mod write;

pub(super) use draft::Draft;
pub(super) use places::Thing;
pub use proposal::Proposal;
pub use write::{Edited, Kept, edit, json, text};

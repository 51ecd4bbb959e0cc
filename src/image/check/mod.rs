//! The checker: an image layout read with no trust in whoever wrote it.
//!
//! Every digest, size and uncompressed digest is computed anew, documents are read with types that
//! take any field to be missing or wrong, and all problems are reported, not only the first. Nothing
//! is unpacked. What the specification demands and what only images of this program promise is told
//! apart by [`Problem::breaks_specification`].

mod blobs;
mod config;
mod descriptor;
mod digest;
mod entries;
mod execution;
mod findings;
mod json;
mod layer;
mod layout;
mod loose;
mod problem;
#[cfg(test)]
mod tests;
mod walk;

use std::io;
use std::path::Path;

use crate::hint::Hint;
use crate::medium::LayoutReader;
use crate::oci::Descriptor;

use blobs::Blobs;
use findings::Findings;
use walk::Walk;

pub use digest::ContentDigest;
pub use problem::{EntryFault, Problem};

/// The check itself could not be done.
#[derive(Debug, thiserror::Error)]
#[error("cannot check the image layout")]
pub struct CheckError(#[from] io::Error);

impl Hint for CheckError {}

/// All problems of the layout at `directory`, its images and its blobs.
///
/// # Errors
/// [`CheckError`] when something that is there cannot be read.
pub fn check_layout(directory: &Path) -> Result<Vec<Problem>, CheckError> {
    Ok(layout::check(directory)?)
}

/// All problems of one image, or of all images of an index.
///
/// # Errors
/// [`CheckError`] when something that is there cannot be read.
pub fn check_image(
    reader: &LayoutReader,
    descriptor: &Descriptor,
) -> Result<Vec<Problem>, CheckError> {
    let mut blobs = Blobs::new(reader.directory());
    let mut findings = Findings::default();
    Walk::new(&mut blobs, &mut findings).follow("the image", descriptor.into(), 0)?;
    Ok(findings.into_problems())
}

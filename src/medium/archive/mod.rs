//! Images in one tar: what `docker load`, containerd and skopeo take.
//!
//! There are two forms. A **layout** in a tar has `oci-layout`, `index.json` and `blobs/`, and beside
//! them docker's `manifest.json`, which points into `blobs/`, so that every `docker load` reads it too.
//! **docker's own** form has `manifest.json` and what it names and nothing else, with layers as plain
//! tars: readers that know no layouts, and no compression but their own, want that.
//!
//! Both are made of headers that say nothing of this machine, sorted by name, so that the same images
//! give the same bytes.

mod blob;
mod docker;
mod entries;
mod error;
mod pack;
mod packed;
mod read;
#[cfg(test)]
mod tests;

pub use blob::BlobReader;
pub use error::ArchiveError;
pub use pack::pack;
pub use packed::{ArchiveForm, PackedImage, PackedLayer};
pub use read::ArchiveReader;

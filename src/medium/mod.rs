//! Image layouts on disk, and archives, written and read (image-spec, image-layout.md).
//!
//! A layout may be written by many processes at once, and any of them may be killed at any moment:
//! blobs are staged in `.lighter/`, flushed and renamed into place; `index.json` is rewritten whole
//! under a lock, and keeps foreign entries byte for byte. A directory is a layout from the moment
//! that `oci-layout` stands in it, which is written last.
//!
//! Archives hold all images of one run in one tar, which is written once and never added to.

mod archive;
mod blob;
#[cfg(test)]
mod concurrency;
mod error;
mod garbage;
mod index;
mod layout;
mod places;
mod read;

pub use archive::{
    ArchiveError, ArchiveForm, ArchiveReader, BlobReader, PackedImage, PackedLayer, pack,
};
pub use error::LayoutError;
pub use garbage::{Collection, collect_garbage};
pub use index::{REF_NAME, StoredIndex};
pub use layout::{LayoutWriter, Put};
pub use read::{HEADER_LIMIT, INDEX_LIMIT, LayoutReader, MANIFEST_LIMIT, read_capped};

//! Content-addressed blobs on disk.

mod blobs;

pub use blobs::{BlobWriter, Blobs};

//! Content-addressed blobs on disk.

mod blobs;

pub use blobs::{Blob, BlobWriter, Blobs};

//! Files to deterministic, compressed tars.
//!
//! One pass does it all: a [`Tree`](crate::fs::Tree) becomes a tar, whose digest is the `diff_id`;
//! the tar is cut into blocks and compressed, and the digest of what comes out names the blob. No
//! file and no layer is ever held in memory. The same tree, compression and time give the same bytes
//! on every machine, with any number of threads.

mod archive;
mod assets;
mod block;
mod build;
mod compression;
mod entry;
mod error;
mod gzip;
mod source;

pub use assets::{AssetError, Assets, LostDirectory, collect_assets};
pub use build::{Layer, build};
pub use compression::{Compression, InvalidCompression};
pub use entry::{directory_header, file_header, padding};
pub use error::LayerError;

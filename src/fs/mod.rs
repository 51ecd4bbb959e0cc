//! Files: written whole or not at all, walked in one order, and named in every error.

mod atomic;
mod lock;
mod tree;
mod walk;

pub use atomic::{AtomicFile, TEMPORARY_PREFIX, write_atomic};
pub use lock::DirectoryLock;
pub use tree::{Content, ImagePath, InvalidPath, Node, Tree, TreeError};
pub use walk::{FoundFile, sorted_files};

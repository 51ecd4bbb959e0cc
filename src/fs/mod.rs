//! Files: written whole or not at all, walked in one order, and named in every error.

mod atomic;
mod image_path;
mod lock;
mod paths;
mod secret;
mod tree;
mod walk;

pub use atomic::{AtomicFile, TEMPORARY_PREFIX, write_atomic};
pub use image_path::{ImagePath, InvalidPath};
pub use lock::DirectoryLock;
pub use paths::{common_ancestor, highest, normalized, relative};
pub use secret::{has_private_key_mark, looks_secret};
pub use tree::{Content, Node, Owner, Tree, TreeError};
pub use walk::{FoundFile, sorted_files, sorted_files_where};

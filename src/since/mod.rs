//! What git knows: where the work tree stands.

mod revision;

pub use revision::{GitError, Revision};

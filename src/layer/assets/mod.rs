//! Assets: files of the repository that a service reads at run time.
//!
//! Only what git could hold reaches an image: regular files with or without the executable bit, and
//! links that lead to the same files there as here. What git itself keeps, what cargo makes, and
//! anything that looks like a secret, is left out unless it was named itself.

mod collect;
mod error;
#[cfg(test)]
mod tests;

pub use collect::{Assets, collect_assets};
pub use error::{AssetError, LostDirectory};

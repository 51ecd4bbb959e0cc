//! What git knows: where the work tree stands, what changed since a commit, and what a commit holds.

mod change;
#[cfg(test)]
mod fixture;
mod git;
mod index;
mod no_base;
mod revision;
mod tree;

pub use change::{Comparison, Head, compare};
pub use git::GitError;
pub use no_base::{CloneBy, NoBase, RemoteBranch};
pub use revision::Revision;
pub use tree::CommitTree;

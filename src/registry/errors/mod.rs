//! What can go wrong with a registry, and how failures of the network libraries become such errors.

pub(super) mod error;
pub(super) mod failure;

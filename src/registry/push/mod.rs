//! An image's way into a registry: blobs, manifests, tags, and what is asked before all of them.

pub(super) mod blob;
pub(super) mod course;
pub(super) mod image;
pub(super) mod manifest;
pub(super) mod preflight;
pub(super) mod upload;

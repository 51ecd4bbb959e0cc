//! A service's standalone workspace, and the key of its inputs.

#![allow(
    dead_code,
    unused_imports,
    reason = "the parts are there before what puts them together"
)]

mod listing;
mod manifest;
mod scan;

pub use manifest::ManifestError;

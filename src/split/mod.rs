//! A service's standalone workspace: what it holds, how it is written, and its key.

#![allow(dead_code, unused_imports, reason = "the room is being built")]

mod manifest;

pub use manifest::ManifestError;

//! Manifests, text to text: what a split keeps of them, and what they say about other files.
//!
//! Comments, order and formatting of what stays are kept, because manifests are only edited, never
//! written anew from a model of ours: what we do not know survives.
//!
//! Targets keep their tables. A `[[bin]]`, `[[test]]`, `[[bench]]` or `[[example]]` without `path`
//! whose file is absent is an error to cargo as soon as it reads the manifest, so whoever leaves such
//! files out of a split also leaves out their tables with [`strip_development`]. Missing files of
//! `readme` and `license-file` are none to cargo unless it packages, so these keys stay.

mod canonical;
mod development;
mod edit;
mod error;
mod foreign;
mod inheritance;
mod paths;
mod root;
#[cfg(test)]
mod tests;
mod unread;
mod unstable;

pub(in crate::split) use canonical::canonical_document;
pub(in crate::split) use development::{Development, strip_development};
pub(in crate::split) use edit::parse;
pub use error::ManifestError;
pub(in crate::split) use foreign::rewrite_foreign_root;
pub(in crate::split) use inheritance::{inherited_dependencies, inherits};
pub(in crate::split) use paths::{dependency_paths, outside_paths, workspace_pointer};
pub(in crate::split) use root::{RootRequest, rewrite_parsed_root, rewrite_root};
pub(in crate::split) use unread::{Profiles, forget_unread, forget_unread_configuration};
pub(in crate::split) use unstable::unstable;

/// The tables of dependencies in a package or below `[target.*]`, in both spellings that cargo knows,
/// without those for development.
const DEPENDENCIES: [&str; 3] = ["dependencies", "build-dependencies", "build_dependencies"];
/// Those for development.
const DEV_DEPENDENCIES: [&str; 2] = ["dev-dependencies", "dev_dependencies"];

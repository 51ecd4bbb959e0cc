//! The packages of a root, as one value to compare.

use super::RuntimeError;
use super::dpkg::installed_packages;
use super::root::LibraryRoot;
use crate::digest::Digest;

/// The digest of the names, architectures and versions of all packages in `root`; `None` where it has
/// no package database. Two roots with equal packages have equal libraries.
///
/// # Errors
/// [`RuntimeError`] when the database cannot be read.
pub fn packages_digest(root: &LibraryRoot) -> Result<Option<Digest>, RuntimeError> {
    let packages = installed_packages(root)?;
    Ok(packages.map(|packages| Digest::of(packages.join("\n").as_bytes())))
}

//! Packages of the workspace, as cargo describes them.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// A member of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// cargo's package id, to name the package to cargo without doubt.
    pub id: String,
    /// The package's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where its manifest is, absolute.
    pub manifest: PathBuf,
    /// The directory of the manifest, absolute.
    pub directory: PathBuf,
    /// Facts from the manifest that become labels and annotations: `description`, `license`,
    /// `repository`, `homepage`, `documentation`, `authors` (joined by `, `); empty ones are absent.
    pub facts: BTreeMap<String, String>,
    /// Names of its binary targets, sorted, whether or not they are services.
    pub binaries: Vec<String>,
    /// Names of the features it defines, sorted.
    pub features: Vec<String>,
}

//! Services: the deployable binaries of a workspace.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::Package;

/// A workspace and what was found in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// Directory of the root manifest, absolute.
    pub root: PathBuf,
    /// The root manifest.
    pub manifest: PathBuf,
    /// Root of the git repository around it, else the same as `root`.
    pub repository_root: PathBuf,
    /// cargo's target directory for it.
    pub target_directory: PathBuf,
    /// All local packages, sorted by name: members, and packages reached by path.
    pub packages: Vec<Package>,
    /// Names and versions of packages from elsewhere that say or show that they link native libraries:
    /// by `links`, or by what their build scripts depend on.
    pub linking: BTreeSet<(String, String)>,
    /// The services, sorted by name.
    pub services: Vec<Service>,
    /// Binaries that are no services, sorted by package and binary.
    pub left_out: Vec<LeftOut>,
}

/// One deployable binary target.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Service {
    /// Its name among services.
    pub name: String,
    /// Why it is named so.
    pub named_after: NameOrigin,
    /// Index of its package in [`Workspace::packages`].
    pub package: usize,
    /// The binary target.
    pub binary: String,
    /// Features that cargo demands for the binary.
    pub required_features: Vec<String>,
    /// Local packages in its closure, itself included: indices into [`Workspace::packages`], sorted.
    pub closure: Vec<usize>,
}

/// Where a service's name comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NameOrigin {
    /// The binary's name, which no other service has.
    Binary,
    /// The package's name, since several packages have a binary of that name.
    Package,
    /// Package and binary, since the package has several binaries too.
    PackageAndBinary,
}

/// A binary that is not a service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// The package's name.
    pub package: String,
    /// The binary's name, or the package's other kind of target.
    pub binary: String,
    /// Why it is none.
    pub reason: String,
}

impl Workspace {
    /// The package a service comes from.
    pub fn package_of(&self, service: &Service) -> &Package {
        &self.packages[service.package]
    }

    /// The service of that name.
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.name == name)
    }
}

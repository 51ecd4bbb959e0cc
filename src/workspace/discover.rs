//! Discovery: from cargo's metadata to services.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, TargetKind};

use super::closure::closures;
use super::complete::complete;
use super::naming::{Candidate, name_services};
use super::{LeftOut, Package, Workspace, WorkspaceError};
use crate::cargo::{self, Cargo};

/// Finds the services of the workspace around where `cargo` stands. Runs `cargo metadata` and
/// nothing else, once in most workspaces, and changes no file.
///
/// # Errors
/// [`WorkspaceError`]: cargo's, or names that clash. A workspace without services is none here.
pub fn discover(cargo: &Cargo, manifest_path: Option<&Path>) -> Result<Workspace, WorkspaceError> {
    let mut metadata = cargo::metadata(cargo, manifest_path)?;
    complete(cargo, &mut metadata)?;
    describe(&metadata)
}

/// The pure part of [`discover`].
fn describe(metadata: &Metadata) -> Result<Workspace, WorkspaceError> {
    let root = PathBuf::from(&metadata.workspace_root);
    let mut local: Vec<&cargo_metadata::Package> = metadata
        .packages
        .iter()
        .filter(|package| package.source.is_none())
        .collect();
    local.sort_by(|a, b| (a.name.as_str(), &a.id.repr).cmp(&(b.name.as_str(), &b.id.repr)));
    let packages: Vec<Package> = local
        .iter()
        .map(|package| Package::describe(package, metadata.workspace_members.contains(&package.id)))
        .collect();
    let mut candidates = Vec::new();
    let mut left_out = Vec::new();
    for (index, package) in local.iter().enumerate() {
        if !metadata.workspace_members.contains(&package.id) {
            continue;
        }
        for target in package
            .targets
            .iter()
            .filter(|target| target.kind.contains(&TargetKind::Bin))
        {
            match reason_to_leave_out(package, target) {
                Some(reason) => left_out.push(LeftOut {
                    package: package.name.to_string(),
                    binary: target.name.clone(),
                    reason,
                }),
                None => candidates.push(Candidate {
                    package: index,
                    binary: target.name.clone(),
                    required_features: target.required_features.clone(),
                }),
            }
        }
    }
    left_out.sort();
    let closures = closures(&local, metadata.resolve.as_ref());
    let mut services = name_services(candidates, &packages)?;
    for service in &mut services {
        service.closure.clone_from(&closures[service.package]);
    }
    Ok(Workspace {
        manifest: root.join("Cargo.toml"),
        repository_root: repository_root(&root),
        target_directory: PathBuf::from(&metadata.target_directory),
        linking: linking(metadata),
        root,
        packages,
        services,
        left_out,
    })
}

/// Why a binary is no service.
fn reason_to_leave_out(
    package: &cargo_metadata::Package,
    target: &cargo_metadata::Target,
) -> Option<String> {
    let ours = &package.metadata["lighter"];
    let skipped = ours["bin"][&target.name]["skip"]
        .as_bool()
        .or(ours["skip"].as_bool());
    (skipped == Some(true)).then(|| "`skip = true` in its metadata".to_owned())
}

/// Packages that may make an executable need more than the C library.
fn linking(metadata: &Metadata) -> BTreeSet<(String, String)> {
    const FINDERS: [&str; 3] = ["pkg-config", "system-deps", "vcpkg"];
    let links = |package: &&cargo_metadata::Package| {
        let finds = |dependency: &cargo_metadata::Dependency| {
            dependency.kind == DependencyKind::Build && FINDERS.contains(&dependency.name.as_str())
        };
        package.links.is_some() || package.dependencies.iter().any(finds)
    };
    let found = metadata.packages.iter().filter(links);
    found
        .map(|package| (package.name.to_string(), package.version.to_string()))
        .collect()
}

/// The nearest directory with a `.git`, at or above `root`; else `root`.
fn repository_root(root: &Path) -> PathBuf {
    root.ancestors()
        .find(|directory| directory.join(".git").exists())
        .unwrap_or(root)
        .to_owned()
}

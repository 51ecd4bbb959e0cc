//! Discovery: from cargo's metadata to services.

use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, TargetKind};

use super::closure::closures;
use super::features::missing_features;
use super::naming::{Candidate, name_services};
use super::{LeftOut, Package, Workspace, WorkspaceError};
use crate::cargo::{self, Cargo};

/// What to look at.
#[derive(Debug, Clone, Default)]
pub struct Discovery<'a> {
    /// `--manifest-path`.
    pub manifest_path: Option<&'a Path>,
    /// Features that the command line turns on; a binary may require them.
    pub features: &'a [String],
    /// `--all-features`.
    pub all_features: bool,
}

/// Finds the services of the workspace around where `cargo` stands. Runs `cargo metadata` and
/// nothing else, and changes no file.
///
/// # Errors
/// [`WorkspaceError`]: cargo's, or names that clash. A workspace without services is none here.
pub fn discover(cargo: &Cargo, discovery: &Discovery<'_>) -> Result<Workspace, WorkspaceError> {
    let metadata = cargo::metadata(cargo, discovery.manifest_path)?;
    describe(&metadata, discovery)
}

/// The pure part of [`discover`].
fn describe(metadata: &Metadata, discovery: &Discovery<'_>) -> Result<Workspace, WorkspaceError> {
    let root = PathBuf::from(&metadata.workspace_root);
    let mut local: Vec<&cargo_metadata::Package> = metadata
        .packages
        .iter()
        .filter(|package| package.source.is_none())
        .collect();
    local.sort_by(|a, b| (a.name.as_str(), &a.id.repr).cmp(&(b.name.as_str(), &b.id.repr)));
    let packages: Vec<Package> = local
        .iter()
        .map(|package| Package::describe(package))
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
            match reason_to_leave_out(&metadata.workspace_metadata, package, target, discovery) {
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
    let closures = closures(&local);
    let mut services = name_services(candidates, &packages)?;
    for service in &mut services {
        service.closure.clone_from(&closures[service.package]);
    }
    Ok(Workspace {
        manifest: root.join("Cargo.toml"),
        repository_root: repository_root(&root),
        target_directory: PathBuf::from(&metadata.target_directory),
        root,
        packages,
        services,
        left_out,
    })
}

/// Why a binary is no service.
fn reason_to_leave_out(
    workspace_metadata: &serde_json::Value,
    package: &cargo_metadata::Package,
    target: &cargo_metadata::Target,
    discovery: &Discovery<'_>,
) -> Option<String> {
    let ours = &package.metadata["lighter"];
    let of_binary = &ours["bin"][&target.name];
    let skipped = of_binary["skip"].as_bool().or(ours["skip"].as_bool());
    if skipped == Some(true) {
        return Some("`skip = true` in its metadata".to_owned());
    }
    if discovery.all_features {
        return None;
    }
    let layers = [of_binary, ours, &workspace_metadata["lighter"]];
    let missing = missing_features(package, target, discovery.features, &layers);
    (!missing.is_empty()).then(|| {
        let names: Vec<String> = missing.iter().map(|name| format!("`{name}`")).collect();
        let noun = if names.len() == 1 {
            "feature"
        } else {
            "features"
        };
        format!(
            "it requires the {noun} {}, which neither defaults nor `features` turn on",
            names.join(", ")
        )
    })
}

/// The nearest directory with a `.git`, at or above `root`; else `root`.
fn repository_root(root: &Path) -> PathBuf {
    root.ancestors()
        .find(|directory| directory.join(".git").exists())
        .unwrap_or(root)
        .to_owned()
}

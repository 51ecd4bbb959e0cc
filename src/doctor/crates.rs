//! The crates behind a service, as cargo resolved them.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, Node, PackageId, TargetKind};

/// A crate in a service's closure.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Crate {
    /// Its name.
    pub(super) name: String,
    /// The features that are turned on.
    pub(super) features: BTreeSet<String>,
    /// The crates in the closure that depend on it.
    pub(super) dependents: BTreeSet<Dependent>,
    /// Whether it is compiled for the target; else only for build scripts and procedural macros.
    pub(super) for_target: bool,
    /// Whether something of it runs while others are compiled: a build script, or procedural macros.
    pub(super) runs_here: bool,
}

/// A crate that depends on another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Dependent {
    pub(super) name: String,
    /// Whether it is compiled for the target, and what its build script compiles as well, though the script
    /// itself runs here.
    pub(super) for_target: bool,
}

/// All that is compiled for the package of that id, dev-dependencies left out.
pub(super) fn closure(metadata: &Metadata, package: &str) -> Vec<Crate> {
    let nodes: BTreeMap<&PackageId, &Node> = metadata
        .resolve
        .iter()
        .flat_map(|resolve| resolve.nodes.iter().map(|node| (&node.id, node)))
        .collect();
    let packages: BTreeMap<&PackageId, &cargo_metadata::Package> = metadata
        .packages
        .iter()
        .map(|package| (&package.id, package))
        .collect();
    let mut found: BTreeMap<&PackageId, Crate> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let start = nodes.keys().copied().find(|id| id.repr == package);
    let mut open: Vec<(&PackageId, bool)> = start.into_iter().map(|id| (id, true)).collect();
    while let Some((id, for_target)) = open.pop() {
        if !seen.insert((id, for_target)) {
            continue;
        }
        let (Some(node), Some(package)) = (nodes.get(id), packages.get(id)) else {
            continue;
        };
        let has = |kind: &TargetKind| {
            let mut targets = package.targets.iter();
            targets.any(|target| target.kind.contains(kind))
        };
        let is_macro = has(&TargetKind::ProcMacro);
        let for_target = for_target && !is_macro;
        let entry = found.entry(id).or_default();
        package.name.as_str().clone_into(&mut entry.name);
        entry.for_target |= for_target;
        entry.runs_here = is_macro || has(&TargetKind::CustomBuild);
        entry.features = node.features.iter().map(ToString::to_string).collect();
        for dependency in &node.deps {
            let kinds = dependency.dep_kinds.iter().map(|kind| kind.kind);
            let kinds: Vec<DependencyKind> = kinds
                .filter(|kind| *kind != DependencyKind::Development)
                .collect();
            for kind in &kinds {
                let builds = *kind == DependencyKind::Build;
                open.push((&dependency.pkg, for_target && !builds));
            }
            if !kinds.is_empty() {
                let entry = found.entry(&dependency.pkg).or_default();
                entry.dependents.insert(Dependent {
                    name: package.name.to_string(),
                    for_target,
                });
            }
        }
    }
    found.into_values().collect()
}

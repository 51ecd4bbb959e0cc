//! What runs while a package is compiled, beside the first file of its build script: local libraries that
//! the script is linked with, and procedural macros. What they read counts for the package.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::SplitError;
use super::contents::{is_source, source_text};
use super::scan::{Scan, scan_build_script};
use super::sources::{Part, Sources};
use crate::workspace::{Dependency, Package, Purpose, Workspace};

/// Crates by which a package learns from git where it is, of whatever kind the dependency.
const ASKING: [&str; 5] = [
    "built",
    "git-const",
    "git-testament",
    "git-version",
    "shadow-rs",
];
/// Crates that speak with git for whoever calls them.
const SPEAKING: [&str; 3] = ["git2", "gix", "rustc_tools_util"];

/// What the sources of a package would say if a build script were made of them.
pub(super) type Said = Arc<Vec<(PathBuf, Scan)>>;

/// The local packages whose libraries run in a build of `package`: those that its build script is linked
/// with, and if it is a procedural macro, itself and those that it is linked with.
pub(super) fn running<'a>(workspace: &'a Workspace, package: &'a Package) -> Vec<&'a Package> {
    let local = |dependency: &Dependency| {
        let path = dependency.path.as_ref()?;
        let mut packages = workspace.packages.iter();
        packages.find(|package| package.directory == *path)
    };
    let mut pending: Vec<&Package> = Vec::new();
    if has_script(package) {
        let needed = package.dependencies.iter().filter(|needed| needed.build);
        pending.extend(needed.filter_map(local));
    }
    if package.procedural {
        pending.push(package);
    }
    let mut known: BTreeSet<&Path> = BTreeSet::new();
    let mut found = Vec::new();
    while let Some(next) = pending.pop() {
        if !known.insert(&next.directory) {
            continue;
        }
        found.push(next);
        let needed = next.dependencies.iter();
        let needed = needed.filter(|needed| !needed.build && !needed.development);
        pending.extend(needed.filter_map(local));
    }
    found.sort_by(|a, b| a.directory.cmp(&b.directory));
    found
}

fn has_script(package: &Package) -> bool {
    let mut targets = package.targets.iter();
    targets.any(|target| target.purpose == Purpose::BuildScript)
}

/// Whether what runs in a build of `package` has a dependency by which it learns from git where it is.
pub(super) fn asks_git_through_others(workspace: &Workspace, package: &Package) -> bool {
    let is_asking = |needed: &Dependency| {
        let name = needed.name.as_str();
        let asks = ASKING.contains(&name) || name.starts_with("vergen");
        !needed.development && (asks || (needed.build && SPEAKING.contains(&name)))
    };
    let speaks = |runs: &&Package| {
        let mut needed = runs.dependencies.iter();
        needed.any(|needed| {
            let is_linked = !needed.build && !needed.development;
            is_asking(needed) || (is_linked && SPEAKING.contains(&needed.name.as_str()))
        })
    };
    package.dependencies.iter().any(is_asking) || running(workspace, package).iter().any(speaks)
}

/// What the sources of a package's library say.
///
/// # Errors
/// [`SplitError`] naming a file that cannot be read.
pub(super) fn said(sources: &Sources<'_>, package: usize) -> Result<Said, SplitError> {
    sources.said.ask(&package, || {
        let part = Part::Production { binary: None };
        let contents = sources.contents(package, &part)?;
        let targets = &sources.package(package).targets;
        let is_other = |path: &Path| {
            let mut targets = targets.iter();
            targets.any(|target| target.purpose != Purpose::Library && target.source == *path)
        };
        let mut said = Vec::new();
        for (path, real) in &contents.files {
            if is_source(path) && !is_other(path) {
                let text = source_text(real)?;
                said.extend(text.map(|text| (path.clone(), scan_build_script(&text))));
            }
        }
        Ok(Arc::new(said))
    })
}

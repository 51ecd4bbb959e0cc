//! What a service needs: local packages, and packages of the lock.
//!
//! cargo loads the manifest of every path dependency, of whatever kind and for whatever platform, so
//! all of them belong to a split. Local packages that stand in for others (`[patch]`, `paths`) are no
//! path dependency of anybody; the lock knows them, since they have no source there.

use std::collections::BTreeSet;

use super::SplitError;
use super::sources::{Sources, View};
use crate::cargo::Lockfile;
use crate::workspace::Package;

/// What is reachable from one package.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Closure {
    /// Indices into the workspace's packages.
    pub(super) packages: BTreeSet<usize>,
    /// Indices into the lock. Of the workspace's lock this is more than the split will need: it has the
    /// edges of all features that any member turns on.
    pub(super) locked: BTreeSet<usize>,
}

/// Everything that `start` needs of the workspace and of `lock`, which is the workspace's or a part of it.
/// [`View::Production`] follows no dev-dependencies, and nothing follows those of packages that are no
/// members: cargo never looks at them.
pub(super) fn closure(
    sources: &Sources<'_>,
    lock: &Lockfile,
    start: usize,
    view: View,
) -> Result<Closure, SplitError> {
    let package = sources.package(start);
    if locked(lock, package).is_none() {
        return Err(SplitError::NotLocked {
            package: package.name.clone(),
            version: package.version.clone(),
        });
    }
    let mut walk = Walk {
        sources,
        lock,
        has_development: sources.has_development(view),
        overriding: overriding(sources),
        found: Closure::default(),
        pending: Vec::new(),
    };
    walk.reach_package(start);
    while let Some(next) = walk.pending.pop() {
        match next {
            Node::Package(index) => walk.leave_package(index),
            Node::Locked(index) => walk.leave_locked(index),
        }
    }
    Ok(walk.found)
}

#[derive(Debug, Clone, Copy)]
enum Node {
    Package(usize),
    Locked(usize),
}

struct Walk<'a> {
    sources: &'a Sources<'a>,
    lock: &'a Lockfile,
    has_development: bool,
    overriding: Vec<usize>,
    found: Closure,
    pending: Vec<Node>,
}

impl Walk<'_> {
    fn reach_package(&mut self, index: usize) {
        if self.found.packages.insert(index) {
            self.pending.push(Node::Package(index));
        }
    }

    fn reach_locked(&mut self, index: usize) {
        if self.found.locked.insert(index) {
            self.pending.push(Node::Locked(index));
        }
    }

    fn leave_package(&mut self, index: usize) {
        let sources = self.sources;
        let package = sources.package(index);
        let wanted: Vec<_> = package
            .dependencies
            .iter()
            .filter(|dependency| {
                let tested = self.has_development && package.member;
                tested || !dependency.development
            })
            .collect();
        for path in wanted.iter().filter_map(|wanted| wanted.path.as_ref()) {
            if let Some(found) = sources.package_in(path) {
                self.reach_package(found);
            }
        }
        let Some(own) = locked(self.lock, package) else {
            return;
        };
        self.found.locked.insert(own);
        for &dependency in &self.lock.packages[own].dependencies {
            let name = &self.lock.packages[dependency].name;
            if wanted.iter().any(|wanted| wanted.name == *name) {
                self.reach_locked(dependency);
            }
        }
    }

    fn leave_locked(&mut self, index: usize) {
        let sources = self.sources;
        let entry = &self.lock.packages[index];
        if entry.source.is_none() {
            let local = sources.package_named(&entry.name, &entry.version);
            // What is local has its own declared dependencies, and those are followed.
            if let Some(local) = local {
                return self.reach_package(local);
            }
        }
        let overriding: Vec<usize> = self
            .overriding
            .iter()
            .copied()
            .filter(|candidate| sources.package(*candidate).name == entry.name)
            .collect();
        for package in overriding {
            self.reach_package(package);
        }
        for &dependency in entry.dependencies.iter().chain(&entry.replace) {
            self.reach_locked(dependency);
        }
    }
}

/// The entry of a local package.
pub(super) fn locked(lock: &Lockfile, package: &Package) -> Option<usize> {
    let first = lock
        .packages
        .partition_point(|entry| entry.name < package.name);
    let entries = lock.packages.iter().enumerate().skip(first);
    let mut named = entries.take_while(|(_, entry)| entry.name == package.name);
    let own = named.find(|(_, entry)| entry.source.is_none() && entry.version == package.version);
    own.map(|(index, _)| index)
}

/// Local packages in a directory that cargo's configuration lets override dependencies.
fn overriding(sources: &Sources<'_>) -> Vec<usize> {
    let directories = sources.settings.override_directories();
    let packages = sources.workspace.packages.iter().enumerate();
    packages
        .filter(|(_, package)| {
            let mut directories = directories.iter();
            directories.any(|directory| package.directory.starts_with(directory))
        })
        .map(|(index, _)| index)
        .collect()
}

//! `Cargo.lock` as data: what is locked, what needs what, and what one lock holds beyond another.
//!
//! cargo writes a dependency as briefly as is clear: `name`, `name version`, or
//! `name version (source)`. Read here, every dependency is the index of a package. Texts that cargo
//! forgives, such as a dependency that no entry fits, are errors: a proof needs every edge.

mod error;
mod parse;
mod source;
#[cfg(test)]
mod tests;
mod version;

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;

pub use error::LockfileError;
pub use version::with_version;

use crate::report::printable;

const MAX_FILE: u64 = 64 * 1024 * 1024;

/// What `Cargo.lock` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lockfile {
    /// The format: 3 or 4 as the header says, or 1 or 2 as cargo tells them apart without one.
    pub version: u32,
    /// All packages, by name, then version and source as text.
    pub packages: Vec<LockedPackage>,
    /// Patches that nothing uses, in the same order.
    pub unused_patches: Vec<UnusedPatch>,
}

/// One package of a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedPackage {
    /// Its name.
    pub name: String,
    /// Its version, as written.
    pub version: String,
    /// Where it comes from, as written; `None` for a local one.
    pub source: Option<String>,
    /// Its checksum: its own, or from the table of old formats.
    pub checksum: Option<String>,
    /// What it needs: indices into the lock's packages, ascending.
    pub dependencies: Vec<usize>,
    /// What `[replace]` puts in its place.
    pub replace: Option<usize>,
}

/// A `[patch]` that nothing uses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnusedPatch {
    /// The package's name.
    pub name: String,
    /// Its version, as written.
    pub version: String,
    /// Where it would come from; `None` for a local one.
    pub source: Option<String>,
}

impl Lockfile {
    /// Reads the lock at `path`.
    ///
    /// # Errors
    /// [`LockfileError::Read`] or [`LockfileError::TooLarge`] for a file that cannot be had, or
    /// [`LockfileError::In`] with what is wrong in it.
    pub fn read(path: &Path) -> Result<Self, LockfileError> {
        let read = |source| LockfileError::Read {
            path: path.to_owned(),
            source,
        };
        let mut text = String::new();
        let file = fs_err::File::open(path).map_err(read)?;
        file.take(MAX_FILE + 1)
            .read_to_string(&mut text)
            .map_err(read)?;
        if u64::try_from(text.len()).is_ok_and(|length| length > MAX_FILE) {
            return Err(LockfileError::TooLarge(path.to_owned()));
        }
        Self::parse(&text).map_err(|error| LockfileError::In {
            path: path.to_owned(),
            source: Box::new(error),
        })
    }

    /// Reads a lock's text, whose size the caller limits.
    ///
    /// # Errors
    /// Any [`LockfileError`] about a text.
    pub fn parse(text: &str) -> Result<Self, LockfileError> {
        parse::parse(text)
    }

    /// Everything that this lock has and `original` has not: packages by name, version and source,
    /// their checksums, and dependencies. One line for each, for people; none is the proof that this
    /// lock is a part of `original`.
    ///
    /// Sources that only differ in how formats encode them are equal.
    pub fn beyond(&self, original: &Self) -> Vec<String> {
        let known = original.identities();
        let mine = self.identities();
        let mut found = Vec::new();
        for (index, package) in self.packages.iter().enumerate() {
            let Some(at) = known.find(&mine.0[index]) else {
                found.push(format!("package {}", package.display()));
                continue;
            };
            let before = &original.packages[at];
            if package.checksum != before.checksum {
                found.push(format!("another checksum of {}", package.display()));
            }
            let edges = |package: &LockedPackage, all: &Identities| -> BTreeSet<Identity> {
                let ends = package.dependencies.iter().chain(&package.replace);
                ends.map(|end| all.0[*end].clone()).collect()
            };
            let allowed = edges(before, &known);
            let ends = package.dependencies.iter().chain(&package.replace);
            for end in ends.filter(|end| !allowed.contains(&mine.0[**end])) {
                let other = &self.packages[*end];
                found.push(format!(
                    "dependency of {} on {}",
                    package.display(),
                    other.display()
                ));
            }
        }
        found
    }

    /// The packages reachable from those at `from`, themselves included. What is no index is left out.
    pub fn reachable(&self, from: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
        let mut reached = BTreeSet::new();
        let mut open: Vec<usize> = from.into_iter().collect();
        while let Some(index) = open.pop() {
            let Some(package) = self.packages.get(index) else {
                continue;
            };
            if reached.insert(index) {
                open.extend(package.dependencies.iter().chain(&package.replace));
            }
        }
        reached
    }

    /// The packages of a name, ascending.
    pub fn find(&self, name: &str) -> impl Iterator<Item = usize> + use<> {
        let start = self
            .packages
            .partition_point(|package| package.name.as_str() < name);
        let end = self
            .packages
            .partition_point(|package| package.name.as_str() <= name);
        start..end
    }

    fn identities(&self) -> Identities {
        let identity = |package: &LockedPackage| Identity {
            name: package.name.clone(),
            version: package.version.clone(),
            source: package
                .source
                .as_deref()
                .map(|text| source::canonical(text, self.version)),
        };
        Identities(self.packages.iter().map(identity).collect())
    }
}

impl LockedPackage {
    /// `name version`, with the source of one that comes from elsewhere.
    pub fn display(&self) -> String {
        let text = match &self.source {
            Some(source) => format!("`{} {} ({source})`", self.name, self.version),
            None => format!("`{} {}`", self.name, self.version),
        };
        printable(&text)
    }
}

/// What makes a package that package, whatever format names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Identity {
    name: String,
    version: String,
    source: Option<String>,
}

/// Those of a lock's packages, in their order.
struct Identities(Vec<Identity>);

impl Identities {
    /// Encoding may change the order of sources, but not that of names and versions.
    fn find(&self, wanted: &Identity) -> Option<usize> {
        let key = (&wanted.name, &wanted.version);
        let start = self
            .0
            .partition_point(|identity| (&identity.name, &identity.version) < key);
        let same = self.0[start..]
            .iter()
            .take_while(|identity| (&identity.name, &identity.version) == key);
        same.zip(start..)
            .find(|(identity, _)| *identity == wanted)
            .map(|(_, index)| index)
    }
}

//! From text to packages and edges.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::source::without_commit;
use super::{LockedPackage, Lockfile, LockfileError, UnusedPatch};
use crate::report::printable;

/// The formats that have a header.
const HEADERS: std::ops::RangeInclusive<i64> = 3..=4;

#[derive(Deserialize)]
struct RawLock {
    version: Option<i64>,
    /// Where the oldest format put the workspace's own package.
    root: Option<RawPackage>,
    #[serde(default)]
    package: Vec<RawPackage>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    #[serde(default)]
    patch: RawPatch,
}

#[derive(Default, Deserialize)]
struct RawPatch {
    #[serde(default)]
    unused: Vec<RawPackage>,
}

#[derive(Deserialize)]
struct RawPackage {
    name: String,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
    replace: Option<String>,
}

pub(super) fn parse(text: &str) -> Result<Lockfile, LockfileError> {
    if let Some(line) = conflict(text) {
        return Err(LockfileError::Conflict { line });
    }
    let raw: RawLock = toml_edit::de::from_str(text).map_err(|error| LockfileError::Syntax {
        line: line_of(text, error.span().map_or(0, |span| span.start)),
        message: printable(error.message()),
    })?;
    let mut packages: Vec<RawPackage> = raw.root.into_iter().chain(raw.package).collect();
    packages.sort_by(|a, b| key(a).cmp(&key(b)));
    let by_name = index(&packages)?;
    let mut is_brief = false;
    let mut locked = Vec::with_capacity(packages.len());
    for package in &packages {
        let mut find = |written: &str| {
            let found = resolve(&packages, &by_name, written);
            let dependency = || printable(written);
            let package = || {
                format!(
                    "`{} {}`",
                    printable(&package.name),
                    printable(&package.version)
                )
            };
            match found {
                Found::One(index, brief) => {
                    is_brief |= brief;
                    Ok(index)
                }
                Found::None => Err(LockfileError::Unresolved {
                    package: package(),
                    dependency: dependency(),
                }),
                Found::Several => Err(LockfileError::Ambiguous {
                    package: package(),
                    dependency: dependency(),
                }),
            }
        };
        let replace = package.replace.as_deref().map(&mut find).transpose()?;
        let dependencies = package.dependencies.iter().map(|written| find(written));
        let mut dependencies = dependencies.collect::<Result<Vec<usize>, LockfileError>>()?;
        dependencies.sort_unstable();
        dependencies.dedup();
        locked.push((dependencies, replace));
    }
    let has_checksums = packages.iter().any(|package| package.checksum.is_some());
    let version = version(raw.version, is_brief || has_checksums)?;
    let packages = packages.into_iter().zip(locked);
    Ok(Lockfile {
        version,
        packages: packages
            .map(|(package, (dependencies, replace))| LockedPackage {
                checksum: checksum(&package, &raw.metadata),
                name: package.name,
                version: package.version,
                source: package.source,
                dependencies,
                replace,
            })
            .collect(),
        unused_patches: unused(raw.patch),
    })
}

/// cargo looks for the same three lines before it blames the syntax.
fn conflict(text: &str) -> Option<usize> {
    let is_marker = |line: &str| {
        line == "=======" || line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> ")
    };
    text.lines().position(is_marker).map(|index| index + 1)
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    before.filter(|byte| **byte == b'\n').count() + 1
}

/// Without a header, the format is the second as soon as something stands in it that only the second
/// has: checksums beside packages, and dependencies that leave something out.
fn version(written: Option<i64>, is_second: bool) -> Result<u32, LockfileError> {
    match written {
        None => Ok(if is_second { 2 } else { 1 }),
        Some(version) => u32::try_from(version)
            .ok()
            .filter(|_| HEADERS.contains(&version))
            .ok_or(LockfileError::Version(version)),
    }
}

fn key(package: &RawPackage) -> (&str, &str, Option<&str>) {
    (&package.name, &package.version, package.source.as_deref())
}

fn unused(patch: RawPatch) -> Vec<UnusedPatch> {
    let mut unused: Vec<UnusedPatch> = patch
        .unused
        .into_iter()
        .map(|package| UnusedPatch {
            name: package.name,
            version: package.version,
            source: package.source,
        })
        .collect();
    unused.sort();
    unused
}

/// A package's own checksum, or that in the table of the first format.
fn checksum(package: &RawPackage, metadata: &BTreeMap<String, String>) -> Option<String> {
    let listed = || {
        let source = package.source.as_deref()?;
        let name = format!("checksum {} {} ({source})", package.name, package.version);
        let value = metadata.get(&name)?;
        (value != "<none>").then(|| value.clone())
    };
    package.checksum.clone().or_else(listed)
}

/// The range of each name in the sorted packages, once no package stands in them twice.
fn index(packages: &[RawPackage]) -> Result<HashMap<&str, std::ops::Range<usize>>, LockfileError> {
    let mut ranges = HashMap::new();
    for (at, package) in packages.iter().enumerate() {
        if at > 0 && key(&packages[at - 1]) == key(package) {
            let twice = format!("`{} {}`", package.name, package.version);
            return Err(LockfileError::Duplicate(printable(&twice)));
        }
        ranges.entry(package.name.as_str()).or_insert(at..at).end = at + 1;
    }
    Ok(ranges)
}

enum Found {
    /// Its index, and whether something was left out that the first format writes.
    One(usize, bool),
    None,
    Several,
}

/// The package that `name[ version[ (source)]]` means.
fn resolve(
    packages: &[RawPackage],
    by_name: &HashMap<&str, std::ops::Range<usize>>,
    written: &str,
) -> Found {
    let mut words = written.splitn(3, ' ');
    let name = words.next().unwrap_or_default();
    let (version, source) = (words.next(), words.next());
    let Some(range) = by_name.get(name) else {
        return Found::None;
    };
    let fitting: Vec<usize> = range
        .clone()
        .filter(|index| version.is_none_or(|version| packages[*index].version == version))
        .collect();
    let Some(source) = source else {
        return without_source(packages, &fitting, version.is_none());
    };
    let Some(source) = source
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
    else {
        return Found::None;
    };
    let from = |index: &&usize| {
        let other = packages[**index].source.as_deref();
        other.is_some_and(|other| without_commit(other) == without_commit(source))
    };
    only(fitting.iter().filter(from).copied(), false)
}

/// Local packages have no source, so what names none is the local one where there is one.
fn without_source(packages: &[RawPackage], fitting: &[usize], brief: bool) -> Found {
    // Without a version, cargo does not choose between several even if one is local.
    let first = fitting.first().map(|index| &packages[*index].version);
    if brief
        && fitting
            .iter()
            .any(|index| Some(&packages[*index].version) != first)
    {
        return Found::Several;
    }
    let local = |index: &&usize| packages[**index].source.is_none();
    match only(fitting.iter().filter(local).copied(), brief) {
        Found::None => only(fitting.iter().copied(), true),
        found => found,
    }
}

fn only(mut found: impl Iterator<Item = usize>, brief: bool) -> Found {
    match (found.next(), found.next()) {
        (None, _) => Found::None,
        (Some(index), None) => Found::One(index, brief),
        (Some(_), Some(_)) => Found::Several,
    }
}

//! Closures: the local packages that each local package needs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::Package;

/// For each package the sorted indices of all local packages whose manifests cargo loads for it: by
/// path, of every kind and for every platform, itself included.
pub(super) fn closures(local: &[&Package]) -> Vec<Vec<usize>> {
    let by_directory: BTreeMap<PathBuf, usize> = local
        .iter()
        .enumerate()
        .filter_map(|(index, package)| Some((package.manifest_path.parent()?.into(), index)))
        .collect();
    let direct: Vec<Vec<usize>> = local
        .iter()
        .map(|package| {
            let paths = package
                .dependencies
                .iter()
                .filter_map(|dependency| dependency.path.as_ref());
            paths
                .filter_map(|path| by_directory.get(Path::new(path)).copied())
                .collect()
        })
        .collect();
    (0..local.len())
        .map(|start| reachable(start, &direct))
        .collect()
}

fn reachable(start: usize, direct: &[Vec<usize>]) -> Vec<usize> {
    let mut seen = BTreeSet::from([start]);
    let mut pending = vec![start];
    while let Some(next) = pending.pop() {
        pending.extend(direct[next].iter().filter(|index| seen.insert(**index)));
    }
    seen.into_iter().collect()
}

//! Closures: the local packages that each local package needs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cargo_metadata::{Package, PackageId, Resolve};

/// For each package the sorted indices of all local packages whose manifests cargo loads for it: by
/// path, of every kind and for every platform, itself included.
pub(super) fn closures(local: &[&Package], resolve: Option<&Resolve>) -> Vec<Vec<usize>> {
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
    let patched = patched(local, resolve);
    let direct: Vec<Vec<usize>> = direct
        .into_iter()
        .zip(patched)
        .map(|(by_path, patched)| [by_path, patched].concat())
        .collect();
    (0..local.len())
        .map(|start| reachable(start, &direct))
        .collect()
}

/// For each package the local ones that stand in for a dependency from elsewhere (`[patch]`): no path
/// names those, but cargo resolves to them.
fn patched(local: &[&Package], resolve: Option<&Resolve>) -> Vec<Vec<usize>> {
    let by_id: BTreeMap<&PackageId, usize> = local
        .iter()
        .enumerate()
        .map(|(index, package)| (&package.id, index))
        .collect();
    let mut patched = vec![Vec::new(); local.len()];
    for node in resolve.iter().flat_map(|resolve| &resolve.nodes) {
        if let Some(&from) = by_id.get(&node.id) {
            let local = node.dependencies.iter().filter_map(|id| by_id.get(id));
            patched[from].extend(local.copied());
        }
    }
    patched
}

fn reachable(start: usize, direct: &[Vec<usize>]) -> Vec<usize> {
    let mut seen = vec![false; direct.len()];
    seen[start] = true;
    let mut pending = vec![start];
    while let Some(next) = pending.pop() {
        let new = direct[next].iter().copied();
        pending.extend(new.filter(|index| !std::mem::replace(&mut seen[*index], true)));
    }
    (0..seen.len()).filter(|index| seen[*index]).collect()
}

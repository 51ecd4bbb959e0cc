//! What decides which libraries executables of a root get, to be compared before there are any.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::RuntimeError;
use super::dpkg::installed_packages;
use super::elf::Machine;
use super::root::LibraryRoot;
use super::search::SystemDirectories;
use crate::digest::Digest;
use crate::oci::Platform;

/// The digest of the names, architectures and versions of all packages in `root`; `None` where it has
/// no package database. Two roots with equal packages have equal libraries.
///
/// # Errors
/// [`RuntimeError`] when the database cannot be read.
pub fn packages_digest(root: &LibraryRoot) -> Result<Option<Digest>, RuntimeError> {
    let packages = installed_packages(root)?;
    Ok(packages.map(|packages| Digest::of(packages.join("\n").as_bytes())))
}

/// The libraries of `root` that a loader would find by their names alone, and those of `extra` that are
/// paths: by their paths in the root, each with the file to read.
///
/// # Errors
/// [`RuntimeError`] when the root cannot be read.
pub fn loadable_libraries(
    root: &LibraryRoot,
    platform: &Platform,
    extra: &[String],
) -> Result<BTreeMap<String, PathBuf>, RuntimeError> {
    let mut paths: Vec<String> = extra.to_vec();
    paths.retain(|path| path.starts_with('/'));
    if let Some(machine) = Machine::of(platform) {
        let directories = SystemDirectories::glibc(root, &machine)?;
        let mut seen = BTreeSet::new();
        for directory in directories.of("").chain(["/usr/local/lib"]) {
            // Links make one directory of many.
            let Some(directory) = root.directory(directory)?.map(|found| found.path) else {
                continue;
            };
            let names = root.names(&directory)?.into_iter();
            let libraries = names.filter(|name| name.contains(".so"));
            if seen.insert(directory.clone()) {
                paths.extend(libraries.map(|name| format!("{directory}/{name}")));
            }
        }
    }
    let mut libraries = BTreeMap::new();
    for path in paths {
        if let Some(resolved) = root.file(&path)? {
            libraries.insert(path, resolved.host);
        }
    }
    Ok(libraries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::fixture::{Workshop, host};

    #[test]
    fn libraries_are_found_where_the_loader_looks() {
        let workshop = Workshop::bare();
        workshop.write("/lib/libone.so.1.2", "1");
        workshop.link("libone.so.1.2", "/lib/libone.so.1");
        workshop.write("/etc/ld.so.conf", "/opt/own\n");
        workshop.write("/opt/own/libtwo.so", "2");
        workshop.write("/opt/other/libthree.so", "3");
        workshop.write("/lib/notes.txt", "no library");
        let extra = ["/opt/other/libthree.so".to_owned(), "libtwo.so".to_owned()];
        let root = workshop.root();
        assert_eq!(packages_digest(&root).expect("readable"), None);
        let found = loadable_libraries(&root, &host(), &extra).expect("readable");
        let paths: Vec<&str> = found.keys().map(String::as_str).collect();
        assert_eq!(
            paths,
            [
                "/lib/libone.so.1",
                "/lib/libone.so.1.2",
                "/opt/other/libthree.so",
                "/opt/own/libtwo.so",
            ]
        );
        assert_eq!(found["/lib/libone.so.1"], found["/lib/libone.so.1.2"]);
    }
}

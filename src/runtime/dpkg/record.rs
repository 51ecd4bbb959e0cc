//! Records of packages, as they stand in an image.

use std::collections::{BTreeMap, BTreeSet};

use super::database::{Package, PackageDatabase};
use crate::fs::{ImagePath, Tree};
use crate::runtime::RuntimeError;
use crate::runtime::placement::text_node;
use crate::runtime::root::LibraryRoot;

const RECORDS: &str = "/var/lib/dpkg/status.d";

/// Adds to `tree` a record of each package that owns one of `files` (paths of `root` without links)
/// or is named in `packages`, but for those in `known`, which a layer below already has. Returns
/// the names of all packages whose records are then in the image.
pub(crate) fn add_records<'a>(
    tree: &mut Tree,
    root: &LibraryRoot,
    files: impl IntoIterator<Item = &'a str>,
    packages: &[&str],
    known: &BTreeSet<String>,
) -> Result<BTreeSet<String>, RuntimeError> {
    let mut recorded = known.clone();
    let Some(database) = root.packages()? else {
        return Ok(recorded);
    };
    let mut owned: BTreeMap<&str, (&Package, Vec<&str>)> = BTreeMap::new();
    for package in packages.iter().filter_map(|name| database.named(name)) {
        owned.entry(&package.name).or_insert((package, Vec::new()));
    }
    for file in files {
        if let Some(package) = database.owner(root, file)? {
            let (_, files) = owned.entry(&package.name).or_insert((package, Vec::new()));
            files.push(file);
        }
    }
    for (name, (package, files)) in owned {
        if recorded.insert(name.to_owned()) {
            let record = ImagePath::new(&format!("{RECORDS}/{name}"))?;
            tree.insert(record, text_node(package.record()))?;
            add_checksums(tree, root, database, package, &files)?;
        }
    }
    Ok(recorded)
}

fn add_checksums(
    tree: &mut Tree,
    root: &LibraryRoot,
    database: &PackageDatabase,
    package: &Package,
    files: &[&str],
) -> Result<(), RuntimeError> {
    let sums = database.checksums(root, package, files)?;
    if !sums.is_empty() {
        let path = format!("{RECORDS}/{}.md5sums", package.name);
        tree.insert(ImagePath::new(&path)?, text_node(sums))?;
    }
    Ok(())
}

//! The lowest layer: what services expect of any system.

use std::collections::BTreeSet;

use super::dpkg::add_records;
use super::find::Request;
use super::{RuntimeError, certificates, os_release, time_zones, users};
use crate::fs::Tree;

/// The tree for a dynamic executable.
pub(super) struct Base {
    pub(super) tree: Tree,
    /// Packages whose records are in it.
    pub(super) recorded: BTreeSet<String>,
}

/// The base tree without records, and the files of the root whose packages are to be recorded.
fn contents(request: &Request<'_>) -> Result<(Tree, Vec<String>), RuntimeError> {
    let mut tree = Tree::new();
    let mut files = Vec::new();
    users::add(&mut tree)?;
    if request.ca_certificates {
        certificates::add(&mut tree, request.library_root)?;
    }
    if request.tzdata {
        files.extend(time_zones::add(&mut tree, request.library_root)?);
    }
    Ok((tree, files))
}

/// The tree for a static executable, in which nothing says what system it comes from: no part of
/// it does.
pub(super) fn static_base(request: &Request<'_>) -> Result<Tree, RuntimeError> {
    let (tree, _) = contents(request)?;
    Ok(tree)
}

/// The tree for a dynamic executable, with records and `os-release` of the root.
pub(super) fn dynamic_base(
    request: &Request<'_>,
    warnings: &mut Vec<String>,
) -> Result<Base, RuntimeError> {
    let root = request.library_root;
    let (mut tree, mut files) = contents(request)?;
    match os_release::add(&mut tree, root)? {
        Some(path) => files.push(path),
        None => warnings.push(format!(
            "`{}` has no os-release: scanners will not know what system the libraries come from",
            root.given().display()
        )),
    }
    let packages: &[&str] = if request.ca_certificates {
        &[certificates::PACKAGE]
    } else {
        &[]
    };
    let none = BTreeSet::new();
    let files = files.iter().map(String::as_str);
    let recorded = add_records(&mut tree, root, files, packages, &none)?;
    Ok(Base { tree, recorded })
}

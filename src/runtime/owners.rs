//! Where the libraries of an image come from.

use std::collections::BTreeSet;

use super::RuntimeError;
use super::closure::Object;
use super::error::UnownedLibrary;
use super::find::Request;
use super::root::{LibraryRoot, Resolved};
use super::search::{Candidate, file_name};
use crate::report::LibrarySummary;

/// The paths of `files`, sorted, each once.
pub(super) fn paths<'a>(files: &[&'a Resolved]) -> impl Iterator<Item = &'a str> {
    let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    paths.into_iter()
}

/// A library of no package has come by a way that nobody can repeat, unless it was asked for.
pub(super) fn check(
    request: &Request<'_>,
    objects: &[Object],
    c_library: &[Candidate],
) -> Result<(), RuntimeError> {
    let Some(database) = request.library_root.packages()? else {
        return Ok(());
    };
    let is_extra = |name: &str| request.extra_libraries.iter().any(|extra| extra == name);
    let of_objects = objects.iter().filter_map(|object| {
        let place = object.places.first()?;
        let asked = request
            .extra_libraries
            .iter()
            .any(|extra| object.is_called(extra));
        Some((object.name(), place.path.as_str(), asked))
    });
    let of_c_library = c_library.iter().map(|file| {
        let name = file_name(&file.path);
        let path = file.resolved.path.as_str();
        let asked = [name, path, &*file.path].into_iter().any(is_extra);
        (name.to_owned(), path, asked)
    });
    let mut unowned: Vec<UnownedLibrary> = Vec::new();
    for (name, path, asked) in of_objects.chain(of_c_library) {
        let known = unowned.iter().any(|library| library.path == path);
        if !asked && !known && database.owner(request.library_root, path)?.is_none() {
            let path = path.to_owned();
            unowned.push(UnownedLibrary { name, path });
        }
    }
    if unowned.is_empty() {
        Ok(())
    } else {
        Err(RuntimeError::Unowned(unowned))
    }
}

/// Each of `files` once, with the package that owns it.
pub(super) fn summaries(
    root: &LibraryRoot,
    files: &[&Resolved],
) -> Result<Vec<LibrarySummary>, RuntimeError> {
    let database = root.packages()?;
    paths(files)
        .map(|path| {
            let package = match database {
                Some(database) => database.owner(root, path)?,
                None => None,
            };
            Ok(LibrarySummary {
                path: path.to_owned(),
                package: package.map(|package| package.name.clone()),
                version: package.and_then(|package| package.version.clone()),
                root: root.given().display().to_string(),
            })
        })
        .collect()
}

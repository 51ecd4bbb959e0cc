//! Files that become a part of a program as they are: those that a split or a key has in another form, and
//! those that no split can have.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::SplitError;
use super::closure::Closure;
use super::draft::{Drafted, Request};
use super::named::input_of;
use super::sources::{Part, Sources};
use crate::fs::relative;

/// Absolute paths of files, each with the package that names it by itself, rather than by a directory.
pub(super) type Embedded = BTreeMap<PathBuf, Option<String>>;

/// What the sources of a draft with `files` embed of manifests, settings and the lock.
///
/// # Errors
/// [`SplitError`] when the packages' files cannot be found.
pub(super) fn embedded(
    sources: &Sources<'_>,
    request: &Request<'_>,
    closure: &Closure,
    files: &BTreeMap<PathBuf, Drafted>,
) -> Result<Embedded, SplitError> {
    let settings = &sources.settings;
    let lock = sources.workspace.root.join("Cargo.lock");
    let has_form = |path: &Path| {
        let mut configuration = settings.configuration.iter();
        *path == *lock
            || matches!(files.get(path), Some(Drafted::Text(_)))
            || settings.toolchain.as_deref() == Some(path)
            || configuration.any(|file| file.path == *path)
    };
    let mut embedded = Embedded::new();
    for index in &closure.packages {
        let part = Part::of(*index, request.service, request.view);
        let contents = sources.contents(*index, &part)?;
        let formed = contents.embedded.iter();
        for (path, by_itself) in formed.filter(|(path, _)| has_form(path)) {
            let name = embedded.entry(path.clone()).or_insert(None);
            if *by_itself && name.is_none() {
                *name = Some(sources.package(*index).name.clone());
            }
        }
    }
    Ok(embedded)
}

/// What stands in the target directory was made by something that nobody here knows, unless the
/// configuration names it and `files` have it.
///
/// # Errors
/// [`SplitError::Made`].
pub(super) fn refuse_made(
    sources: &Sources<'_>,
    request: &Request<'_>,
    closure: &Closure,
    files: &BTreeMap<PathBuf, Drafted>,
) -> Result<(), SplitError> {
    for index in &closure.packages {
        let part = Part::of(*index, request.service, request.view);
        let contents = sources.contents(*index, &part)?;
        let mut made = contents.made.iter();
        let is_named = |path: &Path| files.keys().any(|file| file.starts_with(path));
        if let Some(path) = made.find(|path| !is_named(path)) {
            let root = &sources.workspace.root;
            let service = sources.workspace.package_of(request.service);
            let all = if path.is_dir() { "/**" } else { "" };
            let input = input_of(path, &service.directory, root);
            return Err(SplitError::Made {
                package: sources.package(*index).name.clone(),
                path: relative(path, root),
                input: format!("{input}{all}"),
            });
        }
    }
    Ok(())
}

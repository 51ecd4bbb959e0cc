//! Inputs of a service of which no comparison with a commit can tell whether they changed.

use std::path::{Path, PathBuf};

use super::SplitError;
use super::draft::{Draft, Drafted, Request};
use super::observed::{check_draft, has_list};
use super::reach::rough;
use super::runs::{asks_git_through_others, running};
use super::sources::{Sources, read_text};
use crate::cargo::HomeInside;
use crate::config::{Input, Source};
use crate::fs::{relative, sorted_files_where};
use crate::workspace::{Package, Purpose, Workspace};

/// What hides an input from comparisons.
#[derive(Debug)]
pub enum BlindSpot {
    /// The build of this package asks git.
    AsksGit(String),
    /// A file that git does not track, as seen from the workspace root.
    Untracked(PathBuf),
    /// A file that a build reads, and that no split has.
    Unknown(SplitError),
}

/// The first blind spot of a service, in the work tree whose top is `repository`. Files that are not
/// tracked and not ignored are none: git sees them come and go. Nothing is locked for it.
///
/// # Errors
/// [`SplitError`] when the split's packages or files cannot be found.
pub fn blind_spot(
    sources: &Sources<'_>,
    request: &Request<'_>,
    repository: &Path,
) -> Result<Option<BlindSpot>, SplitError> {
    let draft = match rough(sources, request) {
        Ok(draft) => draft,
        Err(error) if error.is_blind_spot() => return Ok(Some(BlindSpot::Unknown(error))),
        Err(error) => return Err(error),
    };
    if let Some(package) = draft.asking_git.first() {
        return Ok(Some(BlindSpot::AsksGit(package.clone())));
    }
    if let Some(path) = untracked(sources, request, &draft, repository) {
        let path = relative(&path, &sources.workspace.root);
        return Ok(Some(BlindSpot::Untracked(path)));
    }
    match check_draft(sources, request.service, &draft) {
        Ok(()) => Ok(None),
        Err(error) => Ok(Some(BlindSpot::Unknown(error))),
    }
}

fn untracked(
    sources: &Sources<'_>,
    request: &Request<'_>,
    draft: &Draft,
    repository: &Path,
) -> Option<PathBuf> {
    let is_hidden = |path: &Path| !path.starts_with(repository) || sources.kind(path).is_none();
    let leads_to_hidden = |path: &Path| {
        let is_link = path.symlink_metadata().is_ok_and(|it| it.is_symlink());
        // Where the top of the repository is itself reached by a link, ends are spelt otherwise.
        let top = fs_err::canonicalize(repository).ok();
        let end = fs_err::canonicalize(path).ok().filter(|_| is_link);
        end.is_some_and(|end| {
            let inside = top.and_then(|top| Some(end.strip_prefix(top).ok()?.to_owned()));
            let seen = inside.map(|inside| repository.join(inside));
            seen.is_none_or(|seen| {
                if end.is_dir() {
                    sources.below(&seen).is_empty()
                } else {
                    is_hidden(&seen)
                }
            })
        })
    };
    let files = draft.files.iter().map(|(path, drafted)| match drafted {
        Drafted::From(real) => real.as_path(),
        Drafted::Text(_) => path.as_path(),
    });
    let lock = sources.workspace.root.join("Cargo.lock");
    let mut files = files.chain([lock.as_path()]);
    if let Some(path) = files.find(|path| is_hidden(path) || leads_to_hidden(path)) {
        return Some(path.to_owned());
    }
    let root = &request.config.library_root.value;
    let root = Some(root).filter(|root| root.starts_with(repository));
    let mut whole = draft.vendored.iter().chain(root);
    whole
        .find(|directory| sources.below(directory).is_empty())
        .cloned()
}

/// Whether there may be a blind spot at all: asked of what is known already, and of build scripts.
/// `ignored` are the paths below `repository` that git ignores, without those that cargo makes.
pub fn may_be_blind<'a>(
    workspace: &Workspace,
    home: &HomeInside,
    repository: &Path,
    mut requests: impl Iterator<Item = Request<'a>>,
) -> bool {
    let is_hidden = |path: &Path| {
        !path.starts_with(repository)
            || path.starts_with(&workspace.target_directory)
            || home.holds(path)
    };
    let mut packages = workspace.packages.iter();
    repository.join(".gitmodules").exists()
        || packages.any(|package| is_hidden(&package.directory) || may_ask_git(workspace, package))
        || may_name_made(workspace)
        || requests.any(|request| {
            let config = request.config;
            let assets = config.assets.value.iter().map(|asset| &asset.from);
            let inputs = config.inputs.value.iter().filter_map(|input| match input {
                Input::Glob(source) => Some(source),
                Input::Env(_) => None,
            });
            let mut named = assets.chain(inputs);
            let root = &config.library_root.value;
            named.any(|source: &Source| is_hidden(&source.path))
                || (root.starts_with(repository) && is_hidden(root))
                || has_list(workspace, request.service)
        })
}

/// Whether a build script may ask git: more than a look at its first file is left to the scan. So may a
/// library that runs in the build.
fn may_ask_git(workspace: &Workspace, package: &Package) -> bool {
    let mut scripts = package
        .targets
        .iter()
        .filter(|target| target.purpose == Purpose::BuildScript);
    let git = ["git".to_owned()];
    let mut running = running(workspace, package).into_iter();
    asks_git_through_others(workspace, package)
        || running.any(|runs| some_source_says(workspace, runs, &git))
        || scripts.any(|script| {
            let words = ["git", "mod ", "include!", "path"];
            read_text(&script.source).map_or(true, |text| {
                let mut lines = text.lines();
                lines.any(|line| {
                    // A path of the standard library is no attribute.
                    let line = line.trim_start();
                    let word = words.iter().find(|word| line.contains(**word));
                    word.is_some_and(|word| *word != "path" || line.starts_with("#["))
                })
            })
        })
}

/// Whether a source may name something in the target directory, where there is one.
fn may_name_made(workspace: &Workspace) -> bool {
    let made = &workspace.target_directory;
    let name = made.file_name().map(|name| name.to_string_lossy());
    let Some(name) = name.filter(|_| made.exists()) else {
        return false;
    };
    let told = [
        format!("{name}/"),
        format!("/{name}\""),
        format!("\"{name}\""),
    ];
    let mut packages = workspace.packages.iter();
    packages.any(|package| some_source_says(workspace, package, &told))
}

/// Whether one of the Rust sources in a package's directory has one of `words`, takes in sources from
/// elsewhere, or cannot be read.
fn some_source_says(workspace: &Workspace, package: &Package, words: &[String]) -> bool {
    let is_wanted = |path: &Path| {
        !path.ends_with(".git")
            && *path != workspace.target_directory
            && !path.ends_with("node_modules")
    };
    let Ok(files) = sorted_files_where(&package.directory, is_wanted) else {
        return true;
    };
    let is_source = |path: &Path| path.extension().is_some_and(|extension| extension == "rs");
    let mut sources = files.into_iter().filter(|file| is_source(&file.path));
    sources.any(|source| {
        read_text(&source.path).map_or(true, |text| {
            let climbs = ["#[path", "include!"].iter().any(|way| text.contains(way));
            (climbs && text.contains("..")) || words.iter().any(|word| text.contains(word))
        })
    })
}

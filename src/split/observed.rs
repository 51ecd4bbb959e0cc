//! What the last build read, compared with a split.
//!
//! cargo writes beside each executable which local files it was made from, those that build scripts named
//! included. That is the only witness of files that no scan can see. It is asked after the split was
//! made and never changes it: whoever built nothing yet gets the same split.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use super::draft::{Draft, Drafted};
use super::named::input_of;
use super::sources::Sources;
use super::{Split, SplitError, SplitFile};
use crate::fs::{normalized, relative};
use crate::workspace::{Service, Workspace};

const MAX_LIST: u64 = 16 * 1024 * 1024;

/// Compares a service's split with the list that its last build left in the target directory, if there
/// is one, and no source changed since.
///
/// # Errors
/// [`SplitError::Unforeseen`] for the first local file that was read, is still there, and is not in the
/// split.
pub fn check_last_build(
    sources: &Sources<'_>,
    service: &Service,
    split: &Split,
) -> Result<(), SplitError> {
    check(sources, service, &Content::of(split), Age::Current)
}

/// The same, whatever changed since: a list that was once true may still be.
///
/// # Errors
/// As [`check_last_build`].
pub fn check_any_build(
    sources: &Sources<'_>,
    service: &Service,
    split: &Split,
) -> Result<(), SplitError> {
    check(sources, service, &Content::of(split), Age::Any)
}

/// [`check_any_build`] of a draft.
pub(super) fn check_draft(
    sources: &Sources<'_>,
    service: &Service,
    draft: &Draft,
) -> Result<(), SplitError> {
    check(sources, service, &Content::of_draft(draft), Age::Any)
}

/// Whether the last build of a service left a list.
pub(super) fn has_list(workspace: &Workspace, service: &Service) -> bool {
    list_of(workspace, service).exists()
}

fn list_of(workspace: &Workspace, service: &Service) -> PathBuf {
    let kept = workspace.target_directory.join("lighter").join("inputs");
    kept.join(format!("{}.d", service.name))
}

/// Which lists are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Age {
    /// Those that no source is newer than.
    Current,
    /// All. Times are those of files, and a checkout of another branch and back makes all of them new.
    Any,
}

fn check(
    sources: &Sources<'_>,
    service: &Service,
    has: &Content<'_>,
    age: Age,
) -> Result<(), SplitError> {
    let Some((read, when)) = read_list(&list_of(sources.workspace, service)) else {
        return Ok(());
    };
    if age == Age::Current && has.is_newer(sources, when) {
        return Ok(());
    }
    let package = sources.workspace.package_of(service);
    for path in read {
        let path = normalized(&sources.workspace.root.join(path));
        if !is_source(sources, &path) {
            continue;
        }
        if path.is_file() && !has.file(&path) {
            return Err(unforeseen(sources, service, &path, ""));
        }
        // Whoever watches a directory that holds the package watches everything.
        let is_whole = || {
            let mut below = sources.below(&path).into_iter();
            package.directory.starts_with(&path) || below.all(|inner| has.file(&inner))
        };
        if path.is_dir() && !is_whole() {
            return Err(unforeseen(sources, service, &path, "/**"));
        }
    }
    Ok(())
}

fn unforeseen(sources: &Sources<'_>, service: &Service, path: &Path, all: &str) -> SplitError {
    let package = sources.workspace.package_of(service);
    let root = &sources.workspace.root;
    let input = input_of(path, &package.directory, root);
    SplitError::Unforeseen {
        service: service.name.clone(),
        path: relative(path, root),
        input: format!("{input}{all}"),
    }
}

/// Whether a path is one that somebody wrote: in the repository or beside a path dependency, not made by
/// this build, nor git's own. What else lies in the target directory was made by something else.
fn is_source(sources: &Sources<'_>, path: &Path) -> bool {
    let git = Component::Normal(".git".as_ref());
    let made = normalized(&sources.workspace.target_directory);
    let is_own = path.strip_prefix(&made).is_ok_and(is_of_build);
    sources.is_inside(path) && !is_own && !path.components().any(|part| part == git)
}

/// Whether a path in the target directory is one that cargo gives to build scripts and macros, or one
/// that this program makes.
fn is_of_build(inside: &Path) -> bool {
    let mut parts = inside.components().map(Component::as_os_str);
    let is_ours = inside.starts_with("lighter");
    let in_build = parts.any(|part| part == "build") && parts.any(|part| part == "out");
    is_ours || in_build
}

/// What a split has, by the paths of the workspace.
struct Content<'a> {
    files: BTreeSet<PathBuf>,
    copied: BTreeSet<&'a Path>,
    /// Directories of which it has what it needs.
    vendored: Option<&'a BTreeSet<PathBuf>>,
    packages: &'a BTreeSet<usize>,
}

impl<'a> Content<'a> {
    fn of(split: &'a Split) -> Self {
        let copied = split.files.values().filter_map(|file| match file {
            SplitFile::Copy { from, .. } => Some(from.as_path()),
            _ => None,
        });
        let files = split.files.keys();
        Self {
            files: files.map(|path| split.origin.join(path)).collect(),
            copied: copied.collect(),
            vendored: None,
            packages: &split.packages,
        }
    }

    fn of_draft(draft: &'a Draft) -> Self {
        let copied = draft.files.values().filter_map(|drafted| match drafted {
            Drafted::From(real) => Some(real.as_path()),
            Drafted::Text(_) => None,
        });
        Self {
            files: draft.files.keys().cloned().collect(),
            copied: copied.collect(),
            vendored: Some(&draft.vendored),
            packages: &draft.packages,
        }
    }

    fn file(&self, path: &Path) -> bool {
        let is_vendored = |path: &Path| {
            let mut vendored = self.vendored.into_iter().flatten();
            vendored.any(|directory| path.starts_with(directory))
        };
        let has = |path: &Path| {
            self.files.contains(path) || self.copied.contains(path) || is_vendored(path)
        };
        has(path) || path.canonicalize().is_ok_and(|real| has(&real))
    }

    /// Whether anything that the split is made from is newer than the list.
    fn is_newer(&self, sources: &Sources<'_>, when: SystemTime) -> bool {
        let workspace = sources.workspace;
        let manifests = self.packages.iter();
        let manifests = manifests.map(|index| sources.package(*index).manifest.as_path());
        let lock = workspace.root.join("Cargo.lock");
        let copied = self.copied.iter().copied();
        copied
            .chain(manifests)
            .chain([workspace.manifest.as_path(), &lock])
            .any(|path| modified(path).is_none_or(|time| time > when))
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs_err::metadata(path).ok()?.modified().ok()
}

/// The paths in a list of a build, and when it was written. What cannot be read tells nothing.
fn read_list(path: &Path) -> Option<(Vec<PathBuf>, SystemTime)> {
    let file = fs_err::File::open(path).ok()?;
    let when = modified(path)?;
    let mut bytes = Vec::new();
    file.take(MAX_LIST).read_to_end(&mut bytes).ok()?;
    Some((prerequisites(&bytes), when))
}

/// What the rules of a makefile depend on, in their order: after the first colon that ends a word, words
/// that end at blanks. A backslash keeps a blank in a word, and joins lines.
fn prerequisites(rules: &[u8]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut word = Vec::new();
    let mut after_colon = false;
    let mut in_comment = false;
    let mut bytes = rules.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        let at_end = matches!(bytes.peek(), None | Some(b' ' | b'\t' | b'\r' | b'\n'));
        match byte {
            b'\n' => {
                finish(&mut word, after_colon, &mut found);
                (after_colon, in_comment) = (false, false);
            }
            _ if in_comment => {}
            b'#' if word.is_empty() && !after_colon => in_comment = true,
            b'\\' if bytes.peek() == Some(&b' ') => word.extend(bytes.next()),
            b'\\' if bytes.peek() == Some(&b'\n') => {
                bytes.next();
                finish(&mut word, after_colon, &mut found);
            }
            b' ' | b'\t' | b'\r' => finish(&mut word, after_colon, &mut found),
            b':' if !after_colon && at_end => {
                word.clear();
                after_colon = true;
            }
            _ => word.push(byte),
        }
    }
    finish(&mut word, after_colon, &mut found);
    found
}

fn finish(word: &mut Vec<u8>, counts: bool, found: &mut Vec<PathBuf>) {
    let word = std::mem::take(word);
    if counts && !word.is_empty() {
        found.push(PathBuf::from(std::ffi::OsString::from_vec(word)));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(text: &str) -> Vec<PathBuf> {
        prerequisites(text.as_bytes())
    }

    #[test]
    fn rules_are_read_as_cargo_and_rustc_write_them() {
        let paths = |texts: &[&str]| texts.iter().map(PathBuf::from).collect::<Vec<_>>();
        assert_eq!(
            told("/t/a\\ b/svc: /w/svc/src/main.rs /w/svc/../as\\ sets/x\n"),
            paths(&["/w/svc/src/main.rs", "/w/svc/../as sets/x"])
        );
        assert_eq!(
            told("one: a \\\n  b\n\ntwo: a:b\n\na:\n# env-dep:X=y: z\nthree:"),
            paths(&["a", "b", "a:b"])
        );
        assert_eq!(told("no rule at all"), paths(&[]));
    }

    proptest! {
        #[test]
        fn foreign_lists_never_panic(bytes: Vec<u8>) {
            let _ = prerequisites(&bytes);
        }

        #[test]
        fn every_path_comes_back(paths in proptest::collection::vec("/[a-zA-Z .:\\-]{0,8}[a-z]", 0..6)) {
            let mut text = "/t/x y".replace(' ', "\\ ") + ":";
            for path in &paths {
                text.push(' ');
                text.push_str(&path.replace(' ', "\\ "));
            }
            let paths: Vec<PathBuf> = paths.into_iter().map(PathBuf::from).collect();
            prop_assert_eq!(told(&text), paths);
        }
    }
}

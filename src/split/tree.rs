//! A split: all its files, by their paths in it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::SplitError;
use super::closure::closure;
use super::draft::{Draft, Drafted, Request, draft};
use super::listing::FileKind;
use super::lock::{Minimised, minimise};
use super::observed::check_last_build;
use super::sources::{Origin, Sources, View, read_text};
use super::vendored::vendored_files;
use crate::cargo::{LockedPackage, Lockfile};
use crate::fs::{normalized, relative};

/// The standalone workspace of one service.
#[derive(Debug, Clone)]
pub struct Split {
    /// The service.
    pub service: String,
    /// How much of each package it has.
    pub view: View,
    /// The directory of the repository that its root stands for.
    pub origin: PathBuf,
    /// Its root manifest, relative to its root.
    pub manifest: PathBuf,
    /// The profile that its service is built with.
    pub profile: String,
    /// Its files, by their paths relative to its root.
    pub files: BTreeMap<PathBuf, SplitFile>,
    /// Those of its files that are cargo's configuration or name the toolchain.
    pub settings: BTreeSet<PathBuf>,
    /// Its lock.
    pub lock: Lockfile,
    /// The local packages in it: indices into the workspace's.
    pub packages: BTreeSet<usize>,
    /// Variables of the environment that its sources read while they are compiled.
    pub variables: BTreeSet<String>,
    /// Whether one of its sources links native libraries by itself.
    pub links_native: bool,
    /// Packages whose build asks git: what it answers is in no file.
    pub asking_git: BTreeSet<String>,
    /// Files that programs take in as they are, though a split or a key has them in another form, each with
    /// the package that names it by itself.
    pub embedded: BTreeMap<PathBuf, Option<String>>,
}

/// A file of a split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SplitFile {
    /// A copy of a file of the repository.
    Copy {
        /// The file.
        from: PathBuf,
        /// Whether its owner may execute it.
        executable: bool,
    },
    /// Text of our own: manifests and the lock.
    Text(String),
    /// A link to something else in the split.
    Link(PathBuf),
}

impl Split {
    /// The files of the repository that it is made from, absolute and sorted: what is copied, and the
    /// manifests and the lock that its own texts come from.
    pub fn sources(&self) -> BTreeSet<PathBuf> {
        let files = self.files.iter();
        files
            .map(|(path, file)| match file {
                SplitFile::Copy { from, .. } => from.clone(),
                SplitFile::Text(_) | SplitFile::Link(_) => self.origin.join(path),
            })
            .collect()
    }
}

impl Split {
    /// Refuses a split of which another program would be built: one that has a file in another form than a
    /// source takes in.
    ///
    /// # Errors
    /// [`SplitError::Altered`], or an error of reading the file.
    pub fn refuse_altered(&self) -> Result<(), SplitError> {
        for (path, package) in &self.embedded {
            let Some(package) = package else { continue };
            let inside = path.strip_prefix(&self.origin).ok();
            let file = inside.and_then(|inside| self.files.get(inside));
            if let Some(SplitFile::Text(text)) = file
                && *text != read_text(path)?
            {
                let workspace = self.origin.join(&self.manifest);
                let root = workspace.parent().unwrap_or(Path::new("/"));
                return Err(SplitError::Altered {
                    package: package.clone(),
                    path: relative(path, root),
                });
            }
        }
        Ok(())
    }
}

/// Splits a service off.
///
/// # Errors
/// [`SplitError`] naming what keeps it from being whole.
pub fn split(sources: &Sources<'_>, request: &Request<'_>) -> Result<Split, SplitError> {
    let (draft, minimised) = draft_with_lock(sources, request)?;
    let service = &request.service.name;
    let mut files = BTreeMap::new();
    let mut add = |path: &Path, file: SplitFile| {
        if let Ok(inside) = path.strip_prefix(&draft.root) {
            files.insert(inside.to_owned(), file);
        }
    };
    let present = Present::of(&draft);
    for (path, drafted) in &draft.files {
        // A link to a directory that has files of its own here, such as those of a package that is
        // reached through it.
        if present.has_directory(path) {
            continue;
        }
        match drafted {
            Drafted::Text(text) => add(path, SplitFile::Text(text.clone())),
            Drafted::From(real) => {
                for (path, file) in copied(sources, service, &present, path, real)? {
                    add(&path, file);
                }
            }
        }
    }
    for path in vendored_files(&draft.vendored, &minimised.lock)? {
        add(&path, copy(&path)?);
    }
    let lock = sources.workspace.root.join("Cargo.lock");
    add(&lock, SplitFile::Text(minimised.text));
    refuse_case_clashes(files.keys())?;
    let settings = settings(sources, &draft.root);
    let split = Split {
        service: service.clone(),
        view: request.view,
        profile: request.config.profile.value.clone(),
        manifest: relative(&sources.workspace.manifest, &draft.root),
        origin: draft.root,
        files,
        settings,
        lock: minimised.lock,
        packages: draft.packages,
        variables: draft.variables,
        links_native: draft.links_native,
        asking_git: draft.asking_git,
        embedded: draft.embedded,
    };
    if sources.origin == Origin::Checkout {
        check_last_build(sources, request.service, &split)?;
    }
    Ok(split)
}

/// Configuration and toolchain files, relative to the split's root.
fn settings(sources: &Sources<'_>, root: &Path) -> BTreeSet<PathBuf> {
    let settings = &sources.settings;
    let configuration = settings.configuration.iter().map(|file| &file.path);
    let all = configuration.chain(&settings.toolchain);
    all.filter_map(|path| Some(path.strip_prefix(root).ok()?.to_owned()))
        .collect()
}

/// A draft that has exactly the patches and packages that its lock needs, and the lock.
fn draft_with_lock(
    sources: &Sources<'_>,
    request: &Request<'_>,
) -> Result<(Draft, Minimised), SplitError> {
    let start = request.service.package;
    let reachable = closure(sources, &sources.lock, start, request.view)?;
    let needed: Vec<&LockedPackage> = reachable
        .locked
        .iter()
        .map(|index| &sources.lock.packages[*index])
        .collect();
    let rough = draft(sources, request, &reachable, &needed)?;
    let mut minimised = minimise(sources, request, &rough)?;
    let exact = closure(sources, &minimised.lock, start, request.view)?;
    if exact.packages == reachable.packages && has_same_packages(&needed, &minimised.lock) {
        return Ok((rough, minimised));
    }
    let needed: Vec<&LockedPackage> = minimised.lock.packages.iter().collect();
    let fine = draft(sources, request, &exact, &needed)?;
    if fine.packages != rough.packages || fine.patches != rough.patches {
        minimised = minimise(sources, request, &fine)?;
    }
    Ok((fine, minimised))
}

/// Whether a lock has just these packages: a draft for it would then be the same.
fn has_same_packages(packages: &[&LockedPackage], lock: &Lockfile) -> bool {
    fn places<'a>(packages: impl Iterator<Item = &'a LockedPackage>) -> BTreeSet<Place<'a>> {
        packages
            .map(|package| (&*package.name, &*package.version, package.source.as_deref()))
            .collect()
    }
    places(packages.iter().copied()) == places(lock.packages.iter())
}

type Place<'a> = (&'a str, &'a str, Option<&'a str>);

/// What a draft has, to know which links lead to something in it.
struct Present<'a> {
    draft: &'a Draft,
    directories: HashSet<&'a OsStr>,
}

impl<'a> Present<'a> {
    fn of(draft: &'a Draft) -> Self {
        let mut directories = HashSet::new();
        for path in draft.files.keys() {
            let mut above = path.ancestors().skip(1);
            while above
                .next()
                .is_some_and(|path| directories.insert(path.as_os_str()))
            {}
        }
        Self { draft, directories }
    }

    fn has_directory(&self, path: &Path) -> bool {
        self.directories.contains(path.as_os_str())
    }

    /// Whether `link` may stay one to `target`: all that it leads to is there.
    fn has(&self, sources: &Sources<'_>, link: &Path, target: &Path) -> bool {
        if self.draft.files.contains_key(target) {
            return true;
        }
        // A link to a directory that it lies in would be copied into itself.
        let is_whole = || {
            let mut below = sources.below(target).into_iter();
            link.starts_with(target) || below.all(|path| self.draft.files.contains_key(&path))
        };
        self.has_directory(target) && is_whole()
    }
}

/// What stands at `path` in a split for the file or link `real` of the repository: a link stays one if
/// it leads to something in the split, and becomes what it leads to if that is in the repository.
fn copied(
    sources: &Sources<'_>,
    service: &str,
    present: &Present<'_>,
    path: &Path,
    real: &Path,
) -> Result<Vec<(PathBuf, SplitFile)>, SplitError> {
    // The listing has looked at all files but those that git ignores and the configuration names.
    let executable = match sources.kind(real) {
        Some(FileKind::Regular) => Some(false),
        Some(FileKind::Executable) => Some(true),
        Some(FileKind::Symlink) | None => None,
    };
    if let Some(executable) = executable {
        let from = real.to_owned();
        return Ok(vec![(
            path.to_owned(),
            SplitFile::Copy { from, executable },
        )]);
    }
    if !fs_err::symlink_metadata(real)?.is_symlink() {
        return Ok(vec![(path.to_owned(), copy(real)?)]);
    }
    let held = fs_err::read_link(real)?;
    let directory = path.parent().unwrap_or(Path::new("/"));
    let target = normalized(&directory.join(&held));
    let stays = target.starts_with(&present.draft.root) && present.has(sources, path, &target);
    if held.is_relative() && stays {
        return Ok(vec![(path.to_owned(), SplitFile::Link(held))]);
    }
    let link = || (service.to_owned(), real.to_owned(), held.clone());
    let Ok(arrives) = fs_err::canonicalize(real) else {
        let (service, link, target) = link();
        return Err(SplitError::DanglingLink {
            service,
            link,
            target,
        });
    };
    if !sources.is_inside(&arrives) {
        let (service, link, target) = link();
        return Err(SplitError::EscapingLink {
            service,
            link,
            target,
        });
    }
    if arrives.is_file() {
        return Ok(vec![(path.to_owned(), copy(&arrives)?)]);
    }
    let mut files = Vec::new();
    for inner in sources.below(&arrives) {
        // Links in a directory that a link leads to are followed to their ends.
        let Ok(end) = fs_err::canonicalize(&inner) else {
            continue;
        };
        if end.is_file() && sources.is_inside(&end) {
            let rest = relative(&inner, &arrives);
            files.push((path.join(rest), copy(&end)?));
        }
    }
    Ok(files)
}

fn copy(from: &Path) -> Result<SplitFile, SplitError> {
    let metadata = fs_err::metadata(from)?;
    if !metadata.is_file() {
        return Err(SplitError::NotAFile(from.to_owned()));
    }
    let mode = metadata.permissions().mode();
    Ok(SplitFile::Copy {
        from: from.to_owned(),
        executable: mode & 0o100 != 0,
    })
}

/// Two paths that are one on a file system where case does not count cannot both be written there.
fn refuse_case_clashes<'a>(paths: impl Iterator<Item = &'a PathBuf>) -> Result<(), SplitError> {
    let mut known: HashSet<&OsStr> = HashSet::new();
    let mut folded: HashMap<OsString, &Path> = HashMap::new();
    for path in paths {
        for part in path.ancestors().filter(|part| !part.as_os_str().is_empty()) {
            if !known.insert(part.as_os_str()) {
                break;
            }
            // Case means something in texts only.
            let small = match part.to_str() {
                Some(text) => text.to_lowercase().into(),
                None => part.as_os_str().to_owned(),
            };
            let first = folded.entry(small).or_insert(part);
            if *first != part {
                return Err(SplitError::CaseClash {
                    first: first.to_path_buf(),
                    second: part.to_owned(),
                });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt as _;

    use super::*;

    fn clash(names: &[&[u8]]) -> bool {
        let paths: Vec<PathBuf> = names
            .iter()
            .map(|name| PathBuf::from(OsStr::from_bytes(name)))
            .collect();
        refuse_case_clashes(paths.iter()).is_err()
    }

    #[test]
    fn only_texts_differ_in_case() {
        assert!(clash(&[b"a/B.rs", b"a/b.rs"]));
        assert!(clash(&[b"A/b.rs", b"a/c.rs"]));
        assert!(!clash(&[b"a/b.rs", b"a/c.rs"]));
        assert!(!clash(&[b"a\xfe", b"a\xff"]));
    }
}

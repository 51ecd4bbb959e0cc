//! The lock of a split: made smaller by cargo itself, then proven to be a part of the workspace's.
//!
//! A lock's dependency lists hold the union of the features that all members turn on, so that what is
//! reachable in the workspace's lock is more than the split needs, and `--locked` refuses it. Only
//! cargo's resolver knows better.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::SplitError;
use super::draft::{Draft, Drafted, Request};
use super::sources::{Part, Sources, read_text};
use crate::cargo::{self, Lockfile};
use crate::digest::{Digest, HashingWriter};
use crate::fs::write_atomic;
use crate::process::temporary_directory;
use crate::workspace::Purpose;

/// Counts up when a lock that was kept would be made otherwise today.
const FORMAT: &str = "lock 2";
/// Of kept locks, those that were needed last.
const MAX_KEPT: usize = 2000;
/// What nobody needed for so long is forgotten.
const MAX_AGE: Duration = Duration::from_hours(30 * 24);

/// A lock that is a part of the workspace's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Minimised {
    pub(super) text: String,
    pub(super) lock: Lockfile,
}

/// Makes the lock of `draft`, in a directory outside of the repository that holds manifests and empty
/// sources only.
pub(super) fn minimise(
    sources: &Sources<'_>,
    request: &Request<'_>,
    draft: &Draft,
) -> Result<Minimised, SplitError> {
    let service = &request.service.name;
    let skeleton = Skeleton::of(sources, request, draft)?;
    let kept = sources.cache.as_ref().map(|cache| {
        let name = skeleton.digest(sources).hex();
        cache.join("locks").join(name)
    });
    let known = kept.as_deref().and_then(read_kept);
    let text = match &known {
        Some(text) => text.clone(),
        None => skeleton.minimised(sources, service)?,
    };
    let lock = Lockfile::parse(&text)?;
    let beyond = lock.beyond(&sources.lock);
    if !beyond.is_empty() {
        return Err(SplitError::NotSubset {
            service: service.clone(),
            beyond,
        });
    }
    if let (Some(path), None) = (kept, known) {
        keep(&path, &text);
    }
    Ok(Minimised { text, lock })
}

/// The files that cargo needs to resolve a split, by their paths relative to its root.
#[derive(Debug)]
struct Skeleton {
    /// Where the root manifest is.
    workspace: PathBuf,
    texts: BTreeMap<PathBuf, String>,
    /// Sources that must exist and may be empty.
    stubs: Vec<PathBuf>,
    /// Directories of vendored crates, and where they are.
    vendored: Vec<(PathBuf, PathBuf)>,
}

impl Skeleton {
    fn of(sources: &Sources<'_>, request: &Request<'_>, draft: &Draft) -> Result<Self, SplitError> {
        let inside = |path: &Path| path.strip_prefix(&draft.root).map(Path::to_owned).ok();
        let settings = &sources.settings;
        let mut texts = BTreeMap::new();
        for (path, drafted) in &draft.files {
            let Some(relative) = inside(path) else {
                continue;
            };
            let is_setting = settings.toolchain.as_ref() == Some(path)
                || settings.configuration.iter().any(|file| file.path == *path);
            match drafted {
                Drafted::Text(text) => texts.insert(relative, text.clone()),
                Drafted::From(real) if is_setting => texts.insert(relative, read_text(real)?),
                Drafted::From(_) => None,
            };
        }
        let with_development = sources.has_development(request.view);
        let targets = draft.packages.iter().flat_map(|index| {
            let package = sources.package(*index);
            let part = Part::of(*index, request.service, request.view);
            let left_out = part.left_out(package);
            let targets = package.targets.iter();
            targets.filter(move |target| {
                let is_development = target.purpose == Purpose::Development;
                !left_out.contains(target) && (with_development || !is_development)
            })
        });
        let mut stubs: Vec<PathBuf> = targets
            .filter_map(|target| inside(&target.source))
            .collect();
        stubs.sort();
        stubs.dedup();
        let vendored = draft.vendored.iter();
        Ok(Self {
            workspace: inside(&sources.workspace.root).unwrap_or_default(),
            texts,
            stubs,
            vendored: vendored
                .filter_map(|directory| Some((inside(directory)?, directory.clone())))
                .collect(),
        })
    }

    /// Of everything that decides what cargo makes of `lock`.
    fn digest(&self, sources: &Sources<'_>) -> Digest {
        let mut hasher = HashingWriter::new(std::io::sink());
        let mut add = |text: &[u8]| {
            let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
            // Nothing is written anywhere, so nothing can fail.
            let _ = hasher.write_all(&length.to_be_bytes());
            let _ = hasher.write_all(text);
        };
        add(FORMAT.as_bytes());
        add(sources.lock_text.as_bytes());
        add(sources.resolver().as_bytes());
        add(self.workspace.as_os_str().as_encoded_bytes());
        for (path, text) in &self.texts {
            add(path.as_os_str().as_encoded_bytes());
            add(text.as_bytes());
        }
        for stub in &self.stubs {
            add(stub.as_os_str().as_encoded_bytes());
        }
        for (place, directory) in &self.vendored {
            add(place.as_os_str().as_encoded_bytes());
            add(vendored_crates(directory).as_bytes());
        }
        hasher.finish().1
    }

    /// cargo's lock for the skeleton, in the version of the original.
    fn minimised(&self, sources: &Sources<'_>, service: &str) -> Result<String, SplitError> {
        let directory = tempfile::Builder::new()
            .prefix("cargo-lighter-")
            .tempdir_in(temporary_directory(sources.cargo.environment())?)?;
        // A link on the way to it would make cargo see two names of one file.
        let top = fs_err::canonicalize(directory.path())?;
        for (path, text) in &self.texts {
            write(&top.join(path), text)?;
        }
        for stub in &self.stubs {
            let path = top.join(stub);
            if !path.exists() {
                write(&path, "")?;
            }
        }
        for (link, target) in &self.vendored {
            let link = top.join(link);
            create_parent(&link)?;
            fs_err::os::unix::fs::symlink(target, &link)?;
        }
        let workspace = top.join(&self.workspace);
        let lock = workspace.join("Cargo.lock");
        write(&lock, &sources.lock_text)?;
        cargo::minimise_lock(&sources.cargo, &workspace, &sources.settings.foreign).map_err(
            |source| SplitError::Minimise {
                service: service.to_owned(),
                source,
            },
        )?;
        let text = read_text(&lock)?;
        // An older cargo than the one that ran here may have to read it.
        Ok(cargo::with_version(&text, sources.lock.version).unwrap_or(text))
    }
}

fn write(path: &Path, text: &str) -> Result<(), SplitError> {
    create_parent(path)?;
    Ok(fs_err::write(path, text)?)
}

fn create_parent(path: &Path) -> Result<(), SplitError> {
    if let Some(parent) = path.parent() {
        fs_err::create_dir_all(parent)?;
    }
    Ok(())
}

/// A lock of an earlier run, if it is still what was written: its digest stands before it.
fn read_kept(path: &Path) -> Option<String> {
    let whole = read_text(path).ok()?;
    let (digest, text) = whole.split_once('\n')?;
    let is_whole = Digest::of(text.as_bytes()).to_string() == digest;
    // Its time is when it was needed last, by a day.
    let file = fs_err::OpenOptions::new().write(true).open(path);
    if let Ok(file) = file
        && age(path).is_some_and(|age| age > Duration::from_hours(24))
    {
        let _ = file.file().set_modified(SystemTime::now());
    }
    is_whole.then(|| text.to_owned())
}

fn age(path: &Path) -> Option<Duration> {
    let modified = fs_err::metadata(path).ok()?.modified().ok()?;
    Some(modified.elapsed().unwrap_or_default())
}

/// Removes what nobody needed for a month, and of the rest the oldest beyond `most`. Another run that was
/// about to read one makes it again.
fn forget_old(directory: &Path, most: usize) {
    let entries = fs_err::read_dir(directory).into_iter().flatten().flatten();
    let mut ages: Vec<(Duration, PathBuf)> = entries
        .filter_map(|entry| Some((age(&entry.path())?, entry.path())))
        .collect();
    ages.sort();
    let lasting = ages.iter().take_while(|(age, _)| *age <= MAX_AGE).count();
    for (_, path) in ages.iter().skip(lasting.min(most)) {
        let _ = fs_err::remove_file(path);
    }
}

/// The crates in a directory that stands in for a registry, each with the time of its manifest: cargo
/// takes them for what there is.
fn vendored_crates(directory: &Path) -> String {
    let entries = fs_err::read_dir(directory).into_iter().flatten().flatten();
    let mut lines: Vec<String> = entries
        .map(|entry| {
            let manifest = fs_err::metadata(entry.path().join("Cargo.toml"));
            let times = manifest.map(|it| (it.len(), it.modified().ok())).ok();
            format!("{} {times:?}\n", entry.file_name().display())
        })
        .collect();
    lines.sort();
    lines.concat()
}

/// Keeps a lock for later runs; where that cannot be, they make it again.
fn keep(path: &Path, text: &str) {
    let whole = format!("{}\n{text}", Digest::of(text.as_bytes()));
    if let Some(parent) = path.parent()
        && fs_err::create_dir_all(parent).is_ok()
    {
        let _ = write_atomic(path, whole.as_bytes());
        // Every sixteenth looks after the others.
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('0') {
            forget_old(parent, MAX_KEPT);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_locks_are_bounded_in_number_and_age() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        for (name, days) in [("a", 0), ("b", 1), ("c", 2), ("d", 31)] {
            let path = directory.path().join(name);
            fs_err::write(&path, "").expect("written");
            let file = fs_err::OpenOptions::new().write(true).open(&path);
            let time = SystemTime::now() - Duration::from_hours(24 * days);
            file.expect("there").file().set_modified(time).expect("set");
        }
        let left = || {
            let files = crate::fs::sorted_files(directory.path()).expect("readable");
            let names = files.iter().map(|file| file.relative.display().to_string());
            names.collect::<Vec<_>>()
        };
        forget_old(directory.path(), 9);
        assert_eq!(left(), ["a", "b", "c"]);
        forget_old(directory.path(), 2);
        assert_eq!(left(), ["a", "b"]);
    }

    #[test]
    fn a_lock_that_is_needed_again_is_young() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("1");
        keep(&path, "text");
        let file = fs_err::OpenOptions::new().write(true).open(&path);
        let time = SystemTime::now() - Duration::from_hours(24 * 29);
        file.expect("there").file().set_modified(time).expect("set");
        assert_eq!(read_kept(&path).as_deref(), Some("text"));
        assert!(age(&path).expect("there") < Duration::from_hours(1));
    }

    #[test]
    fn a_lock_is_made_again_for_other_vendored_crates() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let before = vendored_crates(directory.path());
        let manifest = directory.path().join("x-1.0.0/Cargo.toml");
        write(&manifest, "").expect("written");
        let one = vendored_crates(directory.path());
        assert_ne!(one, before);
        write(&manifest, "more").expect("written");
        assert_ne!(vendored_crates(directory.path()), one);
    }
}

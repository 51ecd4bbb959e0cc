//! The lock of a split: made smaller by cargo itself, then proven to be a part of the workspace's.
//!
//! A lock's dependency lists hold the union of the features that all members turn on, so that what is
//! reachable in the workspace's lock is more than the split needs, and `--locked` refuses it. Only
//! cargo's resolver knows better.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::SplitError;
use super::draft::{Draft, Drafted, Request};
use super::sources::{Part, Sources, read_text};
use crate::cargo::{self, Lockfile};
use crate::digest::{Digest, HashingWriter};
use crate::fs::write_atomic;
use crate::process::temporary_directory;
use crate::workspace::Purpose;

/// Counts up when a lock that was kept would be made otherwise today.
const FORMAT: &str = "lock 1";

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
        let name = skeleton.digest(&sources.lock_text).hex();
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
    fn digest(&self, lock: &str) -> Digest {
        let mut hasher = HashingWriter::new(std::io::sink());
        let mut add = |text: &[u8]| {
            let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
            // Nothing is written anywhere, so nothing can fail.
            let _ = hasher.write_all(&length.to_be_bytes());
            let _ = hasher.write_all(text);
        };
        add(FORMAT.as_bytes());
        add(lock.as_bytes());
        add(self.workspace.as_os_str().as_encoded_bytes());
        for (path, text) in &self.texts {
            add(path.as_os_str().as_encoded_bytes());
            add(text.as_bytes());
        }
        for stub in &self.stubs {
            add(stub.as_os_str().as_encoded_bytes());
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
    (Digest::of(text.as_bytes()).to_string() == digest).then(|| text.to_owned())
}

/// Keeps a lock for later runs; where that cannot be, they make it again.
fn keep(path: &Path, text: &str) {
    let whole = format!("{}\n{text}", Digest::of(text.as_bytes()));
    if let Some(parent) = path.parent()
        && fs_err::create_dir_all(parent).is_ok()
    {
        let _ = write_atomic(path, whole.as_bytes());
    }
}

//! Which files of a repository could be sources: what git tracks or would track.
//!
//! Ignore rules belong to the repository, not to a package, so a listing is made once, at its root.
//! Where there is no git, the same rules are read without it and give the same files.

mod git;
mod walk;

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::io;
use std::ops::Bound;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::cargo::HomeInside;
use crate::fs::{looks_secret, sorted_files};
use crate::hint::Hint;
use crate::process::{Environment, Interrupt, ProgramError};

/// The files of a repository cannot be listed.
#[derive(Debug, thiserror::Error)]
pub enum ListingError {
    /// git refused, and said why.
    #[error("cannot list the files of `{}`: git says: {words}", directory.display())]
    Git {
        /// The repository that was asked for.
        directory: PathBuf,
        /// What git printed.
        words: String,
    },
    /// git could not be run.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// A directory or a file cannot be looked at.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// What was looked at.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
}

impl Hint for ListingError {
    fn hint(&self) -> Option<String> {
        match self {
            // Only this name is the same in every language that git speaks.
            Self::Git { directory, words } if words.contains("safe.directory") => Some(format!(
                "type `git config --global --add safe.directory {}` if you trust it",
                directory.display()
            )),
            Self::Program(error) => error.hint(),
            Self::Git { .. } | Self::Read { .. } => None,
        }
    }
}

/// What a listed file is, its links not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum FileKind {
    /// An ordinary file.
    Regular,
    /// An ordinary file that its owner may execute.
    Executable,
    /// A symbolic link, to whatever.
    Symlink,
}

impl FileKind {
    /// `None` for directories, and for what no version control holds, such as sockets.
    fn of(metadata: &Metadata) -> Option<Self> {
        if metadata.is_symlink() {
            Some(Self::Symlink)
        } else if !metadata.is_file() {
            None
        } else if metadata.permissions().mode() & 0o100 != 0 {
            Some(Self::Executable)
        } else {
            Some(Self::Regular)
        }
    }
}

/// All files below a repository's root that are tracked, or are neither tracked nor ignored. What is not
/// tracked and looks like a secret is no source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listing {
    root: PathBuf,
    /// By absolute path. Paths are ordered by component, so all files below a directory stand together.
    files: BTreeMap<PathBuf, FileKind>,
}

impl Listing {
    /// Lists the files below `root`: the root of a repository or, without git, the directory where
    /// ignore rules begin to hold. Nothing in `excluded` is listed; all these paths are absolute.
    /// Repositories inside `root`, submodules or not, are listed by their own rules. What cargo marked
    /// as its target directory, or keeps in its home, is left out unless it is tracked.
    ///
    /// # Errors
    /// [`ListingError`] where git refuses, a directory cannot be read, or the run is interrupted.
    pub(super) fn read(
        root: &Path,
        excluded: &[PathBuf],
        environment: &Environment,
        interrupt: &Interrupt,
    ) -> Result<Self, ListingError> {
        let has_git = environment.find_program("git").is_some();
        let home = HomeInside::of(environment, root);
        let mut files = Vec::new();
        let mut repositories = vec![root.to_owned()];
        while let Some(repository) = repositories.pop() {
            let found = if has_git && is_repository(&repository) {
                git::files(&repository, &home, environment, interrupt)?
            } else {
                walk::files(&repository, excluded, &home, interrupt)?
            };
            for path in found {
                if interrupt.received().is_some() {
                    return Err(ProgramError::Interrupted.into());
                }
                if excluded.iter().any(|directory| path.starts_with(directory)) {
                    continue;
                }
                let Some(metadata) = look_at(&path)? else {
                    continue;
                };
                if let Some(kind) = FileKind::of(&metadata) {
                    files.push((path, kind));
                } else if metadata.is_dir() && is_repository(&path) {
                    repositories.push(path);
                }
            }
        }
        Ok(Self {
            root: root.to_owned(),
            files: files.into_iter().collect(),
        })
    }

    /// Lists every file below `root`: a tree that holds nothing but what is tracked.
    ///
    /// # Errors
    /// [`ListingError`] where a directory cannot be read.
    pub(super) fn of_tree(root: &Path) -> Result<Self, ListingError> {
        let found = sorted_files(root).map_err(|source| ListingError::Read {
            path: root.to_owned(),
            source,
        })?;
        let mut files = BTreeMap::new();
        for file in found {
            if let Some(kind) = look_at(&file.path)?.as_ref().and_then(FileKind::of) {
                files.insert(file.path, kind);
            }
        }
        Ok(Self {
            root: root.to_owned(),
            files,
        })
    }

    /// The directory that was listed, absolute.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// What stands at `path`, which is absolute; `None` if it is not listed.
    pub(super) fn kind(&self, path: &Path) -> Option<FileKind> {
        self.files.get(path).copied()
    }

    /// All files below `directory`, which is absolute, in order.
    pub(super) fn below<'a>(
        &'a self,
        directory: &Path,
    ) -> impl Iterator<Item = (&'a Path, FileKind)> + use<'a> {
        let directory = directory.to_owned();
        self.files
            .range::<Path, _>((Bound::Excluded(directory.as_path()), Bound::Unbounded))
            .take_while(move |(path, _)| path.starts_with(&directory))
            .map(|(path, kind)| (path.as_path(), *kind))
    }
}

/// Whether git's own directory, or the file that names it, stands in `directory`.
fn is_repository(directory: &Path) -> bool {
    directory.join(".git").symlink_metadata().is_ok()
}

/// `None` if nothing stands at `path`: git also lists what was deleted since.
fn look_at(path: &Path) -> Result<Option<Metadata>, ListingError> {
    match path.symlink_metadata() {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(None)
        }
        Err(source) => Err(ListingError::Read {
            path: path.to_owned(),
            source,
        }),
    }
}

/// Whether a file that nobody put under version control looks as if nobody should: its name, or a private
/// key in a file of a name that keys have. Not every file is read for it.
fn is_secret(path: &Path, root: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let begins = [".", "_", "id_", "credentials"];
    let ends = [".key", ".pem", ".p8"];
    let is_likely = begins.iter().any(|begin| name.starts_with(begin))
        || ends.iter().any(|end| name.ends_with(end));
    is_likely && looks_secret(path, root)
}

/// Whether cargo marked `directory` as one that it can make anew.
fn is_target_directory(directory: &Path) -> bool {
    use std::io::Read as _;
    const SIGNATURE: &str = "Signature: 8a477f597d28d172789f06886806bc55";
    let Ok(file) = fs_err::File::open(directory.join("CACHEDIR.TAG")) else {
        return false;
    };
    let mut text = String::new();
    let read = file.take(1024).read_to_string(&mut text);
    read.is_ok() && text.starts_with(SIGNATURE) && text.contains("created by cargo")
}

#[cfg(test)]
mod tests;

//! Why an asset cannot be shipped.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::fs::TreeError;
use crate::hint::Hint;
use crate::report::printable;

/// An asset that cannot be shipped.
#[derive(Debug, thiserror::Error)]
pub enum AssetError {
    /// Nothing there.
    #[error("the asset `{}` ({origin}) does not exist: no `{}`", printable(.from), shown(.path))]
    Missing {
        /// As written.
        from: String,
        /// Where it is asked for.
        origin: String,
        /// Where it would be.
        path: PathBuf,
    },
    /// A glob that fits nothing.
    #[error("the asset `{}` ({origin}) matches no file below `{}`", printable(.from), shown(.path))]
    NoMatch {
        /// As written.
        from: String,
        /// Where it is asked for.
        origin: String,
        /// Where was looked.
        path: PathBuf,
    },
    /// A path or link that leaves the repository.
    #[error("`{}` leads out of the repository, to `{}`", shown(.path), shown(.target))]
    Outside {
        /// The path.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// A link that leads nowhere.
    #[error("the link `{}` leads nowhere", shown(.path))]
    Dangling {
        /// The link.
        path: PathBuf,
    },
    /// A link to a directory that would lead nowhere in the image.
    #[error("the link `{}` leads to a directory {lost}", shown(.path))]
    LinkedDirectory {
        /// The link.
        path: PathBuf,
        /// Why the image does not have the directory there.
        lost: LostDirectory,
    },
    /// A device, pipe or socket.
    #[error("`{}` is {kind}, not a file", shown(.path))]
    Special {
        /// The path.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// A name that is not UTF-8, which image tools do not agree on.
    #[error("the name of `{}` is not UTF-8", shown(.path))]
    NotUtf8 {
        /// The path, with what is not replaced.
        path: PathBuf,
    },
    /// A path that the image cannot have.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The disk refuses.
    #[error("cannot read an asset")]
    Read(#[from] io::Error),
}

impl AssetError {
    /// Whether the manifest or the files it names must change, rather than this machine.
    pub fn is_configuration(&self) -> bool {
        !matches!(self, Self::Read(_))
    }
}

impl Hint for AssetError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { .. } => Some(
                "`from` is relative to the package; a leading `/` means the workspace root"
                    .to_owned(),
            ),
            Self::Outside { .. } => Some("copy the file into the repository".to_owned()),
            Self::LinkedDirectory { lost, .. } => Some(lost.hint().to_owned()),
            Self::Dangling { .. } | Self::Special { .. } | Self::NotUtf8 { .. } => {
                Some("remove it, or choose other files with a glob".to_owned())
            }
            Self::NoMatch { .. } => {
                Some("`*` stays within one directory, `**` does not: `static/**/*.css`".to_owned())
            }
            Self::Tree(error) => error.hint(),
            Self::Read(_) => None,
        }
    }
}

/// Why an image would not have the directory that a link leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LostDirectory {
    /// It belongs to no asset, or to another.
    Outside,
    /// The asset is a glob, which finds files only.
    Glob,
    /// The link's text is absolute or climbs out of the asset, which stands elsewhere in the image.
    Text,
    /// Nothing in it is shipped.
    Empty,
}

impl fmt::Display for LostDirectory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Outside => "outside of the asset",
            Self::Glob => "and the glob finds only files",
            Self::Text => "by a path that is another in the image",
            Self::Empty => "of which nothing is shipped",
        })
    }
}

impl LostDirectory {
    fn hint(self) -> &'static str {
        match self {
            Self::Outside => "name that directory as an asset of its own",
            Self::Glob => {
                "name a directory that holds both as an asset without a glob, or choose other files"
            }
            Self::Text => "make the link relative, on a path that stays within the asset",
            Self::Empty => "remove the link, or put a file into the directory",
        }
    }
}

fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy())
}

//! Assets: files of the repository that a service reads at run time.
//!
//! Only what git could hold reaches an image: regular files with or without the executable bit, and
//! links that stay inside. Anything that looks like a secret and was not named itself is left out.

use std::fs::FileType;
use std::io::{self, Read as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::config::Asset;
use crate::fs::{Content, FoundFile, ImagePath, Node, Tree, TreeError, sorted_files};
use crate::hint::Hint;

const PLAIN: u32 = 0o644;
const EXECUTABLE: u32 = 0o755;

/// The assets of one service.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Assets {
    /// As they will stand in the image.
    pub tree: Tree,
    /// Files of directories and globs that look like secrets, and are not in the tree.
    pub left_out: Vec<PathBuf>,
}

/// An asset that cannot be shipped.
#[derive(Debug, thiserror::Error)]
pub enum AssetError {
    /// Nothing there.
    #[error("the asset `{from}` ({origin}) does not exist: no `{path}`")]
    Missing {
        /// As written.
        from: String,
        /// Where it is asked for.
        origin: String,
        /// Where it would be.
        path: PathBuf,
    },
    /// A glob that fits nothing.
    #[error("the asset `{from}` ({origin}) matches no file below `{path}`")]
    NoMatch {
        /// As written.
        from: String,
        /// Where it is asked for.
        origin: String,
        /// Where was looked.
        path: PathBuf,
    },
    /// A path or link that leaves the repository.
    #[error("`{path}` leads out of the repository, to `{target}`")]
    Outside {
        /// The path.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// A link that leads nowhere.
    #[error("the link `{path}` leads nowhere")]
    Dangling {
        /// The link.
        path: PathBuf,
    },
    /// A link to a directory that the asset does not hold.
    #[error("the link `{path}` leads to a directory outside of the asset")]
    LinkedDirectory {
        /// The link.
        path: PathBuf,
    },
    /// A device, pipe or socket.
    #[error("`{path}` is {kind}, not a file")]
    Special {
        /// The path.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// A name that is not UTF-8, which image tools do not agree on.
    #[error("the name of `{path}` is not UTF-8")]
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
            Self::LinkedDirectory { .. } => {
                Some("name that directory as an asset of its own".to_owned())
            }
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

/// Finds the files of `assets`, none of them outside of `repository`.
///
/// # Errors
/// [`AssetError`] for the first asset that cannot be shipped.
pub fn collect_assets(assets: &[Asset], repository: &Path) -> Result<Assets, AssetError> {
    let repository = fs_err::canonicalize(repository)?;
    let mut collected = Assets::default();
    for asset in assets {
        Collector {
            asset,
            repository: &repository,
            collected: &mut collected,
        }
        .collect()?;
    }
    let Assets { tree, left_out } = &mut collected;
    left_out.sort();
    left_out.dedup();
    left_out.retain(|path| !holds(tree, path));
    Ok(collected)
}

struct Collector<'a> {
    asset: &'a Asset,
    repository: &'a Path,
    collected: &'a mut Assets,
}

impl Collector<'_> {
    fn collect(&mut self) -> Result<(), AssetError> {
        let source = &self.asset.from;
        let Ok(metadata) = source.path.metadata() else {
            if source.path.is_symlink() {
                return Err(AssetError::Dangling {
                    path: source.path.clone(),
                });
            }
            return Err(AssetError::Missing {
                from: source.text.clone(),
                origin: self.asset.origin.to_string(),
                path: source.path.clone(),
            });
        };
        let base = self.inside(&source.path)?;
        let matcher = source.matcher().map_err(io::Error::other)?;
        match matcher {
            Some(matcher) => {
                let found = sorted_files(&base)?;
                let matching: Vec<&FoundFile> = found
                    .iter()
                    .filter(|file| matcher.is_match(&file.relative))
                    .collect();
                if matching.is_empty() {
                    return Err(AssetError::NoMatch {
                        from: source.text.clone(),
                        origin: self.asset.origin.to_string(),
                        path: source.path.clone(),
                    });
                }
                matching
                    .into_iter()
                    .try_for_each(|file| self.add_unless_secret(file, &base))
            }
            None if metadata.is_dir() => {
                for file in sorted_files(&base)? {
                    if !is_git(&file.relative) {
                        self.add_unless_secret(&file, &base)?;
                    }
                }
                Ok(())
            }
            None => self.add_single(&source.path),
        }
    }

    /// A file named by itself.
    fn add_single(&mut self, path: &Path) -> Result<(), AssetError> {
        let to = match path.file_name() {
            Some(name) if self.asset.into_directory => self
                .asset
                .to
                .join(utf8(Path::new(name))?)
                .map_err(TreeError::from)?,
            _ => self.asset.to.clone(),
        };
        let real = self.inside(path)?;
        self.insert_file(to, &real)
    }

    /// A file found below `base`, unless it looks like a secret and nobody wrote its name.
    fn add_unless_secret(&mut self, file: &FoundFile, base: &Path) -> Result<(), AssetError> {
        let glob = self.asset.from.glob.as_deref();
        let written = glob.and_then(|glob| glob.rsplit('/').next()).map(Path::new);
        let is_named = written.is_some() && written == file.relative.file_name().map(Path::new);
        if looks_secret(&file.path) && !is_named {
            self.collected.left_out.push(file.path.clone());
            return Ok(());
        }
        self.add(file, base)
    }

    /// A file found below `base`.
    fn add(&mut self, file: &FoundFile, base: &Path) -> Result<(), AssetError> {
        let to = self
            .asset
            .to
            .join(utf8(&file.relative)?)
            .map_err(TreeError::from)?;
        let kind = fs_err::symlink_metadata(&file.path)?.file_type();
        if !kind.is_symlink() {
            return self.insert_file(to, &file.path);
        }
        let real = self.inside(&file.path)?;
        let target = fs_err::read_link(&file.path)?;
        if self.asset.from.glob.is_none() && target.is_relative() && real.starts_with(base) {
            let target = utf8(&target)?.to_owned();
            return Ok(self.collected.tree.insert(to, Node::Symlink { target })?);
        }
        if real.is_dir() {
            return Err(AssetError::LinkedDirectory {
                path: file.path.clone(),
            });
        }
        self.insert_file(to, &real)
    }

    fn insert_file(&mut self, to: ImagePath, path: &Path) -> Result<(), AssetError> {
        let metadata = fs_err::metadata(path)?;
        if let Some(kind) = special(metadata.file_type()) {
            return Err(AssetError::Special {
                path: path.to_owned(),
                kind,
            });
        }
        let executable = metadata.permissions().mode() & 0o111 != 0;
        let mode = self
            .asset
            .mode
            .unwrap_or(if executable { EXECUTABLE } else { PLAIN });
        Ok(self.collected.tree.insert(
            to,
            Node::File {
                mode,
                content: Content::File(path.to_owned()),
            },
        )?)
    }

    /// Where a path really leads, which must be inside the repository.
    fn inside(&self, path: &Path) -> Result<PathBuf, AssetError> {
        let real = match path.canonicalize() {
            Ok(real) => real,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(AssetError::Dangling {
                    path: path.to_owned(),
                });
            }
            Err(error) => return Err(error.into()),
        };
        if real.starts_with(self.repository) {
            Ok(real)
        } else {
            Err(AssetError::Outside {
                path: path.to_owned(),
                target: real,
            })
        }
    }
}

/// Whether another asset names the file.
fn holds(tree: &Tree, file: &Path) -> bool {
    tree.iter().any(
        |(_, node)| matches!(node, Node::File { content: Content::File(path), .. } if path == file),
    )
}

fn utf8(path: &Path) -> Result<&str, AssetError> {
    path.to_str().ok_or_else(|| AssetError::NotUtf8 {
        path: PathBuf::from(path.to_string_lossy().into_owned()),
    })
}

fn special(kind: FileType) -> Option<&'static str> {
    if kind.is_block_device() || kind.is_char_device() {
        Some("a device")
    } else if kind.is_fifo() {
        Some("a pipe")
    } else if kind.is_socket() {
        Some("a socket")
    } else if kind.is_dir() {
        Some("a directory")
    } else {
        None
    }
}

fn is_git(relative: &Path) -> bool {
    relative
        .components()
        .any(|component| component.as_os_str() == ".git")
}

/// Whether a file that nobody named holds credentials by its name, or a private key by its content.
fn looks_secret(path: &Path) -> bool {
    const NAMES: [&str; 7] = [
        ".env",
        ".netrc",
        ".npmrc",
        ".pgpass",
        "id_rsa",
        "id_ed25519",
        "credentials.toml",
    ];
    const HEAD: u64 = 4096;
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    if NAMES.contains(&name.as_str()) || name.starts_with(".env.") {
        return true;
    }
    if !path
        .extension()
        .is_some_and(|extension| extension == "pem" || extension == "key")
    {
        return false;
    }
    let regular = path
        .symlink_metadata()
        .is_ok_and(|metadata| metadata.is_file());
    let mut head = Vec::new();
    let read = regular
        && fs_err::File::open(path)
            .is_ok_and(|file| file.take(HEAD).read_to_end(&mut head).is_ok());
    read && String::from_utf8_lossy(&head).contains("PRIVATE KEY-----")
}

//! From what a manifest names to files in an image.

use std::fs::FileType;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Component, Path, PathBuf};

use super::{AssetError, LostDirectory};
use crate::config::Asset;
use crate::fs::{
    Content, FoundFile, ImagePath, Node, Tree, TreeError, looks_secret, sorted_files_where,
};

const PLAIN: u32 = 0o644;
const EXECUTABLE: u32 = 0o755;
const GIT: &str = ".git";

/// The assets of one service.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Assets {
    /// As they will stand in the image.
    pub tree: Tree,
    /// Files of directories and globs that look like secrets, and are not in the tree.
    pub left_out: Vec<PathBuf>,
}

/// Finds the files of `assets`, none of them outside of `repository`. Directories and globs find
/// nothing in git's directories or in cargo's `target_directory`, unless they begin in one.
///
/// # Errors
/// [`AssetError`] for the first asset that cannot be shipped.
pub fn collect_assets(
    assets: &[Asset],
    repository: &Path,
    target_directory: &Path,
) -> Result<Assets, AssetError> {
    let repository = fs_err::canonicalize(repository)?;
    // Nothing is in it before the first build.
    let target_directory = target_directory
        .canonicalize()
        .unwrap_or_else(|_| target_directory.to_owned());
    let mut collected = Assets::default();
    for asset in assets {
        Collector {
            asset,
            repository: &repository,
            target_directory: &target_directory,
            collected: &mut collected,
            links: Vec::new(),
        }
        .collect()?;
    }
    let Assets { tree, left_out } = &mut collected;
    left_out.sort();
    left_out.dedup();
    left_out.retain(|path| !holds(tree, path));
    Ok(collected)
}

/// A link that may stay one.
struct Link {
    /// The link on this machine.
    path: PathBuf,
    /// Where it stands in the image.
    to: ImagePath,
    target: String,
    /// What it leads to on this machine.
    real: PathBuf,
    /// The same in the image.
    arrives: ImagePath,
}

struct Collector<'a> {
    asset: &'a Asset,
    repository: &'a Path,
    target_directory: &'a Path,
    collected: &'a mut Assets,
    /// Links of this asset, until all its files are there.
    links: Vec<Link>,
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
        let Some(matcher) = matcher else {
            if !metadata.is_dir() {
                return self.add_single(&source.path);
            }
            for file in self.files(&base)? {
                self.add_unless_secret(&file, &base)?;
            }
            return self.add_links();
        };
        let mut found = self.files(&base)?;
        found.retain(|file| matcher.is_match(&file.relative));
        if found.is_empty() {
            return Err(AssetError::NoMatch {
                from: source.text.clone(),
                origin: self.asset.origin.to_string(),
                path: source.path.clone(),
            });
        }
        found
            .iter()
            .try_for_each(|file| self.add_unless_secret(file, &base))
    }

    /// All that is below `base`, but for what git and cargo keep there.
    fn files(&self, base: &Path) -> Result<Vec<FoundFile>, AssetError> {
        let in_target = base.starts_with(self.target_directory);
        let found = sorted_files_where(base, |path| {
            let is_target = path == self.target_directory && !in_target;
            !is_target && path.file_name().is_none_or(|name| name != GIT)
        });
        Ok(found?)
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

    /// A file found below `base`, unless it or what it leads to looks like a secret, and nobody wrote
    /// its name.
    fn add_unless_secret(&mut self, file: &FoundFile, base: &Path) -> Result<(), AssetError> {
        if self.is_unnamed_secret(&file.path) {
            self.collected.left_out.push(file.path.clone());
            return Ok(());
        }
        let kind = fs_err::symlink_metadata(&file.path)?.file_type();
        let to = self
            .asset
            .to
            .join(utf8(&file.relative)?)
            .map_err(TreeError::from)?;
        if !kind.is_symlink() {
            return self.insert_file(to, &file.path);
        }
        let real = self.inside(&file.path)?;
        if self.is_unnamed_secret(&real) || self.is_of_git(&real, base) {
            self.collected.left_out.push(file.path.clone());
            return Ok(());
        }
        self.add_link(file, to, real, base)
    }

    fn is_unnamed_secret(&self, path: &Path) -> bool {
        let glob = self.asset.from.glob.as_deref();
        let written = glob.and_then(|glob| glob.rsplit('/').next()).map(Path::new);
        let is_named = written.is_some() && written == path.file_name().map(Path::new);
        !is_named && looks_secret(path, self.repository)
    }

    /// Whether a link leads to what [`Collector::files`] would not have found.
    fn is_of_git(&self, real: &Path, base: &Path) -> bool {
        let inside = real
            .strip_prefix(base)
            .or_else(|_| real.strip_prefix(self.repository));
        inside.is_ok_and(|inside| inside.iter().any(|component| component == GIT))
    }

    /// A link below `base` to `real`: itself if it can lead there in the image too, else the file.
    fn add_link(
        &mut self,
        file: &FoundFile,
        to: ImagePath,
        real: PathBuf,
        base: &Path,
    ) -> Result<(), AssetError> {
        let lost = match real.strip_prefix(base) {
            Err(_) => LostDirectory::Outside,
            Ok(_) if self.asset.from.glob.is_some() => LostDirectory::Glob,
            Ok(inside) => {
                let target = fs_err::read_link(&file.path)?;
                if stays_below(&file.relative, &target) {
                    let arrives = utf8(inside)?;
                    let arrives = if arrives.is_empty() {
                        self.asset.to.clone()
                    } else {
                        self.asset.to.join(arrives).map_err(TreeError::from)?
                    };
                    self.links.push(Link {
                        path: file.path.clone(),
                        to,
                        target: utf8(&target)?.to_owned(),
                        arrives,
                        real,
                    });
                    return Ok(());
                }
                LostDirectory::Text
            }
        };
        self.insert_linked(to, &file.path, &real, lost)
    }

    /// Adds the links that lead to the same files in the image, and copies of what others lead to.
    /// Links may lead on to links, so that each may be what another waits for.
    fn add_links(&mut self) -> Result<(), AssetError> {
        let mut waiting = std::mem::take(&mut self.links);
        loop {
            let before = waiting.len();
            let mut still = Vec::new();
            for link in waiting {
                let parent = link.to.parent();
                let parent = parent.as_ref().map_or("", ImagePath::as_str);
                let path = format!("{parent}/{}", link.target);
                if self.collected.tree.resolve(&path).as_ref() == Some(&link.arrives) {
                    let Link { to, target, .. } = link;
                    self.collected.tree.insert(to, Node::Symlink { target })?;
                } else {
                    still.push(link);
                }
            }
            waiting = still;
            if waiting.len() == before {
                break;
            }
        }
        for link in waiting {
            self.insert_linked(link.to, &link.path, &link.real, LostDirectory::Empty)?;
        }
        Ok(())
    }

    /// The file that a link leads to, in place of the link.
    fn insert_linked(
        &mut self,
        to: ImagePath,
        link: &Path,
        real: &Path,
        lost: LostDirectory,
    ) -> Result<(), AssetError> {
        if real.is_dir() {
            return Err(AssetError::LinkedDirectory {
                path: link.to_owned(),
                lost,
            });
        }
        self.insert_file(to, real)
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
        let real = match fs_err::canonicalize(path) {
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

/// Whether the target of a link at `link`, put after the directory of the link by its words, is never
/// above the directory that `link` is relative to.
fn stays_below(link: &Path, target: &Path) -> bool {
    let mut depth = link.components().count().saturating_sub(1);
    for component in target.components() {
        match component {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir if depth > 0 => depth -= 1,
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return false,
        }
    }
    true
}

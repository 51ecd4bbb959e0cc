//! A file tree as it will stand in an image: paths, modes and where the bytes come from.
//!
//! A [`Tree`] is sorted by the bytes of its paths, which puts every directory before what it holds,
//! and knows each path once (image-spec, layer.md: no duplicate entries in one layer).

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::hint::Hint;

const MAX_PATH: usize = 4096;
const MAX_COMPONENT: usize = 255;
/// Image-spec, layer.md: names beginning so delete files of lower layers, and cannot be stored.
const WHITEOUT: &str = ".wh.";

/// A path inside an image: relative, without `.`, `..` or empty components.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImagePath(String);

/// A text that is no path in an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` cannot stand in an image: {why}")]
pub struct InvalidPath {
    /// What was given.
    pub path: String,
    /// Which rule it breaks.
    pub why: &'static str,
}

impl Hint for InvalidPath {
    fn hint(&self) -> Option<String> {
        if self.why.contains(WHITEOUT) {
            let why = "rename the file: container runtimes take such names as an order to delete";
            return Some(why.to_owned());
        }
        self.why
            .contains("control character")
            .then(|| "rename the file".to_owned())
    }
}

impl ImagePath {
    /// Takes `/app/orders` or `app/orders`.
    ///
    /// # Errors
    /// [`InvalidPath`] with the rule that is broken.
    pub fn new(path: &str) -> Result<Self, InvalidPath> {
        let refuse = |why| {
            Err(InvalidPath {
                path: path.to_owned(),
                why,
            })
        };
        let relative = path.strip_prefix('/').unwrap_or(path).trim_end_matches('/');
        if relative.is_empty() {
            return refuse("it is empty");
        }
        if relative.len() > MAX_PATH {
            return refuse("it is longer than 4096 bytes");
        }
        for component in relative.split('/') {
            match component {
                "" | "." | ".." => return refuse("it has an empty, `.` or `..` component"),
                name if name.starts_with(WHITEOUT) => return refuse("a name begins with `.wh.`"),
                name if name.len() > MAX_COMPONENT => {
                    return refuse("a name is longer than 255 bytes");
                }
                name if name.chars().any(char::is_control) => {
                    return refuse("it has a control character");
                }
                _ => {}
            }
        }
        Ok(Self(relative.to_owned()))
    }

    /// The relative form, as tar stores it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form a process in the container sees.
    pub fn absolute(&self) -> String {
        format!("/{}", self.0)
    }

    /// The directory it stands in, unless that is the root.
    pub fn parent(&self) -> Option<Self> {
        self.0
            .rsplit_once('/')
            .map(|(parent, _)| Self(parent.to_owned()))
    }

    /// This directory's entry `relative`.
    ///
    /// # Errors
    /// As [`ImagePath::new`].
    pub fn join(&self, relative: &str) -> Result<Self, InvalidPath> {
        Self::new(&format!("/{}/{relative}", self.0))
    }
}

impl fmt::Display for ImagePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "/{}", self.0)
    }
}

/// Where a file's bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// In memory: small files that this program makes.
    Bytes(Arc<[u8]>),
    /// On disk, read when the layer is written.
    File(PathBuf),
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A directory.
    Directory {
        /// Permission bits.
        mode: u32,
        /// Numeric user and group; 0 but for a home.
        owner: u32,
    },
    /// A regular file, owned by 0.
    File {
        /// Permission bits.
        mode: u32,
        /// Its bytes.
        content: Content,
    },
    /// A symbolic link.
    Symlink {
        /// As stored in the link.
        target: String,
    },
}

impl Node {
    fn is_directory(&self) -> bool {
        matches!(self, Self::Directory { .. })
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Directory { .. } => "a directory",
            Self::File { .. } => "a file",
            Self::Symlink { .. } => "a link",
        }
    }
}

/// A tree that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// Two different things claim one path.
    #[error("two different things would stand at `{0}` in the image")]
    Duplicate(ImagePath),
    /// Something stands below a file or link.
    #[error("`{path}` cannot stand in the image: `{parent}` is not a directory")]
    ParentNotDirectory {
        /// The lower one.
        path: ImagePath,
        /// The upper one.
        parent: ImagePath,
    },
    /// A directory would replace a file or link of a layer below, or the reverse.
    #[error("`{path}` is {lower} in the runtime files of the image, and cannot be {upper} as well")]
    Replaces {
        /// The path.
        path: ImagePath,
        /// What it is below.
        lower: &'static str,
        /// What it would become.
        upper: &'static str,
    },
    /// A path that no image can hold.
    #[error(transparent)]
    Path(#[from] InvalidPath),
}

impl Hint for TreeError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Duplicate(_) | Self::ParentNotDirectory { .. } => Some(
                "change `to` of an asset, or where the executable, its links or its directories go"
                    .to_owned(),
            ),
            Self::Replaces { .. } => {
                Some("choose a directory of the service's own, such as `/app`".to_owned())
            }
            Self::Path(inner) => inner.hint(),
        }
    }
}

/// Files of an image, sorted, each path once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree {
    nodes: BTreeMap<ImagePath, Node>,
}

impl Tree {
    /// A tree of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `node` at `path`, and directories of mode 0755 above it where there are none. Adding the
    /// same node twice is fine.
    ///
    /// # Errors
    /// [`TreeError`] when the path is taken by something else, or lies below a file.
    pub fn insert(&mut self, path: ImagePath, node: Node) -> Result<(), TreeError> {
        self.insert_parents(&path)?;
        match self.nodes.get(&path) {
            Some(present) if *present == node => Ok(()),
            Some(Node::Directory { .. }) if matches!(node, Node::Directory { .. }) => {
                self.nodes.insert(path, node);
                Ok(())
            }
            Some(_) => Err(TreeError::Duplicate(path)),
            None => {
                self.nodes.insert(path, node);
                Ok(())
            }
        }
    }

    fn insert_parents(&mut self, path: &ImagePath) -> Result<(), TreeError> {
        let mut above = path.parent();
        while let Some(parent) = above {
            match self.nodes.get(&parent) {
                Some(Node::Directory { .. }) => return Ok(()),
                Some(_) => {
                    return Err(TreeError::ParentNotDirectory {
                        path: path.clone(),
                        parent,
                    });
                }
                None => self.nodes.insert(
                    parent.clone(),
                    Node::Directory {
                        mode: 0o755,
                        owner: 0,
                    },
                ),
            };
            above = parent.parent();
        }
        Ok(())
    }

    /// What is left to write above `lower` trees: without directories that one of them has, whose mode
    /// and owner an entry here would replace (image-spec, layer.md, "Changeset").
    ///
    /// # Errors
    /// [`TreeError::Replaces`] where one has a directory and the other something else: runtimes would
    /// then remove what stands below.
    pub fn above(&self, lower: &[&Self]) -> Result<Self, TreeError> {
        let mut upper = Self::new();
        for (path, node) in &self.nodes {
            let below = lower.iter().rev().find_map(|tree| tree.get(path));
            match (below, node) {
                (Some(Node::Directory { .. }), Node::Directory { .. }) => {}
                (Some(below), node) if below.is_directory() != node.is_directory() => {
                    let (lower, upper) = (below.kind(), node.kind());
                    return Err(TreeError::Replaces {
                        path: path.clone(),
                        lower,
                        upper,
                    });
                }
                _ => {
                    upper.nodes.insert(path.clone(), node.clone());
                }
            }
        }
        Ok(upper)
    }

    /// Every path with its node, directories before what they hold.
    pub fn iter(&self) -> impl Iterator<Item = (&ImagePath, &Node)> {
        self.nodes.iter()
    }

    /// What stands at `path`.
    pub fn get(&self, path: &ImagePath) -> Option<&Node> {
        self.nodes.get(path)
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Number of entries, directories included.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(text: &str) -> Node {
        Node::File {
            mode: 0o644,
            content: Content::Bytes(text.as_bytes().into()),
        }
    }

    fn path(text: &str) -> ImagePath {
        ImagePath::new(text).expect("legal")
    }

    #[test]
    fn parents_come_before_children() {
        let mut tree = Tree::new();
        for name in ["a/b/c", "a-b", "a/b-c"] {
            tree.insert(path(name), file(name)).expect("free");
        }
        let order: Vec<&str> = tree.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(order, ["a", "a-b", "a/b", "a/b-c", "a/b/c"]);
    }

    #[test]
    fn one_path_holds_one_thing() {
        let mut tree = Tree::new();
        tree.insert(path("app/x"), file("1")).expect("free");
        tree.insert(path("app/x"), file("1"))
            .expect("the same again");
        assert_eq!(
            tree.insert(path("app/x"), file("2")),
            Err(TreeError::Duplicate(path("app/x")))
        );
        assert!(matches!(
            tree.insert(path("app/x/y"), file("3")),
            Err(TreeError::ParentNotDirectory { .. })
        ));
    }

    #[test]
    fn a_directory_of_a_lower_tree_keeps_its_mode() {
        let (mut lower, mut upper) = (Tree::new(), Tree::new());
        lower
            .insert(
                path("tmp"),
                Node::Directory {
                    mode: 0o1777,
                    owner: 0,
                },
            )
            .expect("free");
        upper.insert(path("tmp/x/y"), file("1")).expect("free");
        let above = upper.above(&[&lower]).expect("no conflict");
        let paths: Vec<&str> = above.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["tmp/x", "tmp/x/y"]);
    }

    #[test]
    fn a_directory_never_replaces_a_link() {
        let (mut lower, mut upper) = (Tree::new(), Tree::new());
        lower
            .insert(
                path("lib"),
                Node::Symlink {
                    target: "usr/lib".to_owned(),
                },
            )
            .expect("free");
        upper.insert(path("lib/x"), file("1")).expect("free");
        assert!(matches!(
            upper.above(&[&lower]),
            Err(TreeError::Replaces { .. })
        ));
    }

    #[test]
    fn whiteouts_and_climbing_paths_are_refused() {
        for text in [
            "",
            "/",
            "a/../b",
            "a//b",
            "./a",
            "a/.wh.b",
            "a\nb",
            &"x".repeat(300),
        ] {
            assert!(ImagePath::new(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn accepted_paths_stay_below_the_root(text in ".*") {
            if let Ok(path) = ImagePath::new(&text) {
                prop_assert!(path.as_str().split('/').all(|part| !part.is_empty() && part != ".."));
            }
        }
    }
}

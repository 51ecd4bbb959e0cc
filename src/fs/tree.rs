//! A file tree as it will stand in an image: paths, modes and where the bytes come from.
//!
//! A [`Tree`] is sorted by the bytes of its paths, which puts every directory before what it holds,
//! and knows each path once (image-spec, layer.md: no duplicate entries in one layer).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::{ImagePath, InvalidPath};
use crate::hint::Hint;

/// As many links as Linux follows on one path (`path_resolution(7)`).
const MAX_LINKS: usize = 40;

/// Where a file's bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// In memory: small files that this program makes.
    Bytes(Arc<[u8]>),
    /// On disk, read when the layer is written.
    File(PathBuf),
}

/// Whose a directory is, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Owner {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

impl Owner {
    /// User and group 0.
    pub const ROOT: Self = Self { uid: 0, gid: 0 };
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A directory.
    Directory {
        /// Permission bits.
        mode: u32,
        /// Root but for homes and volumes.
        owner: Owner,
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
    /// What an upper layer must say so that this stands where `below` did, if anything; an error
    /// where it must not.
    fn over(&self, below: &Self) -> Result<Option<Self>, ()> {
        match (below, self) {
            (Self::Directory { mode, owner: had }, Self::Directory { owner, .. }) => {
                let given = *owner != Owner::ROOT && owner != had;
                let (mode, owner) = (*mode, *owner);
                Ok(given.then_some(Self::Directory { mode, owner }))
            }
            (Self::File { .. }, Self::File { .. } | Self::Symlink { .. }) => Ok(Some(self.clone())),
            _ => Err(()),
        }
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
    /// A link or directory of a layer below would be replaced by something else, or a file by a
    /// directory.
    #[error(
        "`{path}` is {lower} in the layer `{lower_layer}`, and cannot be {upper} in the layer `{upper_layer}`"
    )]
    Replaces {
        /// The path.
        path: ImagePath,
        /// What it is below.
        lower: &'static str,
        /// Where it is that.
        lower_layer: &'static str,
        /// What it would become.
        upper: &'static str,
        /// Where it would be that.
        upper_layer: &'static str,
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
                        owner: Owner::ROOT,
                    },
                ),
            };
            above = parent.parent();
        }
        Ok(())
    }

    /// What is left to write in the layer `name` above the named `lower` ones: without what one of
    /// them has already. An entry for a directory replaces the mode and owner that it has below
    /// (image-spec, layer.md, "Changeset"), so that there is one only where it gives the directory to
    /// somebody, and with the mode that it has below.
    ///
    /// # Errors
    /// [`TreeError::Replaces`] where a lower layer has a link and this something different, or only one
    /// of them a directory: what stands below or behind it would be gone.
    pub fn above(
        &self,
        name: &'static str,
        lower: &[(&'static str, &Self)],
    ) -> Result<Self, TreeError> {
        let mut upper = Self::new();
        for (path, node) in &self.nodes {
            let mut layers = lower.iter().rev();
            let below = layers.find_map(|(layer, tree)| Some((*layer, tree.get(path)?)));
            let left = match below {
                None => Some(node.clone()),
                Some((_, below)) if below == node => None,
                Some((lower_layer, below)) => {
                    node.over(below).map_err(|()| TreeError::Replaces {
                        path: path.clone(),
                        lower: below.kind(),
                        lower_layer,
                        upper: node.kind(),
                        upper_layer: name,
                    })?
                }
            };
            upper.nodes.extend(left.map(|node| (path.clone(), node)));
        }
        Ok(upper)
    }

    /// Where a process that opens `path` arrives, all links on the way followed; `None` where that is
    /// nowhere. The path is relative to the root and may have `.` and `..`.
    pub fn resolve(&self, path: &str) -> Option<ImagePath> {
        let mut pending: Vec<&str> = path.split('/').rev().collect();
        let mut place: Vec<&str> = Vec::new();
        let mut links = 0;
        while let Some(component) = pending.pop() {
            match component {
                "" | "." => continue,
                ".." => {
                    place.pop();
                    continue;
                }
                name => place.push(name),
            }
            let here = ImagePath::new(&place.join("/")).ok()?;
            match self.nodes.get(&here)? {
                Node::Symlink { .. } if links == MAX_LINKS => return None,
                Node::Symlink { target } => {
                    links += 1;
                    place.pop();
                    if target.starts_with('/') {
                        place.clear();
                    }
                    pending.extend(target.split('/').rev());
                }
                Node::File { .. } if !pending.is_empty() => return None,
                Node::File { .. } | Node::Directory { .. } => {}
            }
        }
        ImagePath::new(&place.join("/")).ok()
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
                    owner: Owner::ROOT,
                },
            )
            .expect("free");
        upper.insert(path("tmp/x/y"), file("1")).expect("free");
        let above = upper
            .above("assets", &[("runtime", &lower)])
            .expect("no conflict");
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
            upper.above("assets", &[("runtime", &lower)]),
            Err(TreeError::Replaces { .. })
        ));
    }

    fn tree(nodes: &[(&str, Node)]) -> Tree {
        let mut tree = Tree::new();
        for (place, node) in nodes {
            tree.insert(path(place), node.clone()).expect("free");
        }
        tree
    }

    fn link(target: &str) -> Node {
        Node::Symlink {
            target: target.to_owned(),
        }
    }

    #[test]
    fn nothing_different_replaces_a_link_and_the_error_names_both_layers() {
        let lower = tree(&[("lib64", link("usr/lib64"))]);
        for upper in [file("1"), link("elsewhere")] {
            let upper = tree(&[("lib64", upper)]);
            let error = upper
                .above("assets", &[("glibc", &lower)])
                .expect_err("a link is replaced")
                .to_string();
            assert!(
                error.contains("`glibc`") && error.contains("`assets`"),
                "{error}"
            );
        }
    }

    #[test]
    fn what_a_lower_layer_has_is_not_written_again() {
        let lower = tree(&[("a", file("1")), ("b", link("a")), ("c", file("2"))]);
        let upper = tree(&[("a", file("1")), ("b", link("a")), ("c", file("3"))]);
        let above = upper
            .above("assets", &[("runtime", &lower)])
            .expect("no conflict");
        assert_eq!(above, tree(&[("c", file("3"))]));
    }

    #[test]
    fn a_directory_given_to_somebody_keeps_its_mode_and_gets_its_owner() {
        let directory = |mode, uid, gid| Node::Directory {
            mode,
            owner: Owner { uid, gid },
        };
        let lower = tree(&[("data/x", file("1")), ("tmp", directory(0o1777, 0, 0))]);
        let upper = tree(&[
            ("data", directory(0o700, 1000, 2000)),
            ("tmp", directory(0o755, 0, 0)),
        ]);
        let above = upper
            .above("application", &[("assets", &lower)])
            .expect("no conflict");
        assert_eq!(above, tree(&[("data", directory(0o755, 1000, 2000))]));
    }

    #[test]
    fn links_are_followed_to_where_they_lead() {
        let tree = tree(&[
            ("a/file", file("1")),
            ("b", link("a")),
            ("a/up", link("../b/file")),
            ("a/absolute", link("/a/up")),
            ("loop", link("./loop")),
            ("nowhere", link("../none")),
        ]);
        for (from, to) in [
            ("a/absolute", Some("a/file")),
            ("/b/./up", Some("a/file")),
            ("b/", Some("a")),
            ("a/file/../file", None),
            ("a/file/", None),
            ("loop", None),
            ("nowhere", None),
            ("", None),
        ] {
            assert_eq!(tree.resolve(from), to.map(path), "{from}");
        }
    }
}

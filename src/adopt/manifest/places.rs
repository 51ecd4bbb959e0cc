//! What stands where in the image: nothing is proposed of which `build` would find that it cannot stand there.

use std::path::PathBuf;

use crate::fs::{Content, ImagePath, Node, Owner, Tree, TreeError};

/// More places are not looked at.
const MAX_PLACES: usize = 2_000;

/// The trees of an image as `build` puts them on top of one another.
pub(super) struct Places {
    /// What every image has of itself: homes, and with glibc links for the libraries.
    homes: Tree,
    libraries: Tree,
    assets: Tree,
    application: Tree,
}

/// What is to stand somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::adopt) enum Thing {
    Executable,
    Link,
    Directory,
    /// A directory of an asset, or the file that it brings.
    Asset(Option<PathBuf>),
}

impl Thing {
    fn node(&self) -> Node {
        let file = |path: PathBuf| Node::File {
            mode: 0o755,
            content: Content::File(path),
        };
        match self {
            Self::Executable => file(PathBuf::new()),
            Self::Asset(Some(source)) => file(source.clone()),
            Self::Directory | Self::Asset(None) => directory(),
            Self::Link => Node::Symlink {
                target: String::new(),
            },
        }
    }
}

impl Default for Places {
    fn default() -> Self {
        let (mut homes, mut libraries) = (Tree::new(), Tree::new());
        for home in ["/tmp", "/root", "/home/nonroot"] {
            add(&mut homes, home, directory());
        }
        for link in ["/lib", "/lib64"] {
            let target = format!("usr{link}");
            add(&mut libraries, link, Node::Symlink { target });
        }
        Self {
            homes,
            libraries,
            assets: Tree::new(),
            application: Tree::new(),
        }
    }
}

impl Places {
    /// Puts things at paths of an image that has glibc beside the executable, or has not: all of them or none.
    ///
    /// # Errors
    /// [`TreeError`] with what is there already, in the words of `build`.
    pub(super) fn put(
        &mut self,
        things: &[(String, Thing)],
        has_libraries: bool,
    ) -> Result<(), TreeError> {
        if self.assets.len() + self.application.len() + things.len() > MAX_PLACES {
            return Ok(());
        }
        let (mut assets, mut application) = (self.assets.clone(), self.application.clone());
        for (path, thing) in things {
            // Of a path that is none, the configuration says why.
            let Ok(place) = ImagePath::new(path) else {
                continue;
            };
            let tree = match thing {
                Thing::Asset(_) => &mut assets,
                _ => &mut application,
            };
            tree.insert(place, thing.node())?;
        }
        // Neither may take the other's place.
        let mut together = assets.clone();
        for (path, node) in application.iter() {
            together.insert(path.clone(), node.clone())?;
        }
        let mut below = vec![("runtime", &self.homes)];
        if has_libraries {
            below.push(("glibc", &self.libraries));
        }
        assets.above("assets", &below)?;
        below.push(("assets", &assets));
        application.above("application", &below)?;
        (self.assets, self.application) = (assets, application);
        Ok(())
    }
}

fn directory() -> Node {
    Node::Directory {
        mode: 0o755,
        owner: Owner::ROOT,
    }
}

fn add(tree: &mut Tree, path: &str, node: Node) {
    if let Ok(path) = ImagePath::new(path) {
        // An empty tree takes what does not lie below one another.
        let _ = tree.insert(path, node);
    }
}

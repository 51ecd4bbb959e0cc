//! What stands where in the image: nothing is proposed of which `build` would find that it cannot stand there.

use std::path::PathBuf;

use crate::fs::{Content, ImagePath, Node, Owner, Tree, TreeError};

/// More places are not looked at.
const MAX_PLACES: usize = 300;

/// The trees of an image as `build` puts them on top of one another.
pub(super) struct Standing {
    /// What every image has of itself: homes, and with glibc links for the libraries.
    homes: Tree,
    libraries: Tree,
    assets: Tree,
    application: Tree,
}

/// What is to stand somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thing {
    Executable,
    Link,
    Directory,
    /// An asset, and whether that is a single file.
    Asset(bool),
}

impl Default for Standing {
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

impl Standing {
    /// Puts something at a path of an image that has glibc beside the executable, or has not.
    ///
    /// # Errors
    /// [`TreeError`] with what is there already, in the words of `build`.
    pub(super) fn put(
        &mut self,
        path: &str,
        thing: Thing,
        has_libraries: bool,
    ) -> Result<(), TreeError> {
        // Of a path that is none, the configuration says why.
        let Ok(place) = ImagePath::new(path) else {
            return Ok(());
        };
        if self.assets.len() + self.application.len() > MAX_PLACES {
            return Ok(());
        }
        let (mut assets, mut application) = (self.assets.clone(), self.application.clone());
        match thing {
            Thing::Executable | Thing::Asset(true) => {
                let tree = match thing {
                    Thing::Executable => &mut application,
                    _ => &mut assets,
                };
                let content = Content::File(PathBuf::from(path));
                tree.insert(
                    place,
                    Node::File {
                        mode: 0o755,
                        content,
                    },
                )?;
            }
            Thing::Asset(false) => assets.insert(place, directory())?,
            Thing::Directory => application.insert(place, directory())?,
            Thing::Link => {
                let target = String::new();
                application.insert(place, Node::Symlink { target })?;
            }
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

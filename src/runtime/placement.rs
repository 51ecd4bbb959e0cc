//! Files of a library root at the same places in an image.

use super::RuntimeError;
use super::root::Resolved;
use crate::fs::{Content, ImagePath, Node, Tree};

/// Adds the file to `tree`, and the links that lead to it, so that the paths which led to it in the
/// root lead to it in the image.
pub(super) fn place(tree: &mut Tree, resolved: &Resolved) -> Result<(), RuntimeError> {
    place_links(tree, resolved)?;
    let path = ImagePath::new(&resolved.path)?;
    tree.insert(path, file_node(resolved))?;
    Ok(())
}

/// Adds only the links.
pub(super) fn place_links(tree: &mut Tree, resolved: &Resolved) -> Result<(), RuntimeError> {
    for (link, target) in &resolved.links {
        let target = target.clone();
        tree.insert(ImagePath::new(link)?, Node::Symlink { target })?;
    }
    Ok(())
}

/// The file with one of two modes: what else a root allows is no business of the image.
pub(super) fn file_node(resolved: &Resolved) -> Node {
    Node::File {
        mode: if resolved.is_executable { 0o755 } else { 0o644 },
        content: Content::File(resolved.host.clone()),
    }
}

/// A file this program makes.
pub(super) fn text_node(text: impl Into<String>) -> Node {
    Node::File {
        mode: 0o644,
        content: Content::Bytes(text.into().into_bytes().into()),
    }
}

/// What `upper` has and `lower` has not, so that no layer repeats a file of the one below it.
///
/// # Errors
/// [`RuntimeError::Conflict`] where one path is different things in the two.
pub(super) fn without(upper: &Tree, lower: &Tree) -> Result<Tree, RuntimeError> {
    let mut rest = Tree::new();
    for (path, node) in upper.iter() {
        match (node, lower.get(path)) {
            (Node::Directory { .. }, Some(Node::Directory { .. })) => {}
            (_, None) => rest.insert(path.clone(), node.clone())?,
            (_, Some(below)) if below == node => {}
            (_, Some(_)) => return Err(RuntimeError::Conflict(path.clone())),
        }
    }
    // A directory that both have must say the same in both: `/tmp` would lose its mode otherwise.
    for (path, node) in lower.iter() {
        if matches!(rest.get(path), Some(Node::Directory { .. })) {
            rest.insert(path.clone(), node.clone())?;
        }
    }
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::Owner;

    fn path(text: &str) -> ImagePath {
        ImagePath::new(text).expect("legal")
    }

    #[test]
    fn an_upper_layer_leaves_the_lower_one_as_it_is() {
        let mut lower = Tree::new();
        let mode = 0o1777;
        let owner = Owner::ROOT;
        let directory = Node::Directory { mode, owner };
        lower.insert(path("/tmp"), directory.clone()).expect("free");
        lower.insert(path("/both"), text_node("x")).expect("free");
        let mut upper = Tree::new();
        upper.insert(path("/both"), text_node("x")).expect("free");
        upper
            .insert(path("/tmp/liba.so"), text_node("y"))
            .expect("free");
        let rest = without(&upper, &lower).expect("they agree");
        assert_eq!(rest.get(&path("/both")), None);
        assert_eq!(rest.get(&path("/tmp")), Some(&directory));
        assert!(rest.get(&path("/tmp/liba.so")).is_some());
    }

    #[test]
    fn layers_that_disagree_are_refused() {
        let (mut lower, mut upper) = (Tree::new(), Tree::new());
        let target = "usr/lib".to_owned();
        let link = Node::Symlink { target };
        lower.insert(path("/lib"), link).expect("free");
        upper
            .insert(path("/lib/liba.so"), text_node("y"))
            .expect("free");
        let error = without(&upper, &lower).expect_err("a link and a directory");
        assert!(matches!(error, RuntimeError::Conflict(_)), "{error}");
    }
}

//! Trees on top of one another, as the layers of an image stand.

use crate::fs::{Tree, TreeError};

/// What each of `trees`, lowest first, adds to those below it.
///
/// # Errors
/// [`TreeError`] where one would hide what another needs.
pub(super) fn stack(
    trees: &[(&'static str, &Tree)],
) -> Result<Vec<(&'static str, Tree)>, TreeError> {
    let mut stacked: Vec<(&'static str, Tree)> = Vec::new();
    for (purpose, tree) in trees {
        // What a tree did not have to say says nothing to those above it either.
        let lower: Vec<(&'static str, &Tree)> = stacked
            .iter()
            .map(|(purpose, tree)| (*purpose, tree))
            .collect();
        let upper = tree.above(purpose, &lower)?;
        stacked.push((purpose, upper));
    }
    Ok(stacked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::{Content, ImagePath, Node, Owner};

    fn path(text: &str) -> ImagePath {
        ImagePath::new(text).expect("legal")
    }

    fn tree(nodes: &[(&str, Node)]) -> Tree {
        let mut tree = Tree::new();
        for (place, node) in nodes {
            tree.insert(path(place), node.clone()).expect("free");
        }
        tree
    }

    #[test]
    fn a_volume_over_an_asset_in_a_home_keeps_the_mode_of_the_home() {
        let directory = |mode, uid| Node::Directory {
            mode,
            owner: Owner { uid, gid: uid },
        };
        let content = Content::Bytes(b"x"[..].into());
        let file = Node::File {
            mode: 0o644,
            content,
        };
        let runtime = tree(&[("/home/nonroot", directory(0o700, 65532))]);
        let assets = tree(&[("/home/nonroot/x", file)]);
        let application = tree(&[("/home/nonroot", directory(0o755, 1000))]);
        let stacked = stack(&[
            ("runtime", &runtime),
            ("assets", &assets),
            ("application", &application),
        ])
        .expect("no conflict");
        let home = path("/home/nonroot");
        assert_eq!(stacked[1].1.get(&home), None);
        assert_eq!(stacked[2].1.get(&home), Some(&directory(0o700, 1000)));
    }
}

//! Paths as words: nothing here looks at the disk.

use std::path::{Component, Path, PathBuf};

/// `path` without `.` and with every `..` taken back, as if no directory on the way were a link.
pub fn normalized(path: &Path) -> PathBuf {
    let mut result = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => match result.components().next_back() {
                Some(Component::Normal(_)) => {
                    result.pop();
                }
                // Above the root there is only the root.
                Some(Component::RootDir) => {}
                _ => result.push(Component::ParentDir),
            },
            other => result.push(other),
        }
    }
    result
}

/// The highest directory on the way from the directory `from` along `path`. Of `../../w/a` from `/w/b`,
/// which leaves the directory `w` and comes back to it by its name, that is `/`.
pub fn highest(path: &Path, from: &Path) -> PathBuf {
    let mut here = from.to_owned();
    let mut highest = from.to_owned();
    for component in path.components() {
        here = normalized(&here.join(component));
        if highest.starts_with(&here) {
            highest.clone_from(&here);
        }
    }
    highest
}

/// The deepest directory that all `paths` lie in or are; `None` where there are none, or they have
/// nothing in common.
pub fn common_ancestor<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Option<PathBuf> {
    let mut paths = paths.into_iter();
    let mut common = paths.next()?.to_owned();
    for path in paths {
        while !path.starts_with(&common) {
            if !common.pop() {
                return None;
            }
        }
    }
    Some(common)
}

/// `path` as seen from the directory `from`, both absolute and normalized: `../shared/src`.
pub fn relative(path: &Path, from: &Path) -> PathBuf {
    let mut up = PathBuf::new();
    let mut base = from;
    loop {
        if let Ok(rest) = path.strip_prefix(base) {
            let whole = up.join(rest);
            return if whole.as_os_str().is_empty() {
                PathBuf::from(".")
            } else {
                whole
            };
        }
        let Some(parent) = base.parent() else {
            return path.to_owned();
        };
        base = parent;
        up.push("..");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dots_are_taken_back() {
        for (path, expected) in [
            ("/a/./b/../c", "/a/c"),
            ("/../a", "/a"),
            ("../a/../../b", "../../b"),
        ] {
            assert_eq!(normalized(Path::new(path)), Path::new(expected), "{path}");
        }
    }

    #[test]
    fn a_path_is_found_again_from_elsewhere() {
        for (path, from, expected) in [
            ("/w/a/x", "/w", "a/x"),
            ("/w/a", "/w/b/c", "../../a"),
            ("/w", "/w", "."),
        ] {
            assert_eq!(
                relative(Path::new(path), Path::new(from)),
                Path::new(expected)
            );
        }
    }

    #[test]
    fn the_way_up_counts_also_where_it_leads_back() {
        for (path, from, expected) in [
            ("../../w/a", "/w/b", "/"),
            ("../a", "/w/b", "/w"),
            ("a/../b", "/w", "/w"),
            ("/w/x/y", "/w/x", "/"),
        ] {
            assert_eq!(
                highest(Path::new(path), Path::new(from)),
                Path::new(expected),
                "{path}"
            );
        }
    }

    #[test]
    fn the_common_ancestor_is_a_directory_of_all() {
        let paths = ["/w/shop/a", "/w/shop/b/c", "/w/shared"].map(Path::new);
        assert_eq!(common_ancestor(paths), Some(PathBuf::from("/w")));
        assert_eq!(common_ancestor([]), None);
    }

    proptest! {
        #[test]
        fn going_there_and_back_ends_where_it_began(to in "(/[a-c]{1,2}){0,4}", from in "(/[a-c]{1,2}){0,4}") {
            let (to, from) = (PathBuf::from(format!("/{to}")), PathBuf::from(format!("/{from}")));
            let (to, from) = (normalized(&to), normalized(&from));
            prop_assert_eq!(normalized(&from.join(relative(&to, &from))), to);
        }
    }
}

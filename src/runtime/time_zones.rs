//! The time zone database of a root.

use std::path::Path;

use fs_err as fs;

use super::RuntimeError;
use super::placement::file_node;
use super::root::LibraryRoot;
use crate::fs::{FoundFile, ImagePath, Node, Tree, sorted_files};

const PLACE: &str = "/usr/share/zoneinfo";
const MAX_FILES: usize = 20_000;

/// Adds `/usr/share/zoneinfo`, and returns the paths of its regular files in the root. Links that
/// leave it are left out: they say which zone the machine is in.
pub(super) fn add(tree: &mut Tree, root: &LibraryRoot) -> Result<Vec<String>, RuntimeError> {
    let missing = || RuntimeError::MissingTimeZones(root.given().to_owned());
    let directory = root.directory(PLACE)?.ok_or_else(missing)?;
    let found = sorted_files(&directory.host)?;
    if found.len() > MAX_FILES {
        return Err(RuntimeError::TooMany {
            what: format!("files in `{PLACE}`"),
            limit: MAX_FILES,
        });
    }
    let mut files = Vec::new();
    for FoundFile { relative, path } in found {
        let Some(name) = relative.to_str() else {
            continue;
        };
        let place = ImagePath::new(&format!("{PLACE}/{name}"))?;
        if fs::symlink_metadata(&path)?.is_symlink() {
            if let Some(target) = link_within(name, &fs::read_link(&path)?) {
                tree.insert(place, Node::Symlink { target })?;
            }
        } else if let Some(resolved) = root.file(&format!("{}/{name}", directory.path))? {
            tree.insert(place, file_node(&resolved))?;
            files.push(resolved.path);
        }
    }
    if files.is_empty() {
        return Err(missing());
    }
    Ok(files)
}

/// The relative form of a link at `name` that stays in the database.
fn link_within(name: &str, target: &Path) -> Option<String> {
    let target = target.to_str()?;
    let depth = name.matches('/').count();
    let mut within: Vec<&str> = match target.strip_prefix(PLACE) {
        Some(absolute) => absolute.strip_prefix('/')?.split('/').collect(),
        None if target.starts_with('/') => return None,
        None => {
            let mut place: Vec<&str> = name.split('/').take(depth).collect();
            for component in target.split('/') {
                match component {
                    "" | "." => {}
                    ".." => {
                        place.pop()?;
                    }
                    component => place.push(component),
                }
            }
            place
        }
    };
    within.retain(|component| !component.is_empty());
    let is_plain = !within.is_empty() && !within.contains(&"..");
    is_plain.then(|| format!("{}{}", "../".repeat(depth), within.join("/")))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use proptest::prelude::*;
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn links_stay_in_the_database_or_are_left_out() {
        for (name, target, kept) in [
            ("Cuba", "America/Havana", Some("America/Havana")),
            (
                "US/Eastern",
                "../America/New_York",
                Some("../America/New_York"),
            ),
            (
                "US/East",
                "/usr/share/zoneinfo/America/New_York",
                Some("../America/New_York"),
            ),
            ("localtime", "/etc/localtime", None),
            ("localtime", "../../../etc/localtime", None),
            ("x", "/usr/share/zoneinfo-other/y", None),
        ] {
            let link = link_within(name, Path::new(target));
            assert_eq!(link.as_deref(), kept, "{name} -> {target}");
        }
    }

    #[test]
    fn the_database_keeps_its_shape() {
        let directory = TempDir::new().expect("temp");
        let zones = directory.path().join("usr/share/zoneinfo");
        fs::create_dir_all(zones.join("Europe")).expect("directory");
        fs::write(zones.join("Europe/Berlin"), "TZif2").expect("file");
        symlink("Europe/Berlin", zones.join("Mine")).expect("link");
        symlink("/etc/localtime", zones.join("localtime")).expect("link");
        let root = LibraryRoot::open(directory.path()).expect("a directory");
        let mut tree = Tree::new();
        let files = add(&mut tree, &root).expect("there");
        assert_eq!(files, ["/usr/share/zoneinfo/Europe/Berlin"]);
        let paths: Vec<&str> = tree.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "usr",
                "usr/share",
                "usr/share/zoneinfo",
                "usr/share/zoneinfo/Europe",
                "usr/share/zoneinfo/Europe/Berlin",
                "usr/share/zoneinfo/Mine",
            ]
        );
    }

    #[test]
    fn an_empty_database_is_none() {
        let directory = TempDir::new().expect("temp");
        let root = LibraryRoot::open(directory.path()).expect("a directory");
        assert!(matches!(
            add(&mut Tree::new(), &root),
            Err(RuntimeError::MissingTimeZones(_))
        ));
    }

    proptest! {
        #[test]
        fn no_link_climbs_out(name in "[a-z]{1,3}(/[a-z]{1,3}){0,3}", target in "(\\.\\./|/|[a-z]{1,3}/|\\./|/usr/share/zoneinfo/){0,6}[a-z.]{0,3}") {
            if let Some(link) = link_within(&name, Path::new(&target)) {
                let depth = name.matches('/').count();
                prop_assert_eq!(link.matches("../").count(), depth);
                prop_assert!(!link.starts_with('/'));
            }
        }
    }
}

//! A file tree as a tar.

use std::io::Write;

use tar::EntryType;

use super::LayerError;
use super::entry::{Entry, padding};
use super::source::Source;
use crate::fs::{Content, ImagePath, Node, Owner, Tree};
use crate::process::Interrupt;

/// Bytes read from a file at once.
const READ: usize = 256 * 1024;
/// Two blocks of zeros (POSIX pax, "ustar Interchange Format"), without the padding to a tape record
/// that some programs add.
const END: [u8; 1024] = [0; 1024];
/// What Linux takes (`path_resolution(7)`), without the final zero.
const MAX_TARGET: usize = 4095;

/// Writes all of `tree` in its order; every entry was last modified `modified` seconds after 1970.
pub(super) fn write_tree(
    tree: &Tree,
    modified: u64,
    interrupt: &Interrupt,
    output: &mut impl Write,
) -> Result<(), LayerError> {
    let mut buffer = vec![0; READ];
    for (path, node) in tree.iter() {
        if interrupt.received().is_some() {
            return Err(LayerError::Interrupted);
        }
        match node {
            Node::Directory { mode, owner } => {
                let name = format!("{}/", path.as_str());
                let entry = Entry {
                    kind: EntryType::Directory,
                    owner: *owner,
                    ..entry(&name, *mode, modified)
                };
                put(output, &entry.to_bytes())?;
            }
            Node::Symlink { target } => {
                check_target(path, target)?;
                let entry = Entry {
                    kind: EntryType::Symlink,
                    link: target,
                    ..entry(path.as_str(), 0o777, modified)
                };
                put(output, &entry.to_bytes())?;
            }
            Node::File { mode, content } => {
                let entry = entry(path.as_str(), *mode, modified);
                match content {
                    Content::Bytes(bytes) => write_bytes(entry, bytes, output)?,
                    Content::File(file) => {
                        let source = Source::open(file, path)?;
                        write_source(entry, source, &mut buffer, interrupt, output)?;
                    }
                }
            }
        }
    }
    put(output, &END)
}

/// An empty file of user 0.
fn entry(name: &str, mode: u32, modified: u64) -> Entry<'_> {
    Entry {
        name,
        kind: EntryType::Regular,
        mode,
        owner: Owner::ROOT,
        size: 0,
        link: "",
        modified,
    }
}

fn write_bytes(
    mut entry: Entry<'_>,
    bytes: &[u8],
    output: &mut impl Write,
) -> Result<(), LayerError> {
    entry.size = bytes.len() as u64;
    put(output, &entry.to_bytes())?;
    put(output, bytes)?;
    complete_block(entry.size, output)
}

fn write_source(
    mut entry: Entry<'_>,
    source: Source<'_>,
    buffer: &mut [u8],
    interrupt: &Interrupt,
    output: &mut impl Write,
) -> Result<(), LayerError> {
    entry.size = source.size();
    put(output, &entry.to_bytes())?;
    source.copy_to(output, buffer, interrupt)?;
    complete_block(entry.size, output)
}

fn complete_block(size: u64, output: &mut impl Write) -> Result<(), LayerError> {
    put(output, &END[..padding(size)])
}

fn put(output: &mut impl Write, bytes: &[u8]) -> Result<(), LayerError> {
    output.write_all(bytes).map_err(LayerError::Write)
}

/// Link targets come from anywhere; a control character would end a field or a record early.
fn check_target(path: &ImagePath, target: &str) -> Result<(), LayerError> {
    let why = if target.is_empty() {
        "it is empty"
    } else if target.len() > MAX_TARGET {
        "it is longer than 4095 bytes"
    } else if target.chars().any(char::is_control) {
        "it has a control character"
    } else {
        return Ok(());
    };
    Err(LayerError::LinkTarget {
        path: path.clone(),
        target: target.to_owned(),
        why,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;
    use crate::digest::Digest;

    const MODIFIED: u64 = 1_700_000_000;

    fn path(text: &str) -> ImagePath {
        ImagePath::new(text).expect("legal")
    }

    fn file(mode: u32, bytes: &[u8]) -> Node {
        Node::File {
            mode,
            content: Content::Bytes(bytes.into()),
        }
    }

    fn link(target: &str) -> Node {
        Node::Symlink {
            target: target.to_owned(),
        }
    }

    fn tree(nodes: impl IntoIterator<Item = (String, Node)>) -> Tree {
        let mut tree = Tree::new();
        for (name, node) in nodes {
            tree.insert(path(&name), node).expect("free");
        }
        tree
    }

    fn archive(tree: &Tree) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_tree(tree, MODIFIED, &Interrupt::new(), &mut bytes).expect("written");
        bytes
    }

    fn small_tree() -> Tree {
        let home = Node::Directory {
            mode: 0o700,
            owner: Owner {
                uid: 65532,
                gid: 65532,
            },
        };
        tree([
            ("app/orders".to_owned(), file(0o755, b"\x7fELF")),
            ("etc/passwd".to_owned(), file(0o644, b"root:x:0:0::/:\n")),
            ("home/nonroot".to_owned(), home),
            (
                "tmp".to_owned(),
                Node::Directory {
                    mode: 0o1777,
                    owner: Owner::ROOT,
                },
            ),
            ("usr/bin/orders".to_owned(), link("/app/orders")),
        ])
    }

    /// What `tar -tvf` or a Python one-liner says about `bytes`; the text of the C locale.
    fn listing(bytes: &[u8], program: &str, arguments: &[&str]) -> String {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("layer.tar");
        fs_err::write(&path, bytes).expect("written");
        let output = Command::new(program)
            .args(arguments)
            .arg(&path)
            .output()
            .expect("tests/run installs what tests need");
        assert!(output.status.success(), "{output:?}");
        assert!(output.stderr.is_empty(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// If this changes, every image that users build gets a new digest.
    #[test]
    fn the_bytes_of_a_tar_never_change() {
        let bytes = archive(&small_tree());
        assert_eq!(bytes.len(), 10 * 512 + 2 * 512 + 1024);
        assert_eq!(
            Digest::of(&bytes).hex(),
            "58d94725c42a6aa4f4ae2e8b9682a953ffa0373ba2d044b9478984b5e2b37e6f"
        );
    }

    #[test]
    fn long_names_have_golden_bytes_too() {
        let long = format!("{}/{}", "d".repeat(200), "n".repeat(200));
        let tree = tree([
            (long.clone(), file(0o644, b"x")),
            ("l".to_owned(), link(&long)),
            ("\u{fc}ml\u{e4}ut".to_owned(), file(0o644, b"")),
        ]);
        assert_eq!(
            Digest::of(&archive(&tree)).hex(),
            "f9e37f6594817ab2b7fd157f28b44e9e6c1da1e1200c733c7cb6b1df46cda5fa"
        );
    }

    #[test]
    fn every_entry_says_exactly_what_it_was_told() {
        let bytes = archive(&small_tree());
        let mut found = Vec::new();
        for entry in tar::Archive::new(&bytes[..]).entries().expect("a tar") {
            let entry = entry.expect("an entry");
            let header = entry.header();
            assert_eq!(header.mtime().expect("a time"), MODIFIED);
            assert_eq!(
                header.uid().expect("a user"),
                header.gid().expect("a group")
            );
            assert_eq!(header.username(), Ok(Some("")));
            assert_eq!(header.groupname(), Ok(Some("")));
            found.push(format!(
                "{:04o} {} {}",
                header.mode().expect("a mode"),
                header.uid().expect("a user"),
                String::from_utf8_lossy(&entry.path_bytes())
            ));
        }
        assert_eq!(
            found,
            [
                "0755 0 app/",
                "0755 0 app/orders",
                "0755 0 etc/",
                "0644 0 etc/passwd",
                "0755 0 home/",
                "0700 65532 home/nonroot/",
                "1777 0 tmp/",
                "0755 0 usr/",
                "0755 0 usr/bin/",
                "0777 0 usr/bin/orders",
            ]
        );
    }

    #[test]
    fn two_zero_blocks_end_the_archive_and_nothing_more() {
        assert_eq!(archive(&Tree::new()), [0; 1024]);
        let bytes = archive(&tree([("a".to_owned(), file(0o644, &[1; 512]))]));
        assert_eq!(bytes.len(), 512 + 512 + 1024);
    }

    #[test]
    fn other_programs_read_long_names_and_links() {
        let long = format!(
            "{}/{}/{}",
            "d".repeat(150),
            "e".repeat(150),
            "n".repeat(150)
        );
        let target = format!("/{long}");
        let bytes = archive(&tree([
            (long.clone(), file(0o640, b"12345")),
            ("link".to_owned(), link(&target)),
            ("zebra".to_owned(), file(0o600, b"")),
        ]));

        let text = listing(&bytes, "tar", &["-tvf"]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 5, "{text}");
        assert!(lines[0].starts_with("drwxr-xr-x"), "{text}");
        assert!(
            lines[2].starts_with("-rw-r-----") && lines[2].ends_with(&long),
            "{text}"
        );
        assert!(lines[3].ends_with(&format!("link -> {target}")), "{text}");
        assert!(lines[4].ends_with("zebra"), "{text}");

        let script = "import sys, tarfile\nfor m in tarfile.open(sys.argv[1]):\n \
                      print(m.name, m.linkname, oct(m.mode), m.uid, m.mtime, m.size, m.uname)";
        let text = listing(&bytes, "python3", &["-c", script]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 5, "{text}");
        assert_eq!(lines[2], format!("{long}  0o640 0 {MODIFIED} 5 "));
        assert_eq!(lines[3], format!("link {target} 0o777 0 {MODIFIED} 0 "));
    }

    #[test]
    fn targets_that_no_link_can_have_are_refused() {
        for target in ["", "a\0b", "a\nb", &"x".repeat(5000)] {
            let tree = tree([("link".to_owned(), link(target))]);
            let result = write_tree(&tree, 0, &Interrupt::new(), &mut Vec::new());
            assert!(
                matches!(result, Err(LayerError::LinkTarget { .. })),
                "{target:?}"
            );
        }
    }

    #[test]
    fn a_file_on_disk_gives_the_bytes_that_memory_gives() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let on_disk = directory.path().join("data");
        let bytes = vec![9; READ * 2 + 100];
        fs_err::write(&on_disk, &bytes).expect("written");
        let from_disk = Node::File {
            mode: 0o644,
            content: Content::File(on_disk),
        };
        assert!(
            archive(&tree([("a".to_owned(), from_disk)]))
                == archive(&tree([("a".to_owned(), file(0o644, &bytes))]))
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_written_is_read_back(
            files in prop::collection::btree_map(
                "[a-zäß]{1,120}(/[a-z.]{1,5}[0-9]{1,120}){0,3}",
                (0_u32..0o10000, prop::collection::vec(any::<u8>(), 0..1500)),
                0..6,
            ),
            target in "[a-zü/.]{1,300}",
        ) {
            let mut tree = Tree::new();
            for (name, (mode, bytes)) in &files {
                // Names may be below one another; then the tree refuses the second.
                if let Ok(path) = ImagePath::new(name) {
                    let _ = tree.insert(path, file(*mode, bytes));
                }
            }
            let _ = tree.insert(path("0link"), link(&target));
            let bytes = archive(&tree);
            prop_assert_eq!(bytes.len() % 512, 0);
            let mut read = tar::Archive::new(&bytes[..]);
            let mut entries = read.entries().expect("a tar");
            for (path, node) in tree.iter() {
                let mut entry = entries.next().expect("as many").expect("an entry");
                let name = entry.path_bytes().into_owned();
                match node {
                    Node::Directory { .. } => {
                        prop_assert_eq!(name, format!("{}/", path.as_str()).into_bytes());
                    }
                    Node::Symlink { target } => {
                        let found = entry.link_name_bytes().expect("a target").into_owned();
                        prop_assert_eq!(found, target.as_bytes());
                    }
                    Node::File { mode, content } => {
                        prop_assert_eq!(name, path.as_str().as_bytes());
                        prop_assert_eq!(entry.header().mode().expect("a mode"), *mode);
                        let mut found = Vec::new();
                        entry.read_to_end(&mut found).expect("in memory");
                        prop_assert_eq!(content, &Content::Bytes(found.into()));
                    }
                }
            }
            prop_assert!(entries.next().is_none());
        }
    }
}

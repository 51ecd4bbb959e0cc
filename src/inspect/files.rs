//! The file system that a container sees: layers applied one on the other (image-spec, layer.md,
//! "Applying Changesets").

use std::collections::{BTreeMap, VecDeque};

use super::layer::{Attributes, EntryKind, FileContent, LayerContents, LayerEntry};

/// As many links as Linux follows on one path (`path_resolution(7)`).
const MAX_LINKS: usize = 40;
/// Files of one image.
const MAX_FILES: usize = 2_000_000;
/// Bytes of all their paths together.
const MAX_NAMES: usize = 512 << 20;
/// What runtimes give a directory that no layer describes.
const IMPLIED: Attributes = Attributes {
    mode: 0o755,
    uid: 0,
    gid: 0,
    rights: None,
};

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileNode {
    pub(super) kind: FileKind,
    pub(super) attributes: Attributes,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FileKind {
    Directory,
    File(FileContent),
    /// A symbolic link's target, as stored.
    Link(Vec<u8>),
    /// A device or pipe: its type byte and numbers.
    Special(u8, u32, u32),
}

impl FileKind {
    /// In a word.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::File(_) => "file",
            Self::Link(_) => "link",
            Self::Special(..) => "special file",
        }
    }
}

/// All files of an image by their paths, which are relative to its root.
#[derive(Debug)]
pub(super) struct FileSystem {
    /// Of the root, which is a directory, and no file of the image.
    root: Attributes,
    nodes: BTreeMap<Vec<u8>, FileNode>,
    names: usize,
}

impl Default for FileSystem {
    fn default() -> Self {
        Self {
            root: IMPLIED,
            nodes: BTreeMap::new(),
            names: 0,
        }
    }
}

impl FileSystem {
    /// Lays a layer over what is there.
    ///
    /// # Errors
    /// What is wrong with the layer, in words.
    pub(super) fn apply(&mut self, layer: &LayerContents) -> Result<(), String> {
        // They are about lower layers, wherever they stand in this one.
        for entry in &layer.entries {
            match entry.kind {
                EntryKind::Whiteout => {
                    let path = self.place(&entry.path)?;
                    self.nodes.remove(&path);
                    self.clear(&path);
                }
                EntryKind::Opaque => {
                    let path = self.resolve(&entry.path, true)?;
                    self.clear(&path);
                }
                _ => {}
            }
        }
        for entry in &layer.entries {
            self.add(entry)?;
        }
        Ok(())
    }

    /// Whose the root is, and what may be done with it.
    pub(super) fn root(&self) -> Attributes {
        self.root
    }

    /// All nodes but the root, sorted by path.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], &FileNode)> {
        self.nodes
            .iter()
            .map(|(path, node)| (path.as_slice(), node))
    }

    /// What stands at a path, links on the way followed but for the last.
    pub(super) fn get(&self, path: &[u8]) -> Option<&FileNode> {
        self.nodes.get(path)
    }

    /// The path that a path leads to, all links followed.
    pub(super) fn real_path(&self, path: &[u8]) -> Option<Vec<u8>> {
        self.resolve(path, true).ok()
    }

    /// What is directly or indirectly below a directory.
    pub(super) fn below<'s>(
        &'s self,
        directory: &'s [u8],
    ) -> impl Iterator<Item = (&'s [u8], &'s FileNode)> {
        let first = with_slash(directory);
        let range = self.nodes.range(first.clone()..);
        let inside = range.take_while(move |(path, _)| path.starts_with(&first));
        inside.map(|(path, node)| (path.as_slice(), node))
    }

    fn add(&mut self, entry: &LayerEntry) -> Result<(), String> {
        let kind = match &entry.kind {
            EntryKind::Whiteout | EntryKind::Opaque => return Ok(()),
            EntryKind::Directory => FileKind::Directory,
            EntryKind::File(content) => FileKind::File(content.clone()),
            EntryKind::Symlink(target) => FileKind::Link(target.clone()),
            EntryKind::Special(kind, major, minor) => FileKind::Special(*kind, *major, *minor),
            EntryKind::HardLink(target) => {
                let target = self.place(target)?;
                let linked = self.nodes.get(&target).map(|node| node.kind.clone());
                let is_file = |kind: &FileKind| !matches!(kind, FileKind::Directory);
                let linked = linked.filter(is_file).ok_or_else(|| {
                    let name = String::from_utf8_lossy(&entry.path);
                    format!("its entry `{name}` links to what is not there")
                })?;
                let path = self.place(&entry.path)?;
                if path == target {
                    return Ok(());
                }
                return self.insert(path, linked, entry.attributes);
            }
        };
        let path = self.place(&entry.path)?;
        self.insert(path, kind, entry.attributes)
    }

    fn insert(
        &mut self,
        path: Vec<u8>,
        kind: FileKind,
        attributes: Attributes,
    ) -> Result<(), String> {
        // The root is a directory, whatever a layer says.
        if path.is_empty() {
            if kind == FileKind::Directory {
                self.root = attributes;
            }
            return Ok(());
        }
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        let parents: Vec<Vec<u8>> = slashes.map(|(end, _)| path[..end].to_vec()).collect();
        for parent in parents {
            let is_directory = |node: &FileNode| node.kind == FileKind::Directory;
            if !self.nodes.get(&parent).is_some_and(is_directory) {
                self.put(parent, FileKind::Directory, IMPLIED)?;
            }
        }
        if kind != FileKind::Directory {
            self.clear(&path);
        }
        self.put(path, kind, attributes)
    }

    fn put(&mut self, path: Vec<u8>, kind: FileKind, attributes: Attributes) -> Result<(), String> {
        self.names += path.len();
        self.nodes.insert(path, FileNode { kind, attributes });
        if self.names > MAX_NAMES || self.nodes.len() > MAX_FILES {
            return Err("the image has too many files".to_owned());
        }
        Ok(())
    }

    /// Removes what is below a directory.
    fn clear(&mut self, directory: &[u8]) {
        let inside: Vec<Vec<u8>> = self
            .below(directory)
            .map(|(path, _)| path.to_vec())
            .collect();
        for path in inside {
            self.nodes.remove(&path);
        }
    }

    /// Where an entry of a layer goes: runtimes follow the links of directories above it.
    fn place(&self, path: &[u8]) -> Result<Vec<u8>, String> {
        self.resolve(path, false)
    }

    fn resolve(&self, path: &[u8], follow_last: bool) -> Result<Vec<u8>, String> {
        let parts = |path: &[u8]| -> Vec<Vec<u8>> {
            let parts = path.split(|byte| *byte == b'/');
            parts.map(<[u8]>::to_vec).collect()
        };
        let mut todo: VecDeque<Vec<u8>> = parts(path).into();
        let mut done: Vec<u8> = Vec::new();
        let mut links = 0;
        while let Some(part) = todo.pop_front() {
            match part.as_slice() {
                b"" | b"." => continue,
                b".." => {
                    let end = done.iter().rposition(|byte| *byte == b'/');
                    done.truncate(end.unwrap_or(0));
                    continue;
                }
                _ => {}
            }
            let mut next = done.clone();
            if !next.is_empty() {
                next.push(b'/');
            }
            next.extend_from_slice(&part);
            let is_last = todo.is_empty();
            let target = match self.nodes.get(&next).map(|node| &node.kind) {
                Some(FileKind::Link(target)) if follow_last || !is_last => target,
                _ => {
                    done = next;
                    continue;
                }
            };
            links += 1;
            if links > MAX_LINKS {
                let name = String::from_utf8_lossy(path);
                return Err(format!("its entry `{name}` is behind links without an end"));
            }
            if target.starts_with(b"/") {
                done.clear();
            }
            for part in parts(target).into_iter().rev() {
                todo.push_front(part);
            }
        }
        Ok(done)
    }
}

fn with_slash(directory: &[u8]) -> Vec<u8> {
    let mut first = directory.to_vec();
    if !first.is_empty() {
        first.push(b'/');
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    fn entry(path: &str, kind: EntryKind) -> LayerEntry {
        LayerEntry {
            path: path.as_bytes().to_vec(),
            kind,
            attributes: Attributes {
                mode: 0o700,
                uid: 1,
                gid: 2,
                rights: None,
            },
        }
    }

    fn file(path: &str) -> LayerEntry {
        let content = FileContent {
            size: 1,
            digest: Digest::of(path.as_bytes()),
            kept: None,
        };
        entry(path, EntryKind::File(content))
    }

    fn directory(path: &str) -> LayerEntry {
        entry(path, EntryKind::Directory)
    }

    fn link(path: &str, target: &str) -> LayerEntry {
        entry(path, EntryKind::Symlink(target.as_bytes().to_vec()))
    }

    fn hard(path: &str, target: &str) -> LayerEntry {
        entry(path, EntryKind::HardLink(target.as_bytes().to_vec()))
    }

    fn applied(layers: Vec<Vec<LayerEntry>>) -> Result<FileSystem, String> {
        let mut files = FileSystem::default();
        for entries in layers {
            files.apply(&LayerContents {
                diff_id: Digest::of(b""),
                unpacked: 0,
                entries,
                odd: None,
                sparse: None,
                unread: None,
            })?;
        }
        Ok(files)
    }

    fn paths(layers: Vec<Vec<LayerEntry>>) -> Vec<String> {
        let files = applied(layers).expect("applied");
        let paths = files
            .iter()
            .map(|(path, _)| String::from_utf8_lossy(path).into_owned());
        paths.collect()
    }

    #[test]
    fn a_whiteout_deletes_a_file_or_directory_of_lower_layers_only() {
        let lower = || vec![directory("a"), file("a/b"), file("a-b"), file("c")];
        let gone = |path| entry(path, EntryKind::Whiteout);
        assert_eq!(paths(vec![lower(), vec![gone("a")]]), ["a-b", "c"]);
        assert_eq!(paths(vec![lower(), vec![gone("a/b")]]), ["a", "a-b", "c"]);
        // What the same layer adds stays, whatever their order.
        let both = vec![file("a/new"), gone("a")];
        assert_eq!(paths(vec![lower(), both]), ["a", "a-b", "a/new", "c"]);
        assert_eq!(paths(vec![vec![gone("nothing")]]), Vec::<String>::new());
    }

    #[test]
    fn an_opaque_directory_hides_what_lower_layers_have_in_it() {
        let lower = || {
            vec![
                directory("a"),
                file("a/b"),
                directory("a/c"),
                file("a/c/d"),
                file("e"),
            ]
        };
        let opaque = |path| entry(path, EntryKind::Opaque);
        let upper = vec![directory("a"), file("a/new"), opaque("a")];
        assert_eq!(paths(vec![lower(), upper]), ["a", "a/new", "e"]);
        assert_eq!(paths(vec![lower(), vec![opaque(""), file("x")]]), ["x"]);
    }

    #[test]
    fn directories_change_and_everything_else_is_replaced() {
        let attributes = |files: &FileSystem, path: &str| {
            let node = files.get(path.as_bytes()).expect("there");
            (node.kind.word(), node.attributes.mode)
        };
        let mut other = directory("a");
        other.attributes.mode = 0o1777;
        let files = applied(vec![vec![directory("a"), file("a/b")], vec![other]]).expect("applied");
        assert_eq!(attributes(&files, "a"), ("directory", 0o1777));
        assert_eq!(attributes(&files, "a/b"), ("file", 0o700));
        let files =
            applied(vec![vec![directory("a"), file("a/b")], vec![file("a")]]).expect("applied");
        assert_eq!(attributes(&files, "a"), ("file", 0o700));
        assert_eq!(files.iter().count(), 1);
        let files = applied(vec![vec![file("a")], vec![file("a/b")]]).expect("applied");
        // Nobody described it.
        assert_eq!(attributes(&files, "a"), ("directory", 0o755));
    }

    #[test]
    fn the_root_is_what_the_last_layer_says_and_always_a_directory() {
        let mode = |layers| applied(layers).expect("applied").root().mode;
        assert_eq!(mode(vec![vec![file("a")]]), 0o755);
        assert_eq!(mode(vec![vec![directory("")], vec![file("a")]]), 0o700);
        let mut other = directory("");
        other.attributes.mode = 0o711;
        assert_eq!(mode(vec![vec![directory("")], vec![other]]), 0o711);
        assert_eq!(mode(vec![vec![file("")]]), 0o755);
        assert_eq!(paths(vec![vec![directory("")]]), Vec::<String>::new());
    }

    #[test]
    fn entries_below_a_link_go_where_it_leads() {
        let merged = || vec![directory("usr/lib"), link("lib", "usr/lib")];
        assert_eq!(
            paths(vec![merged(), vec![file("lib/x")]]),
            ["lib", "usr", "usr/lib", "usr/lib/x"]
        );
        let gone = entry("lib/x", EntryKind::Whiteout);
        assert_eq!(
            paths(vec![merged(), vec![file("usr/lib/x")], vec![gone]]),
            ["lib", "usr", "usr/lib"]
        );
        // A link itself is replaced.
        assert_eq!(
            paths(vec![merged(), vec![file("lib")]]),
            ["lib", "usr", "usr/lib"]
        );
        // None leads out.
        let out = vec![link("up", "../../.."), file("up/x")];
        assert_eq!(paths(vec![out]), ["up", "x"]);
    }

    #[test]
    fn links_without_an_end_are_refused() {
        let round = vec![link("a", "b"), link("b", "a"), file("a/x")];
        assert!(applied(vec![round]).expect_err("no end").contains("`a/x`"));
    }

    #[test]
    fn a_hard_link_is_what_it_links_to() {
        let files = applied(vec![vec![file("a"), hard("b", "a")]]).expect("applied");
        let node = |path: &str| files.get(path.as_bytes()).expect("there").kind.clone();
        assert_eq!(node("a"), node("b"));
        for target in ["nowhere", "d"] {
            let broken = vec![directory("d"), hard("b", target)];
            assert!(applied(vec![broken]).is_err(), "{target}");
        }
        // To itself, as some tools write it.
        assert_eq!(paths(vec![vec![file("a"), hard("a", "a")]]), ["a"]);
    }
}

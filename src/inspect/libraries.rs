//! Where shared libraries came from: the records that package managers leave in an image.

use std::collections::BTreeMap;

use serde::Serialize;

use super::files::{FileKind, FileSystem};
use super::layer::FileContent;
use crate::digest::Digest;
use crate::report::printable;

/// Records of single packages, in images without a package manager.
const RECORDS: &[u8] = b"var/lib/dpkg/status.d";
const DPKG_STATUS: &[u8] = b"var/lib/dpkg/status";
const DPKG_LISTS: &[u8] = b"var/lib/dpkg/info";
const APK: [&[u8]; 2] = [b"lib/apk/db/installed", b"usr/lib/apk/db/installed"];

/// A shared library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Library {
    /// Its path, absolute.
    pub path: String,
    /// The package that brought it, where a record tells.
    pub package: Option<String>,
    /// That package's version.
    pub version: Option<String>,
    /// Bytes.
    pub size: u64,
    /// Its content.
    pub digest: Digest,
}

/// A package that a record in the image speaks of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// What the records of an image say.
#[derive(Debug, Default)]
pub(super) struct Packages {
    /// By name.
    all: BTreeMap<String, String>,
    /// The package of each library, by paths without links.
    owners: BTreeMap<Vec<u8>, String>,
}

/// Whether a path is that of a shared library, by its name.
pub(super) fn is_library(path: &[u8]) -> bool {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let name = String::from_utf8_lossy(name);
    name.ends_with(".so")
        || name.split(".so.").nth(1).is_some_and(|version| {
            let digits = |c: char| c.is_ascii_digit() || c == '.';
            !version.is_empty() && version.chars().all(digits)
        })
}

/// Whether a file is a package manager's own, which changes with every package.
pub(super) fn is_record(path: &[u8]) -> bool {
    path == DPKG_STATUS
        || APK.contains(&path)
        || [RECORDS, DPKG_LISTS].iter().any(|directory| {
            path.strip_prefix(*directory)
                .is_some_and(|rest| rest.starts_with(b"/"))
        })
}

impl Packages {
    /// Reads all records.
    pub(super) fn of(files: &FileSystem) -> Self {
        let mut packages = Self::default();
        packages.read_records(files);
        packages.read_dpkg(files);
        for path in APK {
            if let Some(text) = text_of(files, path) {
                packages.read_apk(files, &text);
            }
        }
        packages
    }

    /// All packages, sorted.
    pub(super) fn list(&self) -> Vec<Package> {
        let all = self.all.iter();
        all.map(|(name, version)| Package {
            name: name.clone(),
            version: version.clone(),
        })
        .collect()
    }

    /// All shared libraries of an image, sorted by path.
    pub(super) fn libraries(&self, files: &FileSystem) -> Vec<Library> {
        let libraries = files.iter().filter_map(|(path, node)| match &node.kind {
            FileKind::File(content) if is_library(path) => Some(self.library(path, content)),
            _ => None,
        });
        libraries.collect()
    }

    fn library(&self, path: &[u8], content: &FileContent) -> Library {
        let package = self.owners.get(path).cloned();
        let version = package
            .as_ref()
            .and_then(|name| self.all.get(name))
            .cloned();
        Library {
            path: shown(path),
            package,
            version,
            size: content.size,
            digest: content.digest,
        }
    }

    /// `status.d/NAME`, and the files of NAME in `NAME.md5sums`.
    fn read_records(&mut self, files: &FileSystem) {
        for (path, node) in files.below(RECORDS) {
            if path.ends_with(b".md5sums") {
                continue;
            }
            let Some(text) = kept(&node.kind) else {
                continue;
            };
            let Some((name, _)) = self.add_stanza(&text) else {
                continue;
            };
            let sums = text_of(files, &[path, b".md5sums"].concat()).unwrap_or_default();
            let listed = sums.lines().filter_map(|line| line.split_once("  "));
            let listed: Vec<&str> = listed.map(|(_, file)| file).collect();
            self.own(files, &name, listed);
        }
    }

    /// `status`, and the files of each package in `info/NAME[:ARCHITECTURE].list`.
    fn read_dpkg(&mut self, files: &FileSystem) {
        let Some(status) = text_of(files, DPKG_STATUS) else {
            return;
        };
        for stanza in status.split("\n\n") {
            let Some((name, architecture)) = self.add_stanza(stanza) else {
                continue;
            };
            let lists = [name.clone(), format!("{name}:{architecture}")];
            let list = lists.iter().find_map(|list| {
                let path = format!("{}/{list}.list", String::from_utf8_lossy(DPKG_LISTS));
                text_of(files, path.as_bytes())
            });
            let list = list.unwrap_or_default();
            self.own(files, &name, list.lines().collect());
        }
    }

    /// Adds what a stanza of dpkg is about; gives its name and architecture.
    fn add_stanza(&mut self, stanza: &str) -> Option<(String, String)> {
        let field = |name: &str| {
            let mut lines = stanza.lines();
            let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            Some(printable(value))
        };
        if field("Status").is_some_and(|status| !status.ends_with(" installed")) {
            return None;
        }
        let name = field("Package").filter(|name| !name.is_empty())?;
        self.all
            .insert(name.clone(), field("Version").unwrap_or_default());
        Some((name, field("Architecture").unwrap_or_default()))
    }

    /// Blocks of lines: `P:` name, `V:` version, `F:` directory, `R:` a file in it.
    fn read_apk(&mut self, files: &FileSystem, text: &str) {
        for block in text.split("\n\n") {
            let field = |letter: &str| {
                let mut lines = block.lines();
                lines
                    .find_map(|line| line.strip_prefix(letter))
                    .map(printable)
            };
            let Some(name) = field("P:").filter(|name| !name.is_empty()) else {
                continue;
            };
            self.all
                .insert(name.clone(), field("V:").unwrap_or_default());
            let mut directory = "";
            let mut listed = Vec::new();
            for line in block.lines() {
                if let Some(path) = line.strip_prefix("F:") {
                    directory = path;
                } else if let Some(file) = line.strip_prefix("R:") {
                    listed.push(format!("{directory}/{file}"));
                }
            }
            self.own(files, &name, listed.iter().map(String::as_str).collect());
        }
    }

    fn own(&mut self, files: &FileSystem, package: &str, listed: Vec<&str>) {
        for path in listed {
            if is_library(path.as_bytes())
                && let Some(path) = files.real_path(path.as_bytes())
            {
                self.owners
                    .entry(path)
                    .or_insert_with(|| package.to_owned());
            }
        }
    }
}

/// A path as it is shown: absolute, printable.
pub(super) fn shown(path: &[u8]) -> String {
    printable(&format!("/{}", String::from_utf8_lossy(path)))
}

fn text_of(files: &FileSystem, path: &[u8]) -> Option<String> {
    kept(&files.get(path)?.kind)
}

fn kept(kind: &FileKind) -> Option<String> {
    match kind {
        FileKind::File(content) => {
            let bytes = content.kept.as_ref()?;
            Some(String::from_utf8_lossy(bytes).into_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::inspect::layer::{Attributes, EntryKind, LayerContents, LayerEntry};

    fn files(contents: &[(&str, &str)], links: &[(&str, &str)]) -> FileSystem {
        let attributes = Attributes {
            mode: 0o644,
            uid: 0,
            gid: 0,
            rights: None,
        };
        let linked = links.iter().map(|(path, target)| LayerEntry {
            path: path.as_bytes().to_vec(),
            kind: EntryKind::Symlink(target.as_bytes().to_vec()),
            attributes,
        });
        let written = contents.iter().map(|(path, text)| LayerEntry {
            path: path.as_bytes().to_vec(),
            kind: EntryKind::File(FileContent {
                size: text.len() as u64,
                digest: Digest::of(text.as_bytes()),
                kept: Some(text.as_bytes().into()),
            }),
            attributes,
        });
        let mut files = FileSystem::default();
        let layer = LayerContents {
            odd: None,
            sparse: None,
            unread: None,
            diff_id: Digest::of(b""),
            unpacked: 0,
            entries: linked.chain(written).collect(),
        };
        files.apply(&layer).expect("applied");
        files
    }

    fn origins(files: &FileSystem) -> Vec<(String, Option<String>, Option<String>)> {
        let packages = Packages::of(files);
        let libraries = packages.libraries(files).into_iter();
        libraries
            .map(|library| (library.path, library.package, library.version))
            .collect()
    }

    fn origin(
        path: &str,
        package: &str,
        version: &str,
    ) -> (String, Option<String>, Option<String>) {
        (
            path.to_owned(),
            (!package.is_empty()).then(|| package.to_owned()),
            (!version.is_empty()).then(|| version.to_owned()),
        )
    }

    #[test]
    fn records_of_single_packages_tell_of_libraries() {
        let files = files(
            &[
                ("usr/lib/libc.so.6", "c"),
                ("usr/lib/libown.so", "own"),
                (
                    "var/lib/dpkg/status.d/libc6",
                    "Package: libc6\nVersion: 2.36-9\nDescription: x\n y\n",
                ),
                (
                    "var/lib/dpkg/status.d/libc6.md5sums",
                    "0123  usr/lib/libc.so.6\n",
                ),
                ("var/lib/dpkg/status.d/broken", "no stanza"),
            ],
            &[],
        );
        assert_eq!(
            origins(&files),
            [
                origin("/usr/lib/libc.so.6", "libc6", "2.36-9"),
                origin("/usr/lib/libown.so", "", ""),
            ]
        );
        assert_eq!(Packages::of(&files).list().len(), 1);
    }

    #[test]
    fn the_database_of_dpkg_is_read_through_merged_directories() {
        let files = files(
            &[
                ("usr/lib/libz.so.1.2", "z"),
                (
                    "var/lib/dpkg/status",
                    "Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:1.2\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n",
                ),
                (
                    "var/lib/dpkg/info/zlib1g:amd64.list",
                    "/.\n/lib/libz.so.1.2\n",
                ),
            ],
            &[("lib", "usr/lib")],
        );
        assert_eq!(
            origins(&files),
            [origin("/usr/lib/libz.so.1.2", "zlib1g", "1:1.2")]
        );
        assert_eq!(Packages::of(&files).list().len(), 1);
    }

    #[test]
    fn the_database_of_apk_is_read() {
        let files = files(
            &[
                ("lib/ld-musl-x86_64.so.1", "m"),
                (
                    "lib/apk/db/installed",
                    "C:Q1\nP:musl\nV:1.2.5-r0\nF:lib\nR:ld-musl-x86_64.so.1\na:0:0:755\n\nP:other\nV:1\n",
                ),
            ],
            &[],
        );
        assert_eq!(
            origins(&files),
            [origin("/lib/ld-musl-x86_64.so.1", "musl", "1.2.5-r0")]
        );
    }

    #[test]
    fn libraries_are_known_by_their_names() {
        for path in [
            "lib/libc.so.6",
            "a.so",
            "x/ld-linux-x86-64.so.2",
            "libz.so.1.2.13",
        ] {
            assert!(is_library(path.as_bytes()), "{path}");
        }
        for path in ["etc/ld.so.conf", "a.sock", "notes.so.txt", "libc.so.", "so"] {
            assert!(!is_library(path.as_bytes()), "{path}");
        }
    }

    proptest! {
        #[test]
        fn any_records_are_read_without_a_panic(text in "([PVFR]:|Package: |Version: |Status: |/|lib\\.so|\n| |[a-z]){0,40}") {
            let files = files(
                &[
                    ("var/lib/dpkg/status", &text),
                    ("var/lib/dpkg/status.d/x", &text),
                    ("var/lib/dpkg/status.d/x.md5sums", &text),
                    ("lib/apk/db/installed", &text),
                    ("lib.so", ""),
                ],
                &[],
            );
            let _ = origins(&files);
        }
    }
}

//! The C library's layer: the same for every dynamic executable of a root.

use std::collections::BTreeSet;

use super::RuntimeError;
use super::elf::Machine;
use super::placement::{place, place_links};
use super::root::LibraryRoot;
use super::search::{
    self, Candidate, GLIBC_LIBRARIES, Libc, Search, SystemDirectories, directory_of,
};
use crate::fs::Tree;

/// Links at the top of a merged root. They are in the layer whether a file of it needs them or not,
/// or two executables would differ.
const MERGED_DIRECTORIES: [&str; 2] = ["/lib", "/lib64"];

/// The C library of a root.
pub(super) struct CLibrary {
    /// The loader first.
    pub(super) files: Vec<Candidate>,
    /// Where the loader searches in an image.
    pub(super) loader: LoaderDirectories,
}

/// The directories that the loader searches in an image, which has neither `ld.so.conf` nor its
/// cache.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct LoaderDirectories {
    /// With all links resolved; empty where the loader searches wherever it searches in the root.
    searched: BTreeSet<String>,
    /// The first of them.
    link_directory: Option<String>,
    /// What `$LIB` stands for.
    library_token: Option<String>,
}

impl CLibrary {
    /// Finds glibc's four files around `interpreter`; those that are not in the root are left out.
    pub(super) fn glibc(
        root: &LibraryRoot,
        machine: &Machine,
        directories: &SystemDirectories,
        interpreter: Candidate,
    ) -> Result<Self, RuntimeError> {
        let mut files = vec![interpreter];
        let mut loader = LoaderDirectories::default();
        for name in GLIBC_LIBRARIES {
            let mut search = Search::default();
            for directory in directories.of(name) {
                if search::try_path(root, machine, &format!("{directory}/{name}"), &mut search)? {
                    break;
                }
            }
            let Some(found) = search.found else { continue };
            if loader.link_directory.is_none() {
                loader = LoaderDirectories::around(root, machine, directory_of(&found.path))?;
            }
            files.push(found);
        }
        Ok(Self { files, loader })
    }

    /// musl is its loader.
    pub(super) fn musl(interpreter: Candidate) -> Self {
        Self {
            files: vec![interpreter],
            loader: LoaderDirectories::default(),
        }
    }

    /// The files with all links that lead to them.
    pub(super) fn tree(&self, root: &LibraryRoot, libc: Libc) -> Result<Tree, RuntimeError> {
        let mut tree = Tree::new();
        for directory in MERGED_DIRECTORIES {
            if let Some(resolved) = root.directory(directory)? {
                place_links(&mut tree, &resolved)?;
            }
        }
        for file in &self.files {
            place(&mut tree, &file.resolved)?;
        }
        let path_file = match (libc, self.files.first()) {
            (Libc::Musl, Some(interpreter)) => search::musl_path_file(&interpreter.path),
            _ => None,
        };
        if let Some(path) = path_file
            && let Some(resolved) = root.file(&path)?
        {
            place(&mut tree, &resolved)?;
        }
        Ok(tree)
    }
}

impl LoaderDirectories {
    /// A loader searches the directory its C library was built for, with and without `/usr`;
    /// Debian's, built for a multiarch directory, the one above that too.
    fn around(
        root: &LibraryRoot,
        machine: &Machine,
        directory: &str,
    ) -> Result<Self, RuntimeError> {
        let short = directory.strip_prefix("/usr").unwrap_or(directory);
        let mut candidates = vec![
            directory.to_owned(),
            short.to_owned(),
            format!("/usr{short}"),
        ];
        if search::file_name(short) == machine.multiarch {
            candidates.extend(["/lib".to_owned(), "/usr/lib".to_owned()]);
        }
        let mut searched = BTreeSet::new();
        let mut link_directory = None;
        for candidate in candidates {
            if let Some(resolved) = root.directory(&candidate)? {
                link_directory.get_or_insert_with(|| resolved.path.clone());
                searched.insert(resolved.path);
            }
        }
        Ok(Self {
            searched,
            link_directory,
            library_token: Some(short.trim_start_matches('/').to_owned()),
        })
    }

    pub(super) fn link_directory(&self) -> Option<&str> {
        self.link_directory.as_deref()
    }

    pub(super) fn library_token(&self) -> &str {
        self.library_token.as_deref().unwrap_or("lib")
    }

    /// Whether a library in `directory` of the root would be overlooked in an image.
    pub(super) fn needs_link(
        &self,
        root: &LibraryRoot,
        directory: &str,
    ) -> Result<bool, RuntimeError> {
        let resolved = root.directory(directory)?;
        Ok(!self.searched.is_empty()
            && resolved.is_some_and(|resolved| !self.searched.contains(&resolved.path)))
    }
}

//! The lists of the files of packages, read as far as they are needed.
//!
//! Of a hundred thousand files a run asks for a few. Most belong to packages that are named after them,
//! so that two or three of hundreds of lists are read, and none is sorted into a table.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use memchr::memmem;

use crate::runtime::RuntimeError;
use crate::runtime::root::{LibraryRoot, Resolved};
use crate::runtime::search::file_name;

const MAX_LIST: u64 = 64 * 1024 * 1024;
const MAX_LISTS: usize = 1024 * 1024 * 1024;
/// Owns the loader and the libraries that every executable needs, and is not named after most of them.
const C_LIBRARY: &str = "libc6";

/// The lists of a root's packages.
#[derive(Debug)]
pub(super) struct Lists {
    directory: Option<Resolved>,
    /// In order of their names.
    all: Vec<List>,
    read: Mutex<Read>,
}

#[derive(Debug)]
struct List {
    /// `libc6:amd64.list`.
    file: String,
    /// The package in the database.
    package: usize,
}

#[derive(Debug, Default)]
struct Read {
    /// By place among the lists; every path stands between two line ends.
    texts: BTreeMap<usize, Vec<u8>>,
    bytes: usize,
    /// Paths that were asked for, with the packages that own them.
    known: BTreeMap<String, Option<usize>>,
}

impl Lists {
    /// Those in `directory`, by their names and with their packages, sorted.
    pub(super) fn new(directory: Option<Resolved>, lists: Vec<(String, usize)>) -> Self {
        let lists = lists.into_iter();
        Self {
            directory,
            all: lists
                .map(|(file, package)| List { file, package })
                .collect(),
            read: Mutex::default(),
        }
    }

    /// The package whose list has one of the `spellings` of a path. Where several have, it is the first
    /// of those named after the file, or else the first.
    pub(super) fn owner(
        &self,
        root: &LibraryRoot,
        spellings: &[String],
    ) -> Result<Option<usize>, RuntimeError> {
        let Some(path) = spellings.first() else {
            return Ok(None);
        };
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = read.known.get(path) {
            return Ok(*known);
        }
        let lines: Vec<String> = spellings.iter().map(|path| format!("\n{path}\n")).collect();
        let stem = stem(path);
        let (likely, others): (Vec<usize>, Vec<usize>) =
            (0..self.all.len()).partition(|place| self.all[*place].is_likely(&stem));
        let mut owner = None;
        for place in likely.into_iter().chain(others) {
            let text = self.text(root, place, &mut read)?;
            let has = |line: &String| memmem::find(text, line.as_bytes()).is_some();
            if lines.iter().any(has) {
                owner = Some(self.all[place].package);
                break;
            }
        }
        read.known.insert(path.clone(), owner);
        Ok(owner)
    }

    fn text<'a>(
        &self,
        root: &LibraryRoot,
        place: usize,
        read: &'a mut Read,
    ) -> Result<&'a [u8], RuntimeError> {
        if !read.texts.contains_key(&place) {
            let mut text = vec![b'\n'];
            if let (Some(directory), Some(list)) = (&self.directory, self.all.get(place)) {
                root.read_in(directory, &list.file, MAX_LIST, &mut text)?;
            }
            text.push(b'\n');
            read.bytes += text.len();
            if read.bytes > MAX_LISTS {
                return Err(RuntimeError::TooMany {
                    what: "bytes in the package lists".to_owned(),
                    limit: MAX_LISTS,
                });
            }
            read.texts.insert(place, text);
        }
        Ok(read.texts.get(&place).map_or(&[], Vec::as_slice))
    }
}

impl List {
    fn is_likely(&self, stem: &str) -> bool {
        self.file.starts_with(stem) || self.file.starts_with(C_LIBRARY)
    }
}

/// How the name of the package begins that Debian would call after a library: `libgcc-s` for
/// `libgcc_s.so.1` (Debian policy, "Run-time shared libraries").
fn stem(path: &str) -> String {
    let name = file_name(path);
    let name = name.split_once('.').map_or(name, |(name, _)| name);
    name.to_lowercase().replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_named_after_their_libraries() {
        assert_eq!(stem("/lib/x/libgcc_s.so.1"), "libgcc-s");
        assert_eq!(stem("/usr/lib/libSDL2-2.0.so.0"), "libsdl2-2");
        assert_eq!(stem("/usr/share/zoneinfo/UTC"), "utc");
    }
}

//! The lists of the files of packages, read as far as they are needed.
//!
//! Of a hundred thousand files a run asks for a few. Most belong to packages that are named after them,
//! so that two or three of hundreds of lists are read. Only whoever asks for many others, such as all time
//! zones, has the lines of all lists sorted.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use memchr::memmem;

use crate::runtime::RuntimeError;
use crate::runtime::root::{LibraryRoot, Resolved};
use crate::runtime::search::file_name;

const MAX_LIST: u64 = 64 * 1024 * 1024;
const MAX_LISTS: usize = 1024 * 1024 * 1024;
/// Searches of all lists that take less time than to sort their lines.
const MAX_SEARCHES: usize = 8;
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
    /// How often all lists were searched.
    searches: usize,
    /// All lines of all lists, sorted by their text and then by the place of their list, once that is worth it.
    lines: Vec<Line>,
}

/// Where a line stands: in which list, and from where to where in its text.
#[derive(Debug, Clone, Copy)]
struct Line {
    place: usize,
    start: usize,
    end: usize,
}

impl Read {
    fn line(&self, line: &Line) -> &[u8] {
        let text = self.texts.get(&line.place);
        text.and_then(|text| text.get(line.start..line.end))
            .unwrap_or_default()
    }

    /// Sorts the lines of all texts.
    fn sort(&mut self) {
        let mut lines = Vec::new();
        for (&place, text) in &self.texts {
            let mut start = 0;
            for end in memchr::memchr_iter(b'\n', text) {
                if start < end {
                    lines.push(Line { place, start, end });
                }
                start = end + 1;
            }
        }
        lines.sort_unstable_by(|a, b| {
            let texts = self.line(a).cmp(self.line(b));
            texts.then(a.place.cmp(&b.place))
        });
        self.lines = lines;
    }

    /// The first list that has this line.
    fn first_with(&self, text: &str) -> Option<usize> {
        let text = text.as_bytes();
        let at = self.lines.partition_point(|line| self.line(line) < text);
        let found = self.lines.get(at)?;
        (self.line(found) == text).then_some(found.place)
    }
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
        let stem = stem(path);
        let (likely, others): (Vec<usize>, Vec<usize>) =
            (0..self.all.len()).partition(|place| self.all[*place].is_likely(&stem));
        let mut place = self.search(root, &likely, spellings, &mut read)?;
        if place.is_none() && read.searches < MAX_SEARCHES {
            read.searches += 1;
            place = self.search(root, &others, spellings, &mut read)?;
        } else if place.is_none() {
            if read.lines.is_empty() {
                // Each is read by now, but those that stood behind what was found.
                for place in others {
                    self.text(root, place, &mut read)?;
                }
                read.sort();
            }
            let first = spellings.iter().filter_map(|path| read.first_with(path));
            place = first.min();
        }
        let owner = place.and_then(|place| self.all.get(place));
        let owner = owner.map(|list| list.package);
        read.known.insert(path.clone(), owner);
        Ok(owner)
    }

    /// The first of these lists that has one of the paths.
    fn search(
        &self,
        root: &LibraryRoot,
        places: &[usize],
        paths: &[String],
        read: &mut Read,
    ) -> Result<Option<usize>, RuntimeError> {
        let lines: Vec<String> = paths.iter().map(|path| format!("\n{path}\n")).collect();
        for &place in places {
            let text = self.text(root, place, read)?;
            let has = |line: &String| memmem::find(text, line.as_bytes()).is_some();
            if lines.iter().any(has) {
                return Ok(Some(place));
            }
        }
        Ok(None)
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

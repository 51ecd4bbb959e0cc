//! The entries of a tar that somebody wrote, walked over within limits, and their names as runtimes take them.

use std::io::{self, Read};
use std::rc::Rc;

use tar::{Archive, Entry};

use super::unpacked::{Gauge, Stop};

/// Bytes of a name.
const MAX_NAME: usize = 4096;
/// Bytes of a tar's least piece.
const BLOCK: u64 = 512;

/// How much of a tar is read.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of headers, long names and extended records of one entry.
    pub headers: u64,
    /// Entries.
    pub entries: usize,
    /// Bytes of all names and link targets together: whoever reads them keeps them.
    pub names: usize,
}

impl Limits {
    /// For the layer of an image.
    pub const LAYER: Self = Self {
        headers: 2 << 20,
        entries: 1_000_000,
        names: 256 << 20,
    };
}

/// Why a tar is not read to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TarFault {
    /// There are no more bytes.
    #[error(transparent)]
    Stopped(#[from] Stop),
    /// It ends within an entry.
    #[error("it ends too early, after {0} bytes")]
    Truncated(u64),
    /// A header without a right checksum, or with a field that is no number.
    #[error("it is no tar, or a damaged one")]
    NoTar,
    /// More than [`Limits::entries`].
    #[error("it has more than {0} entries")]
    TooManyEntries(usize),
    /// More than [`Limits::names`].
    #[error("it has more than {0} bytes of names")]
    TooManyNames(usize),
    /// A file that claims any length, and whose zeros a reader would have to make up.
    #[error("it has a sparse file")]
    Sparse,
}

impl TarFault {
    /// What it means that a reader of tars, which reads through `gauge`, can go no further. Its own words
    /// are for programmers.
    fn of(gauge: &Gauge) -> Self {
        match gauge.stop() {
            Some(stop) => stop.into(),
            None if gauge.is_at_end() && gauge.position() >= BLOCK => {
                Self::Truncated(gauge.position())
            }
            None => Self::NoTar,
        }
    }
}

impl From<TarFault> for io::Error {
    fn from(fault: TarFault) -> Self {
        Self::other(fault)
    }
}

/// The entries of a tar, until there is a fault.
pub struct Entries<'a, R: 'a + Read> {
    inner: tar::Entries<'a, R>,
    gauge: Rc<Gauge>,
    limits: Limits,
    count: usize,
    names: usize,
    /// Where in the tar the content of the last entry ends.
    content_end: u64,
}

impl<'a, R: Read> Entries<'a, R> {
    /// The entries of `archive`, which reads through `gauge`.
    ///
    /// # Errors
    /// [`TarFault`] when some of it was read before.
    pub fn of(
        archive: &'a mut Archive<R>,
        gauge: &Rc<Gauge>,
        limits: Limits,
    ) -> Result<Self, TarFault> {
        Ok(Self {
            inner: archive.entries().map_err(|_| TarFault::NoTar)?,
            gauge: Rc::clone(gauge),
            limits,
            count: 0,
            names: 0,
            content_end: 0,
        })
    }

    fn within_limits(&mut self, entry: &Entry<'_, R>) -> Result<(), TarFault> {
        let link = entry.link_name_bytes().map_or(0, |link| link.len());
        self.names += entry.path_bytes().len() + link;
        self.count += 1;
        if self.count > self.limits.entries {
            return Err(TarFault::TooManyEntries(self.limits.entries));
        }
        if self.names > self.limits.names {
            return Err(TarFault::TooManyNames(self.limits.names));
        }
        if entry.header().entry_type().is_gnu_sparse() {
            return Err(TarFault::Sparse);
        }
        Ok(())
    }
}

impl<'a, R: Read> Iterator for Entries<'a, R> {
    type Item = Result<Entry<'a, R>, TarFault>;

    fn next(&mut self) -> Option<Self::Item> {
        // What nobody read of the last entry's content is skipped on the way to the next header.
        let skipped = self.content_end.saturating_sub(self.gauge.position());
        let allowed = self.limits.headers.saturating_add(skipped);
        self.gauge.allow(Some(allowed));
        let entry = self.inner.next();
        self.gauge.allow(None);
        let entry = entry?.map_err(|_| TarFault::of(&self.gauge));
        Some(entry.and_then(|entry| {
            let content = entry.size().checked_next_multiple_of(BLOCK);
            let begin = self.gauge.position();
            self.content_end = begin.saturating_add(content.unwrap_or(u64::MAX));
            self.within_limits(&entry).map(|()| entry)
        }))
    }
}

/// What is wrong with the name of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    /// Beyond the root: no runtime unpacks that.
    #[error("its name leads out of the image")]
    LeadsOut,
    /// Beyond what systems take.
    #[error("its name is longer than names of files are")]
    TooLong,
    /// Where systems end a name.
    #[error("its name has a zero byte in it")]
    Zero,
    /// From a root: names are relative to that of the image.
    #[error("its name begins with a slash, which runtimes leave out")]
    Absolute,
    /// Up and down again.
    #[error("its name has `..` in it")]
    Up,
    /// No name at all.
    #[error("its name is empty")]
    Empty,
    /// Something that adds nothing.
    #[error("its name has an empty part, or `.` in it")]
    EmptyPart,
}

/// The name of an entry as runtimes take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryName {
    /// Relative, without `.` and `..`; empty for the root.
    pub path: Vec<u8>,
    /// What is wrong with how it was written.
    pub fault: Option<NameFault>,
}

impl EntryName {
    /// Reads the name of an entry, or what a hard link leads to.
    ///
    /// # Errors
    /// [`NameFault`] where it names nothing in an image.
    pub fn of(raw: &[u8]) -> Result<Self, NameFault> {
        if raw.len() > MAX_NAME {
            return Err(NameFault::TooLong);
        }
        if raw.contains(&0) {
            return Err(NameFault::Zero);
        }
        let mut parts: Vec<&[u8]> = Vec::new();
        let mut climbs = false;
        for part in raw.split(|byte| *byte == b'/') {
            match part {
                b"" | b"." => {}
                b".." => {
                    climbs = true;
                    parts.pop().ok_or(NameFault::LeadsOut)?;
                }
                part => parts.push(part),
            }
        }
        let fault = if raw.is_empty() {
            Some(NameFault::Empty)
        } else if raw.starts_with(b"/") {
            Some(NameFault::Absolute)
        } else if climbs {
            Some(NameFault::Up)
        } else {
            (!is_plain(raw)).then_some(NameFault::EmptyPart)
        };
        Ok(Self {
            path: parts.join(&b'/'),
            fault,
        })
    }
}

/// Whether a name has nothing before its first part but `./`, and nothing behind its last one but `/`. Some
/// tools begin a layer with its root.
fn is_plain(raw: &[u8]) -> bool {
    if matches!(raw, b"." | b"./" | b"./." | b"././") {
        return true;
    }
    let name = raw.strip_prefix(b"./").unwrap_or(raw);
    let name = name.strip_suffix(b"/").unwrap_or(name);
    let mut parts = name.split(|byte| *byte == b'/');
    parts.all(|part| !matches!(part, b"" | b"."))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::oci::LayerCompression;
    use crate::source::Unpacked;

    fn read(raw: &str) -> Result<(String, Option<NameFault>), NameFault> {
        let name = EntryName::of(raw.as_bytes())?;
        Ok((String::from_utf8(name.path).expect("text"), name.fault))
    }

    /// Each entry's size, with the content read or not, within limits that take a header and little more.
    fn sizes(contents: &[usize], reads: bool) -> Result<Vec<u64>, TarFault> {
        let mut tar = tar::Builder::new(Vec::new());
        for (number, size) in contents.iter().enumerate() {
            let mut header = tar::Header::new_ustar();
            header.set_size(*size as u64);
            let content = vec![1; *size];
            let name = format!("file-{number}");
            tar.append_data(&mut header, name, &content[..])
                .expect("written");
        }
        let tar = tar.into_inner().expect("written");
        let mut unpacked = Unpacked::new(&tar[..], LayerCompression::None).expect("nothing to do");
        let gauge = unpacked.gauge();
        let mut archive = Archive::new(&mut unpacked);
        let limits = Limits {
            headers: 2048,
            ..Limits::LAYER
        };
        let mut sizes = Vec::new();
        for entry in Entries::of(&mut archive, &gauge, limits)? {
            let mut entry = entry?;
            sizes.push(entry.size());
            if reads {
                io::copy(&mut entry, &mut io::sink()).expect("there");
            }
        }
        Ok(sizes)
    }

    #[test]
    fn content_that_nobody_reads_is_no_header() {
        let contents = [70_000, 0, 511, 1_000_000, 1];
        let expected: Vec<u64> = contents.iter().map(|size| *size as u64).collect();
        for reads in [true, false] {
            assert_eq!(sizes(&contents, reads), Ok(expected.clone()), "{reads}");
        }
    }

    #[test]
    fn names_are_taken_as_runtimes_take_them() {
        let taken = |path: &str, fault| Ok((path.to_owned(), fault));
        for (raw, path) in [("a/b", "a/b"), ("./a/b/", "a/b"), (".", ""), ("./", "")] {
            assert_eq!(read(raw), taken(path, None), "{raw}");
        }
        for (raw, path, fault) in [
            ("/a//b/", "a/b", NameFault::Absolute),
            ("/", "", NameFault::Absolute),
            ("/a/../b", "b", NameFault::Absolute),
            ("a/../b", "b", NameFault::Up),
            ("a/..", "", NameFault::Up),
            ("a//b", "a/b", NameFault::EmptyPart),
            ("a/./b", "a/b", NameFault::EmptyPart),
            ("a//", "a", NameFault::EmptyPart),
            ("", "", NameFault::Empty),
        ] {
            assert_eq!(read(raw), taken(path, Some(fault)), "{raw}");
        }
        for (raw, fault) in [
            ("..", NameFault::LeadsOut),
            ("/..", NameFault::LeadsOut),
            ("a/../../b", NameFault::LeadsOut),
            ("a\0b", NameFault::Zero),
            (&"x/".repeat(3000), NameFault::TooLong),
        ] {
            assert_eq!(read(raw), Err(fault), "{raw}");
        }
    }

    proptest! {
        #[test]
        fn no_name_leads_out(raw in "[a./]{0,12}") {
            if let Ok((path, fault)) = read(&raw) {
                let parts = path.split('/').filter(|_| !path.is_empty());
                prop_assert!(parts.clone().all(|part| !matches!(part, "" | "." | "..")));
                // What is right is right as it stands, but for the ends.
                prop_assert!(fault.is_some() || raw.contains(&path));
            }
        }

        #[test]
        fn any_bytes_are_a_name_or_none_without_a_panic(raw in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = EntryName::of(&raw);
        }
    }
}

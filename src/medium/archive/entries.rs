//! What stands where in a tar: one walk over its headers, content skipped.
//!
//! The tar is foreign. Nothing in it is ever written to a path of the disk; still, names that climb,
//! begin at the root or stand there twice are refused, because readers differ in what they make of them.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use fs_err::File;
use tar::{EntryType, Header};

use super::ArchiveError;
use crate::report::printable;

const BLOCK: u64 = 512;
/// Entries of an archive: some thousand images.
pub(super) const MAX_ENTRIES: usize = 100_000;
/// Bytes of an extended header, or of a name in GNU's way.
const MAX_EXTENDED: u64 = 64 * 1024;
/// Links that lead to links.
const MAX_LINKS: usize = 8;

/// Where a file's content is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) offset: u64,
    pub(super) size: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    File(Place),
    /// Older versions of docker write a layer that another image has too as a link.
    Link(String),
}

/// All files of an archive by their names.
#[derive(Debug, Default)]
pub(super) struct Entries(BTreeMap<String, Found>);

impl Entries {
    /// Where the content of `name` is, if there is such a file.
    pub(super) fn find(&self, name: &str) -> Option<Place> {
        let mut name = normalized(name)?;
        for _ in 0..=MAX_LINKS {
            match self.0.get(&name)? {
                Found::File(place) => return Some(*place),
                Found::Link(target) => name = target.clone(),
            }
        }
        None
    }

    /// Walks over the headers of `file`, which is at `path`.
    pub(super) fn scan(path: &Path, file: &File) -> Result<Self, ArchiveError> {
        let mut scan = Scan {
            path,
            file,
            size: file.metadata()?.len(),
            offset: 0,
            extended: Extended::default(),
            entries: Self::default(),
        };
        scan.refuse_compressed()?;
        let mut count = 0;
        while scan.step()? {
            count += 1;
            if count > MAX_ENTRIES {
                return Err(ArchiveError::TooMany {
                    path: path.to_owned(),
                    what: "entries",
                    limit: MAX_ENTRIES as u64,
                });
            }
        }
        Ok(scan.entries)
    }
}

/// What extended headers say about the entry after them.
#[derive(Debug, Default)]
struct Extended {
    name: Option<String>,
    link: Option<String>,
    size: Option<u64>,
}

struct Scan<'a> {
    path: &'a Path,
    file: &'a File,
    size: u64,
    offset: u64,
    extended: Extended,
    entries: Entries,
}

impl Scan<'_> {
    /// Looks at one entry, and tells whether there may be more.
    fn step(&mut self) -> Result<bool, ArchiveError> {
        let header = self.header()?;
        if header.as_bytes().iter().all(|byte| *byte == 0) {
            return Ok(false);
        }
        let kind = header.entry_type();
        let size = match self.extended.size {
            Some(size) if !is_extended(kind) => size,
            _ => header.entry_size().map_err(|_| self.not_a_tar())?,
        };
        let content = Place {
            offset: self.offset,
            size,
        };
        // What ends beyond the file is no content; nor is what ends beyond all numbers.
        let padded = size.checked_next_multiple_of(BLOCK);
        let end = padded.and_then(|size| self.offset.checked_add(size));
        let end = end.filter(|end| *end <= self.size);
        self.offset = end.ok_or_else(|| self.truncated())?;
        if is_extended(kind) {
            self.extend(kind, content)?;
            return Ok(true);
        }
        let extended = std::mem::take(&mut self.extended);
        let name = match extended.name {
            Some(name) => name,
            None => self.text(&header.path_bytes())?,
        };
        match kind {
            EntryType::Regular | EntryType::Continuous => self.keep(&name, Found::File(content))?,
            EntryType::Symlink | EntryType::Link => {
                let target = match extended.link {
                    Some(target) => target,
                    None => self.text(&header.link_name_bytes().unwrap_or_default())?,
                };
                let beside = name.rsplit_once('/').filter(|_| kind == EntryType::Symlink);
                let target = match beside {
                    Some((directory, _)) => format!("{directory}/{target}"),
                    None => target,
                };
                let target = resolved(&target)
                    .ok_or_else(|| self.bad(&name, "is a link that leads out of the archive"))?;
                self.keep(&name, Found::Link(target))?;
            }
            EntryType::Directory => {
                normalized(&name).ok_or_else(|| self.bad(&name, OUTSIDE))?;
            }
            EntryType::Char | EntryType::Block | EntryType::Fifo => {
                return Err(self.bad(&name, "is a device or a pipe"));
            }
            _ => return Err(self.bad(&name, "is of a kind that is not known")),
        }
        Ok(true)
    }

    fn keep(&mut self, name: &str, found: Found) -> Result<(), ArchiveError> {
        let normal = normalized(name).filter(|name| !name.is_empty());
        let normal = normal.ok_or_else(|| self.bad(name, OUTSIDE))?;
        if self.entries.0.insert(normal, found).is_some() {
            return Err(self.bad(name, "is there twice"));
        }
        Ok(())
    }

    /// The next header, whose checksum must be right.
    fn header(&mut self) -> Result<Header, ArchiveError> {
        let mut header = Header::new_old();
        match self.read(header.as_mut_bytes(), self.offset) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(if self.offset == 0 {
                    self.not_a_tar()
                } else {
                    self.truncated()
                });
            }
            other => other?,
        }
        self.offset += BLOCK;
        let bytes = header.as_bytes();
        if bytes.iter().all(|byte| *byte == 0) {
            return Ok(header);
        }
        // The sum is over all bytes, with blanks where it stands itself.
        let sum: u32 = bytes[..148]
            .iter()
            .chain(&bytes[156..])
            .map(|byte| u32::from(*byte))
            .sum();
        if header.cksum().ok() == Some(sum + 8 * u32::from(b' ')) {
            Ok(header)
        } else {
            Err(self.not_a_tar())
        }
    }

    fn extend(&mut self, kind: EntryType, content: Place) -> Result<(), ArchiveError> {
        if content.size > MAX_EXTENDED {
            return Err(ArchiveError::TooMany {
                path: self.path.to_owned(),
                what: "bytes in an extended header",
                limit: MAX_EXTENDED,
            });
        }
        let mut bytes = vec![0; usize::try_from(content.size).unwrap_or_default()];
        self.read(&mut bytes, content.offset)?;
        match kind {
            EntryType::XHeader => self.records(&bytes),
            // What it says of all entries is nothing that matters here.
            EntryType::XGlobalHeader => Ok(()),
            _ => {
                let end = bytes.iter().position(|byte| *byte == 0);
                let text = self.text(&bytes[..end.unwrap_or(bytes.len())])?;
                let slot = match kind {
                    EntryType::GNULongName => &mut self.extended.name,
                    _ => &mut self.extended.link,
                };
                *slot = Some(text);
                Ok(())
            }
        }
    }

    /// `LENGTH KEYWORD=VALUE\n` each (POSIX pax, "pax Extended Header").
    fn records(&mut self, mut bytes: &[u8]) -> Result<(), ArchiveError> {
        while !bytes.is_empty() {
            let space = bytes.iter().take(8).position(|byte| *byte == b' ');
            let length = space.and_then(|space| {
                let digits = std::str::from_utf8(&bytes[..space]).ok()?;
                let length: usize = digits.parse().ok()?;
                (length > space + 1 && length <= bytes.len()).then_some((space, length))
            });
            let (space, length) = length.ok_or_else(|| self.not_a_tar())?;
            let record = bytes[space + 1..length].strip_suffix(b"\n");
            let record = record.ok_or_else(|| self.not_a_tar())?;
            bytes = &bytes[length..];
            let equals = record.iter().position(|byte| *byte == b'=');
            let equals = equals.ok_or_else(|| self.not_a_tar())?;
            let value = &record[equals + 1..];
            match &record[..equals] {
                b"path" => self.extended.name = Some(self.text(value)?),
                b"linkpath" => self.extended.link = Some(self.text(value)?),
                b"size" => {
                    let size = std::str::from_utf8(value)
                        .ok()
                        .and_then(|text| text.parse().ok());
                    self.extended.size = Some(size.ok_or_else(|| self.not_a_tar())?);
                }
                keyword if keyword.starts_with(b"GNU.sparse") => {
                    return Err(self.bad("sparse", "is a sparse file"));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn refuse_compressed(&self) -> Result<(), ArchiveError> {
        const MAGIC: [(&[u8], &str); 4] = [
            (&[0x1f, 0x8b], "gzip"),
            (&[0x28, 0xb5, 0x2f, 0xfd], "zstd"),
            (&[0xfd, b'7', b'z', b'X', b'Z'], "xz"),
            (b"BZh", "bzip2"),
        ];
        let mut start = Vec::new();
        let region = Region::new(self.file, Place { offset: 0, size: 6 });
        region.take(6).read_to_end(&mut start).ok();
        match MAGIC.iter().find(|(magic, _)| start.starts_with(magic)) {
            Some((_, by)) => Err(ArchiveError::Compressed {
                path: self.path.to_owned(),
                by,
            }),
            None => Ok(()),
        }
    }

    fn read(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.file().read_exact_at(bytes, offset)
    }

    fn text(&self, bytes: &[u8]) -> Result<String, ArchiveError> {
        let text = String::from_utf8(bytes.to_owned());
        text.map_err(|error| {
            let name = String::from_utf8_lossy(error.as_bytes()).into_owned();
            self.bad(&name, "has a name that is not UTF-8")
        })
    }

    fn bad(&self, name: &str, why: &'static str) -> ArchiveError {
        ArchiveError::Entry {
            path: self.path.to_owned(),
            name: printable(name),
            why,
        }
    }

    fn not_a_tar(&self) -> ArchiveError {
        ArchiveError::NoArchive {
            path: self.path.to_owned(),
            why: "it is no tar, or a damaged one",
        }
    }

    fn truncated(&self) -> ArchiveError {
        ArchiveError::Truncated {
            path: self.path.to_owned(),
            bytes: self.size,
        }
    }
}

const OUTSIDE: &str = "does not stay in the archive";

fn is_extended(kind: EntryType) -> bool {
    matches!(
        kind,
        EntryType::XHeader
            | EntryType::XGlobalHeader
            | EntryType::GNULongName
            | EntryType::GNULongLink
    )
}

/// A name without `./` and a slash at its end; `None` for one that is absolute or climbs.
fn normalized(name: &str) -> Option<String> {
    let parts = name.split('/').filter(|part| !matches!(*part, "" | "."));
    let parts: Vec<&str> = parts.collect();
    (!name.starts_with('/') && !parts.contains(&"..")).then(|| parts.join("/"))
}

/// The same for what a link leads to, which may climb as far as the archive's top.
fn resolved(target: &str) -> Option<String> {
    if target.starts_with('/') {
        return None;
    }
    let mut parts = Vec::new();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The content of one entry.
#[derive(Debug)]
pub(super) struct Region<'a> {
    file: &'a File,
    place: Place,
}

impl<'a> Region<'a> {
    pub(super) fn new(file: &'a File, place: Place) -> Self {
        Self { file, place }
    }
}

impl Read for Region<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.place.size).unwrap_or(usize::MAX);
        let most = most.min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let read = self
            .file
            .file()
            .read_at(&mut buffer[..most], self.place.offset)?;
        self.place.offset += read as u64;
        self.place.size -= read as u64;
        Ok(read)
    }
}

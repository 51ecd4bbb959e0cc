//! A layer as it passes: its digests, its entries, and the few files that tell of others.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use tar::{Archive, Entry, EntryType};

use super::records::Records;
use crate::digest::{Digest, HashingWriter};
use crate::oci::Descriptor;
use crate::process::Interrupt;
use crate::source::{Entries, EntryName, Limits, Unpacked, compression_of};

/// Bytes of what a symbolic link leads to.
const MAX_LINK: usize = 4096;
/// Bytes of one file whose content is kept.
const MAX_KEPT: u64 = 32 << 20;
/// Bytes of all such files of a layer; those beyond are only hashed.
const MAX_ALL_KEPT: u64 = 96 << 20;
const WHITEOUT: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";

/// All that is known of a layer.
#[derive(Debug)]
pub(super) struct LayerContents {
    pub(super) diff_id: Digest,
    /// Bytes of the tar.
    pub(super) unpacked: u64,
    pub(super) entries: Vec<LayerEntry>,
    /// The first name that is read, and that no image should have.
    pub(super) odd: Option<OddName>,
    /// The first file that is stored without its holes: only runtimes fill them in.
    pub(super) sparse: Option<Vec<u8>>,
    /// The first entry with a record that cannot be read.
    pub(super) unread: Option<Vec<u8>>,
}

/// The name of an entry that runtimes change.
#[derive(Debug)]
pub(super) struct OddName {
    /// As it is written.
    pub(super) raw: Vec<u8>,
    /// As runtimes take it.
    pub(super) path: Vec<u8>,
}

/// One entry of a layer, in the order of the tar.
#[derive(Debug)]
pub(super) struct LayerEntry {
    /// Relative, without `.` and `..`; empty for the root.
    pub(super) path: Vec<u8>,
    pub(super) kind: EntryKind,
    pub(super) attributes: Attributes,
}

/// Whose it is, and what may be done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attributes {
    pub(super) mode: u32,
    pub(super) uid: u64,
    pub(super) gid: u64,
    /// Extended attributes that change what may be done, by their digest.
    pub(super) rights: Option<Digest>,
}

#[derive(Debug)]
pub(super) enum EntryKind {
    Directory,
    File(FileContent),
    Symlink(Vec<u8>),
    HardLink(Vec<u8>),
    /// A device or pipe: its type byte and numbers.
    Special(u8, u32, u32),
    /// The path is that of what it deletes.
    Whiteout,
    /// What lower layers have in the directory is gone.
    Opaque,
}

/// A file's bytes, or what is known of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileContent {
    pub(super) size: u64,
    pub(super) digest: Digest,
    /// Where they tell of other files.
    pub(super) kept: Option<Arc<[u8]>>,
}

impl FileContent {
    /// The same of a file that is stored without its holes: only where they are tells what it is.
    fn packed(&self, map: &Digest) -> Self {
        Self {
            size: self.size,
            digest: Digest::of(format!("{} {map}", self.digest).as_bytes()),
            kept: None,
        }
    }
}

/// Layers by their blobs: images share them, and each is read once.
#[derive(Debug, Default)]
pub(super) struct Layers(BTreeMap<Digest, Rc<LayerContents>>);

impl Layers {
    /// The layer of the blob at `path`.
    ///
    /// # Errors
    /// When it is not what its descriptor says, or no layer.
    pub(super) fn read(
        &mut self,
        path: &Path,
        blob: &Descriptor,
        interrupt: &Interrupt,
    ) -> io::Result<Rc<LayerContents>> {
        if let Some(known) = self.0.get(&blob.digest) {
            return Ok(Rc::clone(known));
        }
        let contents = Rc::new(read(path, blob, interrupt)?);
        self.0.insert(blob.digest, Rc::clone(&contents));
        Ok(contents)
    }
}

fn read(path: &Path, blob: &Descriptor, interrupt: &Interrupt) -> io::Result<LayerContents> {
    if !fs_err::metadata(path)?.is_file() {
        return Err(io::Error::other("its blob is no regular file"));
    }
    let file = fs_err::File::open(path)?.take(blob.size.saturating_add(1));
    let mut hashing = Hashing {
        inner: file,
        hash: HashingWriter::new(io::sink()),
    };
    let contents = {
        let mut reader = BufReader::with_capacity(1 << 16, &mut hashing);
        let contents = unpack(&mut reader, interrupt);
        if interrupt.received().is_some() {
            return contents;
        }
        // The digest is of everything, also of what follows the tar.
        io::copy(&mut reader, &mut io::sink())?;
        contents
    };
    let (_, digest, size) = hashing.hash.finish();
    if (digest, size) != (blob.digest, blob.size) {
        return Err(io::Error::other(
            "its blob is not what its digest and size say",
        ));
    }
    contents
}

fn unpack(reader: &mut BufReader<impl Read>, interrupt: &Interrupt) -> io::Result<LayerContents> {
    let compression = compression_of(reader.fill_buf()?);
    let mut unpacked = Unpacked::new(reader, compression)?;
    unpacked.stop_at(interrupt);
    let gauge = unpacked.gauge();
    let mut reading = Reading {
        entries: Vec::new(),
        odd: None,
        sparse: None,
        unread: None,
        kept: 0,
    };
    let mut archive = Archive::new(&mut unpacked);
    for entry in Entries::of(&mut archive, &gauge, Limits::LAYER)? {
        reading.read_one(&mut entry?)?;
    }
    io::copy(&mut unpacked, &mut io::sink())?;
    let end = unpacked.end();
    Ok(LayerContents {
        diff_id: end.diff_id,
        unpacked: end.size,
        entries: reading.entries,
        odd: reading.odd,
        sparse: reading.sparse,
        unread: reading.unread,
    })
}

struct Reading {
    entries: Vec<LayerEntry>,
    odd: Option<OddName>,
    sparse: Option<Vec<u8>>,
    unread: Option<Vec<u8>>,
    kept: u64,
}

impl Reading {
    fn read_one(&mut self, entry: &mut Entry<'_, impl Read>) -> io::Result<()> {
        let kind = entry.header().entry_type();
        // No file, whatever its name is: records for entries behind it.
        if kind.is_pax_global_extensions() || kind.is_pax_local_extensions() {
            return Ok(());
        }
        let mut raw = entry.path_bytes().into_owned();
        let records = Records::of(entry);
        if let Some(name) = records.sparse.as_ref().and_then(|file| file.name.as_ref()) {
            raw.clone_from(name);
        }
        let bad = |why: &dyn fmt::Display| {
            let name = String::from_utf8_lossy(&raw);
            io::Error::other(format!("of its entry `{name}`, {why}"))
        };
        let header = entry.header();
        let damaged = |_| bad(&"the header is damaged");
        let attributes = Attributes {
            mode: header.mode().map_err(damaged)? & 0o7777,
            uid: header.uid().map_err(damaged)?,
            gid: header.gid().map_err(damaged)?,
            rights: records.rights,
        };
        let numbers = (
            header.device_major().ok().flatten().unwrap_or_default(),
            header.device_minor().ok().flatten().unwrap_or_default(),
        );
        let EntryName { path, fault } = EntryName::of(&raw).map_err(|fault| bad(&fault))?;
        let link = entry.link_name_bytes().map(std::borrow::Cow::into_owned);
        let link = link.unwrap_or_default();
        if link.len() > MAX_LINK {
            return Err(bad(&"the link is too long"));
        }
        if fault.is_some() && self.odd.is_none() {
            self.odd = Some(OddName {
                raw: raw.clone(),
                path: path.clone(),
            });
        }
        if records.has_unread && self.unread.is_none() {
            self.unread = Some(path.clone());
        }
        let (path, kind) = match kind {
            _ if is_deletion(&path) => match deletion(&path) {
                Some(deletion) => deletion,
                // Notes of a file system that nobody reads any more.
                None => return Ok(()),
            },
            EntryType::Regular | EntryType::Continuous => {
                let mut content = self.content(&path, entry)?;
                if let Some(file) = &records.sparse {
                    content = content.packed(&file.map);
                    self.sparse.get_or_insert_with(|| path.clone());
                }
                (path, EntryKind::File(content))
            }
            EntryType::Directory => (path, EntryKind::Directory),
            EntryType::Symlink => (path, EntryKind::Symlink(link)),
            EntryType::Link => {
                let target = EntryName::of(&link);
                let target = target.map_err(|_| bad(&"the link leads nowhere"))?;
                (path, EntryKind::HardLink(target.path))
            }
            EntryType::Char | EntryType::Block | EntryType::Fifo => (
                path,
                EntryKind::Special(kind.as_byte(), numbers.0, numbers.1),
            ),
            // Kinds that no runtime unpacks.
            _ => return Ok(()),
        };
        self.entries.push(LayerEntry {
            path,
            kind,
            attributes,
        });
        Ok(())
    }

    fn content(
        &mut self,
        path: &[u8],
        entry: &mut Entry<'_, impl Read>,
    ) -> io::Result<FileContent> {
        let size = entry.size();
        let keeps = tells_of_others(path) && size <= MAX_KEPT && self.kept + size <= MAX_ALL_KEPT;
        if !keeps {
            let (digest, size) = Digest::of_reader(entry)?;
            return Ok(FileContent {
                size,
                digest,
                kept: None,
            });
        }
        let mut bytes = Vec::new();
        entry.take(MAX_KEPT).read_to_end(&mut bytes)?;
        self.kept += bytes.len() as u64;
        Ok(FileContent {
            size: bytes.len() as u64,
            digest: Digest::of(&bytes),
            kept: Some(bytes.into()),
        })
    }
}

/// Whether a file says which package others came from.
pub(super) fn tells_of_others(path: &[u8]) -> bool {
    let list = |path: &[u8]| path.starts_with(b"var/lib/dpkg/info/") && path.ends_with(b".list");
    path.starts_with(b"var/lib/dpkg/status.d/")
        || matches!(
            path,
            b"var/lib/dpkg/status" | b"lib/apk/db/installed" | b"usr/lib/apk/db/installed"
        )
        || list(path)
}

fn is_deletion(path: &[u8]) -> bool {
    path.split(|byte| *byte == b'/')
        .any(|part| part.starts_with(WHITEOUT))
}

/// What an order to delete is about (image-spec, layer.md, "Whiteouts").
fn deletion(path: &[u8]) -> Option<(Vec<u8>, EntryKind)> {
    let start = path.iter().rposition(|byte| *byte == b'/');
    let (directory, name) = match start {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (&path[..0], path),
    };
    if is_deletion(directory) {
        return None;
    }
    if name == OPAQUE {
        return Some((directory.to_vec(), EntryKind::Opaque));
    }
    let deleted = name.strip_prefix(WHITEOUT)?;
    if deleted.is_empty() || deleted.starts_with(WHITEOUT) || matches!(deleted, b"." | b"..") {
        return None;
    }
    let mut path = directory.to_vec();
    if !path.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(deleted);
    Some((path, EntryKind::Whiteout))
}

/// Bytes, hashed as they pass.
struct Hashing<R> {
    inner: R,
    hash: HashingWriter<io::Sink>,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.write_all(&buffer[..count])?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(path: &str) -> Option<(String, String)> {
        let (path, kind) = deletion(path.as_bytes())?;
        let path = String::from_utf8(path).expect("text");
        Some((path, format!("{kind:?}")))
    }

    #[test]
    fn orders_to_delete_are_understood() {
        let pair = |path: &str, kind: &str| Some((path.to_owned(), kind.to_owned()));
        assert_eq!(shown("a/.wh.b"), pair("a/b", "Whiteout"));
        assert_eq!(shown(".wh.b"), pair("b", "Whiteout"));
        assert_eq!(shown("a/.wh..wh..opq"), pair("a", "Opaque"));
        assert_eq!(shown(".wh..wh..opq"), pair("", "Opaque"));
        for note in [
            ".wh.",
            ".wh...",
            ".wh..wh.plnk",
            ".wh.a/b",
            ".wh..wh.plnk/1.2",
        ] {
            assert_eq!(shown(note), None, "{note}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_bytes_are_a_layer_or_none_without_a_panic(
            head in prop_oneof![Just(&b""[..]), Just(&b"\x1f\x8b\x08\0"[..]), Just(&b"\x28\xb5\x2f\xfd"[..])],
            bytes in prop::collection::vec(any::<u8>(), 0..2000),
        ) {
            let bytes = [head, &bytes].concat();
            let mut reader = BufReader::new(bytes.as_slice());
            let _ = unpack(&mut reader, &Interrupt::new());
        }

        #[test]
        fn near_tars_are_read_without_a_panic(
            names in prop::collection::vec("(\\.wh\\.)?[a./]{0,9}", 1..6),
            kinds in prop::collection::vec("[0-7gxLKSV]", 6),
            position in 0_usize..3000,
            bytes in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let mut tar = Vec::new();
            for (name, kind) in names.iter().zip(&kinds) {
                let mut header = tar::Header::new_ustar();
                header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
                header.set_entry_type(EntryType::new(kind.as_bytes()[0]));
                header.set_size(0);
                header.set_cksum();
                tar.extend_from_slice(header.as_bytes());
            }
            tar.extend([0; 1024]);
            for (offset, byte) in bytes.iter().enumerate() {
                if let Some(place) = tar.get_mut(position + offset) {
                    *place = *byte;
                }
            }
            let mut reader = BufReader::new(tar.as_slice());
            if let Ok(contents) = unpack(&mut reader, &Interrupt::new()) {
                let mut files = crate::inspect::files::FileSystem::default();
                let _ = files.apply(&contents);
            }
        }
    }
}

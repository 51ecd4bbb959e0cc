//! A tar that holds images: opened, decompressed, and read entry by entry within limits.

use std::io::{self, BufRead as _, BufReader, Read};
use std::path::Path;

use tar::{Archive, EntryType};

use super::SourceError;
use super::unpacked::{self, Unpacked};
use crate::oci::LayerCompression;
use crate::process::Interrupt;
use crate::report::printable;

/// Entries of an archive that are looked at: images have hundreds of layers at most.
const MAX_ENTRIES: usize = 100_000;
/// Bytes of headers, long names and extended records of one entry.
const MAX_HEADERS: u64 = 1 << 20;
const MAX_NAME: usize = 1024;

/// What an entry of an archive is to whoever unpacks it.
pub(super) enum Member<'a> {
    /// A regular file.
    File(&'a mut dyn Read),
    /// A link, and where it leads.
    Link(String),
}

/// How a file is compressed, by its first bytes.
///
/// # Errors
/// When it cannot be read.
pub(super) fn compression_of(path: &Path) -> io::Result<LayerCompression> {
    let mut reader = BufReader::new(fs_err::File::open(path)?);
    Ok(unpacked::compression_of(reader.fill_buf()?))
}

/// Hands each file and link of the archive `file` to `take`, by its name without `./` before it. Names
/// that climb or are absolute are passed over.
///
/// # Errors
/// [`SourceError::Archive`] when it is no tar, calling it `kind`; and whatever `take` fails with.
pub(super) fn read(
    file: &Path,
    kind: &'static str,
    interrupt: &Interrupt,
    mut take: impl FnMut(&str, Member<'_>) -> Result<(), SourceError>,
) -> Result<(), SourceError> {
    let broken = |error: &io::Error| SourceError::Archive {
        file: file.to_owned(),
        kind,
        why: printable(&error.to_string()),
    };
    if !fs_err::metadata(file)?.is_file() {
        return Err(broken(&io::Error::other("it is no regular file")));
    }
    let compression = compression_of(file)?;
    let mut unpacked = Unpacked::new(BufReader::new(fs_err::File::open(file)?), compression)?;
    unpacked.stop_at(interrupt);
    let allowance = unpacked.allowance();
    let mut archive = Archive::new(&mut unpacked);
    let mut entries = archive.entries().map_err(|error| broken(&error))?;
    let mut count = 0;
    loop {
        allowance.set(Some(MAX_HEADERS));
        let Some(entry) = entries.next() else {
            return Ok(());
        };
        let mut entry = entry.map_err(|error| broken(&error))?;
        allowance.set(None);
        count += 1;
        if count > MAX_ENTRIES {
            return Err(broken(&io::Error::other("it has too many entries")));
        }
        let Some(name) = name_of(&entry.path_bytes()) else {
            continue;
        };
        match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => take(&name, Member::File(&mut entry))?,
            EntryType::Symlink | EntryType::Link => {
                let target = entry.link_name_bytes();
                let target = target.map(|target| String::from_utf8_lossy(&target).into_owned());
                let link = target.filter(|target| target.len() <= MAX_NAME);
                if let Some(target) = link {
                    take(&name, Member::Link(target))?;
                }
            }
            // The reader would make up a sparse file's zeros.
            EntryType::GNUSparse => return Err(broken(&io::Error::other("it has a sparse file"))),
            _ => {}
        }
    }
}

/// A name that is fit to be compared, never to be a path.
fn name_of(raw: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(raw).ok()?;
    let name = name
        .strip_prefix("./")
        .unwrap_or(name)
        .trim_end_matches('/');
    let plain = |part: &str| !matches!(part, "" | "." | "..");
    (name.len() <= MAX_NAME && name.split('/').all(plain)).then(|| name.to_owned())
}

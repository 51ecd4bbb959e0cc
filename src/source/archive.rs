//! A tar that holds images: opened, decompressed, and read entry by entry within limits.

use std::io::{self, BufRead as _, BufReader, Read};
use std::path::Path;

use tar::{Archive, EntryType};

use super::SourceError;
use super::entries::{Entries, Limits, TarFault};
use super::notes::Notes;
use super::unpacked::{self, Stop, Unpacked};
use crate::medium::ArchiveForm;
use crate::oci::LayerCompression;
use crate::process::Interrupt;

/// Images have hundreds of layers at most.
const LIMITS: Limits = Limits {
    headers: 1 << 20,
    entries: 100_000,
    names: 64 << 20,
};
const MAX_NAME: usize = 1024;
/// How compressed files begin that are not decompressed here.
const OTHERS: [(&[u8], &str); 2] = [(b"\xfd7zXZ", "xz"), (b"BZh", "bzip2")];

/// What an entry of an archive is to whoever unpacks it.
pub(super) enum Member<'a> {
    /// A regular file.
    File(&'a mut dyn Read),
    /// A link, and where it leads.
    Link(String),
}

/// An archive that somebody named.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given<'a> {
    pub(super) path: &'a Path,
    /// What it shall be.
    pub(super) form: ArchiveForm,
    /// As it was named, without the scheme; of what an engine saved nothing was.
    pub(super) typed: Option<&'a str>,
    /// The file as it was named, or the image that an engine saved.
    pub(super) shown: &'a str,
}

impl Given<'_> {
    /// The error that it is no such archive.
    pub(super) fn broken(&self, fault: impl Into<ArchiveFault>) -> SourceError {
        SourceError::Archive {
            file: self.shown.to_owned(),
            form: self.form,
            typed: self.typed.map(str::to_owned),
            fault: fault.into(),
        }
    }
}

/// Why a file is no archive of images.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveFault {
    /// Something that has no bytes.
    #[error("it is a directory")]
    Directory,
    /// A pipe or a device.
    #[error("it is no regular file")]
    NoFile,
    /// A file of no bytes.
    #[error("it is empty")]
    Empty,
    /// An archive of images, and of the other form.
    #[error("it is {}", form_name(*.0))]
    OtherForm(ArchiveForm),
    /// A file that only the program of this name decompresses.
    #[error("it is compressed with {0}")]
    Compressed(&'static str),
    /// A file that is no tar, or not all of one.
    #[error(transparent)]
    Tar(#[from] TarFault),
    /// A tar of something else, in words.
    #[error("{0}")]
    Content(String),
}

impl ArchiveFault {
    /// Whether a file that should be an archive of images is a broken one, and not something else or beyond
    /// what is read.
    pub(super) fn is_violation(&self) -> bool {
        match self {
            Self::Empty | Self::Content(_) => true,
            Self::Tar(fault) => matches!(
                fault,
                TarFault::NoTar
                    | TarFault::Truncated(_)
                    | TarFault::Stopped(Stop::Cut(_) | Stop::Damaged(_))
            ),
            Self::Directory | Self::NoFile | Self::OtherForm(_) | Self::Compressed(_) => false,
        }
    }
}

/// A form of archives with an article.
pub(super) fn form_name(form: ArchiveForm) -> &'static str {
    match form {
        ArchiveForm::Layout => "an OCI archive",
        ArchiveForm::Docker => "a Docker archive",
    }
}

/// How a file is compressed, by its first bytes.
///
/// # Errors
/// When it cannot be read.
pub(super) fn compression_of(path: &Path) -> io::Result<LayerCompression> {
    let mut reader = BufReader::new(fs_err::File::open(path)?);
    Ok(unpacked::compression_of(reader.fill_buf()?))
}

/// Hands each file and link of the archive to `take`, by its name without `./` before it. Names that climb
/// or are absolute are passed over.
///
/// Gives what is to be said of what follows the last entry, which is nothing.
///
/// # Errors
/// [`SourceError::Archive`] when it is no tar; and whatever `take` fails with.
pub(super) fn read(
    given: &Given<'_>,
    interrupt: &Interrupt,
    mut take: impl FnMut(&str, Member<'_>) -> Result<(), SourceError>,
) -> Result<Notes, SourceError> {
    let metadata = fs_err::metadata(given.path)?;
    if metadata.is_dir() {
        return Err(given.broken(ArchiveFault::Directory));
    }
    if !metadata.is_file() {
        return Err(given.broken(ArchiveFault::NoFile));
    }
    let mut reader = BufReader::new(fs_err::File::open(given.path)?);
    let start = reader.fill_buf()?;
    if start.is_empty() {
        return Err(given.broken(ArchiveFault::Empty));
    }
    if let Some((_, by)) = OTHERS.iter().find(|(magic, _)| start.starts_with(magic)) {
        return Err(given.broken(ArchiveFault::Compressed(by)));
    }
    let compression = unpacked::compression_of(start);
    let mut unpacked = Unpacked::new(reader, compression)?;
    unpacked.stop_at(interrupt);
    let gauge = unpacked.gauge();
    let mut archive = Archive::new(&mut unpacked);
    let entries = Entries::of(&mut archive, &gauge, LIMITS).map_err(|fault| given.broken(fault))?;
    for entry in entries {
        let mut entry = entry.map_err(|fault| given.broken(fault))?;
        let Some(name) = name_of(&entry.path_bytes()) else {
            continue;
        };
        let taken = match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => take(&name, Member::File(&mut entry)),
            EntryType::Symlink | EntryType::Link => {
                let target = entry.link_name_bytes();
                let target = target.map(|target| String::from_utf8_lossy(&target).into_owned());
                match target.filter(|target| target.len() <= MAX_NAME) {
                    Some(target) => take(&name, Member::Link(target)),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        };
        taken.map_err(|error| match (error, gauge.stop()) {
            // It came through the reader.
            (SourceError::Io(_), Some(stop)) => given.broken(TarFault::from(stop)),
            (other, _) => other,
        })?;
    }
    rest(given, unpacked)
}

/// What there is to say of what follows the last entry of an archive.
fn rest(given: &Given<'_>, mut unpacked: Unpacked<'_>) -> Result<Notes, SourceError> {
    let read = unpacked.gauge().position();
    // Why it ends is told by its end.
    let _ = io::copy(&mut unpacked, &mut io::sink());
    let end = unpacked.end();
    let mut notes = Notes::default();
    let behind = |what: &str| format!("behind the images in `{}`, {what}", given.shown);
    match end.stop {
        Some(stop @ Stop::Interrupted) => return Err(given.broken(TarFault::from(stop))),
        Some(stop) => notes.violation(None, behind(&stop.to_string())),
        None if end.trailing_zeros < end.size - read => {
            notes.warn(behind("there is something that nobody reads"));
        }
        None => {}
    }
    Ok(notes)
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::source::{docker_archive, oci_archive};

    /// Unpacks the archive in both forms. What cannot be read is told in words of this program.
    fn unpack(bytes: &[u8]) -> Result<(), TestCaseError> {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("a.tar");
        fs_err::write(&path, bytes).expect("written");
        for form in [ArchiveForm::Layout, ArchiveForm::Docker] {
            let given = Given {
                path: &path,
                form,
                typed: Some("a.tar"),
                shown: "a.tar",
            };
            let room = directory.path().join(form_name(form));
            let unpacked = match form {
                ArchiveForm::Layout => oci_archive::unpack(&given, &room, &Interrupt::new()),
                ArchiveForm::Docker => docker_archive::convert(&given, &room, &Interrupt::new()),
            };
            if let Err(error) = unpacked {
                let is_told = matches!(error, SourceError::Archive { .. });
                prop_assert!(is_told, "{error:?}");
            }
        }
        let mut left: Vec<_> = fs_err::read_dir(directory.path())
            .expect("listed")
            .map(|entry| entry.expect("listed").file_name())
            .collect();
        left.sort();
        let expected = ["a Docker archive", "a.tar", "an OCI archive"];
        prop_assert_eq!(left, expected, "something was written elsewhere");
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_bytes_are_an_archive_or_told_not_to_be(
            head in prop_oneof![Just(&b""[..]), Just(&b"\x1f\x8b\x08\0"[..]), Just(&b"\x28\xb5\x2f\xfd"[..]), Just(&b"BZh"[..])],
            bytes in prop::collection::vec(any::<u8>(), 0..2000),
        ) {
            unpack(&[head, &bytes].concat())?;
        }

        #[test]
        fn near_archives_are_read_or_told_not_to_be(
            names in prop::collection::vec("(oci-layout|index\\.json|manifest\\.json|c|(blobs/sha256/)?[a./]{0,5})", 1..6),
            kinds in prop::collection::vec("[0-7gxLKSV]", 6),
            content in "(\\{\\}|\\[\\]|\\[\\{\"Config\":\"c\"\\}\\]|)",
            cut in 0_usize..4000,
            position in 0_usize..4000,
            bytes in prop::collection::vec(any::<u8>(), 0..20),
        ) {
            let mut tar = Vec::new();
            for (name, kind) in names.iter().zip(&kinds) {
                let mut header = tar::Header::new_ustar();
                header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
                header.set_entry_type(EntryType::new(kind.as_bytes()[0]));
                header.set_size(content.len() as u64);
                header.set_cksum();
                tar.extend_from_slice(header.as_bytes());
                tar.extend_from_slice(content.as_bytes());
                tar.resize(tar.len().next_multiple_of(512), 0);
            }
            tar.extend([0; 1024]);
            for (offset, byte) in bytes.iter().enumerate() {
                if let Some(place) = tar.get_mut(position + offset) {
                    *place = *byte;
                }
            }
            unpack(&tar)?;
            tar.truncate(cut);
            unpack(&tar)?;
        }
    }
}

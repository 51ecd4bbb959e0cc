//! Digests of files, computed once for each content.
//!
//! A file whose size, times and inode are those of an earlier run is not read again. As git does, a file
//! that changed so shortly before it was looked at that it could change once more without a trace in
//! its times is not remembered.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::memo::Memo;
use crate::digest::Digest;
use crate::fs::write_atomic;

const NAME: &str = "file-digests-1";
const MAX_FILE: u64 = 256 * 1024 * 1024;
/// Coarser than the clock of any file system.
const RACY_NANOSECONDS: i128 = 2_000_000_000;

/// What tells that a file is the one that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    size: u64,
    inode: u64,
    modified: i128,
    changed: i128,
}

/// Digests of files by their paths, of this run and of earlier ones.
#[derive(Debug, Default)]
pub struct FileDigests {
    place: Option<PathBuf>,
    known: Mutex<BTreeMap<PathBuf, (Stamp, Digest)>>,
    learned: Mutex<bool>,
    /// What was looked at in this run: services share most of their files.
    seen: Memo<PathBuf, Digest>,
    /// Meanings of manifests, by their texts.
    meanings: Memo<String, Digest>,
}

impl FileDigests {
    /// Those that were kept in `directory`; none where there is no directory, or nothing in it.
    pub fn open(directory: Option<&Path>) -> Self {
        let place = directory.map(|directory| directory.join(NAME));
        let known = place.as_deref().and_then(read).unwrap_or_default();
        Self {
            place,
            known: Mutex::new(known),
            ..Self::default()
        }
    }

    /// The digest of the file at `path`, which is looked at once.
    ///
    /// # Errors
    /// When it cannot be read; the error names it.
    pub fn of(&self, path: &Path) -> io::Result<Digest> {
        self.seen.ask(path, || self.look_at(path))
    }

    /// The digest of what a text means by `meaning`, which is asked once for each text.
    pub(super) fn of_meaning<E>(
        &self,
        text: &str,
        meaning: impl FnOnce() -> Result<String, E>,
    ) -> Result<Digest, E> {
        self.meanings
            .ask(text, || Ok(Digest::of(meaning()?.as_bytes())))
    }

    fn look_at(&self, path: &Path) -> io::Result<Digest> {
        let stamp = Stamp::of(path)?;
        let known = |digests: &Self| {
            let known = digests.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.get(path).copied()
        };
        if let Some((then, digest)) = known(self)
            && then == stamp
        {
            return Ok(digest);
        }
        let (digest, _) = Digest::of_reader(&mut fs_err::File::open(path)?)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(path.to_owned(), (stamp, digest));
        *self.learned.lock().unwrap_or_else(PoisonError::into_inner) = true;
        Ok(digest)
    }

    /// Keeps what was learned for later runs; where that cannot be, they learn it again.
    pub fn keep(&self) {
        let learned = *self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(place) = self.place.as_deref().filter(|_| learned) else {
            return;
        };
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = serialized(&known, now());
        if let Some(parent) = place.parent()
            && fs_err::create_dir_all(parent).is_ok()
        {
            let _ = write_atomic(place, &bytes);
        }
    }
}

impl Stamp {
    fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs_err::metadata(path)?;
        let time = |seconds: i64, nanoseconds: i64| {
            i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds)
        };
        Ok(Self {
            size: metadata.len(),
            inode: metadata.ino(),
            modified: time(metadata.mtime(), metadata.mtime_nsec()),
            changed: time(metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}

fn now() -> i128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i128::try_from(since.as_nanos()).unwrap_or(i128::MAX)
    })
}

fn serialized(known: &BTreeMap<PathBuf, (Stamp, Digest)>, now: i128) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (path, (stamp, digest)) in known {
        let Stamp {
            size,
            inode,
            modified,
            changed,
        } = *stamp;
        if modified.max(changed) + RACY_NANOSECONDS > now {
            continue;
        }
        bytes.extend(format!("{digest} {size} {inode} {modified} {changed} ").bytes());
        bytes.extend(path.as_os_str().as_bytes());
        bytes.push(0);
    }
    bytes
}

fn read(place: &Path) -> Option<BTreeMap<PathBuf, (Stamp, Digest)>> {
    if fs_err::metadata(place).ok()?.len() > MAX_FILE {
        return None;
    }
    parse(&fs_err::read(place).ok()?)
}

/// `None` for a file that is not ours: all of it is forgotten then.
fn parse(bytes: &[u8]) -> Option<BTreeMap<PathBuf, (Stamp, Digest)>> {
    let records = bytes
        .split(|byte| *byte == 0)
        .filter(|record| !record.is_empty());
    records.map(parse_record).collect()
}

fn parse_record(record: &[u8]) -> Option<(PathBuf, (Stamp, Digest))> {
    let mut fields = record.splitn(6, |byte| *byte == b' ');
    let mut text = || std::str::from_utf8(fields.next()?).ok();
    let digest = text()?.parse().ok()?;
    let stamp = Stamp {
        size: text()?.parse().ok()?,
        inode: text()?.parse().ok()?,
        modified: text()?.parse().ok()?,
        changed: text()?.parse().ok()?,
    };
    let path = PathBuf::from(OsStr::from_bytes(fields.next()?));
    Some((path, (stamp, digest)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_file_that_changed_just_now_is_not_remembered() {
        let stamp = |modified| Stamp {
            size: 1,
            inode: 2,
            modified,
            changed: 0,
        };
        let digest = Digest::of(b"x");
        let now = 100_000_000_000;
        let known = BTreeMap::from([
            (PathBuf::from("/old file"), (stamp(5), digest)),
            (PathBuf::from("/new"), (stamp(now - 1), digest)),
        ]);
        let kept = parse(&serialized(&known, now)).expect("ours");
        assert_eq!(kept.keys().collect::<Vec<_>>(), [Path::new("/old file")]);
        assert_eq!(kept[Path::new("/old file")], (stamp(5), digest));
    }

    #[test]
    fn another_content_of_the_same_size_has_another_digest() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("file");
        let digests = FileDigests::open(Some(directory.path()));
        fs_err::write(&path, "one").expect("written");
        let one = digests.look_at(&path).expect("readable");
        // Another file takes its name, whatever the clock says.
        let other = directory.path().join("other");
        fs_err::write(&other, "two").expect("written");
        fs_err::rename(&other, &path).expect("renamed");
        assert_ne!(digests.look_at(&path).expect("readable"), one);
        assert_eq!(one, Digest::of(b"one"));
    }

    proptest! {
        #[test]
        fn foreign_bytes_never_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }
    }
}

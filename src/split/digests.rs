//! Digests of files, computed once for each content.
//!
//! A file whose size, times and inode are those of an earlier run is not read again. As git does, a file
//! that changed so shortly before it was looked at that it could change once more without a trace in
//! its times is not remembered. Nor is one that no run looked at for a month.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::memo::Memo;
use crate::digest::Digest;
use crate::fs::write_atomic;

const NAME: &str = "file-digests-2";
const MAX_FILE: u64 = 256 * 1024 * 1024;
/// Those that were looked at last are kept.
const MAX_FILES: usize = 500_000;
const MAX_DAYS: i128 = 30;
const NANOSECONDS_OF_DAY: i128 = 24 * 60 * 60 * 1_000_000_000;
/// Coarser than the clock of any file system.
const RACY_NANOSECONDS: i128 = 2_000_000_000;

/// What tells that a file is the one that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Stamp {
    size: u64,
    inode: u64,
    modified: i128,
    changed: i128,
}

/// What is known of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Known {
    stamp: Stamp,
    digest: Digest,
    /// The last day on which a run looked at it, counted from 1970.
    day: i128,
    /// Whether it could not have changed without a trace when it was looked at.
    settled: bool,
}

/// Digests of files by their paths, of this run and of earlier ones.
#[derive(Debug, Default)]
pub struct FileDigests {
    place: Option<PathBuf>,
    known: Mutex<BTreeMap<PathBuf, Known>>,
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
        let (now, stamp) = (now(), Stamp::of(path)?);
        let day = now / NANOSECONDS_OF_DAY;
        if let Some(known) = self.known().get_mut(path)
            && known.stamp == stamp
        {
            known.day = day;
            return Ok(known.digest);
        }
        let (digest, _) = Digest::of_reader(&mut fs_err::File::open(path)?)?;
        let known = Known {
            stamp,
            digest,
            day,
            settled: stamp.is_settled_at(now),
        };
        self.known().insert(path.to_owned(), known);
        *self.learned.lock().unwrap_or_else(PoisonError::into_inner) = true;
        Ok(digest)
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what was learned for later runs; where that cannot be, they learn it again.
    pub fn keep(&self) {
        let learned = *self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(place) = self.place.as_deref().filter(|_| learned) else {
            return;
        };
        let bytes = serialized(&self.known(), now() / NANOSECONDS_OF_DAY, MAX_FILES);
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

    /// Whether a change after `now`, when the file was looked at, would leave another time.
    fn is_settled_at(&self, now: i128) -> bool {
        self.modified.max(self.changed) + RACY_NANOSECONDS <= now
    }
}

fn now() -> i128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i128::try_from(since.as_nanos()).unwrap_or(i128::MAX)
    })
}

fn serialized(known: &BTreeMap<PathBuf, Known>, today: i128, most: usize) -> Vec<u8> {
    let lasting = |known: &Known| known.settled && known.day.saturating_add(MAX_DAYS) >= today;
    let mut kept: Vec<(&PathBuf, &Known)> =
        known.iter().filter(|(_, known)| lasting(known)).collect();
    if kept.len() > most {
        kept.sort_by_key(|(path, known)| (std::cmp::Reverse(known.day), *path));
        kept.truncate(most);
        kept.sort();
    }
    let mut bytes = Vec::new();
    for (
        path,
        Known {
            stamp, digest, day, ..
        },
    ) in kept
    {
        let Stamp {
            size,
            inode,
            modified,
            changed,
        } = stamp;
        bytes.extend(format!("{digest} {size} {inode} {modified} {changed} {day} ").bytes());
        bytes.extend(path.as_os_str().as_bytes());
        bytes.push(0);
    }
    bytes
}

fn read(place: &Path) -> Option<BTreeMap<PathBuf, Known>> {
    if fs_err::metadata(place).ok()?.len() > MAX_FILE {
        return None;
    }
    parse(&fs_err::read(place).ok()?)
}

/// `None` for a file that is not ours: all of it is forgotten then.
fn parse(bytes: &[u8]) -> Option<BTreeMap<PathBuf, Known>> {
    let records = bytes
        .split(|byte| *byte == 0)
        .filter(|record| !record.is_empty());
    records.map(parse_record).collect()
}

fn parse_record(record: &[u8]) -> Option<(PathBuf, Known)> {
    let mut fields = record.splitn(7, |byte| *byte == b' ');
    let mut text = || std::str::from_utf8(fields.next()?).ok();
    let digest = text()?.parse().ok()?;
    let stamp = Stamp {
        size: text()?.parse().ok()?,
        inode: text()?.parse().ok()?,
        modified: text()?.parse().ok()?,
        changed: text()?.parse().ok()?,
    };
    let known = Known {
        stamp,
        digest,
        day: text()?.parse().ok()?,
        settled: true,
    };
    let path = PathBuf::from(OsStr::from_bytes(fields.next()?));
    Some((path, known))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn known(modified: i128, day: i128) -> Known {
        let stamp = Stamp {
            size: 1,
            inode: 2,
            modified,
            changed: 0,
        };
        Known {
            stamp,
            digest: Digest::of(b"x"),
            day,
            settled: true,
        }
    }

    #[test]
    fn what_was_kept_comes_back() {
        let all = BTreeMap::from([(PathBuf::from("/a file"), known(5, 100))]);
        assert_eq!(parse(&serialized(&all, 100, 9)), Some(all));
    }

    #[test]
    fn a_file_that_changed_just_before_it_was_looked_at_is_not_remembered_however_late_that_is_kept()
     {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("file");
        fs_err::write(&path, "one").expect("written");
        let digests = FileDigests::open(Some(directory.path()));
        digests.of(&path).expect("readable");
        // Whatever time it is when this is written: the file was looked at too early.
        assert!(serialized(&digests.known(), 0, 9).is_empty());
        let stamp = known(100_000_000_000, 0).stamp;
        assert!(!stamp.is_settled_at(100_000_000_001));
        assert!(stamp.is_settled_at(102_000_000_000));
    }

    #[test]
    fn files_that_no_run_looked_at_for_a_month_are_forgotten() {
        let all = BTreeMap::from([
            (PathBuf::from("/a"), known(5, 100)),
            (PathBuf::from("/b"), known(5, 69)),
            (PathBuf::from("/c"), known(5, 99)),
            (PathBuf::from("/d"), known(5, 70)),
        ]);
        let kept = |most| parse(&serialized(&all, 100, most)).expect("ours");
        let names = |most| {
            let kept = kept(most).into_keys();
            kept.map(|path| path.display().to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(9), ["/a", "/c", "/d"]);
        assert_eq!(names(2), ["/a", "/c"]);
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

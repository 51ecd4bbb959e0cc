//! The header of one tar entry.
//!
//! Headers are POSIX ustar. What does not fit one stands in a pax extended header before it (POSIX
//! pax, "pax Extended Header"), never in GNU `L` and `K` records and never in base-256 numbers.

use std::collections::BTreeMap;

use tar::{EntryType, Header};

use crate::fs::Owner;

const TAR_BLOCK: usize = 512;
/// Largest number that seven octal digits hold.
const MAX_ID: u64 = 0o7_777_777;
/// Largest number that eleven octal digits hold: one byte less than 8 GiB.
const MAX_LONG: u64 = 0o77_777_777_777;
/// Readers never show this name; it is constant so that equal entries have equal bytes.
const EXTENDED_NAME: &[u8] = b"PaxHeaders/extended";

/// All that a tar says about an entry beside its content.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    /// Relative; ends with `/` for a directory.
    pub(super) name: &'a str,
    pub(super) kind: EntryType,
    /// Permission bits.
    pub(super) mode: u32,
    pub(super) owner: Owner,
    /// Bytes of content that follow.
    pub(super) size: u64,
    /// Target of a symbolic link, empty for others.
    pub(super) link: &'a str,
    /// Seconds since 1970.
    pub(super) modified: u64,
}

impl Entry<'_> {
    /// The blocks before the content.
    ///
    /// A size of 8 GiB or more stands in a pax record and as zero in the ustar field, as GNU tar, Go
    /// and Python write it: readers that know pax let the record win, and no second number is there
    /// for them to disagree about. Texts that are long or not ASCII stand in a record too, and their
    /// ustar field holds as much as fits.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut records = Records::default();
        let mut header = Header::new_ustar();
        header.set_entry_type(self.kind);
        records.fit_text("path", self.name, &mut header.as_old_mut().name);
        records.fit_text("linkpath", self.link, &mut header.as_old_mut().linkname);
        header.set_mode(self.mode & 0o7777);
        let Owner { uid, gid } = self.owner;
        header.set_uid(records.fit_number("uid", u64::from(uid), MAX_ID));
        header.set_gid(records.fit_number("gid", u64::from(gid), MAX_ID));
        header.set_size(records.fit_number("size", self.size, MAX_LONG));
        header.set_mtime(records.fit_number("mtime", self.modified, MAX_LONG));
        seal(&mut header);

        let mut bytes = records.to_bytes(self.modified);
        bytes.extend_from_slice(header.as_bytes());
        bytes
    }
}

/// The blocks before the content of a file in a tar: `name` is relative, the file user 0's, from 1970, and
/// may be read by all.
pub fn file_header(name: &str, size: u64) -> Vec<u8> {
    plain(name, EntryType::Regular, 0o644, size)
}

/// The block of a directory in a tar: `name` ends with a slash; else as [`file_header`].
pub fn directory_header(name: &str) -> Vec<u8> {
    plain(name, EntryType::Directory, 0o755, 0)
}

fn plain(name: &str, kind: EntryType, mode: u32, size: u64) -> Vec<u8> {
    let entry = Entry {
        name,
        kind,
        mode,
        owner: Owner::ROOT,
        size,
        link: "",
        modified: 0,
    };
    entry.to_bytes()
}

/// Number of zero bytes that complete the last block of `size` bytes of content.
pub fn padding(size: u64) -> usize {
    let used = usize::try_from(size % TAR_BLOCK as u64).unwrap_or(0);
    (TAR_BLOCK - used) % TAR_BLOCK
}

/// What does not fit into a ustar header, by keyword.
#[derive(Debug, Default)]
struct Records(BTreeMap<&'static str, String>);

impl Records {
    fn fit_number(&mut self, keyword: &'static str, number: u64, largest: u64) -> u64 {
        if number <= largest {
            return number;
        }
        self.0.insert(keyword, number.to_string());
        0
    }

    fn fit_text(&mut self, keyword: &'static str, text: &str, field: &mut [u8; 100]) {
        if text.len() <= field.len() && text.is_ascii() {
            field[..text.len()].copy_from_slice(text.as_bytes());
            return;
        }
        self.0.insert(keyword, text.to_owned());
        let mut shortened: Vec<u8> = text
            .bytes()
            .filter(u8::is_ascii)
            .take(field.len())
            .collect();
        // Some readers take a file whose ustar name ends with a slash for a directory.
        while shortened.last() == Some(&b'/') {
            shortened.pop();
        }
        field[..shortened.len()].copy_from_slice(&shortened);
    }

    /// The extended header, or nothing where everything fits.
    fn to_bytes(&self, modified: u64) -> Vec<u8> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let records: String = self
            .0
            .iter()
            .map(|(keyword, value)| record(keyword, value))
            .collect();
        let size = records.len() as u64;
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::XHeader);
        header.as_old_mut().name[..EXTENDED_NAME.len()].copy_from_slice(EXTENDED_NAME);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(size);
        header.set_mtime(if modified <= MAX_LONG { modified } else { 0 });
        seal(&mut header);

        let mut bytes = header.as_bytes().to_vec();
        bytes.extend_from_slice(records.as_bytes());
        bytes.resize(bytes.len() + padding(size), 0);
        bytes
    }
}

/// `LENGTH KEYWORD=VALUE\n`, where the length counts its own digits too.
fn record(keyword: &str, value: &str) -> String {
    let without_length = keyword.len() + value.len() + " =\n".len();
    let mut length = without_length;
    loop {
        let with_digits = without_length + length.to_string().len();
        if with_digits == length {
            return format!("{length} {keyword}={value}\n");
        }
        length = with_digits;
    }
}

/// User and group names stay empty, as a new header has them: only numbers mean something in an
/// image.
fn seal(header: &mut Header) {
    if let Some(ustar) = header.as_ustar_mut() {
        ustar.set_device_major(0);
        ustar.set_device_minor(0);
    }
    header.set_cksum();
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    fn file(name: &str, size: u64) -> Entry<'_> {
        Entry {
            name,
            kind: EntryType::Regular,
            mode: 0o644,
            owner: Owner::ROOT,
            size,
            link: "",
            modified: 1_700_000_000,
        }
    }

    #[test]
    fn every_field_of_a_plain_entry_stands_in_one_block() {
        let bytes = file("app/orders", 8).to_bytes();
        assert_eq!(bytes.len(), TAR_BLOCK);
        assert_eq!(&bytes[..11], b"app/orders\0");
        assert_eq!(&bytes[100..108], b"0000644\0");
        assert_eq!(&bytes[108..124], b"0000000\x000000000\0");
        assert_eq!(&bytes[124..136], b"00000000010\0");
        assert_eq!(&bytes[136..148], b"14524770400\0");
        assert_eq!(bytes[156], b'0');
        assert_eq!(&bytes[257..265], b"ustar\x0000");
        assert!(bytes[265..329].iter().all(|byte| *byte == 0));
        assert_eq!(&bytes[329..345], b"0000000\x000000000\0");
        assert!(bytes[345..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn a_size_of_8_gib_stands_in_a_record_and_nowhere_else() {
        assert_eq!(file("a", MAX_LONG).to_bytes().len(), TAR_BLOCK);
        let bytes = file("a", MAX_LONG + 1).to_bytes();
        assert_eq!(bytes.len(), 3 * TAR_BLOCK);
        assert_eq!(bytes[156], b'x');
        assert_eq!(&bytes[512..532], b"19 size=8589934592\n\0");
        assert_eq!(&bytes[1024 + 124..1024 + 136], b"00000000000\0");
    }

    #[test]
    fn ids_and_times_that_do_not_fit_stand_in_records() {
        let mut entry = file("a", 0);
        entry.owner = Owner {
            uid: u32::MAX,
            gid: u32::MAX - 1,
        };
        entry.modified = MAX_LONG + 1;
        let bytes = entry.to_bytes();
        let text = String::from_utf8_lossy(&bytes[512..1024]).into_owned();
        assert!(
            text.starts_with("18 gid=4294967294\n20 mtime=8589934592\n18 uid=4294967295\n\0"),
            "{text}"
        );
        assert_eq!(&bytes[136..148], b"00000000000\0");
        assert_eq!(&bytes[1024 + 108..1024 + 124], b"0000000\x000000000\0");
    }

    #[test]
    fn a_shortened_name_does_not_end_with_a_slash() {
        let name = format!("{}/{}", "a".repeat(99), "b".repeat(50));
        let bytes = file(&name, 0).to_bytes();
        assert_eq!(
            &bytes[1024..1124],
            format!("{}\0", "a".repeat(99)).as_bytes()
        );
    }

    /// 9 GiB of content that is a hole in the archive, with another entry behind it: whoever takes
    /// the wrong size finds no second entry.
    #[test]
    fn other_programs_find_what_stands_behind_9_gib() {
        use std::io::{Seek as _, SeekFrom, Write as _};
        let size = 9 * 1024 * 1024 * 1024;
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("huge.tar");
        let mut archive = fs_err::File::create(&path).expect("created");
        archive
            .write_all(&file("app/huge", size).to_bytes())
            .expect("written");
        let offset = i64::try_from(size).expect("fits");
        archive.seek(SeekFrom::Current(offset)).expect("a hole");
        archive
            .write_all(&file("app/behind", 0).to_bytes())
            .expect("written");
        archive.write_all(&[0; 1024]).expect("written");
        drop(archive);

        let listed = Command::new("tar").arg("-tvf").arg(&path).output();
        let listed = listed.expect("tar is there");
        let text = String::from_utf8_lossy(&listed.stdout).into_owned();
        assert!(listed.status.success(), "{listed:?}");
        assert!(text.contains("9663676416"), "{text}");
        assert!(text.contains("app/behind"), "{text}");

        let file = fs_err::File::open(&path).expect("opened");
        let mut read = tar::Archive::new(file);
        let sizes: Vec<u64> = read
            .entries_with_seek()
            .expect("entries")
            .map(|entry| entry.expect("an entry").size())
            .collect();
        assert_eq!(sizes, [size, 0]);
    }

    proptest! {
        #[test]
        fn a_record_begins_with_its_own_length(keyword in "[a-z]{1,20}", value in ".{0,1200}") {
            let record = record(&keyword, &value);
            let (length, rest) = record.split_once(' ').expect("a space");
            prop_assert_eq!(length.parse(), Ok(record.len()));
            prop_assert_eq!(rest, format!("{keyword}={value}\n"));
        }

        #[test]
        fn padding_completes_a_block(size in 0_u64..1 << 40) {
            let padding = padding(size);
            prop_assert!(padding < TAR_BLOCK);
            prop_assert_eq!((size + padding as u64) % 512, 0);
        }
    }
}

//! What extended records say of an entry beyond its header (`pax(1)`): rights, and that a file is packed.

use std::collections::BTreeMap;
use std::io::Read;

use tar::Entry;

use crate::digest::Digest;

/// Records of attributes from which the kernel takes rights: capabilities(7), acl(5), and labels of security
/// modules. Others, such as `user.*`, change nothing for whoever runs.
const RIGHTS: [&[u8]; 3] = [
    b"SCHILY.acl.",
    b"SCHILY.xattr.security.",
    b"SCHILY.xattr.system.",
];
/// Records of files whose holes are left out.
const SPARSE: &[u8] = b"GNU.sparse.";
const SPARSE_NAME: &[u8] = b"GNU.sparse.name";

/// All that is known of an entry by its records.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Records {
    /// Rights beyond the mode, by their digest.
    pub(super) rights: Option<Digest>,
    /// How a file is packed, if it is.
    pub(super) sparse: Option<Sparse>,
    /// Whether there is one that cannot be read, such as a value with a line break in it.
    pub(super) has_unread: bool,
}

/// A file that is stored without its holes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sparse {
    /// What it is called when it is unpacked; the entry itself is called otherwise.
    pub(super) name: Option<Vec<u8>>,
    /// Where its holes are, as far as the records tell, by their digest.
    pub(super) map: Digest,
}

impl Records {
    /// Reads what stands before an entry.
    pub(super) fn of(entry: &mut Entry<'_, impl Read>) -> Self {
        match entry.pax_extensions() {
            Ok(Some(records)) => Self::read(records.map(|record| {
                let record = record.ok()?;
                Some((record.key_bytes(), record.value_bytes()))
            })),
            Ok(None) => Self::default(),
            Err(_) => Self {
                has_unread: true,
                ..Self::default()
            },
        }
    }

    fn read<'r>(records: impl Iterator<Item = Option<(&'r [u8], &'r [u8])>>) -> Self {
        let mut read = Self::default();
        // Of two with one key the last counts, and their order means nothing.
        let mut rights: BTreeMap<&[u8], &[u8]> = BTreeMap::new();
        let mut name = None;
        let mut map = Vec::new();
        for record in records {
            let Some((key, value)) = record else {
                read.has_unread = true;
                continue;
            };
            if key == SPARSE_NAME {
                name = Some(value.to_vec());
            } else if key.starts_with(SPARSE) {
                // Holes are told by pairs of records, in their order.
                add(&mut map, key, value);
            } else if RIGHTS.iter().any(|prefix| key.starts_with(prefix)) {
                rights.insert(key, value);
            }
        }
        // Without a value a record only takes back an earlier one.
        rights.retain(|_, value| !value.is_empty());
        if !rights.is_empty() {
            let mut all = Vec::new();
            for (key, value) in rights {
                add(&mut all, key, value);
            }
            read.rights = Some(Digest::of(&all));
        }
        if name.is_some() || !map.is_empty() {
            read.sparse = Some(Sparse {
                name: name.filter(|name| !name.is_empty()),
                map: Digest::of(&map),
            });
        }
        read
    }
}

/// Adds a record so that no other list of records has the same bytes.
fn add(bytes: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    for part in [key, value] {
        bytes.extend((part.len() as u64).to_le_bytes());
        bytes.extend(part);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(records: &[(&str, &str)]) -> Records {
        let records = records.iter();
        Records::read(records.map(|(key, value)| Some((key.as_bytes(), value.as_bytes()))))
    }

    #[test]
    fn attributes_that_change_rights_are_told_from_others() {
        for key in [
            "SCHILY.acl.access",
            "SCHILY.acl.default",
            "SCHILY.xattr.security.capability",
            "SCHILY.xattr.security.selinux",
            "SCHILY.xattr.system.posix_acl_access",
        ] {
            let (one, other) = (read(&[(key, "one")]), read(&[(key, "other")]));
            assert!(one.rights.is_some(), "{key}");
            assert_ne!(one, other, "{key}");
            assert_eq!(read(&[(key, "other"), (key, "one")]), one, "{key}");
            assert_eq!(read(&[(key, "one"), (key, "")]), Records::default());
        }
        for key in ["SCHILY.xattr.user.note", "mtime", "path", ""] {
            assert_eq!(read(&[(key, "one")]), Records::default(), "{key}");
        }
        let (a, b) = (("SCHILY.acl.access", "1"), ("SCHILY.acl.default", "2"));
        assert_eq!(read(&[a, b]), read(&[b, a]));
        assert_ne!(read(&[a, b]), read(&[a]));
    }

    #[test]
    fn sparse_files_are_known_by_any_record_of_them() {
        let named = read(&[("GNU.sparse.major", "1"), ("GNU.sparse.name", "big")]);
        let named = named.sparse.expect("sparse");
        assert_eq!(named.name.as_deref(), Some(&b"big"[..]));
        let holes = |first, second| {
            read(&[("GNU.sparse.offset", first), ("GNU.sparse.offset", second)])
                .sparse
                .expect("sparse")
        };
        assert_eq!(holes("1", "2").name, None);
        assert_ne!(holes("1", "2").map, holes("2", "1").map);
    }

    #[test]
    fn a_record_that_cannot_be_read_is_not_passed_over_in_silence() {
        let records = [None, Some((&b"SCHILY.acl.access"[..], &b"1"[..]))];
        let read = Records::read(records.into_iter());
        assert!(read.has_unread && read.rights.is_some());
    }

    proptest! {
        #[test]
        fn any_records_are_read_without_a_panic(
            records in prop::collection::vec(
                ("(GNU\\.sparse\\.|SCHILY\\.)?[a-z.]{0,9}", prop::collection::vec(any::<u8>(), 0..9)),
                0..6,
            ),
        ) {
            let pairs = records.iter().map(|(key, value)| Some((key.as_bytes(), value.as_slice())));
            let read = Records::read(pairs);
            prop_assert!(!read.has_unread);
        }
    }
}

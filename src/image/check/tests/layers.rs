//! Layers: their compression and their entries.

use proptest::prelude::*;
use tar::{EntryType, Header};

use super::fixture::{Fixture, cases, directory, entry, file, good_tar, gzip, tar_of};
use crate::digest::Digest;
use crate::image::{EntryFault, Problem};
use crate::oci::media_type;
use crate::source::NameFault;

/// The faults of the entries, each with its path.
fn faults(headers: &[Header]) -> Vec<(String, EntryFault)> {
    faults_of(tar_of(headers))
}

fn faults_of(tar: Vec<u8>) -> Vec<(String, EntryFault)> {
    Fixture::of_tar(tar)
        .problems()
        .into_iter()
        .map(|problem| match problem {
            Problem::Entry { path, fault, .. } => (path, fault),
            other => panic!("{other}"),
        })
        .collect()
}

fn one(path: &str, fault: EntryFault) -> Vec<(String, EntryFault)> {
    vec![(path.to_owned(), fault)]
}

#[test]
fn order_and_names() {
    assert_eq!(
        faults(&[file("b"), file("a")]),
        one("a", EntryFault::Unsorted)
    );
    assert_eq!(
        faults(&[file("a"), file("a")]),
        one("a", EntryFault::Duplicate)
    );
    assert_eq!(
        faults(&[directory("a/"), file("./a")]),
        one("./a", EntryFault::Duplicate)
    );
    assert_eq!(
        faults(&[file("a/b"), directory("a")]),
        [
            ("a".to_owned(), EntryFault::Unsorted),
            ("a".to_owned(), EntryFault::ParentAfterChild)
        ]
    );
    assert_eq!(
        faults(&[entry("a", EntryType::Symlink), file("a/b/c")]),
        one("a/b/c", EntryFault::ParentNotDirectory)
    );
    let below = one("a/b", EntryFault::BelowFile);
    assert_eq!(faults(&[file("a"), file("a/b")]), below);
    // What came last has the name, and stays.
    assert_eq!(
        faults(&[file("a"), directory("a"), file("a/b")]),
        one("a", EntryFault::Duplicate)
    );
    assert_eq!(
        faults(&[directory("a"), file("a-b"), file("a/b"), file("b")]),
        []
    );
    assert_eq!(
        faults(&[directory("a"), file("a/.wh.b")]),
        one("a/.wh.b", EntryFault::Whiteout)
    );
    for (path, fault) in [
        ("/etc/passwd", NameFault::Absolute),
        ("/", NameFault::Absolute),
        ("../a", NameFault::LeadsOut),
        ("..", NameFault::LeadsOut),
        ("a/../b", NameFault::Up),
        ("a//b", NameFault::EmptyPart),
        ("", NameFault::Empty),
    ] {
        assert_eq!(faults(&[file(path)]), one(path, EntryFault::Name(fault)));
    }
}

#[test]
fn owners_times_and_kinds() {
    let with = |edit: fn(&mut Header)| {
        let mut header = file("b");
        edit(&mut header);
        faults(&[file("a"), header])
    };
    assert_eq!(with(|header| header.set_uid(65532)), []);
    assert_eq!(
        with(|header| header.set_uid(1 << 40)),
        one("b", EntryFault::Owner)
    );
    assert_eq!(
        with(|header| header.as_old_mut().gid = *b"root\0\0\0\0"),
        one("b", EntryFault::Owner)
    );
    assert_eq!(
        with(|header| header.set_username("root").expect("short")),
        one("b", EntryFault::OwnerName)
    );
    assert_eq!(
        with(|header| header.set_groupname("root").expect("short")),
        one("b", EntryFault::OwnerName)
    );
    assert_eq!(
        with(|header| header.set_mtime(1)),
        one("b", EntryFault::ModificationTime)
    );
    assert_eq!(
        with(|header| header.as_old_mut().mode = *b"rwxr-xr-"),
        one("b", EntryFault::Header)
    );
    for kind in [EntryType::Fifo, EntryType::Char] {
        assert_eq!(
            with_kind(kind),
            one("b", EntryFault::SpecialFile(kind.as_byte()))
        );
    }
}

fn with_kind(kind: EntryType) -> Vec<(String, EntryFault)> {
    faults(&[file("a"), entry("b", kind)])
}

#[test]
fn hard_links_lead_to_earlier_files() {
    let link = |target: &str| {
        let mut header = entry("b", EntryType::Link);
        header.set_link_name(target).expect("short");
        faults(&[file("a"), header])
    };
    assert_eq!(link("a"), []);
    assert_eq!(link("/a"), one("b", EntryFault::AbsoluteLink));
    for target in ["c", "/c", "b"] {
        assert_eq!(link(target), one("b", EntryFault::HardLink), "{target}");
    }
}

#[test]
fn a_hard_link_may_lead_to_a_link_of_the_same_layer() {
    let mut header = entry("b", EntryType::Link);
    header.set_link_name("a").expect("short");
    for kind in [EntryType::Symlink, EntryType::Fifo] {
        let found = faults(&[entry("a", kind), header.clone()]);
        assert!(!found.iter().any(|(path, _)| path == "b"), "{found:?}");
    }
    assert_eq!(
        faults(&[directory("a"), header]),
        one("b", EntryFault::HardLink)
    );
}

#[test]
fn what_is_behind_links_without_an_end_is_found() {
    let link = |name: &str, target: &str| {
        let mut header = entry(name, EntryType::Symlink);
        header.set_link_name(target).expect("short");
        header
    };
    for links in [
        vec![link("a", "a")],
        vec![link("a", "b"), link("b", "a/c")],
        vec![link("a", "../x/../a/b")],
    ] {
        let found = faults(&[links, vec![file("a/d")]].concat());
        let loops = found
            .iter()
            .filter(|(_, fault)| *fault == EntryFault::LinkLoop);
        assert_eq!(loops.count(), 1, "{found:?}");
    }
    let found = faults(&[link("a", "b"), file("a/d"), directory("b")]);
    assert_eq!(found, one("a/d", EntryFault::ParentNotDirectory));
}

#[test]
fn records_for_all_entries_are_no_file() {
    // As `git archive` and POSIX name them.
    for name in ["pax_global_header", "/tmp/GlobalHead.1.1"] {
        let mut records = entry(name, EntryType::XGlobalHeader);
        records.set_uid(1 << 40);
        records.set_mtime(7);
        let found = faults(&[records.clone(), file("a"), records]);
        let expected = one(name, EntryFault::GlobalRecords);
        assert_eq!(found, [expected.clone(), expected].concat());
        let problem = Problem::Entry {
            layer: Digest::of(b"").into(),
            path: name.to_owned(),
            fault: EntryFault::GlobalRecords,
        };
        assert!(!problem.breaks_specification());
    }
}

#[test]
fn links_beyond_what_systems_take_are_found() {
    let target = format!("{:07} linkpath={}\n", 4200, "x".repeat(4200 - 18));
    let mut tar = with_records(target.as_bytes());
    let end = tar.len() - 1536;
    tar.truncate(end);
    tar.extend(tar_of(&[entry("a", EntryType::Symlink)]));
    assert_eq!(faults_of(tar), one("a", EntryFault::LongLink));
}

/// A tar whose one file has the extended records, as given.
fn with_records(records: &[u8]) -> Vec<u8> {
    let mut extension = entry("x", EntryType::XHeader);
    extension.set_size(records.len() as u64);
    extension.set_cksum();
    let mut tar = extension.as_bytes().to_vec();
    tar.extend_from_slice(records);
    tar.resize(tar.len().next_multiple_of(512), 0);
    tar.extend(tar_of(&[file("a")]));
    tar
}

#[test]
fn extended_records_tell_nothing_of_the_builder() {
    assert_eq!(faults_of(with_records(b"16 path=long/er\n")), []);
    assert_eq!(
        faults_of(with_records(b"11 mtime=1\n")),
        one("a", EntryFault::ExtendedRecord("mtime".to_owned()))
    );
    assert_eq!(
        faults_of(with_records(b"99 mtime=1\n")),
        one("a", EntryFault::Header)
    );
}

#[test]
fn headers_beyond_all_measure_are_not_kept_in_memory() {
    let records = format!("{:07} path={}\n", 3 << 20, "x".repeat((3 << 20) - 14));
    let problems = Fixture::of_tar(with_records(records.as_bytes())).problems();
    assert!(
        matches!(problems.as_slice(), [Problem::Tar { .. }]),
        "{problems:?}"
    );
}

#[test]
fn every_compression_is_understood() {
    let tar = good_tar();
    let zstd = zstd::encode_all(tar.as_slice(), 3).expect("compressed");
    let (first, second) = tar.split_at(700);
    for (media_type, blob) in [
        (media_type::LAYER, tar.clone()),
        (media_type::LAYER_ZSTD, zstd),
        (media_type::LAYER_GZIP, [gzip(first), gzip(second)].concat()),
    ] {
        let fixture = Fixture {
            media_type,
            blob,
            ..Fixture::default()
        };
        assert_eq!(fixture.problems(), []);
    }
}

#[test]
fn another_compression_than_said_is_found() {
    let tar = good_tar();
    let truncated = gzip(&tar);
    for (media_type, blob) in [
        (media_type::LAYER_GZIP, tar.clone()),
        (media_type::LAYER_ZSTD, gzip(&tar)),
        (
            media_type::LAYER_GZIP,
            truncated[..truncated.len() - 9].to_vec(),
        ),
        (media_type::LAYER_GZIP, Vec::new()),
    ] {
        let fixture = Fixture {
            media_type,
            blob,
            ..Fixture::default()
        };
        let problems = fixture.problems();
        assert!(
            matches!(problems.as_slice(), [Problem::Compression { .. }]),
            "{problems:?}"
        );
    }
}

#[test]
fn another_content_than_said_is_found() {
    let other = tar_of(&[file("a")]);
    let fixture = Fixture {
        tar: other.clone(),
        ..Fixture::default()
    };
    let problems = fixture.problems();
    let [
        Problem::DiffId {
            expected, found, ..
        },
    ] = problems.as_slice()
    else {
        panic!("{problems:?}");
    };
    assert_eq!(*expected, Digest::of(&other).into());
    assert_eq!(*found, Digest::of(&good_tar()).into());
}

#[test]
fn a_tar_ends_with_two_empty_blocks_and_nothing_else() {
    let tar = good_tar();
    let cut = tar[..tar.len() - 1024].to_vec();
    let short = tar[..tar.len() - 512].to_vec();
    let odd = [tar.clone(), vec![0]].concat();
    let more = [tar.clone(), vec![1; 512], vec![0; 1024]].concat();
    for tar in [cut, short, odd, more, Vec::new()] {
        let problems = Fixture::of_tar(tar).problems();
        assert!(
            matches!(problems.as_slice(), [Problem::TarEnd { .. }]),
            "{problems:?}"
        );
    }
    let padded = [tar, vec![0; 4096]].concat();
    assert_eq!(Fixture::of_tar(padded).problems(), []);
}

#[test]
fn what_is_no_tar_is_found() {
    let mut sparse = file("a");
    sparse.set_entry_type(EntryType::GNUSparse);
    for tar in [vec![7; 2048], tar_of(&[sparse])[..600].to_vec()] {
        let problems = Fixture::of_tar(tar).problems();
        assert!(
            problems
                .iter()
                .any(|problem| matches!(problem, Problem::Tar { .. })),
            "{problems:?}"
        );
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn any_layer_is_checked_without_a_panic(
        position in 0_usize..2560,
        bytes in prop::collection::vec(any::<u8>(), 1..64),
    ) {
        let mut tar = good_tar();
        let end = (position + bytes.len()).min(tar.len());
        tar[position..end].copy_from_slice(&bytes[..end - position]);
        let _ = Fixture::of_tar(tar).problems();
    }
}

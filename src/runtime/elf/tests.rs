//! ELF files real, cut, mutated and made up.

use std::io::Cursor;
use std::path::Path;

use fs_err as fs;
use proptest::prelude::*;
use tempfile::TempDir;

use super::{ElfError, ElfFile, Machine};
use crate::oci::Platform;
use crate::runtime::fixture::{Workshop, host};

fn parse(bytes: &[u8]) -> Result<ElfFile, ElfError> {
    ElfFile::parse(Cursor::new(bytes))
}

fn machine() -> Machine {
    Machine::of(&host()).expect("known")
}

/// A small program that has everything: needed libraries, a search path, versions.
fn program() -> Vec<u8> {
    let workshop = Workshop::bare();
    let options = ["-Wl,-rpath,/opt/one:/opt/two", "-Wl,--enable-new-dtags"];
    let path = workshop.program("orders", &[], &options);
    fs::read(path).expect("just made")
}

#[test]
fn a_program_tells_what_it_needs() {
    let elf = parse(&program()).expect("sound");
    assert!(elf.check_executable(&machine()).is_ok());
    assert!(elf.needed.contains(&"libc.so.6".to_owned()), "{elf:?}");
    assert_eq!(elf.runpath.as_deref(), Some("/opt/one:/opt/two"));
    assert_eq!(elf.rpath, None);
    assert!(
        elf.interpreter
            .as_deref()
            .is_some_and(|path| path.starts_with("/lib"))
    );
    assert!(
        elf.glibc_required()
            .is_some_and(|version| version.starts_with("GLIBC_2."))
    );
    assert!(
        elf.needed_versions
            .iter()
            .all(|need| need.library == "libc.so.6")
    );
}

#[test]
fn the_c_library_tells_what_it_offers() {
    let own = std::env::current_exe().expect("this test");
    let versions = ElfFile::read(&own)
        .expect("readable")
        .expect("sound")
        .needed_versions;
    let workshop = Workshop::new();
    let root = workshop.root();
    let libc = ["/lib", "/lib64", &format!("/lib/{}", machine().multiarch)]
        .into_iter()
        .find_map(|directory| root.file(&format!("{directory}/libc.so.6")).expect("sound"))
        .expect("glibc");
    let elf = ElfFile::read(&libc.host).expect("readable").expect("sound");
    assert_eq!(elf.soname.as_deref(), Some("libc.so.6"));
    for need in versions.iter().filter(|need| need.library == "libc.so.6") {
        assert!(elf.defined_versions.contains(&need.version), "{need:?}");
    }
}

#[test]
fn section_headers_are_not_needed() {
    let mut bytes = program();
    let whole = parse(&bytes).expect("sound");
    let (offset, counts) = if whole.wide {
        (0x28..0x30, 0x3a..0x40)
    } else {
        (0x20..0x24, 0x2e..0x34)
    };
    bytes[offset].fill(0);
    bytes[counts].fill(0);
    assert_eq!(parse(&bytes).expect("sound"), whole);
}

#[test]
fn other_processors_are_named() {
    let elf = parse(&program()).expect("sound");
    let other = if host().architecture == "s390x" {
        "amd64"
    } else {
        "s390x"
    };
    let other = Machine::of(&Platform::linux(other)).expect("known");
    let error = elf.check_executable(&other).expect_err("another one");
    assert!(matches!(error, ElfError::OtherProcessor { .. }), "{error}");
}

#[test]
fn scripts_objects_and_libraries_are_no_programs() {
    assert_eq!(parse(b"#!/bin/sh\necho hello\n"), Err(ElfError::NotElf));
    assert_eq!(parse(b""), Err(ElfError::NotElf));
    let workshop = Workshop::bare();
    let object = workshop.build_path("orders.o");
    workshop.compile("int x;", &object, &[], &["-c"]);
    let library = workshop.in_root("/libx.so.1");
    workshop.library("/libx.so.1", &[], &[]);
    for path in [object, library] {
        let elf = ElfFile::read(&path).expect("readable").expect("sound");
        let error = elf.check_executable(&machine()).expect_err("no program");
        assert!(matches!(error, ElfError::OtherKind(_)), "{error}");
    }
}

#[test]
fn another_system_is_refused() {
    let mut bytes = program();
    bytes[7] = 9;
    let error = parse(&bytes).expect("sound").check_loadable(&machine());
    assert_eq!(error, Err(ElfError::OtherSystem(9)));
}

#[test]
fn a_huge_file_is_not_read_whole() {
    let directory = TempDir::new().expect("temp");
    let path = directory.path().join("huge");
    fs::write(&path, program()).expect("writable");
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(&path)
        .expect("own");
    file.set_len(64 * 1024 * 1024 * 1024).expect("sparse");
    let elf = ElfFile::read(Path::new(&path))
        .expect("readable")
        .expect("sound");
    assert!(elf.check_executable(&machine()).is_ok());
}

fn header(wide: bool, little_endian: bool, rest: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x7f, b'E', b'L', b'F'];
    bytes.extend([
        if wide { 2 } else { 1 },
        if little_endian { 1 } else { 2 },
        1,
    ]);
    bytes.extend(rest);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn arbitrary_bytes_never_panic(
        wide: bool, little: bool, rest in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let _ = parse(&rest);
        let _ = parse(&header(wide, little, &rest));
    }
}

#[test]
fn mutated_programs_never_panic() {
    let original = program();
    let length = original.len();
    // Most bytes are code; those that matter here are in the headers and around the strings.
    let place = prop_oneof![0..1024_usize.min(length), 0..length];
    let change = (place, any::<u8>());
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(1024)
    });
    let strategy = (prop::collection::vec(change, 1..12), 0..=length);
    runner
        .run(&strategy, |(changes, cut)| {
            let mut bytes = original.clone();
            for (place, byte) in changes {
                bytes[place] = byte;
            }
            let _ = parse(&bytes);
            let _ = parse(&bytes[..cut]);
            Ok(())
        })
        .expect("no panic");
}

//! Tests of many writers at once, threads and processes, some of them killed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{LayoutReader, LayoutWriter};
use crate::digest::Digest;
use crate::oci::{Descriptor, media_type};

fn descriptor(content: &[u8]) -> Descriptor {
    let size = content.len() as u64;
    Descriptor::new(media_type::MANIFEST, Digest::of(content), size)
}

/// Where a layout will be, beside a file that all writers store.
fn fresh() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    fs_err::write(directory.path().join("shared"), b"shared").expect("written");
    let layout = directory.path().join("layout");
    (directory, layout)
}

fn put_and_tag(layout: &Path, name: &str) {
    let writer = LayoutWriter::open(layout).expect("opened");
    let blob = descriptor(name.as_bytes());
    writer
        .put_blob_bytes(&blob, name.as_bytes())
        .expect("stored");
    // All put the same blob too, by the same link.
    let shared = descriptor(b"shared");
    let file = layout.with_file_name("shared");
    writer.put_blob_file(&shared, &file).expect("stored");
    writer.tag(&[(name.to_owned(), blob)]).expect("tagged");
}

fn names(layout: &Path) -> Vec<String> {
    let reader = LayoutReader::open(layout).expect("a layout");
    let mut names = reader.index().expect("an index").names();
    names.sort();
    names
}

#[test]
fn sixteen_writers_keep_sixteen_tags() {
    for _ in 0..6 {
        let (_keep, layout) = fresh();
        let expected: Vec<String> = (10..26).map(|number| format!("s:{number}")).collect();
        std::thread::scope(|scope| {
            for name in &expected {
                scope.spawn(|| put_and_tag(&layout, name));
            }
        });
        assert_eq!(names(&layout), expected);
    }
}

const CHILD_LAYOUT: &str = "LIGHTER_TEST_LAYOUT";
const CHILD_NAME: &str = "LIGHTER_TEST_NAME";

#[test]
#[ignore = "started as a process of its own by `processes_keep_their_tags`"]
fn child_writer() {
    let layout = std::env::var_os(CHILD_LAYOUT).expect("set by the parent");
    let name = std::env::var(CHILD_NAME).expect("set by the parent");
    for tag in 0..20 {
        put_and_tag(Path::new(&layout), &format!("{name}:{tag:02}"));
    }
}

#[test]
fn processes_keep_their_tags() {
    let (_keep, layout) = fresh();
    let start = |name: &str| {
        Command::new(std::env::current_exe().expect("a test"))
            .args(["--exact", "medium::concurrency::child_writer"])
            .args(["--ignored", "--quiet"])
            .env(CHILD_LAYOUT, &layout)
            .env(CHILD_NAME, name)
            .stdout(Stdio::null())
            .spawn()
            .expect("started")
    };
    let mut survivors = ["a", "b", "c"].map(start);
    // Killed wherever it is as soon as the layout has one of its tags.
    for victim in ["x", "y", "z"] {
        let mut child = start(victim);
        let first = format!("{victim}:00");
        let has_begun = || layout.join("oci-layout").exists() && names(&layout).contains(&first);
        while !has_begun() && child.try_wait().expect("asked").is_none() {
            std::thread::yield_now();
        }
        child.kill().expect("killed");
        child.wait().expect("gone");
    }
    for survivor in &mut survivors {
        assert!(survivor.wait().expect("ended").success());
    }
    let kept = names(&layout);
    for name in ["a", "b", "c"] {
        for tag in 0..20 {
            assert!(kept.contains(&format!("{name}:{tag:02}")), "{name} {tag}");
        }
    }
    let reader = LayoutReader::open(&layout).expect("a layout");
    for name in kept {
        let found = reader.resolve(Some(&name)).expect("named");
        assert_eq!(
            reader.read_document(&found).expect("whole"),
            name.as_bytes()
        );
    }
}

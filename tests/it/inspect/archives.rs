//! Archives as sources: what hostile ones may not do, and what is told of those that are none.

use std::path::Path;

use cargo_lighter::process::{Interrupt, Signal};
use serde_json::json;
use tempfile::TempDir;

use super::draft::{Draft, docker_archive, file, tar_of, write_tar};
use super::sources::inspect;
use crate::support::cli::Lighter;

#[test]
fn hostile_archives_leave_their_directory_alone() {
    let directory = TempDir::new().expect("a directory");
    let deep = "x/".repeat(200) + "y";
    let names = [
        "../escaped",
        "/escaped",
        "blobs/../../escaped",
        "blobs/sha256/..",
        &deep,
        "index.json",
    ];
    let files: Vec<(&str, &[u8])> = names
        .iter()
        .filter(|name| name.len() < 100)
        .map(|name| (*name, &b"{}"[..]))
        .collect();
    write_tar(&directory.path().join("a.tar"), &files);
    let temporary = directory.path().join("tmp");
    fs_err::create_dir(&temporary).expect("made");
    for scheme in ["oci-archive", "docker-archive"] {
        Lighter::at(directory.path())
            .args(["inspect", &format!("{scheme}:a.tar")])
            .env("TMPDIR", &temporary)
            .run()
            .expect(1);
    }
    assert!(!directory.path().join("escaped").exists());
    // Nothing temporary is left.
    assert_eq!(fs_err::read_dir(&temporary).expect("listed").count(), 0);
}

#[test]
fn links_of_old_dockers_are_followed_and_lead_nowhere_else() {
    let directory = TempDir::new().expect("a directory");
    let draft = Draft::default();
    let plain = directory.path().join("plain.tar");
    docker_archive(&draft, &plain);
    let linked = directory.path().join("linked.tar");
    let mut old = tar::Archive::new(fs_err::File::open(&plain).expect("there"));
    let mut new = tar::Builder::new(fs_err::File::create(&linked).expect("made"));
    for entry in old.entries().expect("a tar") {
        let mut entry = entry.expect("an entry");
        let mut header = entry.header().clone();
        let path = entry.path().expect("a path").into_owned();
        if path == Path::new("0/layer.tar") {
            new.append_data(&mut header, "real/layer.tar", &mut entry)
                .expect("written");
            let mut link = tar::Header::new_ustar();
            link.set_entry_type(tar::EntryType::Symlink);
            link.set_size(0);
            new.append_link(&mut link, "0/layer.tar", "../real/layer.tar")
                .expect("written");
        } else {
            new.append_data(&mut header, path, &mut entry)
                .expect("written");
        }
    }
    new.finish().expect("written");
    inspect(directory.path(), "docker-archive:linked.tar").expect(0);
    let outside = json!([{ "Config": "c", "RepoTags": null, "Layers": [] }]).to_string();
    let mut hostile = tar::Builder::new(
        fs_err::File::create(directory.path().join("hostile.tar")).expect("made"),
    );
    let mut link = tar::Header::new_ustar();
    link.set_entry_type(tar::EntryType::Symlink);
    link.set_size(0);
    hostile
        .append_link(&mut link, "c", "/etc/passwd")
        .expect("written");
    let mut header = tar::Header::new_ustar();
    header.set_size(outside.len() as u64);
    hostile
        .append_data(&mut header, "manifest.json", outside.as_bytes())
        .expect("written");
    hostile.finish().expect("written");
    inspect(directory.path(), "docker-archive:hostile.tar")
        .expect(1)
        .says(&["it has no `c`"]);
}

#[test]
fn an_interrupt_ends_the_reading_of_an_archive() {
    let directory = TempDir::new().expect("a directory");
    docker_archive(&Draft::default(), &directory.path().join("image.tar"));
    let interrupt = Interrupt::new();
    interrupt.send(Signal::Interrupt);
    for image in ["docker-archive:image.tar", "oci-archive:image.tar"] {
        Lighter::at(directory.path())
            .interrupted_by(&interrupt)
            .args(["inspect", image])
            .run()
            .expect(130);
    }
}

#[test]
fn no_hint_writes_to_a_file_that_is_no_archive() {
    let directory = TempDir::new().expect("a directory");
    let words = "root:x:0:0:root:/root:/bin/sh\n".repeat(50);
    fs_err::write(directory.path().join("passwd"), words).expect("written");
    let tar = tar_of(&[file("oci-layout", "{}"), file("a", &"x".repeat(2000))]);
    fs_err::write(directory.path().join("cut.tar"), &tar[..2000]).expect("written");
    for scheme in ["oci-archive", "docker-archive"] {
        for (name, hint) in [
            ("passwd", "hint: name an archive of images"),
            ("cut.tar", "hint: copy it here again from where it was made"),
        ] {
            let run = inspect(directory.path(), &format!("{scheme}:{name}")).expect(1);
            assert!(run.stderr.contains(hint), "{}", run.stderr);
            assert!(!run.stderr.contains("build --to"), "{}", run.stderr);
        }
    }
}

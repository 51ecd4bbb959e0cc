//! `inspect --verify` of archives that cannot be read, or have something behind their end.

use std::path::Path;

use super::draft::{Draft, Laid, docker_archive, gzip, write_tar};
use crate::support::cli::{Lighter, Run};

/// The parts of a tar by their names.
type Files = &'static [(&'static str, &'static [u8])];

const LIST: (&str, &[u8]) = (
    "manifest.json",
    br#"[{"Config":"config.json","RepoTags":["a:1"],"Layers":["layer.tar"]}]"#,
);

fn verified(directory: &Path, image: &str) -> Run {
    Lighter::at(directory)
        .args(["inspect", "--verify", image])
        .run()
}

#[test]
fn a_broken_archive_is_a_violation_and_one_that_is_not_there_an_error() {
    let laid = Laid::of(&Draft::default());
    let whole = laid.archive("oci.tar");
    let docker = laid.path().join("docker.tar");
    docker_archive(&Draft::default(), &docker);
    for (archive, form) in [(whole, "an OCI archive"), (docker, "a Docker archive")] {
        let bytes = fs_err::read(&archive).expect("readable");
        let name = archive.with_extension("cut");
        for (length, says) in [
            (0, "it is empty"),
            (700, "it ends too early, after 700 bytes"),
            (bytes.len() - 1500, "it ends too early"),
        ] {
            fs_err::write(&name, &bytes[..length]).expect("written");
            let file = name.file_name().expect("a name").to_string_lossy();
            let scheme = file.split('.').next().expect("a form");
            let image = format!("{scheme}-archive:{file}");
            let run = verified(laid.path(), &image).expect(3);
            let head = format!("{image}: 1 violation\n  `{file}` cannot be read as {form}: {says}");
            assert!(run.stdout.starts_with(&head), "{length}: {}", run.stdout);
        }
    }
    for image in ["docker-archive:none.tar", "docker-archive:layout"] {
        verified(laid.path(), image).expect(1);
    }
}

#[test]
fn a_docker_archive_without_its_parts_is_a_violation_that_names_them() {
    let directory = tempfile::tempdir().expect("a directory");
    let rows: [(Files, &str); 5] = [
        (&[LIST, ("config.json", b"{}")], "it has no `layer.tar`"),
        (&[LIST, ("layer.tar", b"")], "it has no `config.json`"),
        (
            &[("manifest.json", b"{}")],
            "its `manifest.json` is not valid",
        ),
        (
            &[("manifest.json", b"[{}]")],
            "its `manifest.json` is not valid",
        ),
        (&[("layer.tar", b"")], "it has no `manifest.json`"),
    ];
    for (files, says) in rows {
        write_tar(&directory.path().join("a.tar"), files);
        for image in ["docker-archive:a.tar", "docker-archive:a.tar:a:1"] {
            let run = verified(directory.path(), image).expect(3);
            let head = format!(
                "{image}: 1 violation\n  `a.tar` cannot be read as a Docker archive: {says}"
            );
            assert!(run.stdout.starts_with(&head), "{}", run.stdout);
        }
    }
}

#[test]
fn what_follows_the_images_of_an_archive_is_told() {
    let laid = Laid::of(&Draft::default());
    let tar = fs_err::read(laid.archive("oci.tar")).expect("readable");
    let packed = gzip(&tar);
    let cut = packed[..packed.len() - 8].to_vec();
    let rows = [
        (
            [packed, b"and something more behind it".to_vec()].concat(),
            3,
            "it is no sound gzip data",
        ),
        (cut, 3, "it ends too early: its gzip data is incomplete"),
        (
            [tar.clone(), b"and something more behind it".to_vec()].concat(),
            0,
            "there is something that nobody reads",
        ),
        ([tar, vec![0; 9000]].concat(), 0, ""),
    ];
    for (bytes, code, says) in rows {
        fs_err::write(laid.path().join("a.tar"), bytes).expect("written");
        let run = verified(laid.path(), "oci-archive:a.tar").expect(code);
        let told = format!("behind the images in `a.tar`, {says}");
        assert_eq!(
            run.stdout.contains(&told),
            !says.is_empty(),
            "{}",
            run.stdout
        );
    }
}

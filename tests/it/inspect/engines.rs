//! Programs that keep images: `inspect` has them saved, and reads what they save.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use cargo_lighter::digest::Digest;
use serde_json::Value;
use tempfile::TempDir;

use super::draft::{Draft, Laid, docker_archive};
use super::sources::{inspect, reference};
use crate::support::cli::Lighter;
use crate::support::tools::{is_root, run, skipped};

/// A program `docker` that gives the archive `image.tar` of `directory`, or refuses.
fn fake_docker(directory: &Path, script: &str) {
    let path = directory.join("docker");
    fs_err::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
    fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("set");
}

#[test]
fn docker_is_asked_to_save_what_it_has() {
    let directory = TempDir::new().expect("a directory");
    docker_archive(&Draft::default(), &directory.path().join("image.tar"));
    let here = directory.path().display();
    fake_docker(
        directory.path(),
        &format!("test \"$1 $2 $4\" = 'save --output orders:old' && cp '{here}/image.tar' \"$3\""),
    );
    let asked = |image: &str| {
        Lighter::at(directory.path())
            .first_on_path(directory.path())
            .args(["inspect", image])
            .run()
    };
    let run = asked("docker-daemon:orders:old").expect(0);
    assert_eq!(reference(&run), "docker-daemon:orders:old");
    assert!(run.stdout.contains("/app/orders"), "{}", run.stdout);
    fake_docker(directory.path(), "echo 'Error: no such image' >&2; exit 1");
    asked("docker-daemon:orders:old").expect(1).says(&[
        "`docker` cannot save image `orders:old`: no such image",
        "hint: see what there is with `docker images`",
    ]);
    let full = "write /tmp/image.tar: no space left on device";
    fake_docker(directory.path(), &format!("echo '{full}' >&2; exit 1"));
    asked("docker-daemon:orders:old").expect(1).says(&[
        &format!("`docker` cannot save image `orders:old`: {full}"),
        "hint: free some space, or let TMPDIR name a directory on another disk",
    ]);
}

#[test]
fn where_there_is_no_manifest_a_digest_is_that_of_the_configuration() {
    let directory = TempDir::new().expect("a directory");
    let archive = directory.path().join("image.tar");
    docker_archive(&Draft::default(), &archive);
    let script = format!("cp '{}' \"$3\"", archive.display());
    fake_docker(directory.path(), &script);
    let asked = |image: &str| {
        Lighter::at(directory.path())
            .first_on_path(directory.path())
            .args(["inspect", "--format", "json", image])
            .run()
    };
    let run = asked("docker-archive:image.tar").expect(0);
    let document: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let id = document["images"][0]["image_id"].as_str().expect("text");
    let other = Digest::of(b"other");
    for name in [
        "docker-archive:image.tar:orders:latest",
        "docker-daemon:orders:latest",
    ] {
        asked(&format!("{name}@{id}")).expect(0);
        asked(&format!("{name}@{other}")).expect(1);
    }
}

#[test]
fn what_buildah_builds_is_the_same_in_every_form() {
    if !is_root() {
        skipped("buildah builds for others than root in a namespace of its own");
        return;
    }
    let directory = TempDir::new().expect("a directory");
    let place = |name: &str| directory.path().join(name).display().to_string();
    let storage = format!(
        "[storage]\ndriver = \"vfs\"\ngraphroot = \"{}\"\nrunroot = \"{}\"\n",
        place("graph"),
        place("run")
    );
    fs_err::write(place("storage.conf"), storage).expect("written");
    fs_err::write(place("app"), "#!").expect("written");
    let dockerfile = "FROM scratch\nCOPY --chown=7:8 app /app/orders\nUSER 65532\nENTRYPOINT [\"/app/orders\"]\n";
    fs_err::write(place("Dockerfile"), dockerfile).expect("written");
    let buildah = |words: &[&str]| {
        run(Command::new("buildah")
            .args(words)
            .env("CONTAINERS_STORAGE_CONF", place("storage.conf"))
            .current_dir(directory.path()))
    };
    buildah(&["bud", "-q", "--isolation", "chroot", "-t", "old:1", "."]);
    buildah(&["push", "-q", "old:1", "oci:layout:old:1"]);
    buildah(&["push", "-q", "old:1", "docker-archive:old.tar:old:1"]);
    let lighter =
        || Lighter::at(directory.path()).env("CONTAINERS_STORAGE_CONF", place("storage.conf"));
    for image in ["docker-archive:old.tar", "containers-storage:old:1"] {
        let words = ["inspect", image, "--against", "oci:layout"];
        lighter().args(words).run().expect(0);
        lighter()
            .args(["inspect", "--verify", image])
            .run()
            .expect(0);
    }
    lighter()
        .args(["inspect", "--verify", "oci:layout"])
        .run()
        .expect(0);
    let run = inspect(directory.path(), "oci:layout").expect(0);
    assert!(
        run.stdout.contains("  user        65532\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn an_engine_that_is_not_there_is_an_error() {
    let directory = TempDir::new().expect("a directory");
    for (image, program) in [
        ("docker-daemon:a", "docker"),
        ("containers-storage:a", "podman"),
    ] {
        Lighter::at(directory.path())
            .env("PATH", directory.path())
            .args(["inspect", image])
            .run()
            .expect(1)
            .says(&[&format!("install `{program}`")]);
    }
}

#[test]
fn podman_s_images_are_read() {
    if !is_root() {
        skipped("podman keeps images of others than root in a namespace of its own");
        return;
    }
    let laid = Laid::of(&Draft::default());
    docker_archive(&Draft::default(), &laid.path().join("image.tar"));
    let place = |name: &str| laid.path().join(name).display().to_string();
    let storage = format!(
        "[storage]\ndriver = \"vfs\"\ngraphroot = \"{}\"\nrunroot = \"{}\"\n",
        place("graph"),
        place("run")
    );
    fs_err::write(place("storage.conf"), storage).expect("written");
    run(Command::new("podman")
        .args(["load", "-q", "-i", "image.tar"])
        .env("CONTAINERS_STORAGE_CONF", place("storage.conf"))
        .current_dir(laid.path()));
    Lighter::at(laid.path())
        .env("CONTAINERS_STORAGE_CONF", place("storage.conf"))
        .args([
            "inspect",
            "containers-storage:orders",
            "--against",
            "docker-archive:image.tar",
        ])
        .run()
        .expect(0);
}

//! Where `inspect` finds images: layouts, archives, and programs that keep them.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use cargo_lighter::digest::Digest;
use cargo_lighter::process::{Interrupt, Signal};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::draft::{Draft, Laid, docker_archive, gzip, write_tar};
use crate::support::cli::{Lighter, Run};
use crate::support::tools::{is_root, run, skipped};

fn inspect(directory: &Path, image: &str) -> Run {
    Lighter::at(directory).args(["inspect", "-q", image]).run()
}

fn reference(run: &Run) -> String {
    run.lines().first().copied().unwrap_or_default().to_owned()
}

#[test]
fn an_image_of_a_layout_may_be_named_in_several_ways() {
    let laid = Laid::of(&Draft::default());
    let digest = laid.written.manifest;
    for (image, shown) in [
        ("oci:layout", "oci:layout:orders:latest"),
        ("oci:layout:orders", "oci:layout:orders:latest"),
        ("oci:layout:orders:latest", "oci:layout:orders:latest"),
    ] {
        let run = inspect(laid.path(), image).expect(0);
        assert_eq!(reference(&run), shown);
        // As `build` prints it.
        let run = inspect(laid.path(), &format!("{shown}@{digest}")).expect(0);
        assert_eq!(reference(&run), shown);
    }
    let run = inspect(laid.path(), &format!("oci:layout@{digest}")).expect(0);
    assert!(
        run.stdout.contains(&format!("  {digest}\n")),
        "{}",
        run.stdout
    );
    let other = Digest::of(b"other");
    inspect(laid.path(), &format!("oci:layout:orders@{other}"))
        .expect(1)
        .says(&[
            &format!("is image `{digest}`, not `{other}`"),
            "hint: leave out the digest",
        ]);
}

#[test]
fn several_tags_of_one_image_are_no_question_and_several_images_are_one() {
    let laid = Laid::of(&Draft::default());
    let named = |name: &str, user: &str| {
        let draft = Draft {
            name: name.to_owned(),
            execution: json!({ "User": user }),
            ..Draft::default()
        };
        draft.write(&laid.path().join("layout"));
    };
    let again = Draft {
        name: "orders:1.0".to_owned(),
        ..Draft::default()
    };
    again.write(&laid.path().join("layout"));
    inspect(laid.path(), "oci:layout").expect(0);
    named("billing:1.0", "7");
    inspect(laid.path(), "oci:layout").expect(1).says(&[
        "no image that could be meant without a name",
        "hint: write `oci:layout:NAME`",
        "`billing:1.0`",
    ]);
    inspect(laid.path(), "oci:layout:biling")
        .expect(1)
        .says(&["has no image `biling`", "hint: it has `billing:1.0`"]);
}

#[test]
fn what_is_no_image_is_told_with_what_to_type() {
    let laid = Laid::of(&Draft::default());
    write_tar(&laid.path().join("other.tar"), &[("a", b"b")]);
    fs_err::write(
        laid.path().join("text"),
        "no tar, but long enough to be one".repeat(50),
    )
    .expect("written");
    docker_archive(&Draft::default(), &laid.path().join("docker.tar"));
    laid.archive("oci.tar");
    for (image, code, says) in [
        (
            "orders",
            2,
            "hint: if `build` made it, write `oci:target/lighter/oci:orders`",
        ),
        ("acme/orders", 2, "in no place that is known"),
        ("./layout", 2, "hint: write `oci:./layout` for a layout"),
        ("ghcr.io/Upper", 2, "has no legal name"),
        ("oci:", 2, "names no place"),
        ("oci:nowhere", 1, "is not an image layout"),
        ("oci-archive:nowhere.tar", 1, "nowhere.tar"),
        (
            "oci-archive:other.tar",
            1,
            "it has no `oci-layout` and no `index.json`",
        ),
        ("oci-archive:text", 1, "cannot be read as an OCI archive"),
        (
            "oci-archive:docker.tar",
            1,
            "hint: if `docker save` wrote it, write `docker-archive:`",
        ),
        ("oci-archive:layout", 1, "it is no regular file"),
        ("docker-archive:other.tar", 1, "it has no `manifest.json`"),
        (
            "docker-archive:oci.tar",
            1,
            "hint: if it is an image layout in a tar, write `oci-archive:`",
        ),
        (
            "docker-archive:docker.tar:billing",
            1,
            "hint: it has `orders:latest`",
        ),
    ] {
        let run = inspect(laid.path(), image);
        assert_eq!(run.code, code, "{image}: {}", run.stderr);
        run.says(&["error: ", says]);
    }
}

#[test]
fn archives_are_read_compressed_or_not() {
    let laid = Laid::of(&Draft::default());
    let oci = laid.archive("oci.tar");
    let docker = laid.path().join("docker.tar");
    docker_archive(&Draft::default(), &docker);
    for (scheme, path) in [("oci-archive", oci), ("docker-archive", docker)] {
        let bytes = fs_err::read(&path).expect("readable");
        let zstd = zstd::encode_all(bytes.as_slice(), 3).expect("compressed");
        for (name, bytes) in [
            ("plain", bytes.clone()),
            ("gzip", gzip(&bytes)),
            ("zstd", zstd),
        ] {
            fs_err::write(laid.path().join(name), bytes).expect("written");
            let run = inspect(laid.path(), &format!("{scheme}:{name}")).expect(0);
            assert_eq!(reference(&run), format!("{scheme}:{name}:orders:latest"));
            assert!(run.stdout.contains("/app/orders"), "{}", run.stdout);
        }
    }
}

#[test]
fn an_image_of_a_docker_archive_has_no_digest_of_its_own() {
    let directory = TempDir::new().expect("a directory");
    docker_archive(&Draft::default(), &directory.path().join("docker.tar"));
    let run = Lighter::at(directory.path())
        .args(["inspect", "docker-archive:docker.tar", "--format", "json"])
        .run()
        .expect(0);
    let document: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let image = &document["images"][0];
    assert_eq!(image["digest"], Value::Null);
    assert_eq!(image["layers"][0]["made_by"], "COPY file:1 in /app");
    assert!(
        image["image_id"]
            .as_str()
            .expect("text")
            .starts_with("sha256:")
    );
}

#[test]
fn skopeo_s_archives_are_the_image_they_were_made_of() {
    let laid = Laid::of(&Draft::default());
    for (scheme, code) in [("oci-archive", 0), ("docker-archive", 0)] {
        run(Command::new("skopeo")
            .args(["copy", "-q", "oci:layout:orders:latest"])
            .arg(format!("{scheme}:{scheme}.tar:orders:latest"))
            .current_dir(laid.path()));
        Lighter::at(laid.path())
            .args([
                "inspect",
                &format!("{scheme}:{scheme}.tar"),
                "--against",
                "oci:layout",
            ])
            .run()
            .expect(code);
    }
}

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

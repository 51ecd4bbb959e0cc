//! Where `inspect` finds images: layouts and archives.

use std::path::Path;
use std::process::Command;

use cargo_lighter::digest::Digest;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::draft::{Draft, Laid, Layer, docker_archive, file, gzip, write_tar};
use crate::support::cli::{Lighter, Run};
use crate::support::disk::SmallDisk;
use crate::support::tools::run;

pub(super) fn inspect(directory: &Path, image: &str) -> Run {
    Lighter::at(directory).args(["inspect", "-q", image]).run()
}

pub(super) fn reference(run: &Run) -> String {
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
        "`oci:layout` has several images, and it is not said which is meant",
        "hint: write `oci:layout:NAME`",
        "`orders:latest`",
        "`billing:1.0`",
    ]);
    inspect(laid.path(), "oci:layout:biling")
        .expect(1)
        .says(&["has no image `biling`", "hint: it has `billing:1.0`"]);
}

#[test]
fn an_index_that_is_a_directory_is_told_with_what_to_type() {
    let laid = Laid::of(&Draft::default());
    let index = laid.path().join("layout/index.json");
    fs_err::remove_file(&index).expect("removed");
    fs_err::create_dir(&index).expect("made");
    inspect(laid.path(), "oci:layout").expect(1).says(&[
        "`oci:layout` cannot be read: `index.json` is a directory",
        "hint: see all that is wrong with `cargo lighter inspect --verify oci:layout`",
    ]);
    let run = Lighter::at(laid.path())
        .args(["inspect", "--verify", "oci:layout"])
        .run()
        .expect(3);
    assert!(
        run.stdout
            .contains("`index.json` is missing or not a regular file"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_full_disk_for_temporary_files_is_told_with_the_image_and_what_to_do() {
    let Some(disk) = SmallDisk::mount("1m") else {
        return;
    };
    let laid = Laid::of(&Draft::default());
    fs_err::write(laid.path().join("layout/blobs/sha256/0"), vec![7; 3 << 20]).expect("written");
    let tar = fs_err::read(laid.archive("oci.tar")).expect("readable");
    fs_err::write(laid.path().join("oci.tar.gz"), gzip(&tar)).expect("written");
    let data = "x".repeat(3 << 20);
    let large = Draft {
        layers: vec![Layer::of(&[file("data", &data)])],
        ..Draft::default()
    };
    docker_archive(&large, &laid.path().join("docker.tar"));
    let refused = |image: &str| {
        Lighter::at(laid.path())
            .args(["inspect", "-q", image])
            .env("TMPDIR", disk.path())
            .run()
            .expect(1)
            .says(&[
                &format!("`{image}` cannot be unpacked: "),
                "hint: free some space, or let TMPDIR name a directory on another disk",
            ])
    };
    refused("oci-archive:oci.tar.gz").says(&["No space left on device"]);
    refused("docker-archive:docker.tar").says(&["No space left on device"]);
    disk.protect();
    refused("docker-archive:docker.tar").says(&["Read-only file system"]);
}

/// A layout that keeps images and no names for them, as some tools write it.
#[test]
fn images_without_names_are_found_by_their_digests_and_none_is_no_panic() {
    let laid = Laid::of(&Draft::default());
    let other = Draft {
        execution: json!({ "User": "7" }),
        name: "billing:1.0".to_owned(),
        ..Draft::default()
    };
    other.write(&laid.path().join("layout"));
    let file = laid.path().join("layout/index.json");
    let text = fs_err::read_to_string(&file).expect("readable");
    let mut index: Value = serde_json::from_str(&text).expect("JSON");
    let entries = index["manifests"].as_array_mut().expect("a list");
    for entry in entries.iter_mut() {
        entry
            .as_object_mut()
            .expect("an object")
            .remove("annotations");
    }
    let digest = entries[1]["digest"].as_str().expect("text").to_owned();
    fs_err::write(&file, index.to_string()).expect("written");
    inspect(laid.path(), "oci:layout").expect(1).says(&[
        "`oci:layout` has several images, and it is not said which is meant",
        "hint: write `oci:layout@DIGEST`",
        &digest,
    ]);
    let image = format!("oci:layout@{digest}");
    let run = inspect(laid.path(), &image).expect(0);
    assert_eq!(reference(&run), image);
    for empty in [
        json!({ "schemaVersion": 2, "manifests": [] }),
        json!({ "schemaVersion": 2, "manifests": [{}, { "size": -1 }] }),
    ] {
        fs_err::write(&file, empty.to_string()).expect("written");
        inspect(laid.path(), "oci:layout")
            .expect(1)
            .says(&["error: ", "hint: "]);
    }
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
        ("./layout", 2, "hint: write `oci:./layout`"),
        ("ghcr.io/Upper", 2, "has no legal name"),
        ("oci:", 2, "names no place"),
        (
            "oci:nowhere",
            1,
            "hint: make one with `cargo lighter build --to oci:nowhere`",
        ),
        ("oci-archive:nowhere.tar", 1, "nowhere.tar"),
        (
            "oci-archive:other.tar",
            1,
            "it has no `oci-layout` and no `index.json`",
        ),
        ("oci-archive:text", 1, "cannot be read as an OCI archive"),
        ("docker-archive:other.tar", 1, "it has no `manifest.json`"),
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
fn an_archive_of_the_other_form_is_called_by_its_name() {
    let laid = Laid::of(&Draft::default());
    laid.archive("oci.tar");
    docker_archive(&Draft::default(), &laid.path().join("docker.tar"));
    inspect(laid.path(), "oci-archive:docker.tar:orders")
        .expect(1)
        .says(&[
            "error: `docker.tar` cannot be read as an OCI archive: it is a Docker archive",
            "hint: write `docker-archive:docker.tar:orders`",
        ]);
    inspect(laid.path(), "docker-archive:oci.tar")
        .expect(1)
        .says(&[
            "error: `oci.tar` cannot be read as a Docker archive: it is an OCI archive",
            "hint: write `oci-archive:oci.tar`",
        ]);
    inspect(laid.path(), "oci-archive:layout").expect(1).says(&[
        "error: `layout` cannot be read as an OCI archive: it is a directory",
        "hint: if it is an image layout, write `oci:layout`",
    ]);
    inspect(laid.path(), "oci:oci.tar:orders").expect(1).says(&[
        "error: `oci.tar` is a file, and an image layout is a directory",
        "hint: write `oci-archive:oci.tar:orders` or `docker-archive:oci.tar:orders`",
    ]);
}

#[test]
fn broken_archives_are_told_in_own_words_with_what_to_type() {
    let laid = Laid::of(&Draft::default());
    let oci = fs_err::read(laid.archive("oci.tar")).expect("readable");
    docker_archive(&Draft::default(), &laid.path().join("docker.tar"));
    let docker = fs_err::read(laid.path().join("docker.tar")).expect("readable");
    let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 3).expect("compressed");
    let cut = |bytes: Vec<u8>, at: usize| bytes[..at].to_vec();
    let half = |bytes: Vec<u8>| cut(bytes.clone(), bytes.len() / 2);
    let spoiled = |mut bytes: Vec<u8>| {
        let middle = bytes.len() / 2;
        bytes[middle..middle + 40].fill(0xa5);
        bytes
    };
    for (scheme, form, whole) in [
        ("oci-archive", "an OCI archive", &oci),
        ("docker-archive", "a Docker archive", &docker),
    ] {
        for (name, bytes, says) in [
            ("empty", Vec::new(), "it is empty"),
            ("short", vec![b'x'; 100], "it is no tar"),
            (
                "garbage",
                b"no tar, but long enough ".repeat(90),
                "it is no tar",
            ),
            (
                "cut",
                cut(whole.clone(), 600),
                "it ends too early, after 600 bytes",
            ),
            (
                "cut.gz",
                half(gzip(whole)),
                "it ends too early: its gzip data is incomplete",
            ),
            (
                "cut.zst",
                half(zstd(whole)),
                "it ends too early: its zstd data is incomplete",
            ),
            ("spoiled.gz", spoiled(gzip(whole)), "it is no "),
            ("spoiled.zst", spoiled(zstd(whole)), "it is no "),
            (
                "other.xz",
                b"\xfd7zXZ\0".repeat(90),
                "it is compressed with xz",
            ),
        ] {
            fs_err::write(laid.path().join(name), bytes).expect("written");
            let run = inspect(laid.path(), &format!("{scheme}:{name}")).expect(1);
            let reason = format!("error: `{name}` cannot be read as {form}: {says}");
            let run = run.says(&[&reason, "\nhint: "]);
            for leaked in [
                "tmp", "stream", "checksum", "cksum", "block", "numeric", "octal",
            ] {
                assert!(!run.stderr.contains(leaked), "{name}: {}", run.stderr);
            }
        }
        let run = inspect(laid.path(), &format!("{scheme}:nowhere/x.tar")).expect(1);
        run.says(&[
            "error: there is no file `nowhere/x.tar`",
            &format!("hint: make one with `cargo lighter build --to {scheme}:nowhere/x.tar`"),
        ]);
        let run = inspect(laid.path(), &format!("{scheme}:cut.gs")).expect(1);
        run.says(&["there is no file `cut.gs`", "hint: there is `cut.gz`"]);
    }
    inspect(laid.path(), "oci:layuot")
        .expect(1)
        .says(&["there is no directory `layuot`", "hint: there is `layout`"]);
}

#[test]
fn broken_documents_of_layouts_are_named_by_the_place_that_was_typed() {
    for (file, bytes, says) in [
        ("index.json", &b""[..], "`index.json` is not valid"),
        ("index.json", b"{", "`index.json` is not valid"),
        ("index.json", b"no JSON", "`index.json` is not valid"),
        ("oci-layout", b"", "`oci-layout` is not valid"),
        ("oci-layout", b"{}", "`oci-layout` is not valid"),
        (
            "oci-layout",
            br#"{"imageLayoutVersion":"7"}"#,
            "it is an image layout of version `7`, not 1.0.0",
        ),
    ] {
        let laid = Laid::of(&Draft::default());
        fs_err::write(laid.path().join("layout").join(file), bytes).expect("written");
        laid.archive("oci.tar");
        for place in ["oci:layout", "oci-archive:oci.tar"] {
            for image in [place.to_owned(), format!("{place}:orders")] {
                let run = inspect(laid.path(), &image).expect(1);
                let run = run.says(&[
                    &format!("error: `{place}` cannot be read: {says}"),
                    &format!(
                        "hint: see all that is wrong with `cargo lighter inspect --verify {place}`"
                    ),
                ]);
                assert!(!run.stderr.contains("cargo-lighter-"), "{}", run.stderr);
            }
            Lighter::at(laid.path())
                .args(["inspect", "--verify", place])
                .run()
                .expect(3);
        }
    }
    let laid = Laid::of(&Draft::default());
    fs_err::write(laid.blob(&laid.written.manifest), "{}").expect("written");
    laid.archive("oci.tar");
    for place in ["oci:layout", "oci-archive:oci.tar"] {
        inspect(laid.path(), place).expect(1).says(&[
            &format!(
                "error: `{place}` cannot be read: `blobs/sha256/{}` has 2 bytes of",
                laid.written.manifest.hex()
            ),
            "hint: see all that is wrong",
        ]);
    }
    fs_err::remove_file(laid.blob(&laid.written.manifest)).expect("removed");
    laid.archive("oci.tar");
    for place in ["oci:layout", "oci-archive:oci.tar"] {
        inspect(laid.path(), place).expect(1).says(&[
            &format!(
                "error: `{place}` cannot be read: it has no blob {}",
                laid.written.manifest
            ),
            "hint: see all that is wrong",
        ]);
    }
}

#[test]
fn a_path_without_a_scheme_is_answered_with_the_schemes() {
    let laid = Laid::of(&Draft::default());
    laid.archive("here.tar");
    fs_err::write(laid.path().join("image"), "x").expect("written");
    let archives =
        |text: &str| format!("hint: write `oci-archive:{text}` or `docker-archive:{text}`");
    for text in [
        "here.tar",
        "there.tar",
        "there.tar:orders:1",
        "out/there.tar.gz",
        "there.tgz",
        "out.d/there.tar",
        "image",
    ] {
        let run = inspect(laid.path(), text).expect(2);
        run.says(&[&format!("error: image `{text}` is "), &archives(text)]);
    }
    inspect(laid.path(), "ghcr.io/acme/x.tar").expect(2).says(&[
        &archives("ghcr.io/acme/x.tar"),
        "`docker://ghcr.io/acme/x.tar`",
    ]);
    for text in ["layout", "layout:orders", "./layout"] {
        let run = inspect(laid.path(), text).expect(2);
        let run = run.says(&[&format!("hint: write `oci:{text}`")]);
        assert!(!run.stderr.contains("archive:"), "{}", run.stderr);
    }
    for text in ["./nowhere", "/nowhere", "../nowhere"] {
        let all =
            format!("hint: write `oci:{text}`, `oci-archive:{text}` or `docker-archive:{text}`");
        inspect(laid.path(), text).expect(2).says(&[&all]);
    }
    // A host could be called so, and then nobody would have such a file.
    let layout = laid.path().join("layout");
    let dotted = laid.path().join("out.d");
    fs_err::create_dir(&dotted).expect("made");
    fs_err::rename(&layout, dotted.join("layout")).expect("moved");
    inspect(laid.path(), "out.d/layout")
        .expect(2)
        .says(&["hint: write `oci:out.d/layout`"]);
    // As ever.
    inspect(laid.path(), "orders:1")
        .expect(2)
        .says(&["`oci:target/lighter/oci:orders:1`"]);
}

#[test]
fn a_list_of_images_says_that_there_are_more() {
    let laid = Laid::of(&Draft::default());
    for number in 0..7 {
        let draft = Draft {
            name: format!("service-{number}:1.0"),
            execution: json!({ "User": number.to_string() }),
            ..Draft::default()
        };
        draft.write(&laid.path().join("layout"));
    }
    let five = "`orders:latest`, `service-0:1.0`, `service-1:1.0`, `service-2:1.0`, `service-3:1.0` and 3 more";
    inspect(laid.path(), "oci:layout")
        .expect(1)
        .says(&[&format!("hint: write `oci:layout:NAME`: it has {five}")]);
    inspect(laid.path(), "oci:layout:zzz")
        .expect(1)
        .says(&[&format!("hint: it has {five}")]);
    inspect(laid.path(), "oci:layout:ordes")
        .expect(1)
        .says(&["hint: it has `orders:latest` and 7 more"]);
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

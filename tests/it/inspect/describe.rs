//! What `inspect` shows of an image.

use std::path::Path;

use cargo_lighter::oci::media_type;
use serde_json::{Value, json};

use super::draft::{Draft, File, Laid, Layer, directory, docker_archive, file, gzip, link, tar_of};
use crate::support::cli::{Lighter, Run};

fn inspect(directory: &Path, words: &[&str]) -> Run {
    Lighter::at(directory)
        .args(["inspect"])
        .args(words.iter().copied())
        .run()
}

fn images(run: &Run) -> Vec<Value> {
    let document: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(document["version"], 1);
    document["images"].as_array().expect("a list").clone()
}

/// An image with everything, below a layer that all images here have.
fn rich(name: &str) -> Draft {
    let record = "Package: libfoo1\nVersion: 1.0-1\n";
    let shared = Layer::of(&[
        file("usr/lib/libfoo.so.1", "library"),
        file("var/lib/dpkg/status.d/libfoo1", record),
        file(
            "var/lib/dpkg/status.d/libfoo1.md5sums",
            "00  usr/lib/libfoo.so.1\n",
        ),
    ]);
    let own = Layer::of(&[
        directory("app/"),
        file(&format!("app/{name}"), &"x".repeat(3000)),
        file("app/note", "note"),
        file("usr/lib/libown.so", "own"),
    ]);
    Draft {
        name: format!("{name}:1.0"),
        layers: vec![shared, own],
        execution: json!({
            "User": "65532:65532",
            "Entrypoint": ["/app/orders", "--name", "it's"],
            "Cmd": ["serve"],
            "Env": ["PATH=/app", format!("LONG={}", "y".repeat(200))],
            "ExposedPorts": { "8080/tcp": {}, "53/udp": {} },
            "WorkingDir": "/app",
            "Volumes": { "/data": {} },
            "StopSignal": "SIGINT",
            "Labels": { "team": "harbour" },
            "Healthcheck": { "Test": ["CMD", "/app/orders", "health"] },
        }),
        ..Draft::default()
    }
}

#[test]
fn everything_is_shown() {
    let laid = Laid::of(&rich("orders"));
    rich("billing").write(&laid.path().join("layout"));
    let run = inspect(laid.path(), &["oci:layout:orders:1.0"]).expect(0);
    for line in [
        "oci:layout:orders:1.0",
        &format!("  {}", laid.written.manifest),
        "  platform    linux/amd64",
        "  entrypoint  /app/orders --name 'it'\\''s'",
        "  cmd         serve",
        "  user        65532:65532",
        "  workdir     /app",
        "  env         PATH=/app",
        "  ports       53/udp, 8080/tcp",
        "  volumes     /data",
        "  stop signal SIGINT",
        "  healthcheck CMD /app/orders health",
        "  labels      team=harbour",
        "            7 B  /usr/lib/libfoo.so.1",
        "         3.0 kB  /app/orders",
        "      also in billing",
        "  /usr/lib/libfoo.so.1  libfoo1 1.0-1",
        "  /usr/lib/libown.so    of no package",
    ] {
        assert!(
            run.lines().contains(&line),
            "no `{line}` in:\n{}",
            run.stdout
        );
    }
    let layers: Vec<&str> = run
        .lines()
        .into_iter()
        .filter(|line| line.contains("unpacked  part"))
        .collect();
    assert_eq!(layers.len(), 2, "{}", run.stdout);
    assert!(layers[0].starts_with(&format!("   1  {}", &laid.written.layers[0].hex()[..12])));
    assert!(layers[0].ends_with("part 1"));
    assert_eq!(run.stdout.matches("also in").count(), 1, "{}", run.stdout);
}

#[test]
fn everything_is_data_too() {
    let laid = Laid::of(&rich("orders"));
    rich("billing").write(&laid.path().join("layout"));
    let words = ["oci:layout:orders:1.0", "--format", "json", "--files", "1"];
    let run = inspect(laid.path(), &words).expect(0);
    let image = &images(&run)[0];
    assert_eq!(image["reference"], "oci:layout:orders:1.0");
    assert_eq!(image["digest"], laid.written.manifest.to_string());
    assert_eq!(image["image_id"], laid.written.config.to_string());
    assert_eq!(image["platform"], "linux/amd64");
    assert_eq!(image["config"]["ports"], json!(["53/udp", "8080/tcp"]));
    assert_eq!(image["config"]["entrypoint"][2], "it's");
    let [lower, upper] = image["layers"].as_array().expect("a list").as_slice() else {
        panic!("{image}");
    };
    assert_eq!(lower["digest"], laid.written.layers[0].to_string());
    assert_eq!(lower["shared_with"], json!(["billing"]));
    assert_eq!(upper["shared_with"], json!([]));
    assert_eq!(
        upper["biggest"],
        json!([{ "path": "/app/orders", "size": 3000 }])
    );
    assert_eq!(upper["entries"], 4);
    assert_eq!(upper["unpacked"], 512 * (4 + 6 + 1 + 1) + 1024);
    assert_eq!(image["libraries"][0]["package"], "libfoo1");
    assert_eq!(image["libraries"][1]["package"], Value::Null);
    assert_eq!(
        image["packages"],
        json!([{ "name": "libfoo1", "version": "1.0-1" }])
    );
}

#[test]
fn layers_are_read_whatever_they_are_compressed_with_and_called() {
    let files = [directory("app/"), file("app/orders", "#!")];
    let tar = tar_of(&files);
    let zstd = zstd::encode_all(tar.as_slice(), 3).expect("compressed");
    let (first, second) = tar.split_at(700);
    let docker = "application/vnd.docker.image.rootfs.diff.tar.gzip";
    for (media_type, blob) in [
        (media_type::LAYER, tar.clone()),
        (media_type::LAYER_ZSTD, zstd.clone()),
        (media_type::LAYER_GZIP, [gzip(first), gzip(second)].concat()),
        (docker, gzip(&tar)),
        // Runtimes look at the bytes.
        (media_type::LAYER_GZIP, zstd),
        (media_type::LAYER_GZIP, tar.clone()),
    ] {
        let layer = Layer {
            media_type,
            blob,
            tar: tar.clone(),
        };
        let draft = Draft {
            layers: vec![layer],
            ..Draft::default()
        };
        let laid = Laid::of(&draft);
        let run = inspect(laid.path(), &["oci:layout"]).expect(0);
        assert!(
            run.stdout.contains("/app/orders"),
            "{media_type}: {}",
            run.stdout
        );
    }
}

#[test]
fn docker_s_own_documents_are_read() {
    let draft = Draft {
        config: |config| {
            config["config"] = json!({
                "Env": null, "Cmd": ["sh"], "Entrypoint": null, "ExposedPorts": null,
                "Labels": null, "Volumes": null, "User": "", "WorkingDir": "", "OnBuild": null,
            });
        },
        manifest: |manifest| {
            manifest["mediaType"] = "application/vnd.docker.distribution.manifest.v2+json".into();
            manifest["config"]["mediaType"] =
                "application/vnd.docker.container.image.v1+json".into();
            manifest["layers"][0]["mediaType"] =
                "application/vnd.docker.image.rootfs.diff.tar.gzip".into();
            manifest["layers"][0]["annotations"] = Value::Null;
        },
        index: |index| {
            index["manifests"][0]["mediaType"] =
                "application/vnd.docker.distribution.manifest.v2+json".into();
        },
        ..Draft::default()
    };
    let laid = Laid::of(&draft);
    let run = inspect(laid.path(), &["oci:layout"]).expect(0);
    assert!(run.stdout.contains("  cmd         sh\n"), "{}", run.stdout);
    assert!(
        run.stdout.contains("  user        root (none is set)\n"),
        "{}",
        run.stdout
    );
    let run = inspect(laid.path(), &["--verify", "oci:layout"]).expect(0);
    assert!(run.stdout.contains("nothing violates"), "{}", run.stdout);
}

#[test]
fn one_platform_of_several_is_looked_at() {
    let laid = Laid::of(&Draft::default());
    let blobs = laid.path().join("layout/blobs/sha256");
    let other = Draft {
        name: "arm:1".to_owned(),
        config: |config| config["architecture"] = "arm64".into(),
        execution: json!({ "User": "7" }),
        ..Draft::default()
    };
    let other = other.write(&laid.path().join("layout"));
    let entry = |digest: &cargo_lighter::digest::Digest, architecture: &str| {
        let size = fs_err::metadata(blobs.join(digest.hex()))
            .expect("there")
            .len();
        json!({ "mediaType": media_type::MANIFEST, "digest": digest, "size": size,
            "platform": { "os": if architecture == "unknown" { "unknown" } else { "linux" }, "architecture": architecture } })
    };
    let write = |entries: Vec<Value>| {
        let index =
            json!({ "schemaVersion": 2, "mediaType": media_type::INDEX, "manifests": entries });
        let bytes = index.to_string();
        let digest = cargo_lighter::digest::Digest::of(bytes.as_bytes());
        fs_err::write(blobs.join(digest.hex()), &bytes).expect("written");
        let top = json!({ "schemaVersion": 2, "manifests": [
            { "mediaType": media_type::INDEX, "digest": digest, "size": bytes.len() } ] });
        fs_err::write(laid.path().join("layout/index.json"), top.to_string()).expect("written");
        digest
    };
    let (amd, arm) = (&laid.written.manifest, &other.manifest);
    let digest = write(vec![
        entry(amd, "amd64"),
        entry(arm, "arm64"),
        entry(amd, "unknown"),
    ]);
    let words = [
        "oci:layout",
        "--platform",
        "linux/arm64",
        "--format",
        "json",
    ];
    let image = &images(&inspect(laid.path(), &words).expect(0))[0];
    assert_eq!(image["platform"], "linux/arm64");
    assert_eq!(image["digest"], digest.to_string());
    assert_eq!(image["manifest"], arm.to_string());
    assert_eq!(image["platforms"], json!(["linux/amd64", "linux/arm64"]));
    let run = inspect(laid.path(), &["oci:layout", "--platform", "linux/arm64"]).expect(0);
    assert!(
        run.stdout.contains("linux/amd64, linux/arm64"),
        "{}",
        run.stdout
    );
    inspect(laid.path(), &["oci:layout", "--platform", "linux/s390x"])
        .expect(1)
        .says(&[
            "has no image for linux/s390x",
            "hint: choose with `--platform`: it has `linux/amd64` or `linux/arm64`",
        ]);
    for other in ["windows/amd64", "linux/foo", "linux/arm/v9"] {
        let says = format!("has no image for {other}");
        inspect(laid.path(), &["oci:layout", "--platform", other])
            .expect(1)
            .says(&[&says, "it has `linux/amd64` or `linux/arm64`"]);
    }
    for none in ["windows", "linux/", "a/b/c/d", "linux/a b"] {
        inspect(laid.path(), &["oci:layout", "--platform", none])
            .expect(2)
            .says(&["stands for no platform", "hint: name a platform such as"]);
    }
    // One alone needs no choice.
    write(vec![entry(arm, "arm64"), entry(amd, "unknown")]);
    let run = inspect(laid.path(), &["oci:layout"]).expect(0);
    assert!(run.stdout.contains("  user        7\n"), "{}", run.stdout);
}

#[test]
fn an_image_alone_is_compared_with_the_platform_that_is_asked_for() {
    let laid = Laid::of(&Draft::default());
    docker_archive(&Draft::default(), &laid.path().join("docker.tar"));
    laid.archive("oci.tar");
    for image in [
        "oci:layout",
        "oci-archive:oci.tar",
        "docker-archive:docker.tar",
    ] {
        inspect(laid.path(), &[image, "--platform", "linux/amd64"]).expect(0);
        for more in [&[][..], &["--verify"], &["--against", image]] {
            let words = [&[image, "--platform", "linux/arm64"], more].concat();
            inspect(laid.path(), &words).expect(1).says(&[
                &format!("error: `{image}:orders:latest` has no image for linux/arm64: it is for linux/amd64"),
                "hint: leave out `--platform`, or name an image for linux/arm64",
            ]);
        }
    }
    let arm = Draft {
        name: "arm:1".to_owned(),
        config: |config| {
            config["architecture"] = "arm".into();
            config["variant"] = "v6".into();
        },
        ..Draft::default()
    };
    let laid = Laid::of(&arm);
    inspect(laid.path(), &["oci:layout", "--platform", "linux/arm/v6"]).expect(0);
    inspect(laid.path(), &["oci:layout", "--platform", "linux/arm/v7"])
        .expect(1)
        .says(&["it is for linux/arm/v6"]);
    let silent = Draft {
        config: |config| config["os"] = Value::Null,
        ..Draft::default()
    };
    let laid = Laid::of(&silent);
    inspect(laid.path(), &["oci:layout"]).expect(0);
    inspect(laid.path(), &["oci:layout", "--platform", "linux/amd64"])
        .expect(1)
        .says(&["it does not say what it is for"]);
}

#[test]
fn absolute_names_are_taken_as_runtimes_take_them_and_told() {
    let files = [
        file("/abs", "x"),
        file("//etc/app.conf", "y"),
        File {
            kind: tar::EntryType::Link,
            ..link("hard", "/abs")
        },
        file("a/../b", "z"),
    ];
    let plain = [file("abs", "x"), file("etc/app.conf", "y"), file("b", "z")];
    let laid = Laid::of(&Draft {
        layers: vec![Layer::of(&files)],
        ..Draft::default()
    });
    let run = inspect(laid.path(), &["oci:layout"]).expect(0);
    let digest = &laid.written.layers[0];
    let run = run.says(&[&format!(
        "warning: layer {digest} has entries whose names no image should have, such as `/abs`: runtimes take it as `abs`"
    )]);
    for path in ["  /abs\n", "  /etc/app.conf\n", "  /b\n"] {
        assert!(run.stdout.contains(path), "{}", run.stdout);
    }
    Draft {
        name: "plain:1".to_owned(),
        layers: vec![Layer::of(&plain)],
        ..Draft::default()
    }
    .write(&laid.path().join("layout"));
    let words = ["oci:layout:orders", "--against", "oci:layout:plain:1"];
    let run = inspect(laid.path(), &words).expect(3);
    assert!(run.stdout.contains("+ /hard"), "{}", run.stdout);
    assert!(!run.stdout.contains("abs"), "{}", run.stdout);
}

/// Values that no line of 80 columns holds.
fn long() -> Draft {
    Draft {
        layers: vec![Layer::of(&[file(&format!("app/{}", "d".repeat(90)), "x")])],
        execution: json!({
            "Env": [format!("LONG={}", "y".repeat(200))],
            "Labels": { "text": "word ".repeat(40).trim_end() },
        }),
        config: |config| config["history"][0]["comment"] = "made by hand ".repeat(9).into(),
        ..Draft::default()
    }
}

#[test]
fn what_goes_into_a_pipe_is_neither_cut_nor_wrapped() {
    let laid = Laid::of(&long());
    let run = inspect(laid.path(), &["oci:layout"]).expect(0);
    for value in [
        format!("  env         LONG={}\n", "y".repeat(200)),
        format!("  labels      text={}\n", "word ".repeat(40).trim_end()),
        format!("  /app/{}\n", "d".repeat(90)),
        format!("  {}\n", "made by hand ".repeat(9).trim_end()),
    ] {
        assert!(run.stdout.contains(&value), "{value}: {}", run.stdout);
    }
    Draft::default().write(&laid.path().join("layout"));
    let other = Draft {
        name: "other:1".to_owned(),
        ..Draft::default()
    };
    other.write(&laid.path().join("layout"));
    let laid = Laid::of(&long());
    other.write(&laid.path().join("layout"));
    let words = ["oci:layout:orders", "--against", "oci:layout:other:1"];
    let run = inspect(laid.path(), &words).expect(3);
    let value = format!("+ LONG: {}\n", "y".repeat(200));
    assert!(run.stdout.contains(&value), "{}", run.stdout);
    let value = format!("+ /app/{}: ", "d".repeat(90));
    assert!(run.stdout.contains(&value), "{}", run.stdout);
}

#[test]
fn a_terminal_is_not_written_over_its_edge() {
    let laid = Laid::of(&long());
    let other = Draft {
        name: "other:1".to_owned(),
        ..Draft::default()
    };
    other.write(&laid.path().join("layout"));
    let show = &["inspect", "-q", "oci:layout:orders"][..];
    let compare = [show, &["--against", "oci:layout:other:1"]].concat();
    for words in [show, &compare] {
        let lighter = Lighter::at(laid.path()).args(words.iter().copied());
        for columns in [24, 40, 60, 100] {
            let run = lighter.run_on_terminal_of(columns);
            let lines = run.lines().into_iter();
            let widest = lines.map(|line| line.chars().count()).max();
            let least = columns - columns / 5;
            let fits = widest.is_some_and(|widest| (least..=columns).contains(&widest));
            assert!(fits, "{columns}: {}", run.stdout);
            assert!(run.stdout.contains('…'), "{}", run.stdout);
        }
    }
}

#[test]
fn broken_images_are_told_with_the_way_to_see_more() {
    let broken = |draft: Draft| {
        let laid = Laid::of(&draft);
        inspect(laid.path(), &["oci:layout:orders"]).expect(1)
    };
    let of_tar = |tar: Vec<u8>| {
        broken(Draft {
            layers: vec![Layer::of_tar(tar)],
            ..Draft::default()
        })
    };
    let hint = "hint: see all that is wrong with `cargo lighter inspect --verify oci:layout:orders:latest`";
    of_tar(vec![7; 2048]).says(&["cannot be read", hint]);
    of_tar(tar_of(&[file("../x", "")])).says(&["leads out of the image", hint]);
    // The checker looks at each layer alone.
    let looped = of_tar(tar_of(&[link("a", "a"), file("a/b", "")]));
    assert!(!looped.stderr.contains("--verify"), "{}", looped.stderr);
    looped.says(&[
        "cannot be unpacked: its entry `a/b` is behind links without an end",
        "hint: build the image again without that",
    ]);
    broken(Draft {
        config: |config| config["rootfs"]["diff_ids"] = json!([]),
        ..Draft::default()
    })
    .says(&["the configuration says something else", hint]);
    broken(Draft {
        config: |config| config["config"] = 7.into(),
        ..Draft::default()
    })
    .says(&[
        "the configuration of `oci:layout:orders:latest` is not valid",
        hint,
    ]);
    broken(Draft {
        manifest: |manifest| manifest["config"]["mediaType"] = "application/spdx+json".into(),
        ..Draft::default()
    })
    .says(&["is not an image that runs", "`application/spdx+json`"]);
    broken(Draft {
        manifest: |manifest| manifest["layers"][0]["size"] = 7.into(),
        ..Draft::default()
    })
    .says(&["its blob is not what its digest and size say"]);
    broken(Draft {
        manifest: |manifest| manifest["layers"] = json!({}),
        ..Draft::default()
    })
    .says(&["is no image"]);
    broken(Draft {
        manifest: |manifest| {
            let layer = manifest["layers"][0].clone();
            manifest["layers"] = vec![layer; 1001].into();
        },
        ..Draft::default()
    })
    .says(&["has 1001 layers, more than 1000"]);
}

#[test]
fn foreign_text_moves_no_cursor() {
    let draft = Draft {
        execution: json!({ "User": "\u{1b}[31mred", "Env": ["A=\u{202e}b"], "Labels": { "\r": "\n" } }),
        layers: vec![Layer::of(&[file("a\u{1b}b", "x")])],
        ..Draft::default()
    };
    let laid = Laid::of(&draft);
    let run = inspect(laid.path(), &["oci:layout"]).expect(0);
    let is_odd = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
    assert!(!run.stdout.contains(is_odd), "{:?}", run.stdout);
}

#[test]
fn help_is_for_newcomers() {
    let run = inspect(Path::new("/"), &["--help"]).expect(0);
    for part in [
        "Examples:",
        "oci:DIRECTORY",
        "--against",
        "exit code 3",
        "without a login",
    ] {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
}

#[test]
fn odd_command_lines_are_usage_errors() {
    for (words, said) in [
        (&[][..], "<IMAGE>"),
        (&["oci:a", "--strict"], "--verify"),
        (
            &["oci:a", "--verify", "--against", "oci:b"],
            "cannot be used with",
        ),
        (&["oci:a", "--against"], "a value is required"),
        (&["oci:a", "--files", "few"], "invalid value 'few'"),
        (
            &["oci:a", "--format", "yaml"],
            "possible values: text, json",
        ),
        (
            &["oci:a", "--platform", "toaster"],
            "`toaster` stands for no platform",
        ),
        (
            &["oci:a", "--against", "b"],
            "image `b` is in no place that is known",
        ),
        (
            &["oci:a", "b", "--verify"],
            "image `b` is in no place that is known",
        ),
    ] {
        let run = inspect(Path::new("/nonexistent"), words).expect(2);
        assert_eq!(run.stdout, "", "{words:?}");
        assert!(run.stderr.contains(said), "{words:?}: {}", run.stderr);
    }
}

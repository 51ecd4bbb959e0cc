//! `inspect --against`: images that differ in one respect are told apart, and nothing else is named.

use serde_json::{Value, json};
use tar::EntryType;
use tempfile::TempDir;

use super::draft::{Draft, File, Layer, directory, docker_archive, file, header, link, tar_of};
use crate::support::cli::{Lighter, Run};

const RECORD: &str =
    "Package: libfoo1\nStatus: install ok installed\nVersion: 1.0-1\nArchitecture: amd64\n";

/// An image with all that can differ.
#[derive(Clone)]
pub(super) struct Parts {
    execution: Value,
    config: fn(&mut Value),
    pub(super) lower: Vec<File>,
    pub(super) upper: Vec<File>,
}

impl Parts {
    pub(super) fn usual() -> Self {
        Self {
            execution: json!({
                "User": "65532:65532",
                "Entrypoint": ["/app/orders"],
                "Cmd": ["serve"],
                "Env": ["PATH=/app", "RUST_LOG=info"],
                "ExposedPorts": { "8080/tcp": {} },
                "WorkingDir": "/app",
                "Volumes": { "/data": {} },
                "StopSignal": "SIGTERM",
                "Healthcheck": { "Test": ["CMD", "/app/orders", "health"] },
                "Labels": { "team": "harbour" },
            }),
            config: |_| {},
            lower: vec![
                file("usr/lib/libfoo.so.1", "library"),
                file("var/lib/dpkg/status.d/libfoo1", RECORD),
                file(
                    "var/lib/dpkg/status.d/libfoo1.md5sums",
                    "00  usr/lib/libfoo.so.1\n",
                ),
                link("lib", "usr/lib"),
                file("etc/hosts", "one"),
            ],
            upper: vec![
                directory("app/"),
                file("app/orders", "program"),
                directory("tmp/"),
            ],
        }
    }

    pub(super) fn draft(self) -> Draft {
        Draft {
            layers: vec![Layer::of(&self.lower), Layer::of(&self.upper)],
            execution: self.execution,
            config: self.config,
            ..Draft::default()
        }
    }
}

fn replaced(files: &mut [File], path: &str, change: impl FnOnce(&mut File)) {
    let found = files.iter_mut().find(|file| file.path == path);
    change(found.expect("there"));
}

/// The respects that are named when the changed image is compared with the usual one.
fn respects(change: impl FnOnce(&mut Draft)) -> (Vec<String>, Value) {
    let directory = TempDir::new().expect("a directory");
    let mut draft = Parts::usual().draft();
    draft.write(&directory.path().join("old"));
    change(&mut draft);
    draft.write(&directory.path().join("new"));
    let run = compared(&directory, "oci:new", "oci:old", &["--format", "json"]);
    let document: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(document["version"], 1);
    let differences = document["differences"].as_array().expect("a list");
    let respects: Vec<String> = differences
        .iter()
        .map(|found| found["respect"].as_str().expect("text").to_owned())
        .collect();
    assert_eq!(
        run.code,
        if respects.is_empty() { 0 } else { 3 },
        "{}",
        run.stderr
    );
    // People are told the same.
    let text = compared(&directory, "oci:new", "oci:old", &[])
        .expect(run.code)
        .stdout;
    for respect in &respects {
        assert!(
            text.contains(&respect.replace('-', " ")),
            "{respect}: {text}"
        );
    }
    (respects, document["differences"].clone())
}

pub(super) fn compared(directory: &TempDir, new: &str, old: &str, more: &[&str]) -> Run {
    let words = ["inspect", new, "--against", old].into_iter();
    Lighter::at(directory.path())
        .args(words.chain(more.iter().copied()))
        .run()
}

/// As [`respects`], of an image with other parts.
pub(super) fn respects_of(change: impl FnOnce(&mut Parts)) -> Vec<String> {
    let mut parts = Parts::usual();
    change(&mut parts);
    respects(|draft| *draft = parts.draft()).0
}

#[test]
fn an_image_is_the_same_as_itself() {
    assert_eq!(respects(|_| {}).0, Vec::<String>::new());
}

#[test]
fn each_setting_is_a_respect_of_its_own() {
    let table: [(&str, &str, Value); 23] = [
        ("user", "User", json!("0")),
        ("user", "User", Value::Null),
        ("entrypoint", "Entrypoint", json!(["/app/orders", "-v"])),
        (
            "entrypoint",
            "Entrypoint",
            json!(["/bin/sh", "-c", "/app/orders"]),
        ),
        ("cmd", "Cmd", Value::Null),
        ("env", "Env", json!(["PATH=/app", "RUST_LOG=debug"])),
        ("env", "Env", json!(["PATH=/app", "RUST_LOG=info", "A=b"])),
        ("env", "Env", json!(["PATH=/app"])),
        ("ports", "ExposedPorts", json!({ "8080/udp": {} })),
        ("ports", "ExposedPorts", Value::Null),
        ("workdir", "WorkingDir", json!("")),
        ("volumes", "Volumes", json!({ "/data": {}, "/more": {} })),
        ("stop-signal", "StopSignal", json!("SIGINT")),
        ("stop-timeout", "StopTimeout", json!(10)),
        ("stop-timeout", "StopTimeout", json!(0)),
        ("hostname", "Hostname", json!("orders")),
        ("healthcheck", "Healthcheck", Value::Null),
        (
            "healthcheck",
            "Healthcheck",
            json!({ "Test": ["CMD", "/app/orders", "health"], "Interval": 5_000_000_000_u64 }),
        ),
        (
            "healthcheck",
            "Healthcheck",
            json!({ "Test": ["CMD", "/app/orders", "health"], "Retries": 3 }),
        ),
        ("shell", "Shell", json!(["/bin/bash", "-c"])),
        ("onbuild", "OnBuild", json!(["RUN make"])),
        ("onbuild", "OnBuild", json!(7)),
        ("labels", "Labels", json!({ "team": "dock" })),
    ];
    for (respect, key, value) in table {
        let shown = value.to_string();
        let found = respects_of(|parts| parts.execution[key] = value);
        assert_eq!(found, [respect], "{key}: {shown}");
    }
    let other = respects_of(|parts| parts.config = |config| config["variant"] = "v3".into());
    assert_eq!(other, ["platform"]);
    for config in [
        (|config| config["os.version"] = "10.0.17763.1".into()) as fn(&mut Value),
        |config| config["os.features"] = json!(["win32k"]),
    ] {
        assert_eq!(respects_of(|parts| parts.config = config), ["platform"]);
    }
}

#[test]
fn a_variable_without_a_value_is_neither_empty_nor_absent() {
    let directory = TempDir::new().expect("a directory");
    for (name, env) in [
        ("bare", json!(["A"])),
        ("empty", json!(["A="])),
        ("none", json!([])),
    ] {
        let mut parts = Parts::usual();
        parts.execution["Env"] = env;
        parts.draft().write(&directory.path().join(name));
    }
    for (new, old, line) in [
        ("bare", "empty", "~ A: a name without `=`, was nothing\n"),
        ("empty", "bare", "~ A: nothing, was a name without `=`\n"),
        ("bare", "none", "+ A: a name without `=`\n"),
        ("empty", "none", "+ A\n"),
    ] {
        let run = compared(
            &directory,
            &format!("oci:{new}"),
            &format!("oci:{old}"),
            &[],
        );
        assert!(run.expect(3).stdout.contains(line), "{new}, {old}: {line}");
    }
    compared(&directory, "oci:bare", "oci:bare", &[]).expect(0);
}

#[test]
fn times_of_a_health_check_are_told_as_a_dockerfile_says_them() {
    let directory = TempDir::new().expect("a directory");
    for (name, interval) in [("old", 5_000_000_000_u64), ("new", 90_000_000_000)] {
        let mut parts = Parts::usual();
        let check = json!({ "Test": ["CMD", "/app/orders"], "Interval": interval });
        parts.execution["Healthcheck"] = check;
        parts.draft().write(&directory.path().join(name));
    }
    let run = compared(&directory, "oci:new", "oci:old", &[]).expect(3);
    let line = "CMD /app/orders, Interval 1m30s, was CMD /app/orders, Interval 5s\n";
    assert!(run.stdout.contains(line), "{}", run.stdout);
}

#[test]
fn what_means_the_same_is_no_difference() {
    for (key, value) in [
        (
            "Env",
            json!(["RUST_LOG=debug", "RUST_LOG=info", "PATH=/app"]),
        ),
        ("ExposedPorts", json!({ "8080": {} })),
        ("Hostname", json!("")),
        ("StopTimeout", Value::Null),
        (
            "Healthcheck",
            json!({ "Test": ["CMD", "/app/orders", "health"], "Interval": 0 }),
        ),
    ] {
        let found = respects_of(|parts| parts.execution[key] = value);
        assert_eq!(found, Vec::<String>::new(), "{key}");
    }
    // Other layers, another order, other times: a container sees the same.
    let moved = respects(|draft| {
        let parts = Parts::usual();
        let files: Vec<File> = parts.upper.into_iter().rev().collect();
        draft.layers = vec![Layer::of(&parts.lower), Layer::of(&files)];
    });
    assert_eq!(moved.0, Vec::<String>::new());
}

#[test]
fn files_are_told_apart_by_name_content_and_kind() {
    let content = respects_of(|parts| {
        replaced(&mut parts.upper, "app/orders", |file| {
            file.content = b"PROGRAM".to_vec();
        });
    });
    assert_eq!(content, ["files"]);
    let name = respects_of(|parts| {
        replaced(&mut parts.upper, "app/orders", |file| {
            "app/order".clone_into(&mut file.path);
        });
    });
    assert_eq!(name, ["files"]);
    let kind = respects_of(|parts| {
        replaced(&mut parts.upper, "tmp/", |file| *file = link("tmp", "app"));
    });
    assert_eq!(kind, ["files"]);
}

#[test]
fn modes_owners_and_links_are_respects_of_their_own() {
    let mode = respects_of(|parts| {
        replaced(&mut parts.upper, "tmp/", |file| file.mode = 0o1777);
    });
    assert_eq!(mode, ["modes"]);
    for owner in [(1, 0), (0, 1), (65532, 65532)] {
        let owner = respects_of(|parts| {
            replaced(&mut parts.upper, "app/orders", |file| file.owner = owner);
        });
        assert_eq!(owner, ["owners"]);
    }
    let target = respects_of(|parts| {
        replaced(&mut parts.lower, "lib", |file| {
            "usr/lob".clone_into(&mut file.target);
        });
    });
    assert_eq!(target, ["links"]);
}

#[test]
fn a_hard_link_in_place_of_a_copy_is_no_difference() {
    let same = respects_of(|parts| {
        parts.upper.push(file("app/second", "program"));
    });
    assert_eq!(same, ["files", "size"]);
    let two = |second: File| {
        let mut parts = Parts::usual();
        parts.upper.push(second);
        parts.draft()
    };
    let directory = TempDir::new().expect("a directory");
    two(file("app/second", "program")).write(&directory.path().join("old"));
    let hard = File {
        kind: EntryType::Link,
        mode: 0o644,
        ..link("app/second", "app/orders")
    };
    two(hard).write(&directory.path().join("new"));
    let run = compared(&directory, "oci:new", "oci:old", &[]).expect(3);
    assert!(
        run.stdout
            .contains("differs from oci:old:orders:latest in size\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn sizes_of_two_uncompressed_images_are_told_once() {
    let directory = TempDir::new().expect("a directory");
    for (name, length) in [("old", 10_000), ("new", 90_000)] {
        let mut parts = Parts::usual();
        parts.upper.push(file("app/data", &"x".repeat(length)));
        docker_archive(&parts.draft(), &directory.path().join(name));
    }
    let run = compared(&directory, "docker-archive:new", "docker-archive:old", &[]).expect(3);
    assert!(run.stdout.contains("~ unpacked:"), "{}", run.stdout);
    assert!(!run.stdout.contains("compressed:"), "{}", run.stdout);
}

/// Layers that differ by a few bytes when they are compressed, and by some more when they are not.
#[test]
fn a_size_that_hardly_differs_is_not_told_beside_one_that_does() {
    let directory = TempDir::new().expect("a directory");
    let write = |name: &str, zeros: usize| {
        let mut tar = tar_of(&[file("app/data", &"x".repeat(1_800_000))]);
        tar.extend(vec![0; zeros]);
        let draft = Draft {
            layers: vec![Layer::of_tar(tar)],
            ..Draft::default()
        };
        draft.write(&directory.path().join(name));
    };
    write("old", 0);
    for (zeros, line) in [
        (512, "~ unpacked: 1802240 bytes, was 1801728 bytes\n"),
        (204_800, "~ unpacked: 2.0 MB, was 1.8 MB\n"),
    ] {
        write("new", zeros);
        let run = compared(&directory, "oci:new", "oci:old", &[]).expect(3);
        assert!(run.stdout.contains(line), "{}", run.stdout);
        assert!(!run.stdout.contains("~ compressed:"), "{}", run.stdout);
        fs_err::remove_dir_all(directory.path().join("new")).expect("removed");
    }
}

#[test]
fn libraries_are_told_apart_by_content_and_by_package() {
    let (found, differences) = respects(|draft| {
        let mut parts = Parts::usual();
        replaced(&mut parts.lower, "var/lib/dpkg/status.d/libfoo1", |file| {
            file.content = RECORD.replace("1.0-1", "1.0-2").into_bytes();
        });
        *draft = parts.draft();
    });
    assert_eq!(found, ["libraries"]);
    let change = &differences[0]["changes"][0];
    assert_eq!(change["item"], "/usr/lib/libfoo.so.1");
    let told = |side: &str| change[side].as_str().expect("text").to_owned();
    assert!(told("new").starts_with("libfoo1 1.0-2, "), "{change}");
    assert!(told("old").starts_with("libfoo1 1.0-1, "), "{change}");
    let content = respects_of(|parts| {
        replaced(&mut parts.lower, "usr/lib/libfoo.so.1", |file| {
            file.content = b"LIBRARY".to_vec();
        });
    });
    assert_eq!(content, ["libraries"]);
    let package = respects_of(|parts| {
        replaced(
            &mut parts.lower,
            "var/lib/dpkg/status.d/libfoo1.md5sums",
            |file| {
                file.content = b"00  usr/lib/libbar.so.1\n".to_vec();
            },
        );
    });
    assert_eq!(package, ["libraries"]);
}

#[test]
fn records_of_packages_differ_also_where_no_library_does() {
    let text = respects_of(|parts| {
        replaced(&mut parts.lower, "var/lib/dpkg/status.d/libfoo1", |file| {
            file.content = RECORD.replace("amd64", "arm64").into_bytes();
        });
    });
    assert_eq!(text, ["libraries"]);
}

#[test]
fn rights_beyond_those_of_the_user_are_modes() {
    let with = |value: &str| {
        let record = format!(" SCHILY.xattr.security.capability={value}\n");
        // The number counts its own digits.
        let records = format!("{}{record}", record.len() + 2);
        let mut extended = file("x", &records);
        extended.kind = EntryType::XHeader;
        let mut parts = Parts::usual();
        parts.upper.insert(1, extended);
        parts.draft()
    };
    let directory = TempDir::new().expect("a directory");
    with("one").write(&directory.path().join("old"));
    with("two").write(&directory.path().join("new"));
    let run = compared(&directory, "oci:new", "oci:old", &[]).expect(3);
    assert!(
        run.stdout.contains("oci:old:orders:latest in modes\n"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout
            .contains("~ /app/orders: 0644 with extended attributes "),
        "{}",
        run.stdout
    );
}

#[test]
fn sizes_are_told_apart_where_the_files_are_the_same() {
    // The same file in two layers: only the upper one is seen.
    let (twice, differences) = respects(|draft| {
        let mut parts = Parts::usual();
        parts.lower.push(file("app/orders", "program"));
        *draft = parts.draft();
    });
    assert_eq!(twice, ["size"]);
    let items: Vec<&str> = differences[0]["changes"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|change| change["item"].as_str())
        .collect();
    assert!(items.contains(&"unpacked"), "{items:?}");
    let (padded, _) = respects(|draft| {
        let mut tar = draft.layers[1].tar.clone();
        tar.extend([0; 8192]);
        draft.layers[1] = Layer::of_tar(tar);
    });
    assert_eq!(padded, ["size"]);
}

#[test]
fn what_upper_layers_delete_is_not_compared() {
    let gone = respects(|draft| {
        let mut parts = Parts::usual();
        parts.lower.push(file("bin/sh", "a shell"));
        parts.lower.push(directory("cache/"));
        parts.lower.push(file("cache/old", "old"));
        parts.upper.push(file(".wh.bin", ""));
        parts.upper.push(file("cache/.wh..wh..opq", ""));
        parts.upper.push(file(".wh.cache", ""));
        *draft = parts.draft();
    });
    assert_eq!(gone.0, ["size"]);
}

#[test]
fn several_images_are_compared_with_none() {
    let directory = TempDir::new().expect("a directory");
    Parts::usual().draft().write(&directory.path().join("old"));
    Lighter::at(directory.path())
        .args(["inspect", "oci:old", "oci:old", "--against", "oci:old"])
        .run()
        .expect(2)
        .says(&["`--against` compares one image, and 2 are named", "hint: "]);
}

#[test]
fn devices_are_told_apart_by_more_than_that_they_are_special() {
    let directory = TempDir::new().expect("a directory");
    let device = |kind: EntryType, minor: u32| {
        let mut header = header(&File {
            kind,
            ..file("dev", "")
        });
        header.set_device_major(1).expect("small");
        header.set_device_minor(minor).expect("small");
        header.set_cksum();
        let tar = [header.as_bytes().as_slice(), &[0; 1024]].concat();
        Draft {
            layers: vec![Layer::of_tar(tar)],
            ..Draft::default()
        }
    };
    device(EntryType::Char, 3).write(&directory.path().join("old"));
    for (kind, minor, words) in [
        (EntryType::Char, 5, "character device 1:5"),
        (EntryType::Block, 3, "block device 1:3"),
        (EntryType::Fifo, 3, "pipe"),
    ] {
        let name = words.replace(':', "_");
        device(kind, minor).write(&directory.path().join(&name));
        let run = compared(&directory, &format!("oci:{name}"), "oci:old", &[]);
        let line = format!("~ /dev: {words}, was character device 1:3\n");
        assert!(run.stdout.contains(&line), "{}", run.stdout);
    }
}

//! Docker archives whose parts do not fit each other.

use std::path::Path;

use cargo_lighter::digest::Digest;
use cargo_lighter::medium::{ArchiveForm, ArchiveReader};
use serde_json::{Value, json};

use super::draft::{Layer, file, write_tar};
use crate::support::cli::{Lighter, Run};

fn inspect(directory: &Path, words: &[&str]) -> Run {
    Lighter::at(directory)
        .args(["inspect"])
        .args(words.iter().copied())
        .run()
}

/// A configuration for one layer, whose author makes it another than others.
fn config(layer: &Layer, author: &str) -> Vec<u8> {
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "author": author,
        "config": { "User": author },
        "rootfs": { "type": "layers", "diff_ids": [Digest::of(&layer.tar)] },
        "history": [{ "created_by": "a test" }],
    });
    config.to_string().into_bytes()
}

#[test]
fn a_configuration_that_is_not_what_its_name_says_is_a_violation() {
    let directory = tempfile::tempdir().expect("a directory");
    let layer = Layer::of(&[file("a", "")]);
    let config = config(&layer, "me");
    let (right, wrong) = (Digest::of(&config), Digest::of(b"else").hex());
    for (name, code) in [
        (format!("{wrong}.json"), 3),
        (format!("blobs/sha256/{wrong}"), 3),
        (format!("{}.json", right.hex()), 0),
        ("config.json".to_owned(), 0),
    ] {
        let list = json!([{ "Config": name, "RepoTags": ["a:1"], "Layers": ["layer.tar"] }]);
        let list = list.to_string();
        let files: [(&str, &[u8]); 3] = [
            ("layer.tar", &layer.tar),
            ("manifest.json", list.as_bytes()),
            (&name, &config),
        ];
        write_tar(&directory.path().join("a.tar"), &files);
        for image in ["docker-archive:a.tar", "docker-archive:a.tar:a:1"] {
            let run = inspect(directory.path(), &["--verify", image]).expect(code);
            let says = format!("  `{name}` of `a.tar` has content of digest {right}\n");
            assert_eq!(run.stdout.contains(&says), code == 3, "{}", run.stdout);
            let run = inspect(directory.path(), &[image]).expect(0);
            assert_eq!(run.stderr.contains("warning"), code == 3, "{}", run.stderr);
        }
    }
}

/// Two images in one archive, each with the tags given.
fn two(path: &Path, tags: [&[&str]; 2]) {
    let layer = Layer::of(&[file("a", "")]);
    let (one, two) = (config(&layer, "one"), config(&layer, "two"));
    let list = json!([
        { "Config": "one.json", "RepoTags": tags[0], "Layers": ["layer.tar"] },
        { "Config": "two.json", "RepoTags": tags[1], "Layers": ["layer.tar"] },
    ]);
    let list = list.to_string();
    let files: [(&str, &[u8]); 4] = [
        ("layer.tar", &layer.tar),
        ("manifest.json", list.as_bytes()),
        ("one.json", &one),
        ("two.json", &two),
    ];
    write_tar(path, &files);
}

fn user(directory: &Path, image: &str) -> (String, Run) {
    let run = inspect(directory, &["--format", "json", image]).expect(0);
    let document: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let user = document["images"][0]["config"]["user"].as_str();
    (user.expect("text").to_owned(), run)
}

#[test]
fn of_two_images_with_one_name_none_disappears() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("a.tar");
    two(&path, [&["a:1"], &["a:1"]]);
    let told = "two images of `a.tar` are named `a:1`, and the last counts: the other one is `@0`";
    for (image, expected) in [("a.tar:a:1", "two"), ("a.tar:@0", "one")] {
        let (found, run) = user(directory.path(), &format!("docker-archive:{image}"));
        assert_eq!(found, expected);
        assert!(
            run.stderr.contains(&format!("warning: {told}")),
            "{}",
            run.stderr
        );
    }
    let run = inspect(directory.path(), &["--verify", "docker-archive:a.tar"]).expect(0);
    let line = format!("  remark (1): {told}\n");
    assert!(run.stdout.contains(&line), "{}", run.stdout);
    inspect(directory.path(), &["docker-archive:a.tar"])
        .expect(1)
        .says(&["it has `@0` or `a:1`"]);
    // Whoever else reads such an archive takes the same image.
    let reader = ArchiveReader::open(&path, Some(ArchiveForm::Docker)).expect("an archive");
    let manifest = reader.resolve(Some("a:1")).expect("there");
    let manifest: Value = reader.read_json(&manifest).expect("JSON");
    let layer = Layer::of(&[file("a", "")]);
    let expected = Digest::of(&config(&layer, "two"));
    assert_eq!(manifest["config"]["digest"], expected.to_string());
}

#[test]
fn an_image_that_has_another_name_needs_no_place() {
    let directory = tempfile::tempdir().expect("a directory");
    two(&directory.path().join("a.tar"), [&["a:1", "b:1"], &["a:1"]]);
    let (found, run) = user(directory.path(), "docker-archive:a.tar:b:1");
    assert_eq!(found, "one");
    assert!(
        run.stderr.contains("the other one is `b:1`"),
        "{}",
        run.stderr
    );
    inspect(directory.path(), &["docker-archive:a.tar:@0"])
        .expect(1)
        .says(&["it has `b:1` or `a:1`"]);
}

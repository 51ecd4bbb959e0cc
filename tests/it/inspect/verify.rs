//! `inspect --verify`: each violation is named, and nothing else is taken for one.

use std::path::Path;

use cargo_lighter::digest::Digest;
use serde_json::{Value, json};

use super::broken::table;
use super::draft::{Draft, File, Laid, Layer, docker_archive, file, write_tar};
use crate::support::cli::{Lighter, Run};

fn verified(directory: &Path, image: &str, more: &[&str]) -> Run {
    let words = ["inspect", "--verify", image].into_iter();
    Lighter::at(directory)
        .args(words.chain(more.iter().copied()))
        .run()
}

#[test]
fn each_of_many_broken_images_is_refused_for_its_one_violation() {
    let table = table();
    assert!(table.len() >= 30, "{}", table.len());
    for row in table {
        let laid = Laid::of(&row.draft);
        (row.after)(&laid);
        let run = verified(laid.path(), "oci:layout", &[]);
        assert_eq!(run.code, 3, "{}: {}{}", row.name, run.stdout, run.stderr);
        let violations: Vec<&str> = run
            .lines()
            .into_iter()
            .skip(1)
            .filter(|line| !line.contains("remark ("))
            .collect();
        assert_eq!(violations.len(), 1, "{}: {}", row.name, run.stdout);
        assert!(
            violations[0].contains(row.says),
            "{}: {}",
            row.name,
            run.stdout
        );
        assert!(
            run.stdout.starts_with("oci:layout: 1 violation"),
            "{}",
            run.stdout
        );
    }
}

#[test]
fn a_sound_image_is_told_to_be_so_in_every_form() {
    let laid = Laid::of(&Draft::default());
    laid.archive("image.tar");
    docker_archive(&Draft::default(), &laid.path().join("docker.tar"));
    for image in [
        "oci:layout",
        "oci:layout:orders:latest",
        "oci-archive:image.tar",
        "oci-archive:image.tar:orders:latest",
        "docker-archive:docker.tar",
        "docker-archive:docker.tar:orders",
    ] {
        let run = verified(laid.path(), image, &["--strict"]).expect(0);
        assert!(run.stdout.contains("nothing violates"), "{}", run.stdout);
    }
}

#[test]
fn archives_and_named_images_are_checked_as_layouts_are() {
    let draft = Draft {
        config: |config| {
            config["rootfs"]["diff_ids"][0] = Digest::of(b"else").to_string().into();
        },
        ..Draft::default()
    };
    let laid = Laid::of(&draft);
    laid.archive("image.tar");
    docker_archive(&draft, &laid.path().join("docker.tar"));
    for image in [
        "oci:layout:orders:latest",
        "oci-archive:image.tar",
        "docker-archive:docker.tar:orders:latest",
    ] {
        let run = verified(laid.path(), image, &[]).expect(3);
        assert!(
            run.stdout.contains("but its configuration says"),
            "{}",
            run.stdout
        );
        assert!(run.stdout.contains(": 1 violation\n"), "{}", run.stdout);
    }
}

#[test]
fn what_the_specification_allows_is_counted_and_a_strict_check_names_it() {
    let draft = Draft {
        layers: vec![Layer::of(&[
            file("b", ""),
            file("a", ""),
            file(".wh.c", ""),
        ])],
        ..Draft::default()
    };
    let laid = Laid::of(&draft);
    let run = verified(laid.path(), "oci:layout", &[]).expect(0);
    for line in [
        "oci:layout: nothing violates the image specification, 3 remarks\n",
        "  remark (2): of an entry, it is not in the order of names\n",
        "  remark (1): of an entry, it deletes a file of a lower layer\n",
    ] {
        assert!(run.stdout.contains(line), "{}", run.stdout);
    }
}

#[test]
fn a_strict_check_counts_remarks_and_does_not_call_them_violations() {
    let allowed = || vec![file("b", ""), file("a", "")];
    let laid = |files: &[File]| {
        Laid::of(&Draft {
            layers: vec![Layer::of(files)],
            ..Draft::default()
        })
    };
    let only = laid(&allowed());
    let layer = only.written.layers[0];
    let run = verified(only.path(), "oci:layout", &["--strict"]).expect(3);
    let expected = format!(
        "oci:layout: nothing violates the image specification, 1 remark\n  \
         remark: layer {layer}, entry `a`: it is not in the order of names\n"
    );
    assert_eq!(run.stdout, expected);
    let words = ["--strict", "--format", "json"];
    let run = verified(only.path(), "oci:layout", &words).expect(3);
    let document: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let image = &document["images"][0];
    assert_eq!(image["violations"], json!([]));
    let kind = "of an entry, it is not in the order of names";
    assert_eq!(image["remarks"], json!({ kind: 1 }));
    let each = format!("layer {layer}, entry `a`: it is not in the order of names");
    assert_eq!(image["each_remark"], json!([each]));
    let both = laid(&[allowed(), vec![file("../x", "")]].concat());
    let run = verified(both.path(), "oci:layout", &["--strict"]).expect(3);
    let head = "oci:layout: 1 violation, 1 remark\n";
    assert!(run.stdout.starts_with(head), "{}", run.stdout);
    assert!(run.stdout.contains("\n  layer "), "{}", run.stdout);
    // Who does not ask for a strict check is told how many there are, and gets no list.
    let run = verified(only.path(), "oci:layout", &["--format", "json"]).expect(0);
    assert!(!run.stdout.contains("each_remark"), "{}", run.stdout);
}

#[test]
fn a_violation_is_not_lost_among_what_is_allowed() {
    let mut files: Vec<File> = (0..10_100)
        .map(|number| file(&format!("b{number:05}"), ""))
        .collect();
    files.reverse();
    files.push(file("/etc/passwd", ""));
    let draft = Draft {
        layers: vec![Layer::of(&files)],
        ..Draft::default()
    };
    let laid = Laid::of(&draft);
    let run = verified(laid.path(), "oci:layout", &[]).expect(3);
    for line in [
        "oci:layout: 1 violation, 10001 remarks\n",
        "entry `/etc/passwd`: its name begins with a slash, which runtimes leave out\n",
        "remark (10000): of an entry, it is not in the order of names\n",
        "remark (1): there are more than 10000 such problems\n",
    ] {
        assert!(run.stdout.contains(line), "{line}: {}", run.stdout);
    }
}

#[test]
fn the_same_name_twice_is_a_remark_because_nothing_forbids_it() {
    let draft = Draft {
        index: |index| {
            let again = index["manifests"][0].clone();
            index["manifests"] = json!([again.clone(), again]);
        },
        ..Draft::default()
    };
    let laid = Laid::of(&draft);
    let run = verified(laid.path(), "oci:layout", &[]).expect(0);
    let expected = "oci:layout: nothing violates the image specification, 1 remark\n  \
                    remark (1): two entries of `index.json` are named `orders:latest`\n";
    assert_eq!(run.stdout, expected);
    verified(laid.path(), "oci:layout", &["--strict"]).expect(3);
}

#[test]
fn a_place_without_images_is_told_to_hold_none() {
    let laid = Laid::of(&Draft::default());
    fs_err::remove_dir_all(laid.path().join("layout/blobs")).expect("removed");
    fs_err::create_dir(laid.path().join("layout/blobs")).expect("created");
    let empty = r#"{"schemaVersion":2,"manifests":[]}"#;
    fs_err::write(laid.path().join("layout/index.json"), empty).expect("written");
    laid.archive("oci.tar");
    write_tar(&laid.path().join("docker.tar"), &[("manifest.json", b"[]")]);
    for place in [
        "oci:layout",
        "oci-archive:oci.tar",
        "docker-archive:docker.tar",
    ] {
        for image in [place.to_owned(), format!("{place}:orders")] {
            let says = [
                format!("error: `{place}` holds no image\n"),
                "hint: build an image first, or name another place".to_owned(),
            ];
            let says = [says[0].as_str(), says[1].as_str()];
            verified(laid.path(), &image, &[]).expect(1).says(&says);
            let run = Lighter::at(laid.path()).args(["inspect", &image]).run();
            run.expect(1).says(&says);
        }
    }
}

#[test]
fn a_header_with_further_fields_is_read_by_both() {
    let laid = Laid::of(&Draft::default());
    let header = json!({ "imageLayoutVersion": "1.0.0", "x": "y".repeat(9000) });
    fs_err::write(laid.path().join("layout/oci-layout"), header.to_string()).expect("written");
    laid.archive("oci.tar");
    for image in ["oci:layout", "oci-archive:oci.tar"] {
        verified(laid.path(), image, &["--strict"]).expect(0);
        let run = Lighter::at(laid.path()).args(["inspect", image]).run();
        run.expect(0);
    }
}

#[test]
fn violations_are_data_too() {
    let draft = Draft {
        manifest: |manifest| manifest["schemaVersion"] = 1.into(),
        ..Draft::default()
    };
    let laid = Laid::of(&draft);
    let run = verified(laid.path(), "oci:layout:orders", &["--format", "json"]).expect(3);
    let document: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(document["version"], 1);
    let image = &document["images"][0];
    assert_eq!(image["reference"], "oci:layout:orders:latest");
    assert_eq!(image["violations"].as_array().expect("a list").len(), 1);
    assert_eq!(image["remarks"], json!({}));
}

/// One that was not there hid what was found of those before it.
#[test]
fn an_image_that_cannot_be_read_hides_no_other() {
    let laid = Laid::of(&Draft::default());
    let broken = Draft {
        manifest: |manifest| manifest["schemaVersion"] = 1.into(),
        ..Draft::default()
    };
    broken.write(&laid.path().join("broken"));
    let images = ["oci:nowhere", "oci:layout", "oci:nor-here", "oci:broken"];
    let inspect = |more: &[&str]| {
        let words = ["inspect", "-q"].into_iter().chain(images);
        let words = words.chain(more.iter().copied());
        Lighter::at(laid.path()).args(words).run().expect(1)
    };
    let missing = ["`nowhere`", "`nor-here`", "hint: "];
    let run = inspect(&["--verify"]).says(&missing);
    let heads: Vec<&str> = run
        .lines()
        .into_iter()
        .filter(|line| line.starts_with("oci:"))
        .collect();
    assert_eq!(heads.len(), 2, "{}", run.stdout);
    assert!(
        heads[0].starts_with("oci:layout: nothing violates"),
        "{heads:?}"
    );
    assert!(heads[1].starts_with("oci:broken: 1 violation"), "{heads:?}");
    let run = inspect(&["--verify", "--format", "json"]).says(&missing);
    let document: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(document["images"].as_array().map(Vec::len), Some(2));
    let run = inspect(&[]).says(&missing);
    for image in ["oci:layout:orders:latest\n", "oci:broken:orders:latest\n"] {
        assert!(run.stdout.contains(image), "{}", run.stdout);
    }
    let words = ["inspect", "-q", "--verify", "oci:nowhere", "oci:nor-here"];
    let run = Lighter::at(laid.path()).args(words).run().expect(1);
    assert_eq!(run.says(&missing).stdout, "");
}

#[test]
fn nothing_to_check_is_no_violation() {
    let laid = Laid::of(&Draft::default());
    for image in [
        "oci:nowhere",
        "oci-archive:nowhere.tar",
        "oci:layout:nothing",
    ] {
        verified(laid.path(), image, &[]).expect(1);
    }
}

//! What other programs make of our layouts.

use std::path::Path;
use std::process::{Command, Output};

use super::fixture::{Fixture, NAME, file, tar_of};

/// Runs a program that must end well.
fn run(program: &str, arguments: &[&str], directory: &Path) -> Output {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .output()
        .expect("tests/run installs what tests need");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {error}");
    output
}

#[test]
fn skopeo_finds_an_image_by_its_name() {
    let layout = Fixture::default().write();
    let image = format!("oci:layout:{NAME}");
    let around = layout.path.parent().expect("a parent");
    let output = run("skopeo", &["inspect", &image], around);
    let inspected: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(inspected["Digest"], layout.manifest.digest.to_string());
    assert_eq!(inspected["Architecture"], "amd64");
}

#[test]
fn what_skopeo_adds_is_kept_and_sound() {
    let layout = Fixture::default().write();
    let around = layout.path.parent().expect("a parent");
    let from = format!("oci:layout:{NAME}");
    run("skopeo", &["copy", &from, "oci:layout:copied:1"], around);
    assert_eq!(layout.problems(), []);
    let reader = crate::medium::LayoutReader::open(&layout.path).expect("a layout");
    let names = reader.index().expect("an index").names();
    assert_eq!(names, [NAME, "copied:1"]);
}

#[test]
fn umoci_unpacks_an_image() {
    let tar = tar_of(&[file("orders")]);
    let layout = Fixture::of_tar(tar).write();
    let around = layout.path.parent().expect("a parent");
    let image = format!("layout:{NAME}");
    let arguments = ["unpack", "--rootless", "--image", &image, "bundle"];
    run("umoci", &arguments, around);
    assert!(around.join("bundle/rootfs/orders").is_file());
}

//! Layouts: other tools read them, and runs leave one another's images alone.

use std::process::Command;
use std::thread;

use cargo_lighter::digest::Digest;

use crate::support::check::{
    Described, assert_sound, assert_sound_but_for, blobs, names, read_json,
};
use crate::support::cli::Lighter;
use crate::support::tools::{Unpacked, run, skopeo_config, skopeo_inspect};
use crate::support::workspace::Checkout;

#[test]
fn skopeo_and_umoci_read_the_default_layout_and_a_named_one() {
    let checkout = Checkout::of_services(&["first", "second"]);
    for (flags, layout) in [
        (&[][..], "target/lighter/oci"),
        (&["--to", "oci:images/here"], "images/here"),
    ] {
        let built = Lighter::at(checkout.path())
            .args(["build"])
            .args(flags)
            .run()
            .expect(0);
        let directory = checkout.path().join(layout);
        assert_sound(&directory);
        for (line, service) in built.lines().iter().zip(["first", "second"]) {
            let name = format!("{service}:latest");
            let image = format!("oci:{}:{name}", directory.display());
            let inspected = skopeo_inspect(&image);
            let digest = inspected["Digest"].as_str().expect("a digest");
            assert_eq!(*line, format!("oci:{layout}:{name}@{digest}"));
            assert_eq!(inspected["Layers"].as_array().map(Vec::len), Some(3));
            assert_eq!(skopeo_config(&image)["config"]["User"], "65532:65532");
            let hello = Unpacked::of_layout(&directory, &name)
                .command(65532, &format!("/app/{service}"))
                .output()
                .expect("runs");
            assert_eq!(String::from_utf8_lossy(&hello.stdout), "hello\n");
        }
        let listed = run(Command::new("umoci")
            .arg("list")
            .arg("--layout")
            .arg(&directory));
        assert_eq!(listed, "first:latest\nsecond:latest\n");
    }
}

#[test]
fn the_names_in_a_layout_stand_in_plan_order_however_many_are_tagged_at_once() {
    let services = ["a", "b", "c", "d", "e", "f"];
    let checkout = Checkout::of_services(&services);
    let expected = services.map(|service| format!("{service}:latest"));
    for round in 0..3 {
        let layout = format!("layout-{round}");
        Lighter::at(checkout.path())
            .args(["build", "--to", &format!("oci:{layout}")])
            .run()
            .expect(0);
        let index = read_json(&checkout.path().join(layout).join("index.json"));
        let manifests = index["manifests"].as_array().expect("a list").iter();
        let names: Vec<&str> = manifests
            .filter_map(|entry| entry["annotations"]["org.opencontainers.image.ref.name"].as_str())
            .collect();
        assert_eq!(names, expected);
    }
}

#[test]
fn sixteen_builds_at_once_keep_all_their_tags() {
    let checkout = Checkout::of_services(&["service"]);
    let layout = checkout.path().join("shared layout");
    let destination = format!("oci:{}", layout.display());
    thread::scope(|scope| {
        for number in 0..16 {
            let (checkout, destination) = (&checkout, &destination);
            scope.spawn(move || {
                Lighter::at(checkout.path())
                    .args(["build", "--to", destination, "--tag"])
                    .args([format!("t{number:02}")])
                    // Another time makes another image, so that no two store the same blobs.
                    .env("SOURCE_DATE_EPOCH", (number + 1).to_string())
                    .run_process("true")
                    .expect(0);
            });
        }
    });
    let expected: Vec<String> = (0..16).map(|n| format!("service:t{n:02}")).collect();
    assert_eq!(names(&layout), expected);
    assert_sound(&layout);
    let mut layers = Vec::new();
    for (number, name) in expected.iter().enumerate() {
        let image = Described::of(&layout, name);
        let created = format!("1970-01-01T00:00:{:02}Z", number + 1);
        assert_eq!(image.config["created"], created);
        layers.push(image.layers());
    }
    // A time is no reason for other layers.
    layers.dedup();
    assert_eq!(layers.len(), 1);
    // Three layers, and a manifest and a configuration for each image.
    assert_eq!(blobs(&layout).len(), 3 + 16 * 2);
}

#[test]
fn a_rebuild_removes_its_own_garbage_and_leaves_foreign_blobs() {
    let checkout = Checkout::of_services(&["service", "steady"]);
    let layout = checkout.path().join("target/lighter/oci");
    build(&checkout);
    let first = Described::of(&layout, "service:latest");
    // Another tool adds a copy of an image, and a blob that nothing refers to.
    let directory = layout.display();
    run(Command::new("skopeo").args(["copy", "-q"]).args([
        format!("oci:{directory}:steady:latest"),
        format!("oci:{directory}:foreign:copy"),
    ]));
    let foreign = layout
        .join("blobs/sha256")
        .join(Digest::of(b"foreign").hex());
    fs_err::write(&foreign, "foreign").expect("written");
    checkout.write(
        "service/src/main.rs",
        "fn main() {\n    println!(\"new\");\n}\n",
    );
    build(&checkout);
    let second = Described::of(&layout, "service:latest");
    let (before, after) = (first.layers(), second.layers());
    assert_eq!(before[..2], after[..2]);
    assert_ne!(before[2], after[2]);
    let left = blobs(&layout);
    let hex = |digest: &str| digest.replace("sha256:", "");
    assert!(!left.contains(&hex(&before[2])));
    assert!(!left.contains(&hex(
        first.manifest["config"]["digest"].as_str().expect("one")
    )));
    assert!(left.contains(&hex(&after[2])));
    assert!(foreign.exists());
    let expected = ["foreign:copy", "service:latest", "steady:latest"];
    assert_eq!(names(&layout), expected);
    assert_sound_but_for(&layout, &[foreign]);
    let index = read_json(&layout.join("index.json"));
    assert_eq!(index["manifests"].as_array().map(Vec::len), Some(3));
}

#[test]
fn a_directory_of_something_else_is_not_made_a_layout() {
    let checkout = Checkout::of_services(&["service"]);
    checkout.write("notes/keep.txt", "mine");
    Lighter::at(checkout.path())
        .args(["build", "--to", "oci:notes"])
        .run()
        .expect(1)
        .says(&["notes", "hint: "]);
    let entries = fs_err::read_dir(checkout.path().join("notes")).expect("readable");
    assert_eq!(entries.count(), 1);
}

fn build(checkout: &Checkout) {
    Lighter::at(checkout.path()).args(["build"]).run().expect(0);
}

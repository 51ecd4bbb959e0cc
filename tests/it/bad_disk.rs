//! Places that cannot be written: told before compiling where that can be known, and never half written.

use std::path::Path;

use crate::support::cli::{Lighter, Run};
use crate::support::disk::SmallDisk;
use crate::support::refusal::{Before, images, no_temporaries};
use crate::support::workspace::Checkout;

fn build(checkout: &Checkout, arguments: &[&str]) -> Run {
    Lighter::at(checkout.path())
        .args(["build"])
        .args(arguments)
        .run()
}

#[test]
fn a_layout_that_cannot_be_made_is_told_before_compiling() {
    let checkout = Checkout::of_services(&["alpha"]);
    let before = Before::of(checkout.path());
    let here = checkout.path().display().to_string();
    let hint = "make the directory writable, or name another one";
    let in_the_way = "a file is in the way: name another directory, or write one file with \
                      `oci-archive:FILE`";
    for (place, full, why, hint) in [
        (
            "Cargo.toml",
            format!("{here}/Cargo.toml"),
            "File exists (os error 17)",
            in_the_way,
        ),
        (
            "Cargo.toml/below",
            format!("{here}/Cargo.toml/below"),
            "Not a directory (os error 20)",
            in_the_way,
        ),
        (
            "/proc/none/layout",
            "/proc/none".to_owned(),
            "No such file or directory (os error 2)",
            hint,
        ),
    ] {
        let layout = Path::new(&here).join(place);
        let run = build(&checkout, &["--to", &format!("oci:{place}")]).expect(1);
        let start = format!(
            "error: cannot deliver to `oci:{place}`\n  cannot write to image layout `{}`\n  ",
            layout.display()
        );
        let end = format!("`: {why}\n\nhint: {hint}\n");
        assert!(run.stderr.starts_with(&start), "{}", run.stderr);
        assert!(run.stderr.contains(&full), "{}", run.stderr);
        assert!(run.stderr.ends_with(&end), "{}", run.stderr);
        assert_eq!(run.stdout, "");
    }
    before.holds();
}

#[test]
fn directories_that_hold_other_things_are_left_alone() {
    let checkout = Checkout::of_services(&["alpha"]);
    let here = checkout.path().display().to_string();
    checkout.write("new/oci-layout", "{\"imageLayoutVersion\":\"2.0.0\"}");
    checkout.write("broken/oci-layout", "words");
    let before = Before::of(checkout.path());
    for (place, why, hint) in [
        (
            "alpha",
            format!("`{here}/alpha` is not an image layout"),
            "name a directory that is empty, is an image layout or does not exist",
        ),
        (
            "new",
            format!("`{here}/new` is an image layout of version `2.0.0`, not 1.0.0"),
            "name another directory",
        ),
        (
            "broken",
            format!(
                "`{here}/broken/oci-layout` cannot be read as JSON\n  expected value at line 1 column 1"
            ),
            "name another directory",
        ),
    ] {
        let message = format!("cannot deliver to `oci:{place}`\n  {why}");
        build(&checkout, &["--to", &format!("oci:{place}")]).refuses(1, &message, hint);
    }
    before.holds();
    assert!(!checkout.path().join("target").exists());
}

#[test]
fn a_target_directory_that_cannot_be_made_is_told() {
    let checkout = Checkout::of_services(&["alpha"]);
    let before = Before::of(checkout.path());
    let arguments = ["--target-dir", "Cargo.toml/x", "--to", "oci:out"];
    let run = build(&checkout, &arguments).expect(1);
    let start = "error: cannot prepare the working directory\n  ";
    assert!(run.stderr.starts_with(start), "{}", run.stderr);
    assert!(
        run.stderr.contains("Cargo.toml/x/lighter"),
        "{}",
        run.stderr
    );
    assert_eq!(run.stdout, "");
    fs_err::remove_dir_all(checkout.path().join("out")).expect("an empty layout");
    before.holds();
}

#[test]
fn a_full_disk_leaves_the_layout_as_it_was() {
    let Some(disk) = SmallDisk::mount("8m") else {
        return;
    };
    let checkout = Checkout::of_services(&["alpha"]);
    let layout = disk.path().join("layout");
    let to = format!("oci:{}", layout.display());
    build(&checkout, &["--to", &to]).expect(0);
    let before = images(&layout);
    let index = fs_err::read(layout.join("index.json")).expect("readable");
    checkout.write(
        "alpha/src/main.rs",
        "fn main() {\n    println!(\"another\");\n}\n",
    );
    disk.fill(64 << 10);
    let run = build(&checkout, &["--to", &to]).expect(1);
    assert_eq!(run.stdout, "");
    let start = format!(
        "error: service `alpha` could not be delivered\n  cannot deliver to `{to}`\n  cannot store "
    );
    let place = format!(" bytes in `{}/blobs/sha256/", layout.display());
    for said in [
        start.as_str(),
        &place,
        "No space left on device (os error 28)",
        "\n\nhint: free some space, or name a directory on another disk\n",
    ] {
        assert!(run.stderr.contains(said), "no {said} in {}", run.stderr);
    }
    assert_eq!(images(&layout), before);
    assert_eq!(
        fs_err::read(layout.join("index.json")).expect("readable"),
        index
    );
    no_temporaries(disk.path());
    no_temporaries(checkout.path());
    fs_err::remove_file(disk.path().join("filler")).expect("removed");
    build(&checkout, &["--to", &to]).expect(0);
    assert_ne!(images(&layout), before);
}

#[test]
fn a_full_disk_leaves_the_archive_as_it_was() {
    let Some(disk) = SmallDisk::mount("8m") else {
        return;
    };
    let checkout = Checkout::of_services(&["alpha"]);
    for form in ["oci-archive", "docker-archive"] {
        let archive = disk.path().join("images.tar");
        let to = format!("{form}:{}", archive.display());
        build(&checkout, &["--to", &to]).expect(0);
        let before = fs_err::read(&archive).expect("readable");
        disk.fill(64 << 10);
        let arguments = ["--to", &to, "--tag", "other", "--to", "oci:layout"];
        let run = build(&checkout, &arguments).expect(1);
        assert_eq!(run.lines().len(), 0);
        let start = format!(
            "error: cannot deliver to `{to}`\n  cannot write archive `{}`\n  ",
            archive.display()
        );
        for said in [
            start.as_str(),
            "No space left on device (os error 28)",
            "\n\nhint: free some space, or name a file on another disk\n",
        ] {
            assert!(run.stderr.contains(said), "no {said} in {}", run.stderr);
        }
        // Where there is room, the image may arrive.
        let kept = build(&checkout, &[&arguments[..], &["--keep-going"]].concat());
        assert_eq!(kept.expect(1).lines().len(), 1);
        assert!(fs_err::read(&archive).expect("readable") == before);
        no_temporaries(disk.path());
        fs_err::remove_file(disk.path().join("filler")).expect("removed");
    }
}

#[test]
fn a_full_disk_for_work_in_progress_is_named() {
    let Some(disk) = SmallDisk::mount("24m") else {
        return;
    };
    let checkout = Checkout::of_services(&["alpha"]);
    let target = disk.path().join("target");
    let target = target.display().to_string();
    let arguments = ["--target-dir", &target, "--to", "oci:out"];
    build(&checkout, &arguments).expect(0);
    let before = images(&checkout.path().join("out"));
    disk.fill(600 << 10);
    let run = build(
        &checkout,
        &[&arguments[..], &["--compression", "none"]].concat(),
    )
    .expect(1);
    assert_eq!(run.stdout, "");
    for said in [
        "error: service `alpha` could not be assembled\n  cannot make a layer\n  cannot store a layer\n  ",
        target.as_str(),
        "No space left on device (os error 28)",
        "\n\nhint: free some space, or choose another disk with `--target-dir`\n",
    ] {
        assert!(run.stderr.contains(said), "no {said} in {}", run.stderr);
    }
    assert_eq!(images(&checkout.path().join("out")), before);
    no_temporaries(disk.path());
}

#[test]
fn a_full_disk_for_the_executable_is_named() {
    let Some(disk) = SmallDisk::mount("24m") else {
        return;
    };
    let checkout = Checkout::of_services(&["alpha"]);
    let target = disk.path().join("target");
    let target = target.display().to_string();
    let arguments = ["--target-dir", &target, "--to", "oci:out"];
    build(&checkout, &arguments).expect(0);
    disk.fill(100 << 10);
    let run = build(&checkout, &arguments).expect(1);
    assert_eq!(run.stdout, "");
    for said in [
        "error: service `alpha` could not be assembled\n  cannot set the executable of `alpha` aside\n  ",
        target.as_str(),
        "No space left on device (os error 28)",
        "\n\nhint: free some space, or choose another disk with `--target-dir`\n",
    ] {
        assert!(run.stderr.contains(said), "no {said} in {}", run.stderr);
    }
    no_temporaries(disk.path());
}

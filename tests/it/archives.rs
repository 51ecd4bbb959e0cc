//! Archives: other tools read them, they are the same bytes everywhere, and whole or not there.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use cargo_lighter::digest::Digest;
use cargo_lighter::medium::{ArchiveForm, ArchiveReader};

use crate::support::check::{Described, assert_sound_but_for, blobs, names, read_json};
use crate::support::cli::{Lighter, Run};
use crate::support::engines::{Containerd, Podman, RUN};
use crate::support::refusal::{Before, images, no_temporaries};
use crate::support::tools::{Unpacked, run, skopeo_config, skopeo_inspect};
use crate::support::workspace::Checkout;

fn build(checkout: &Checkout, arguments: &[&str]) -> Run {
    Lighter::at(checkout.path())
        .args(["build"])
        .args(arguments)
        .run()
}

fn bytes(checkout: &Checkout, file: &str) -> Vec<u8> {
    fs_err::read(checkout.path().join(file)).expect("written")
}

/// The digest at the end of a reference.
fn digest(line: &str) -> &str {
    line.split_once('@').expect("a digest").1
}

#[test]
fn skopeo_and_umoci_read_every_image_of_both_forms() {
    let checkout = Checkout::of_services(&["first", "second"]);
    let to = [
        "oci:layout",
        "oci-archive:images.tar",
        "docker-archive:docker.tar",
    ];
    let to = to.iter().flat_map(|to| ["--to", to]);
    let tags = ["--tag", "1", "--tag", "2", "--metadata-file", "out.json"];
    let arguments: Vec<&str> = to.chain(tags).collect();
    let built = build(&checkout, &arguments).expect(0);
    assert_eq!(built.lines().len(), 2 * 2 * 3);
    let here = checkout.path().display().to_string();
    let digests = images(&checkout.path().join("layout"));
    for service in ["first", "second"] {
        for tag in ["1", "2"] {
            let name = format!("{service}:{tag}");
            let found = |place: &str| {
                let start = format!("{place}:{name}@");
                let mut lines = built.lines().into_iter();
                digest(lines.find(|line| line.starts_with(&start)).expect("there")).to_owned()
            };
            // A layout in a tar keeps the digest; docker's form has that of the configuration alone.
            let image = format!("oci-archive:{here}/images.tar:{name}");
            assert_eq!(found("oci-archive:images.tar"), digests[&name]);
            assert_eq!(skopeo_inspect(&image)["Digest"], digests[&name]);
            let copied = checkout.path().join("copied").join(&name);
            fs_err::create_dir_all(copied.parent().expect("one")).expect("created");
            run(Command::new("skopeo")
                .args(["copy", "-q", "--preserve-digests"])
                .args([&image, &format!("oci:{here}/copied/{service}{tag}:{name}")]));
            let copied = checkout.path().join(format!("copied/{service}{tag}"));
            assert_eq!(images(&copied)[&name], digests[&name]);
            let image = format!("docker-archive:{here}/docker.tar:{name}");
            let raw = run(Command::new("skopeo").args(["inspect", "--config", "--raw", &image]));
            assert_eq!(
                found("docker-archive:docker.tar"),
                Digest::of(raw.as_bytes()).to_string()
            );
            assert_eq!(skopeo_config(&image)["config"]["User"], "65532:65532");
            let again = format!("oci:{here}/docker{service}{tag}:{name}");
            run(Command::new("skopeo").args(["copy", "-q", &image, &again]));
            let hello = Unpacked::of_layout(
                &checkout.path().join(format!("docker{service}{tag}")),
                &name,
            )
            .command(65532, &format!("/app/{service}"))
            .output()
            .expect("runs");
            assert_eq!(String::from_utf8_lossy(&hello.stdout), "hello\n");
        }
    }
    // Every old `docker load` reads the layout too.
    let image = format!("docker-archive:{here}/images.tar:second:2");
    assert_eq!(skopeo_config(&image)["config"]["User"], "65532:65532");
    let summary = read_json(&checkout.path().join("out.json"));
    let deliveries = &summary["services"][0]["deliveries"];
    assert_eq!(deliveries[1]["destination"], "oci-archive:images.tar");
    assert_eq!(deliveries[1]["status"], "pushed");
    assert_eq!(deliveries[1]["tags"].as_array().map(Vec::len), Some(2));
    assert_eq!(deliveries[1]["digest"], digests["first:1"]);
    no_temporaries(checkout.path());
}

#[test]
fn an_archive_keeps_the_mode_of_the_one_it_replaces_and_spares_a_read_only_one() {
    let checkout = Checkout::of_services(&["first"]);
    let file = checkout.path().join("images.tar");
    let set = |mode| {
        let permissions = std::fs::Permissions::from_mode(mode);
        fs_err::set_permissions(&file, permissions).expect("owned");
    };
    let to = ["--to", "oci-archive:images.tar", "--tag"];
    build(&checkout, &[&to[..], &["1"]].concat()).expect(0);
    set(0o600);
    build(&checkout, &[&to[..], &["2"]].concat()).expect(0);
    let mode = fs_err::metadata(&file).expect("there").permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    set(0o444);
    let before = bytes(&checkout, "images.tar");
    build(&checkout, &[&to[..], &["3"]].concat())
        .expect(1)
        .says(&["images.tar` is a read-only file", "hint: "]);
    assert_eq!(bytes(&checkout, "images.tar"), before);
    for flag in ["--metadata-file", "--image-refs"] {
        build(&checkout, &[flag, "images.tar"]).expect(2).says(&[
            "cannot write `",
            "images.tar`",
            "hint: name a file that can be written",
        ]);
        assert_eq!(bytes(&checkout, "images.tar"), before);
    }
    no_temporaries(checkout.path());
}

#[test]
fn an_archive_unpacked_is_a_sound_layout_in_which_blobs_are_shared() {
    let checkout = Checkout::of_services(&["first", "second"]);
    build(
        &checkout,
        &["--to", "oci-archive:images.tar", "--tag", "a", "--tag", "b"],
    )
    .expect(0);
    let layout = checkout.path().join("layout");
    fs_err::create_dir(&layout).expect("created");
    run(Command::new("tar")
        .args(["-xf", "images.tar", "-C", "layout"])
        .current_dir(checkout.path()));
    assert_sound_but_for(&layout, &[]);
    assert_eq!(
        names(&layout),
        ["first:a", "first:b", "second:a", "second:b"]
    );
    // Two layers for both, and an application, a configuration and a manifest for each.
    assert_eq!(blobs(&layout).len(), 2 + 2 * 3);
    let listed = run(Command::new("umoci")
        .arg("list")
        .arg("--layout")
        .arg(&layout));
    assert_eq!(listed, "first:a\nfirst:b\nsecond:a\nsecond:b\n");
    let path = checkout.path().join("images.tar");
    let reader = ArchiveReader::open(&path, Some(ArchiveForm::Layout)).expect("an archive");
    assert_eq!(
        reader.names(),
        ["first:a", "first:b", "second:a", "second:b"]
    );
}

#[test]
fn containerd_imports_archives_with_their_digests_and_runs_them() {
    let checkout = Checkout::of_services(&["first", "second"]);
    let built = build(&checkout, &["--to", "oci-archive:images.tar"]).expect(0);
    let Some(containerd) = Containerd::start() else {
        return;
    };
    let file = checkout.path().join("images.tar").display().to_string();
    // One that needs nothing of the file system under it.
    let snapshots = ["--snapshotter", "native"];
    let import = ["images", "import", "--all-platforms", "--digests"];
    containerd.ctr(&[&import[..], &snapshots, &[&file]].concat());
    let listed = containerd.ctr(&["images", "list"]);
    for line in built.lines() {
        let service = line.split(':').nth(2).expect("a name");
        let named = format!("docker.io/library/{service}:latest ");
        let row = listed.lines().find(|row| row.starts_with(&named));
        assert!(
            row.is_some_and(|row| row.contains(digest(line))),
            "{line}\n{listed}"
        );
        let run = ["run", "--rm", "--net-host"];
        let printed = containerd.ctr(&[&run[..], &snapshots, &[named.trim(), service]].concat());
        assert_eq!(printed, "hello\n");
    }
}

#[test]
fn podman_loads_archives_of_both_forms_and_runs_what_they_hold() {
    let checkout = Checkout::of_services(&["first", "second"]);
    let to = [
        "oci:layout",
        "oci-archive:images.tar",
        "docker-archive:docker.tar",
    ];
    let to: Vec<&str> = to.iter().flat_map(|to| ["--to", to]).collect();
    build(&checkout, &to).expect(0);
    for file in ["images.tar", "docker.tar"] {
        // One for each, so that it has nothing of the other.
        let Some(podman) = Podman::ready() else {
            return;
        };
        let mut load = podman.command("load");
        run(load.arg("--input").arg(checkout.path().join(file)));
        for service in ["first", "second"] {
            let image = Described::of(
                &checkout.path().join("layout"),
                &format!("{service}:latest"),
            );
            let config = image.manifest["config"]["digest"].as_str().expect("one");
            let name = format!("localhost/{service}:latest");
            let mut inspect = podman.command("image");
            let id = run(inspect.args(["inspect", "--format", "{{.Id}}", &name]));
            assert_eq!(format!("sha256:{}", id.trim()), config, "{file}");
            let printed = run(podman.command("run").args(RUN).arg(&name));
            assert_eq!(printed, "hello\n", "{file}");
        }
    }
}

#[test]
fn archives_are_the_same_bytes_everywhere() {
    let (one, outer) = (
        Checkout::of_services(&["first", "second"]),
        Checkout::empty(),
    );
    let other = outer.path().join("a much longer path");
    run(Command::new("cp").arg("-a").args([one.path(), &other]));
    let to = [
        "--to",
        "oci-archive:images.tar",
        "--to",
        "docker-archive:docker.tar",
    ];
    for (checkout, umask, jobs) in [(one.path(), "umask 000", "1"), (&other, "umask 077", "2")] {
        Lighter::at(checkout)
            .args(["build", "--jobs", jobs])
            .args(to)
            .run_process(umask)
            .expect(0);
    }
    let (first, docker) = (bytes(&one, "images.tar"), bytes(&one, "docker.tar"));
    assert!(first == fs_err::read(other.join("images.tar")).expect("written"));
    assert!(docker == fs_err::read(other.join("docker.tar")).expect("written"));
    // A second run changes nothing, and the order of services on the command line means nothing.
    build(&one, &["second", "first", "--to", to[1]]).expect(0);
    assert!(first == bytes(&one, "images.tar"));
    // docker's form holds tars, whatever layers are compressed with elsewhere.
    for compression in ["zstd", "none"] {
        build(
            &one,
            &[
                "--compression",
                compression,
                "--to",
                "docker-archive:again.tar",
            ],
        )
        .expect(0);
        assert!(docker == bytes(&one, "again.tar"), "{compression}");
    }
}

#[test]
fn an_archive_is_replaced_whole_or_not_at_all() {
    let checkout = Checkout::of_services(&["alpha", "beta"]);
    let to = ["--to", "oci-archive:images.tar"];
    build(&checkout, &[&to[..], &["alpha"]].concat()).expect(0);
    let before = bytes(&checkout, "images.tar");
    checkout.write("beta/src/main.rs", "fn main() { broken }\n");
    let failed = build(&checkout, &to).expect(101);
    assert_eq!(failed.stdout, "");
    assert!(bytes(&checkout, "images.tar") == before);
    no_temporaries(checkout.path());
    let kept = build(&checkout, &[&to[..], &["--keep-going"]].concat()).expect(101);
    assert_eq!(kept.lines().len(), 1);
    assert!(kept.lines()[0].starts_with("oci-archive:images.tar:alpha:latest@"));
    let held = |expected: &[&str]| {
        let path = checkout.path().join("images.tar");
        let reader = ArchiveReader::open(&path, None).expect("an archive");
        assert_eq!(reader.names(), expected);
    };
    held(&["alpha:latest"]);
    // Nothing of an earlier run stays.
    checkout.write("beta/src/main.rs", "fn main() {}\n");
    build(&checkout, &[&to[..], &["beta"]].concat()).expect(0);
    held(&["beta:latest"]);
    // Where no service gets there, nothing is written.
    checkout.write("beta/src/main.rs", "fn main() { broken }\n");
    build(&checkout, &[&to[..], &["beta", "--keep-going"]].concat()).expect(101);
    held(&["beta:latest"]);
    no_temporaries(checkout.path());
}

#[test]
fn places_where_no_archive_can_be_are_told_before_compiling() {
    let checkout = Checkout::of_services(&["alpha"]);
    let link = checkout.path().join("link.tar");
    std::os::unix::fs::symlink("nowhere.tar", link).expect("made");
    let before = Before::of(checkout.path());
    let here = checkout.path().display().to_string();
    let hint =
        "name a file that is empty, is an archive of images that may be written, or does not exist";
    for (file, why) in [
        ("alpha", "a directory"),
        ("/dev/null", "no regular file"),
        ("Cargo.toml", "a file of something else than images"),
        ("link.tar", "a link"),
    ] {
        let path = Path::new(&here).join(file).display().to_string();
        for form in ["oci-archive", "docker-archive"] {
            let message = format!("cannot deliver to `{form}:{file}`\n  `{path}` is {why}");
            build(&checkout, &["--to", &format!("{form}:{file}")]).refuses(1, &message, hint);
        }
    }
    for file in ["nowhere/x.tar", "Cargo.toml/x.tar", "/proc/x.tar"] {
        let run = build(&checkout, &["--to", &format!("oci-archive:{file}")]).expect(1);
        let path = Path::new(&here).join(file).display().to_string();
        let start = format!(
            "error: cannot deliver to `oci-archive:{file}`\n  cannot write archive `{path}`\n  "
        );
        assert!(run.stderr.starts_with(&start), "{}", run.stderr);
        let hint = "\n\nhint: name a file in a directory that exists and can be written\n";
        assert!(run.stderr.ends_with(hint), "{}", run.stderr);
    }
    before.holds();
    assert!(!checkout.path().join("target").exists());
}

#[test]
fn one_file_cannot_hold_two_things() {
    let checkout = Checkout::of_services(&["alpha"]);
    let before = Before::of(checkout.path());
    let here = checkout.path().display();
    let archive = "oci-archive:x.tar";
    let elsewhere = format!("docker-archive:{here}/alpha/../x.tar");
    for (arguments, second) in [
        (vec!["--to", &elsewhere], elsewhere.as_str()),
        (vec!["--to", "oci-archive:x.tar"], "oci-archive:x.tar"),
        (vec!["--to", "oci:./x.tar"], "oci:./x.tar"),
        (vec!["--metadata-file", "x.tar"], "--metadata-file x.tar"),
        (vec!["--image-refs", "./x.tar"], "--image-refs ./x.tar"),
    ] {
        let message = format!("`{archive}` and `{second}` are the same file");
        build(&checkout, &[&["--to", archive][..], &arguments].concat()).refuses(
            2,
            &message,
            "give each a file of its own",
        );
    }
    before.holds();
}

#[test]
fn an_archive_holds_services_that_a_change_does_not_reach() {
    let checkout = Checkout::of_two();
    let to = ["--to", "oci-archive:../images.tar", "--to", "oci:../layout"];
    // Beside the checkout, lest they are inputs.
    let outside = Checkout::empty();
    let inside = outside.path().join("checkout");
    run(Command::new("cp")
        .arg("-a")
        .args([checkout.path(), &inside]));
    let build = |more: &[&str]| {
        let lighter = Lighter::at(&inside).args(["build", "--offline"]);
        lighter.args(more).run().expect(0)
    };
    build(&["--to", to[3], "--since", "HEAD"]);
    let run = build(&[&to[..], &["--since", "HEAD"]].concat());
    let said = "`alpha` is built, though the change does not reach it: `oci-archive:../images.tar` takes \
                nothing over";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    assert_eq!(run.lines().len(), 4);
    let path = outside.path().join("images.tar");
    let reader = ArchiveReader::open(&path, None).expect("an archive");
    assert_eq!(reader.names(), ["alpha:latest", "beta:latest"]);
    // What is known of inputs is not in an archive: with or without `--since`, the bytes are the same.
    let before = fs_err::read(&path).expect("readable");
    build(&to[..2]);
    assert!(before == fs_err::read(&path).expect("readable"));
}

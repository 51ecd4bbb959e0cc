//! Runs with several destinations: tags move when all images are everywhere, or nowhere.

use std::path::Path;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};

use crate::fault_registry::{Act, FaultRegistry, Settings, on};
use crate::support::cli::{Lighter, Run};
use crate::support::refusal::{images, no_temporaries};
use crate::support::workspace::Checkout;

const SERVICES: [&str; 2] = ["orders", "users"];

fn registry() -> FaultRegistry {
    FaultRegistry::start(Settings::default())
}

/// A registry that takes blobs, and no manifest of this service.
fn refusing(service: &str) -> FaultRegistry {
    let server = registry();
    server.add(refusal(service));
    server
}

fn refusal(service: &str) -> crate::fault_registry::Fault {
    on("PUT", format!("/shop/{service}/manifests/"))
        .always()
        .status(403)
}

fn shop(server: &FaultRegistry) -> String {
    format!("docker://{}/shop", server.host())
}

fn build(checkout: &Checkout, destinations: &[&str], more: &[&str]) -> Run {
    let to = destinations.iter().flat_map(|name| ["--to", name]);
    Lighter::at(checkout.path())
        .args(["build"])
        .args(to)
        .args(more)
        .run()
}

/// The services that a tag leads to at a registry.
fn tagged(server: &FaultRegistry, tag: &str) -> Vec<&'static str> {
    let has = |service: &&str| server.manifest(&format!("shop/{service}"), tag).is_some();
    SERVICES.into_iter().filter(has).collect()
}

fn names(layout: &Path) -> Vec<String> {
    if !layout.join("index.json").exists() {
        return Vec::new();
    }
    images(layout).into_keys().collect()
}

#[test]
fn no_tag_moves_at_one_registry_when_another_refuses_a_manifest() {
    let checkout = Checkout::of_services(&SERVICES);
    for refused in SERVICES {
        // Whichever of them comes first.
        for turned in [false, true] {
            let (good, bad) = (registry(), refusing(refused));
            let mut to = [shop(&good), shop(&bad)];
            if turned {
                to.reverse();
            }
            let to = to.each_ref().map(String::as_str);
            let run = build(&checkout, &to, &["-t", "v1", "-t", "v2"]).expect(1);
            assert_eq!(run.stdout, "");
            for server in [&good, &bad] {
                assert_eq!(tagged(server, "v1"), Vec::<&str>::new());
                assert_eq!(server.count("PUT", "/manifests/v"), 0);
            }
            assert_eq!(bad.unused(), Vec::<usize>::new());
        }
    }
}

#[test]
fn with_keep_going_each_registry_tags_what_got_there() {
    let checkout = Checkout::of_services(&SERVICES);
    let (good, bad) = (registry(), refusing("users"));
    let more = ["-t", "v1", "--keep-going"];
    let run = build(&checkout, &[&shop(&good), &shop(&bad)], &more).expect(1);
    assert_eq!(run.lines().len(), 3);
    assert_eq!(tagged(&good, "v1"), SERVICES);
    assert_eq!(tagged(&bad, "v1"), ["orders"]);
    assert!(!run.stderr.contains("no tag was moved"), "{}", run.stderr);
}

#[test]
fn a_layout_stays_as_it_was_when_a_registry_refuses() {
    let checkout = Checkout::of_services(&SERVICES);
    let layout = checkout.path().join("out");
    build(&checkout, &["oci:out"], &["-t", "old"]).expect(0);
    let before = images(&layout);
    for service in SERVICES {
        checkout.write(
            &format!("{service}/src/main.rs"),
            "fn main() { println!(\"new\"); }\n",
        );
    }
    let server = refusing("users");
    let to = ["oci:out", &shop(&server)];
    let run = build(&checkout, &to, &["-t", "old", "-t", "new"]).expect(1);
    assert_eq!(run.stdout, "");
    assert_eq!(images(&layout), before);
    let warning = "warning: no tag was moved at `oci:out`, because ";
    assert!(run.stderr.contains(warning), "{}", run.stderr);
    no_temporaries(checkout.path());
    let kept = build(&checkout, &to, &["-t", "new", "--keep-going"]).expect(1);
    assert_eq!(kept.lines().len(), 3);
    assert_eq!(images(&layout).len(), 4);
}

#[test]
fn an_archive_stays_as_it_was_when_a_registry_refuses() {
    let checkout = Checkout::of_services(&SERVICES);
    let archive = checkout.path().join("images.tar");
    build(&checkout, &["oci-archive:images.tar"], &["-t", "old"]).expect(0);
    let before = fs_err::read(&archive).expect("written");
    let server = refusing("users");
    let to = ["oci-archive:images.tar", &shop(&server)];
    let run = build(&checkout, &to, &["-t", "new"]).expect(1);
    assert_eq!(run.stdout, "");
    assert!(fs_err::read(&archive).expect("there") == before);
    no_temporaries(checkout.path());
    let kept = build(&checkout, &to, &["-t", "new", "--keep-going"]).expect(1);
    assert_eq!(kept.lines().len(), 3);
    assert!(fs_err::read(&archive).expect("there") != before);
}

/// The build of a service puts something in the archive's way, long after the place was looked at.
fn blocking_archive(checkout: &Checkout) {
    let file = checkout.path().join("images.tar");
    let script = format!(
        "fn main() {{ std::fs::write({:?}, \"no archive\").unwrap(); }}\n",
        file.display().to_string()
    );
    checkout.write("users/build.rs", &script);
}

#[test]
fn no_tag_moves_when_an_archive_cannot_be_written_at_last() {
    let checkout = Checkout::of_services(&SERVICES);
    blocking_archive(&checkout);
    let server = registry();
    let to = [&shop(&server), "oci-archive:images.tar", "oci:out"];
    let run = build(&checkout, &to, &["-t", "v1"]).expect(1);
    assert_eq!(run.stdout, "");
    let said = "is a file of something else than images";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    assert_eq!(tagged(&server, "v1"), Vec::<&str>::new());
    assert_eq!(names(&checkout.path().join("out")), Vec::<String>::new());
    for place in [to[0], to[2]] {
        let warning = format!(
            "warning: no tag was moved at `{place}`, because another destination has not all images; \
             `--keep-going` tags what got there\n"
        );
        assert!(run.stderr.contains(&warning), "{}", run.stderr);
    }
    no_temporaries(checkout.path());
    let kept = build(&checkout, &to, &["-t", "v1", "--keep-going"]);
    // It stands in the way from the start now.
    let kept = kept.expect(1);
    assert_eq!(kept.lines().len(), 4);
    assert_eq!(tagged(&server, "v1"), SERVICES);
}

/// An engine that answers and takes nothing.
fn refusing_engine(checkout: &Checkout) {
    let script = "#!/bin/sh\ncase $1 in load) cat >/dev/null; echo full >&2; exit 1;; esac\n";
    checkout.write_executable("programs/podman", script);
}

#[test]
fn no_tag_moves_and_no_archive_appears_when_an_engine_takes_nothing() {
    let checkout = Checkout::of_services(&SERVICES);
    refusing_engine(&checkout);
    let server = registry();
    let archive = checkout.path().join("images.tar");
    let to = [
        &shop(&server),
        "oci-archive:images.tar",
        "containers-storage:",
    ];
    let run = |more: &[&str]| {
        let to = to.iter().flat_map(|name| ["--to", name]);
        Lighter::at(checkout.path())
            .first_on_path(&checkout.path().join("programs"))
            .args(["build", "-t", "v1"])
            .args(to)
            .args(more)
            .run()
            .expect(1)
    };
    let refused = run(&[]);
    assert_eq!(refused.stdout, "");
    assert!(refused.stderr.contains("full"), "{}", refused.stderr);
    assert_eq!(tagged(&server, "v1"), Vec::<&str>::new());
    assert!(!archive.exists());
    let warning = "warning: nothing was put into `oci-archive:images.tar`, because another destination \
                   has not all images; `--keep-going` takes what got there\n";
    assert!(refused.stderr.contains(warning), "{}", refused.stderr);
    let delivered = "Delivered 2 images to `oci-archive:";
    assert!(!refused.stderr.contains(delivered), "{}", refused.stderr);
    no_temporaries(checkout.path());
    let kept = run(&["--keep-going"]);
    assert_eq!(kept.lines().len(), 4);
    assert_eq!(tagged(&server, "v1"), SERVICES);
    assert!(archive.exists());
}

#[test]
fn images_that_stood_before_get_no_tag_when_another_place_refuses() {
    let checkout = Checkout::of_services(&SERVICES);
    checkout.write(".gitignore", "target\n");
    checkout.commit("one");
    let (good, bad) = (registry(), registry());
    let to = [shop(&good), shop(&bad)];
    let to = to.each_ref().map(String::as_str);
    build(&checkout, &to, &["--since", "HEAD"]).expect(0);
    checkout.write("users/src/main.rs", "fn main() { println!(\"new\"); }\n");
    bad.add(refusal("users"));
    let since = ["--since", "HEAD", "-t", "next"];
    let run = build(&checkout, &to, &since).expect(1);
    assert!(run.stderr.contains("Unchanged `orders`"), "{}", run.stderr);
    assert_eq!(run.stdout, "");
    for server in [&good, &bad] {
        assert_eq!(tagged(server, "next"), Vec::<&str>::new());
    }
    build(&checkout, &to, &[&since[..], &["--keep-going"]].concat()).expect(1);
    assert_eq!(tagged(&good, "next"), SERVICES);
    assert_eq!(tagged(&bad, "next"), ["orders"]);
}

#[test]
fn nothing_is_compiled_for_one_place_when_another_takes_nothing() {
    let checkout = Checkout::of_services(&SERVICES);
    let server = registry();
    server.add(on("POST", "/shop/users/").always().status(403));
    let to = ["oci:out", &shop(&server)];
    let run = build(&checkout, &to, &[]).expect(1);
    assert_eq!(run.stdout, "");
    assert!(!run.stderr.contains("Building"), "{}", run.stderr);
    assert_eq!(names(&checkout.path().join("out")), Vec::<String>::new());
    let kept = build(&checkout, &to, &["--keep-going"]).expect(1);
    assert_eq!(kept.lines().len(), 3);
}

/// What it held was nobody's, by the account of the run.
#[test]
fn an_archive_that_was_replaced_is_told_also_when_the_run_is_interrupted() {
    let checkout = Checkout::of_services(&SERVICES);
    let server = registry();
    let tags = on("PUT", "/manifests/latest").always();
    server.add(tags.act(Act::Silence));
    let child = Lighter::at(checkout.path())
        .args(["build", "--to", &shop(&server), "--to", "oci-archive:a.tar"])
        .command(":")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    server.wait_for("PUT", "/manifests/latest");
    let number = i32::try_from(child.id()).expect("a number");
    let process = Pid::from_raw(number).expect("a process");
    kill_process(process, Signal::INT).expect("signalled");
    let ended = child.wait_with_output().expect("it ends");
    assert_eq!(ended.status.code(), Some(130), "{ended:?}");
    assert!(checkout.path().join("a.tar").is_file());
    let told = String::from_utf8(ended.stdout).expect("text");
    let of_archive = |line: &&str| line.starts_with("oci-archive:a.tar:");
    assert_eq!(told.lines().filter(of_archive).count(), 2, "{told}");
    assert_eq!(told.lines().count(), 2, "{told}");
}

//! What the last build read, compared with a split.

use std::time::{Duration, SystemTime};

use super::world::World;

/// A build script that hides what it reads from every scan, though not from cargo.
const HIDDEN: &str = r#"
== Cargo.toml
[workspace]
resolver = "2"
members = ["svc"]
== service svc
build = "build.rs"
== svc/build.rs
fn main() {
    let name = ["da", "ta"].concat();
    let path = format!("{}/../{name}/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    println!("cargo:rerun-if-changed={path}");
    let text = std::fs::read_to_string(path).expect("there");
    println!("cargo:rustc-env=TEXT={}", text.trim());
}
== svc/src/main.rs
fn main() {
    println!("{}", env!("TEXT"));
}
== data/data.txt
hidden
== data/other.txt
"#;

#[test]
fn a_file_that_the_build_read_and_the_split_lacks_is_told_with_the_line_to_add() {
    let world = World::new(HIDDEN);
    // Not known before anything was built, and then no reason to refuse.
    world.run_split(&["svc"]).expect(0);
    world.lighter(&["build"]).run().expect(0);
    let refused = |run: crate::support::cli::Run| {
        run.refuses(
            2,
            "the last build of `svc` read `data/data.txt`, which its split would not have",
            "add `inputs = [\"/data/data.txt\"]` to `[package.metadata.lighter]` of its package",
        )
    };
    refused(world.run_split(&["svc"]));
    refused(world.run_split(&["svc", "--no-dev-deps"]));
    // What changed since may not read it any more.
    let later = SystemTime::now() + Duration::from_secs(10);
    let source = fs_err::OpenOptions::new()
        .write(true)
        .open(world.path("svc/build.rs"));
    source
        .expect("there")
        .file()
        .set_modified(later)
        .expect("set");
    world.run_split(&["svc"]).expect(0);

    world.add(
        r#"
== service svc
build = "build.rs"
[package.metadata.lighter]
inputs = ["/data/data.txt"]
"#,
    );
    world.lighter(&["build"]).run().expect(0);
    assert_eq!(world.runs("svc"), "hidden\n");
}

#[test]
fn what_is_written_down_of_a_build_is_read_with_care() {
    let world = World::new(HIDDEN);
    world.write("data/a b.txt", "");
    world.write("data/dir/inside.txt", "");
    let place = "target/lighter/inputs/svc.d";
    let root = world.repository().to_string_lossy().replace(' ', "\\ ");
    let observed = |paths: &[&str]| {
        let paths = paths.iter().map(|path| format!("{root}/{path}"));
        let paths = paths.collect::<Vec<_>>().join(" ");
        world.write(place, &format!("{root}/target/release/svc: {paths}\n"));
        world.run_split(&["svc"])
    };
    // In the split, generated, of git, deleted, or a directory around all of it.
    observed(&[
        "svc/src/main.rs",
        "svc/../svc/build.rs",
        "target/lighter/build/generated.rs",
        ".git/HEAD",
        "data/deleted.txt",
        "svc",
        ".",
    ])
    .expect(0);
    for (path, named, input) in [
        ("svc/../data/a\\ b.txt", "data/a b.txt", "/data/a b.txt"),
        ("data/dir", "data/dir", "/data/dir/**"),
    ] {
        observed(&["svc/src/main.rs", path]).refuses(
            2,
            &format!("the last build of `svc` read `{named}`, which its split would not have"),
            &format!("add `inputs = [\"{input}\"]` to `[package.metadata.lighter]` of its package"),
        );
    }
    world.write(place, "nothing of the kind \\");
    world.run_split(&["svc"]).expect(0);
}

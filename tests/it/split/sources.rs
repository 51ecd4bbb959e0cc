//! Where crates come from that are not local.

use std::process::Command;

use super::world::World;
use crate::support::tools::run;

#[test]
fn vendored_crates_that_are_needed_and_no_others() {
    let world = World::new(
        r#"
== .cargo/config.toml
[source.crates-io]
replace-with = "vendored-sources"
[source.vendored-sources]
directory = "vendor"
== Cargo.toml
[workspace]
resolver = "2"
members = ["svc", "other"]
== service svc
[dependencies]
table = "1"
[target.'cfg(windows)'.dependencies]
windows-only = "1"
== svc/src/main.rs
fn main() {
    println!("{}", table::NAME);
}
== service other
[dependencies]
table = "2"
unneeded = "1"
== vendored table 1.0.0
== vendor/table-1.0.0/src/lib.rs
pub const NAME: &str = "vendored";
== vendored table 2.0.0
== vendored unneeded 1.0.0
== vendored windows-only 1.0.0
== vendor/README.md
"#,
    );
    // cargo cares for no names of directories.
    let renamed = world.path("vendor/of any name");
    fs_err::rename(world.path("vendor/windows-only-1.0.0"), renamed).expect("renamed");
    assert_eq!(world.runs("svc"), "vendored\n");
    let whole = world.split("svc");
    whole.has(&[
        "vendor/table-1.0.0/.cargo-checksum.json",
        "vendor/of any name/Cargo.toml",
    ]);
    whole.lacks(&["vendor/table-2.0.0", "vendor/unneeded-1.0.0"]);
}

#[test]
fn crates_of_git_repositories() {
    let world = World::new(
        r#"
== ../theirs/Cargo.toml
[workspace]
members = ["table", "macros"]
== ../theirs/table/Cargo.toml
[package]
name = "table"
version = "1.0.0"
[dependencies]
macros = { path = "../macros" }
== ../theirs/table/src/lib.rs
pub const NAME: &str = macros::NAME;
== ../theirs/macros/Cargo.toml
[package]
name = "macros"
version = "1.0.0"
[features]
big = []
== ../theirs/macros/src/lib.rs
pub const NAME: &str = if cfg!(feature = "big") { "big" } else { "small" };
== repository ../theirs
== Cargo.toml
[workspace]
resolver = "2"
members = ["svc", "other"]
== service svc
[dependencies]
table = { git = "file://{top}/theirs" }
== svc/src/main.rs
fn main() {
    println!("{}", table::NAME);
}
== service other
[dependencies]
macros = { git = "file://{top}/theirs", features = ["big"] }
"#,
    );
    assert_eq!(world.runs("svc"), "small\n");
}

#[test]
fn a_local_registry_in_the_repository() {
    let world = World::unlocked(
        "",
        r#"
== .cargo/config.toml
[source.crates-io]
replace-with = "ours"
[source.ours]
local-registry = "registry"
== Cargo.toml
[workspace]
resolver = "2"
members = ["svc", "other"]
== service svc
[dependencies]
table = "1"
== svc/src/main.rs
fn main() {
    println!("{}", table::NAME);
}
== service other
[dependencies]
unneeded = "1"
"#,
    );
    for name in ["table", "unneeded"] {
        packed(&world, name);
    }
    run(world.cargo(world.workspace()).arg("generate-lockfile"));
    assert_eq!(world.runs("svc"), "table\n");
    let whole = world.split("svc");
    whole.has(&["registry/table-1.0.0.crate", "registry/index/ta/bl/table"]);
    whole.lacks(&["registry/unneeded-1.0.0.crate", "registry/index/un"]);
}

/// Puts version 1.0.0 of a crate that knows its name into `registry/`.
fn packed(world: &World, name: &str) {
    let place = format!("{name}-1.0.0");
    let manifest = format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\n");
    world.write(&format!("../packing/{place}/Cargo.toml"), &manifest);
    let source = format!("pub const NAME: &str = \"{name}\";\n");
    world.write(&format!("../packing/{place}/src/lib.rs"), &source);
    let archive = world.path(&format!("registry/{place}.crate"));
    fs_err::create_dir_all(archive.parent().expect("has a parent")).expect("created");
    run(Command::new("tar")
        .arg("-czf")
        .arg(&archive)
        .arg(&place)
        .current_dir(world.path("../packing")));
    let bytes = fs_err::read(&archive).expect("packed");
    let checksum = cargo_lighter::digest::Digest::of(&bytes).hex();
    let line = format!(
        "{{\"name\":\"{name}\",\"vers\":\"1.0.0\",\"deps\":[],\"cksum\":\"{checksum}\",\"features\":{{}},\"yanked\":false}}\n"
    );
    let index = format!("registry/index/{}/{}/{name}", &name[..2], &name[2..4]);
    world.write(&index, &line);
}

#[test]
fn the_format_of_the_lock_stays() {
    let world = World::new(
        r#"
== Cargo.toml
[workspace]
resolver = "2"
members = ["svc", "other"]
== service svc
[dependencies]
table = "1"
== service other
[dependencies]
unneeded = "1"
== crate table 1.0.0
== crate unneeded 1.0.0
"#,
    );
    for version in ["version = 3", "version = 4"] {
        let lock = world.read("Cargo.lock");
        let (before, after) = lock.split_once("version = ").expect("a header");
        world.write("Cargo.lock", &format!("{before}{version}{}", &after[1..]));
        let whole = world.holds("svc").whole;
        let lock = whole.text("Cargo.lock");
        assert!(lock.contains(&format!("\n{version}\n")), "{lock}");
        assert!(
            !lock.contains("unneeded") && !lock.contains("other"),
            "{lock}"
        );
    }
}

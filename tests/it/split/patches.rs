//! Crates that stand in for others: `[patch]`, `[replace]` and `paths`.

use super::world::{Service, World};

#[test]
fn local_crates_that_stand_in_for_crates_of_the_registry() {
    let world = World::new(
        r#"
== Cargo.toml
[workspace]
resolver = "2"
members = ["svc", "other"]
exclude = ["third-party"]
[patch.crates-io]
# Mended by us.
table = { path = "third-party/table" }
unneeded = { path = "third-party/unneeded" }
[profile.release.package.table]
opt-level = 1
[profile.release.package.unneeded]
opt-level = 1
== service svc
[dependencies]
uses-table = "1"
== svc/src/main.rs
fn main() {
    println!("{}", uses_table::FROM);
}
== service other
[dependencies]
unneeded = "1"
== crate uses-table 1.0.0
[dependencies]
table = "1"
== ../registry/uses-table-1.0.0/src/lib.rs
pub use table::FROM;
== crate table 1.0.0
== crate unneeded 1.0.0
== third-party/table/Cargo.toml
[package]
name = "table"
version = "1.0.0"
[dependencies]
inner = { path = "inner" }
== third-party/table/src/lib.rs
pub const FROM: &str = inner::FROM;
== library third-party/table/inner
== third-party/table/inner/src/lib.rs
pub const FROM: &str = "here";
== third-party/unneeded/Cargo.toml
[package]
name = "unneeded"
version = "1.0.0"
== third-party/unneeded/src/lib.rs
"#,
    );
    assert_eq!(world.runs("svc"), "here\n");
    let split = world.split("svc");
    split.lacks(&["third-party/unneeded"]);
    let root = split.text("Cargo.toml");
    assert!(root.contains("# Mended by us."), "{root}");
    assert!(!root.contains("unneeded"), "{root}");
}

/// Found by random workspaces: cargo's description of the workspace does not have it.
#[test]
fn a_patch_of_a_crate_that_no_default_feature_turns_on() {
    let world = World::new(
        r#"
== .cargo/config.toml
[patch.crates-io]
second = { path = "third-party/second" }
== Cargo.toml
[workspace]
resolver = "2"
members = ["svc"]
exclude = ["third-party"]
[patch.crates-io]
first = { path = "third-party/first" }
== service svc
[dependencies]
first = { version = "1", optional = true }
second = { version = "1", optional = true }
[features]
all = ["dep:first", "dep:second"]
== crate first 1.0.0
== crate second 1.0.0
== third-party/first/Cargo.toml
[package]
name = "first"
version = "1.0.1"
[dependencies]
inner = { path = "../inner" }
== third-party/first/src/lib.rs
== third-party/second/Cargo.toml
[package]
name = "second"
version = "1.0.1"
== third-party/second/src/lib.rs
== library third-party/inner
"#,
    );
    world.holds("svc");
    let parts = world.holds(Service::new("svc").features("all"));
    parts.production.has(&[
        "third-party/first/src/lib.rs",
        "third-party/second/src/lib.rs",
        "third-party/inner/src/lib.rs",
    ]);
}

/// cargo-hakari's layout: all depend by a name of the registry on a crate that is a member.
#[test]
fn a_member_that_is_reached_by_a_name_of_the_registry() {
    let world = World::new(
        r#"
== Cargo.toml
[workspace]
resolver = "2"
members = ["svc", "other", "workspace-hack"]
[patch.crates-io.workspace-hack]
path = "workspace-hack"
== service svc
[dependencies]
workspace-hack = "0.1"
== service other
[dependencies]
workspace-hack = "0.1"
== library workspace-hack
[dependencies]
table = { version = "1", features = ["big"] }
== crate workspace-hack 0.1.0
== crate table 1.0.0
[features]
big = []
"#,
    );
    world.runs("svc");
    let whole = world.split("svc");
    whole.has(&["workspace-hack/src/lib.rs"]).lacks(&["other"]);
}

#[test]
fn patches_from_git_stay_where_they_are_used_and_go_where_not() {
    let world = World::new(
        r#"
== ../mended/Cargo.toml
[package]
name = "table"
version = "1.0.1"
== ../mended/src/lib.rs
pub const FROM: &str = "git";
== ../unneeded/Cargo.toml
[package]
name = "unneeded"
version = "1.0.0"
== ../unneeded/src/lib.rs
== repository ../mended
== repository ../unneeded
== Cargo.toml
[workspace]
resolver = "2"
members = ["svc", "other"]
[patch.crates-io]
table = { git = "file://{top}/mended" }
unneeded = { git = "file://{top}/unneeded" }
== service svc
[dependencies]
table = "1"
== svc/src/main.rs
fn main() {
    println!("{}", table::FROM);
}
== service other
[dependencies]
unneeded = "1"
== crate table 1.0.0
== crate unneeded 1.0.0
"#,
    );
    assert_eq!(world.runs("svc"), "git\n");
    let split = world.split("svc");
    let root = split.text("Cargo.toml");
    assert!(root.contains("mended"), "{root}");
    assert!(!root.contains("unneeded"), "{root}");
}

/// Which patches are in use is another question for each service, and one that nobody uses is fetched
/// all the same.
#[test]
fn a_patch_that_no_service_uses_is_gone_without_a_trace() {
    let world = World::new(
        r#"
== Cargo.toml
[workspace]
resolver = "2"
members = ["svc"]
exclude = ["third-party"]
[patch.crates-io]
table = { path = "third-party/table" }
== service svc
[dependencies]
table = "1"
== crate table 1.0.0
== third-party/table/Cargo.toml
[package]
name = "table"
version = "2.0.0"
== third-party/table/src/lib.rs
"#,
    );
    assert!(world.read("Cargo.lock").contains("[[patch.unused]]"));
    let parts = world.holds("svc");
    parts.whole.lacks(&["third-party"]);
    assert!(!parts.whole.text("Cargo.toml").contains("patch"));
}

#[test]
fn patches_of_a_configuration_file() {
    let world = World::new(
        r#"
== .cargo/config.toml
# Ours.
[patch.crates-io]
table = { path = "third-party/table" }
unneeded = { path = "third-party/unneeded" }
== Cargo.toml
[workspace]
resolver = "2"
members = ["svc", "other"]
exclude = ["third-party"]
== service svc
[dependencies]
table = "1"
== service other
[dependencies]
table = "1"
unneeded = "1"
== crate table 1.0.0
== crate unneeded 1.0.0
== third-party/table/Cargo.toml
[package]
name = "table"
version = "1.0.0"
== third-party/table/src/lib.rs
== third-party/unneeded/Cargo.toml
[package]
name = "unneeded"
version = "1.0.0"
== third-party/unneeded/src/lib.rs
"#,
    );
    let whole = world.holds("svc").whole;
    whole.has(&["third-party/table/src/lib.rs"]);
    whole.lacks(&["third-party/unneeded"]);
    let configuration = whole.text(".cargo/config.toml");
    assert!(configuration.contains("# Ours."), "{configuration}");
    assert!(!configuration.contains("unneeded"), "{configuration}");
    world.holds("other");
}

#[test]
fn overrides_by_paths_of_a_configuration_file() {
    let world = World::new(
        r#"
== .cargo/config.toml
paths = ["third-party/table", "third-party/unneeded"]
== Cargo.toml
[workspace]
resolver = "2"
members = ["svc", "other"]
exclude = ["third-party"]
== service svc
[dependencies]
table = "1"
== svc/src/main.rs
fn main() {
    println!("{}", table::FROM);
}
== service other
[dependencies]
unneeded = "1"
== crate table 1.0.0
== crate unneeded 1.0.0
== third-party/table/Cargo.toml
[package]
name = "table"
version = "1.0.0"
== third-party/table/src/lib.rs
pub const FROM: &str = "here";
== third-party/unneeded/Cargo.toml
[package]
name = "unneeded"
version = "1.0.0"
== third-party/unneeded/src/lib.rs
"#,
    );
    assert_eq!(world.runs("svc"), "here\n");
    let whole = world.split("svc");
    whole.lacks(&["third-party/unneeded"]);
    assert!(!whole.text(".cargo/config.toml").contains("unneeded"));
}

#[test]
fn replacements_of_old_manifests() {
    let world = World::new(
        r#"
== Cargo.toml
[workspace]
resolver = "2"
members = ["svc", "other"]
exclude = ["third-party"]
[replace]
"table:1.0.0" = { path = "third-party/table" }
"unneeded:1.0.0" = { path = "third-party/unneeded" }
== service svc
[dependencies]
table = "1"
== service other
[dependencies]
unneeded = "1"
== crate table 1.0.0
== crate unneeded 1.0.0
== third-party/table/Cargo.toml
[package]
name = "table"
version = "1.0.0"
[dependencies]
inner = { path = "inner" }
== third-party/table/src/lib.rs
== library third-party/table/inner
== third-party/unneeded/Cargo.toml
[package]
name = "unneeded"
version = "1.0.0"
== third-party/unneeded/src/lib.rs
"#,
    );
    let whole = world.holds("svc").whole;
    whole.has(&["third-party/table/inner/src/lib.rs"]);
    whole.lacks(&["third-party/unneeded"]);
    assert!(!whole.text("Cargo.toml").contains("unneeded"));
}

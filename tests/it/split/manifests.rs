//! What manifests say about targets, features and inheritance.

use super::world::{Service, World};

#[test]
fn targets_whose_files_are_left_out() {
    let world = World::new(
        r#"
== Cargo.toml
[workspace]
resolver = "2"
members = ["svc", "lib"]
== service svc
[dependencies]
lib = { path = "../lib" }
[[bench]]
name = "speed"
harness = false
[[test]]
name = "all"
[[example]]
name = "show"
[[example]]
name = "elsewhere"
path = "shown/elsewhere.rs"
[[bin]]
name = "svc"
path = "src/main.rs"
[[bin]]
name = "odd"
path = "../odd/main.rs"
== svc/benches/speed.rs
fn main() {}
== svc/tests/all.rs
== svc/examples/show.rs
fn main() {}
== svc/shown/elsewhere.rs
fn main() {}
== svc/src/main.rs
mod shared {
    include!("../tests/shared.rs");
}
fn main() {
    println!("{}", shared::NAME);
}
== svc/tests/shared.rs
pub const NAME: &str = "shared with a test";
== odd/main.rs
mod part;
fn main() {
    println!("{}", part::NAME);
}
== odd/part.rs
pub const NAME: &str = "odd";
== odd/unread.rs
== library lib
[[bench]]
name = "speed"
== lib/benches/speed.rs
"#,
    );
    assert_eq!(world.runs("svc"), "shared with a test\n");
    assert_eq!(world.runs(Service::new("odd").at("svc")), "odd\n");
    let parts = world.holds("svc");
    parts.whole.has(&[
        "svc/benches/speed.rs",
        "svc/tests/all.rs",
        "svc/shown/elsewhere.rs",
        "odd/part.rs",
        "lib/benches/speed.rs",
    ]);
    parts
        .production
        .has(&["svc/tests/shared.rs", "odd/part.rs"]);
    parts.production.lacks(&[
        "svc/benches",
        "svc/tests/all.rs",
        "svc/examples",
        "svc/shown",
        "lib/benches",
        "odd/unread.rs",
    ]);
}

#[test]
fn inheritance_of_optional_dependencies_and_lints_and_old_spellings() {
    let world = World::new(
        r#"
== Cargo.toml
[workspace]
resolver = "2"
members = ["svc", "old"]
[workspace.package]
version = "0.5.0"
[workspace.dependencies]
# Which table.
table = { version = "1", default-features = false }
testing = "1"
unneeded = "1"
[workspace.lints.rust]
unsafe_code = "forbid"
[workspace.metadata.other-tool]
kept = true
== svc/Cargo.toml
[package]
name = "svc"
version.workspace = true
edition = "2021"
[features]
default = ["dep:table", "test-helpers"]
test-helpers = ["testing/big", "old?/extra"]
[dependencies]
table = { workspace = true, optional = true, features = ["big"] }
old = { path = "../old", optional = true }
[dev-dependencies]
testing.workspace = true
[lints]
workspace = true
[package.metadata.other-tool]
output-name = "app"
== svc/src/main.rs
fn main() {
    println!("{}", table::BIG);
}
== old/Cargo.toml
[package]
name = "old"
version = "0.1.0"
edition = "2018"
[lib]
crate_type = ["rlib"]
[features]
extra = []
[dev_dependencies]
testing = "1"
[build_dependencies]
testing = "1"
== old/src/lib.rs
== crate table 1.0.0
[features]
big = []
== ../registry/table-1.0.0/src/lib.rs
pub const BIG: bool = cfg!(feature = "big");
== crate testing 1.0.0
[features]
big = []
== crate unneeded 1.0.0
"#,
    );
    assert_eq!(world.runs("svc"), "true\n");
    let parts = world.holds("svc");
    assert_eq!(
        parts.whole.text("svc/Cargo.toml"),
        world.read("svc/Cargo.toml")
    );
    assert_eq!(
        parts.whole.text("old/Cargo.toml"),
        world.read("old/Cargo.toml")
    );
    let production = parts.production.text("svc/Cargo.toml");
    assert!(
        production.contains("[package.metadata.other-tool]"),
        "{production}"
    );
    assert!(
        production.contains("test-helpers = [\"old?/extra\"]"),
        "{production}"
    );
    let root = parts.production.text("Cargo.toml");
    assert!(root.contains("# Which table."), "{root}");
    assert!(root.contains("[workspace.metadata.other-tool]"), "{root}");
    assert!(!root.contains("unneeded"), "{root}");
    assert!(!root.contains("testing"), "{root}");
}

#[test]
fn binaries_of_one_name_in_two_packages() {
    let world = World::new(
        r#"
== Cargo.toml
[workspace]
resolver = "2"
members = ["orders", "users"]
== service orders
[[bin]]
name = "server"
path = "src/main.rs"
== orders/src/main.rs
fn main() {
    println!("orders");
}
== service users
[[bin]]
name = "server"
path = "src/main.rs"
== users/src/main.rs
fn main() {
    println!("users");
}
"#,
    );
    for name in ["orders", "users"] {
        let printed = world.runs(Service::new(name).binary("server"));
        assert_eq!(printed, format!("{name}\n"));
    }
}

#[test]
fn several_binaries_and_required_features() {
    let world = World::new(
        r#"
== Cargo.toml
[workspace]
resolver = "2"
members = ["svc"]
== service svc
default-run = "svc"
[package.metadata.lighter.bin.admin]
features = ["admin"]
[features]
admin = ["dep:table"]
[dependencies]
table = { version = "1", optional = true }
[[bin]]
name = "admin"
required-features = ["admin"]
== svc/src/main.rs
fn main() {
    println!("svc");
}
== svc/src/bin/admin.rs
fn main() {
    println!("{}", table::NAME);
}
== svc/src/bin/worker/main.rs
mod task;
fn main() {
    println!("{}", task::NAME);
}
== svc/src/bin/worker/task.rs
pub const NAME: &str = "worker";
== crate table 1.0.0
== ../registry/table-1.0.0/src/lib.rs
pub const NAME: &str = "admin";
"#,
    );
    assert_eq!(world.runs("svc"), "svc\n");
    let admin = Service::new("admin").at("svc").features("admin");
    assert_eq!(world.runs(admin), "admin\n");
    assert_eq!(world.runs(Service::new("worker").at("svc")), "worker\n");
}

#[test]
fn hyphens_and_underscores_and_blanks() {
    let world = World::new(
        r#"
== Cargo.toml
[workspace]
resolver = "2"
members = ["my-svc", "my_lib"]
== service my-svc
[dependencies]
my-lib = { path = "../my_lib" }
[dependencies.a_b]
package = "a-b"
version = "1"
== my-svc/src/main.rs
fn main() {
    println!("{}", my_lib::NAME);
}
== library my_lib my-lib
== my_lib/src/lib.rs
pub const NAME: &str = "my-lib";
== crate a-b 1.0.0
"#,
    );
    world.write("my_lib/a directory/a file.txt", "text");
    assert_eq!(world.runs("my-svc"), "my-lib\n");
    world
        .split("my-svc")
        .has(&["my_lib/a directory/a file.txt"]);
}

/// On a stable toolchain cargo refuses these itself; what is allowed to a nightly one is not proven.
#[test]
fn what_only_a_nightly_cargo_knows_is_refused() {
    let artifact = r#"
== Cargo.toml
[workspace]
resolver = "2"
members = ["svc", "tool", "plain"]
== service plain
== service svc
[dependencies]
tool = { path = "../tool", artifact = "bin" }
== service tool
"#;
    let world = World::unlocked("", artifact);
    world.add(
        r"
== .cargo/config.toml
[unstable]
bindeps = true
",
    );
    let mut lock = world.cargo(world.workspace());
    crate::support::tools::run(lock.arg("generate-lockfile").env("RUSTC_BOOTSTRAP", "1"));
    let out = world.out();
    let split = |service: &str| {
        let out = out.to_str().expect("UTF-8");
        let run = world.lighter(&["split", service, "--out", out]);
        run.env("RUSTC_BOOTSTRAP", "1").run()
    };
    split("plain").expect(0);
    split("svc").refuses(
        2,
        "package `svc` has artifact dependencies (`tool`), which only unstable versions of cargo know",
        "splits are proven for what a stable cargo knows: let a build script build it, or ship `svc` without splitting",
    );
    assert!(!out.join("svc").exists());
}

//! Where workspaces have their roots, and what stands around and inside them.

use super::world::{Service, World};

#[test]
fn a_root_package_that_goes_leaves_its_resolver() {
    let world = World::new(
        r#"
== Cargo.toml
# The shop.

[package]
name = "shop"
version = "0.1.0"
edition = "2024"
[features]
all = []
[dependencies]
table = { version = "1", features = ["big"] }
[dev-dependencies]
testing = { path = "testing" }
[[bin]]
name = "shop"
path = "src/main.rs"
[lints]
workspace = true
[workspace]
members = ["svc", "testing"]
default-members = [".", "testing"]
[workspace.lints.rust]
unsafe_code = "forbid"
[profile.release]
opt-level = 1
== src/main.rs
fn main() {}
== service svc
[dependencies]
table = "1"
[build-dependencies]
table = { version = "1", features = ["big"] }
== svc/build.rs
fn main() {}
== svc/src/main.rs
fn main() {
    println!("{}", table::BIG);
}
== library testing
== crate table 1.0.0
[features]
big = []
== ../registry/table-1.0.0/src/lib.rs
pub const BIG: bool = cfg!(feature = "big");
"#,
    );
    // The first resolver, which a root without a package takes by itself, would give "true".
    assert_eq!(world.runs("svc"), "false\n");
    let svc = world.split("svc");
    svc.lacks(&["src", "testing"]);
    let root = svc.text("Cargo.toml");
    for part in [
        "# The shop.",
        "resolver = \"3\"",
        "[workspace.lints.rust]",
        "[profile.release]",
    ] {
        assert!(root.contains(part), "no {part} in {root}");
    }
    for part in ["[package]", "table", "testing", "[features]", "[[bin]]"] {
        assert!(!root.contains(part), "{part} in {root}");
    }
    let shop = world.holds(Service::new("shop").at(""));
    shop.whole.lacks(&["svc"]).has(&["src/main.rs", "testing"]);
    shop.production.lacks(&["testing"]);
}

#[test]
fn default_members_that_are_gone_are_not_named() {
    let world = World::new(
        r#"
== Cargo.toml
[workspace]
resolver = "2"
members = ["services/*", "tools/a"]
default-members = ["tools/a", "services/one"]
== service services/one
== service services/two
== service tools/a
"#,
    );
    let parts = world.holds(Service::new("two").at("services/two"));
    let root = parts.whole.text("Cargo.toml");
    assert!(
        root.contains("default-members = [\n    \"services/two\",\n]"),
        "{root}"
    );
    assert!(
        root.contains("\nmembers = [\n    \"services/two\",\n]"),
        "{root}"
    );
}

#[test]
fn a_package_alone_with_path_dependencies_below_it() {
    let world = World::new(
        r#"
== Cargo.toml
[package]
name = "svc"
version = "0.1.0"
edition = "2021"
[dependencies]
inner = { path = "inner" }
[dev-dependencies]
table = "1"
== src/main.rs
fn main() {
    println!("{}", inner::name());
}
== library inner
[dev-dependencies]
absent = { path = "../absent" }
== inner/src/lib.rs
pub fn name() -> &'static str {
    include_str!("../name.txt")
}
== inner/name.txt
inner
== crate table 1.0.0
"#,
    );
    assert_eq!(world.runs(Service::new("svc").at("")), "inner\n\n");
}

#[test]
fn a_package_alone_without_anything() {
    let world = World::new(
        r#"
== Cargo.toml
[package]
name = "svc"
version = "0.1.0"
edition = "2021"
== src/main.rs
fn main() {}
== README.md
Nothing.
"#,
    );
    let parts = world.holds(Service::new("svc").at(""));
    parts.whole.has(&["README.md"]);
    parts.production.lacks(&["README.md"]);
    let root = parts.whole.text("Cargo.toml");
    assert!(root.ends_with("[workspace]\n"), "{root}");
}

#[test]
fn a_workspace_that_is_not_at_the_root_of_its_repository() {
    let world = World::in_directory(
        "backend/rust",
        r#"
== .cargo/config.toml
[build]
rustflags = ["--cfg", "from_the_top"]
== backend/rust/Cargo.toml
[workspace]
resolver = "2"
members = ["svc"]
== service backend/rust/svc
[dependencies]
shared = { path = "../../shared" }
== backend/rust/svc/src/main.rs
fn main() {
    println!("{}{}", shared::name(), include_str!("../../../../frontend/name.txt"));
}
== library backend/shared
== backend/shared/src/lib.rs
pub fn name() -> &'static str {
    if cfg!(from_the_top) { "set" } else { "not set" }
}
== frontend/name.txt
frontend
== frontend/index.html
Nobody reads this.
"#,
    );
    let parts = world.holds("svc");
    parts
        .whole
        .has(&["backend/rust/Cargo.lock", ".cargo/config.toml"]);
    parts.whole.lacks(&["frontend/index.html"]);
    assert_eq!(world.runs("svc"), "not setfrontend\n\n");
}

#[test]
fn crates_of_another_workspace_inherit_from_its_root() {
    let world = World::in_directory(
        "main",
        r#"
== main/Cargo.toml
[workspace]
resolver = "2"
members = ["svc"]
== service main/svc
[dependencies]
theirs = { path = "../../theirs/crates/lib" }
== main/svc/src/main.rs
fn main() {
    println!("{}", theirs::TABLE);
}
== theirs/Cargo.toml
# Theirs.
[workspace]
members = ["crates/*", "tools/gone"]
default-members = ["tools/gone"]
[workspace.package]
version = "0.3.0"
edition = "2021"
[workspace.dependencies]
table = { version = "1", features = ["big"] }
unneeded = { path = "unneeded" }
[workspace.lints.rust]
unsafe_code = "forbid"
[patch.crates-io]
table = { path = "gone" }
[profile.release]
lto = true
== theirs/crates/lib/Cargo.toml
[package]
name = "theirs"
version.workspace = true
edition.workspace = true
[lints]
workspace = true
[dependencies]
table.workspace = true
inner = { path = "../inner" }
== theirs/crates/lib/src/lib.rs
pub const TABLE: bool = table::BIG;
== theirs/crates/inner/Cargo.toml
[package]
name = "inner"
version.workspace = true
edition.workspace = true
== theirs/crates/inner/src/lib.rs
== service theirs/crates/unrelated
== crate table 1.0.0
[features]
big = []
== ../registry/table-1.0.0/src/lib.rs
pub const BIG: bool = cfg!(feature = "big");
"#,
    );
    assert_eq!(world.runs("svc"), "true\n");
    let whole = world.split("svc");
    whole.has(&["theirs/Cargo.toml", "theirs/crates/inner/src/lib.rs"]);
    whole.lacks(&["theirs/crates/unrelated"]);
    let root = whole.text("theirs/Cargo.toml");
    assert!(root.contains("# Theirs."), "{root}");
    assert!(!root.contains("gone"), "{root}");
}

#[test]
fn an_excluded_workspace_inside() {
    let world = World::new(
        r#"
== Cargo.toml
[workspace]
resolver = "2"
members = ["svc"]
exclude = ["apart", "nowhere", "apart-too"]
== service svc
[dependencies]
apart = { path = "../apart" }
leaf = { path = "../apart/leaf" }
== apart/Cargo.toml
[workspace]
members = ["leaf", "fuzz"]
[workspace.package]
version = "0.2.0"
[package]
name = "apart"
version.workspace = true
[dependencies]
leaf = { path = "leaf" }
== apart/src/lib.rs
== apart/leaf/Cargo.toml
[package]
name = "leaf"
version.workspace = true
== apart/leaf/src/lib.rs
== service apart/fuzz
== service apart-too
"#,
    );
    let parts = world.holds("svc");
    parts
        .whole
        .has(&["apart/src/lib.rs", "apart/leaf/src/lib.rs"]);
    parts.whole.lacks(&["apart/fuzz", "apart-too"]);
    let root = parts.whole.text("Cargo.toml");
    assert!(root.contains("exclude = [\n    \"apart\",\n]"), "{root}");
    world.runs("svc");
}

#[test]
fn packages_inside_of_packages() {
    let world = World::new(
        r#"
== Cargo.toml
[workspace]
resolver = "2"
members = ["svc", "svc/macros", "svc/other"]
exclude = ["svc/fuzz"]
== service svc
build = "build/main.rs"
[dependencies]
macros = { path = "macros" }
== svc/build/main.rs
mod tables;
fn main() {
    tables::write();
}
== svc/build/tables.rs
pub fn write() {
    let text = std::fs::read_to_string("data/table.txt").expect("there");
    let out = std::env::var("OUT_DIR").expect("set");
    std::fs::write(format!("{out}/table.txt"), text.trim()).expect("written");
}
== svc/data/table.txt
from the table
== svc/data/unread.txt
== svc/src/main.rs
mod part;
fn main() {
    println!("{} {}", include_str!(concat!(env!("OUT_DIR"), "/table.txt")), part::NAME);
}
== svc/src/part.rs
pub const NAME: &str = macros::name!();
== svc/templates/page.html
== svc/loose/notes.txt
== library svc/macros
[lib]
proc-macro = true
== svc/macros/src/lib.rs
#[proc_macro]
pub fn name(_: proc_macro::TokenStream) -> proc_macro::TokenStream {
    "\"made\"".parse().expect("a literal")
}
== service svc/other
== svc/fuzz/Cargo.toml
[workspace]
[package]
name = "fuzz"
version = "0.1.0"
== svc/fuzz/src/main.rs
fn main() {}
"#,
    );
    assert_eq!(world.runs("svc"), "from the table made\n");
    let whole = world.split("svc");
    whole.has(&["svc/templates/page.html", "svc/macros/src/lib.rs"]);
    whole.lacks(&["svc/fuzz", "svc/other", "svc/loose"]);
}

#[test]
fn members_outside_of_the_root_that_point_at_it() {
    let world = World::in_directory(
        "root",
        r#"
== root/Cargo.toml
[workspace]
resolver = "2"
members = ["../svc", "../lib"]
[workspace.dependencies]
lib = { path = "../lib" }
unneeded = { path = "../unneeded" }
== service svc
workspace = "../root"
[dependencies]
lib.workspace = true
== library lib
workspace = "../root"
"#,
    );
    let whole = world.holds(Service::new("svc").at("../svc")).whole;
    assert!(!whole.text("root/Cargo.toml").contains("unneeded"));
}

#[test]
fn a_member_reached_through_a_link() {
    let world = World::new(
        r#"
== Cargo.toml
[workspace]
resolver = "2"
members = ["svc", "linked"]
exclude = ["real"]
== service svc
[dependencies]
linked = { path = "../linked" }
== svc/src/main.rs
fn main() {
    println!("{}", linked::NAME);
}
== library real/inner linked
== real/inner/src/lib.rs
pub const NAME: &str = include_str!("../name.txt");
== real/inner/name.txt
linked
== link linked -> real/inner
"#,
    );
    assert_eq!(world.runs("svc"), "linked\n\n");
}

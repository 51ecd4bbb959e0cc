//! Which files a split has beside manifests and the lock.

use std::os::unix::fs::PermissionsExt as _;

use super::world::{Service, World};

#[test]
fn files_outside_of_the_package_that_its_sources_name() {
    let world = World::new(
        r#"
== Cargo.toml
[workspace]
resolver = "2"
members = ["svc", "lib"]
== service svc
build = "build.rs"
license-file = "../LICENSE"
[dependencies]
lib = { path = "../lib" }
== svc/build.rs
use std::path::Path;
fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let schema = root.join("schema").join("service.proto");
    println!("cargo:rerun-if-changed={}", schema.display());
    let text = std::fs::read_to_string(schema).expect("the schema");
    println!("cargo:rustc-env=SCHEMA={}", text.trim());
}
== svc/src/main.rs
#[path = "../../shared/part.rs"]
mod part;
const PAGE: &str = include_str!("../../assets/page.txt");
const MORE: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/more.bin"));
fn main() {
    println!("{} {} {} {}", PAGE.trim(), MORE.len(), part::deep::NAME, env!("SCHEMA"));
    println!("{}", lib::README);
}
== assets/page.txt
page
== assets/more.bin
12345
== assets/unread.txt
== shared/part.rs
pub mod deep;
== shared/deep.rs
pub const NAME: &str = "deep";
== shared/unread.rs
== schema/service.proto
schema
== schema/imported.proto
== library lib
== lib/src/lib.rs
#![doc = include_str!("../README.md")]
pub const README: &str = include_str!("../../other/README.md");
== lib/README.md
The library.
== lib/CHANGELOG.md
== service other
== other/README.md
The other one.
== LICENSE
== README.md
"#,
    );
    let printed = world.runs("svc");
    assert_eq!(printed, "page 6 deep schema\nThe other one.\n\n");
    let parts = world.holds("svc");
    let both = [
        "assets/page.txt",
        "assets/more.bin",
        "shared/deep.rs",
        "schema/service.proto",
        "other/README.md",
        "lib/README.md",
    ];
    for view in [&parts.whole, &parts.production] {
        view.has(&both);
        view.lacks(&[
            "assets/unread.txt",
            "shared/unread.rs",
            "other/src",
            "README.md",
        ]);
    }
    parts.whole.has(&["lib/CHANGELOG.md", "LICENSE"]);
    parts.production.lacks(&["lib/CHANGELOG.md"]);
}

#[test]
fn the_usual_directories_of_the_usual_macros() {
    let world = World::new(
        r#"
== Cargo.toml
[workspace]
resolver = "2"
members = ["svc"]
== service svc
== svc/src/main.rs
mod sqlx {
    macro_rules! migrate {
        ($path:literal) => {
            ()
        };
    }
    pub(crate) use migrate;
}
fn main() {
    sqlx::migrate!("../migrations");
}
== migrations/1.sql
== .sqlx/query-1.json
"#,
    );
    world.holds("svc").production.has(&["migrations/1.sql"]);
}

#[test]
fn what_git_ignores_is_no_source_unless_it_is_an_input() {
    let text = r#"
== .gitignore
*.tmp
/svc/generated/*
!/svc/generated/kept.rs
notes/
== svc/.gitignore
local.*
== Cargo.toml
[workspace]
resolver = "2"
members = ["svc"]
== service svc
[package.metadata.lighter]
inputs = ["generated/**"]
== svc/src/main.rs
include!("../generated/code.rs");
fn main() {
    println!("{NAME}");
}
== svc/generated/code.rs
pub const NAME: &str = "generated";
== svc/generated/kept.rs
== svc/local.toml
== svc/x.tmp
== svc/notes/a.txt
== svc/kept.txt
== svc/target/debug/program
== svc/target/CACHEDIR.TAG
Signature: 8a477f597d28d172789f06886806bc55
# This file is a cache directory tag created by cargo.
"#;
    let with_git = World::new(text);
    let without_git = World::without_git("", text);
    crate::support::tools::run(
        without_git
            .cargo(without_git.workspace())
            .arg("generate-lockfile"),
    );
    let mut listings = Vec::new();
    for world in [with_git, without_git] {
        assert_eq!(world.runs("svc"), "generated\n");
        let whole = world.split("svc");
        whole.has(&[
            "svc/generated/code.rs",
            "svc/generated/kept.rs",
            "svc/kept.txt",
        ]);
        whole.lacks(&["svc/local.toml", "svc/x.tmp", "svc/notes", "svc/target"]);
        listings.push(whole.files());
    }
    assert_eq!(listings[0], listings[1]);
}

#[test]
fn files_that_rule_the_whole_workspace() {
    let world = World::new(
        r#"
== rust-toolchain.toml
[toolchain]
channel = "{toolchain}"
== .cargo/config.toml
include = ["more.toml", { path = "absent.toml", optional = true }]
[env]
TABLE = { value = "tables/table.txt", relative = true }
[target.'cfg(not(unix))']
runner = "tools/run.sh"
== .cargo/more.toml
[build]
rustflags = ["--cfg", "included"]
== tables/table.txt
from the table
== executable tools/run.sh
#!/bin/sh
== tools/unread.sh
== Cargo.toml
[workspace]
resolver = "2"
members = ["svc"]
== service svc
== svc/src/main.rs
fn main() {
    println!("{}", cfg!(included));
}
"#,
    );
    let parts = world.holds("svc");
    for view in [&parts.whole, &parts.production] {
        view.has(&[
            "rust-toolchain.toml",
            ".cargo/config.toml",
            ".cargo/more.toml",
            "tables/table.txt",
            "tools/run.sh",
        ]);
        view.lacks(&["tools/unread.sh"]);
        let mode = view.root().join("tools/run.sh").metadata().expect("there");
        assert_eq!(mode.permissions().mode() & 0o111, 0o111);
        let mode = view.root().join("tables/table.txt").metadata();
        assert_eq!(mode.expect("there").permissions().mode() & 0o111, 0);
    }
}

#[test]
fn configuration_above_the_repository_is_told_once() {
    let world = World::new(
        r#"
== ../.cargo/config.toml
[source.crates-io]
replace-with = "above"
[source.above]
directory = "above"
== ../above/table-1.0.0/Cargo.toml
[package]
name = "table"
version = "1.0.0"
== ../above/table-1.0.0/src/lib.rs
== ../above/table-1.0.0/.cargo-checksum.json
{"files":{},"package":"00000000000000000000000000000000000000000000000000000000000000aa"}
== Cargo.toml
[workspace]
resolver = "2"
members = ["svc", "other"]
== service svc
[dependencies]
table = "1"
== service other
"#,
    );
    let run = world.run_split(&[]).expect(0);
    let path = world.path("../.cargo/config.toml");
    let warning = format!(
        "`{}` rules the workspace, but lies outside of the repository: splits will not have it",
        path.display()
    );
    assert_eq!(run.stderr.matches(&warning).count(), 1, "{}", run.stderr);
    assert_eq!(run.lines().len(), 2);
}

#[test]
fn inputs_and_assets_are_there() {
    let world = World::new(
        r#"
== .gitignore
*.generated
== Cargo.toml
[workspace]
resolver = "2"
members = ["svc", "nested", "nested/inner"]
== service svc
[package.metadata.lighter]
inputs = ["/specs/*.json", "env:TOKEN", "/one.generated"]
assets = [{ from = "/public", to = "/app/public" }, { from = "pages/*.html", to = "/app/pages" }]
== specs/a.json
== specs/auth.json
== specs/b.txt
== one.generated
== public/deep/a.css
== public/b.generated
== public/token.txt
== svc/pages/index.html
== service nested
[package.metadata.lighter]
assets = [{ from = "data/a.txt", to = "/app/" }]
== nested/data/a.txt
== nested/data/b.txt
== service nested/inner
"#,
    );
    let svc = world.holds("svc");
    for view in [&svc.whole, &svc.production] {
        view.has(&[
            "specs/a.json",
            // An asset would leave it out; a build may read it.
            "specs/auth.json",
            "one.generated",
            "public/deep/a.css",
            "public/b.generated",
            "svc/pages/index.html",
        ]);
        view.lacks(&["specs/b.txt", "public/token.txt", "nested"]);
    }
    let nested = world.holds("nested").production;
    nested.has(&["nested/data/a.txt"]);
    nested.lacks(&["nested/data/b.txt", "nested/inner"]);
}

#[test]
fn two_services_of_one_package_have_their_own_assets() {
    let world = World::new(
        r#"
== Cargo.toml
[package]
name = "tools"
version = "0.1.0"
edition = "2021"
[package.metadata.lighter.bin.one]
assets = [{ from = "one.txt", to = "/app/" }]
[workspace]
members = ["inner"]
== src/bin/one.rs
fn main() {}
== src/bin/two.rs
fn main() {}
== one.txt
== service inner
"#,
    );
    let one = world.holds(Service::new("one").at("")).production;
    let two = world.holds(Service::new("two").at("")).production;
    one.has(&["one.txt"]);
    two.lacks(&["one.txt"]);
}

//! Which packages a split has, and with which features.

use super::world::{Service, World};

/// Two services whose shared crate has more features turned on by one of them.
const FEATURE_LEAK: &str = r#"
== Cargo.toml
[workspace]
resolver = "2"
members = ["plain", "rich", "common"]
== service plain
[dependencies]
common = { path = "../common" }
== plain/src/main.rs
fn main() {
    println!("{}", common::kind());
}
== service rich
[dependencies]
common = { path = "../common" }
table = { version = "1", features = ["encoding"] }
== library common
[dependencies]
table = "1"
== common/src/lib.rs
pub fn kind() -> &'static str {
    table::KIND
}
== crate table 1.0.0
[dependencies]
encoder = { version = "1", optional = true }
[features]
encoding = ["dep:encoder"]
== ../registry/table-1.0.0/src/lib.rs
pub const KIND: &str = if cfg!(feature = "encoding") { "encoding" } else { "plain" };
== crate encoder 1.0.0
[dependencies]
macros = "1"
== crate macros 1.0.0
"#;

#[test]
fn dependencies_that_only_another_service_turns_on_are_not_locked() {
    let world = World::new(FEATURE_LEAK);
    assert_eq!(world.runs("plain"), "plain\n");
    let plain = world.split("plain");
    assert_eq!(
        plain.locked(),
        ["common 0.1.0", "plain 0.1.0", "table 1.0.0"]
    );
    let rich = world.holds("rich").whole;
    assert_eq!(rich.locked().len(), 5);
}

#[test]
fn every_manifest_that_cargo_loads_is_there() {
    let world = World::new(
        r#"
== Cargo.toml
[workspace]
resolver = "2"
members = ["svc", "other"]
exclude = ["apart"]
== service svc
[dependencies]
unlisted = { path = "unlisted" }
off = { path = "../apart/off", optional = true }
[target.'cfg(windows)'.dependencies]
windows-only = { path = "../apart/windows-only" }
[build-dependencies]
tool = { path = "../apart/tool" }
[dev-dependencies]
testing = { path = "../testing" }
[features]
all = ["dep:off"]
== service other
== library svc/unlisted
== library apart/off
[dependencies]
off-inner = { path = "../off-inner" }
== library apart/off-inner
== library apart/windows-only
== library apart/tool
[dev-dependencies]
nowhere = { path = "../nowhere" }
== library testing
"#,
    );
    let parts = world.holds("svc");
    parts
        .whole
        .has(&["apart/off-inner/src/lib.rs", "testing/Cargo.toml"]);
    parts.whole.lacks(&["other"]);
    parts.production.lacks(&["other", "testing"]);
    assert_eq!(parts.whole.locked().len(), 7);
    assert_eq!(parts.production.locked().len(), 6);
    // Without asking for other platforms' packages, and with what is off turned on.
    world.run_split(&["svc", "--offline"]).expect(0);
    world.holds(Service::new("svc").features("all"));
}

#[test]
fn optional_and_foreign_platforms_path_dependencies_outside_of_the_root_are_there() {
    let world = World::in_directory(
        "main",
        r#"
== main/Cargo.toml
[workspace]
resolver = "2"
members = ["svc"]
== service main/svc
[dependencies]
off = { path = "../../shared/off", optional = true }
[target.'cfg(windows)'.dependencies]
windows-only = { path = "../../shared/windows-only" }
== library shared/off
[dependencies]
inner = { path = "../inner", optional = true }
== library shared/inner
== library shared/windows-only
"#,
    );
    let parts = world.holds("svc");
    let all = [
        "main/svc/src/main.rs",
        "shared/off/src/lib.rs",
        "shared/inner/src/lib.rs",
        "shared/windows-only/src/lib.rs",
    ];
    parts.whole.has(&all);
    parts.production.has(&all);
    let offline = world.run_split(&["svc", "--offline"]).expect(0);
    assert!(offline.stdout.ends_with("svc/main/Cargo.toml\n"));
    let out = world.out().join("svc");
    for path in all {
        assert!(out.join(path).is_file(), "{path}");
    }
}

#[test]
fn the_first_resolver_keeps_its_dev_dependencies() {
    let world = World::new(
        r#"
== Cargo.toml
[workspace]
members = ["svc"]
== service svc
[dependencies]
table = "1"
[dev-dependencies]
table = { version = "1", features = ["extra"] }
== svc/src/main.rs
fn main() {
    println!("{}", table::EXTRA);
}
== crate table 1.0.0
[features]
extra = []
== ../registry/table-1.0.0/src/lib.rs
pub const EXTRA: bool = cfg!(feature = "extra");
"#,
    );
    world.holds_whole("svc");
    world.run_split(&["svc", "--no-dev-deps"]).refuses(
        2,
        "the workspace has `resolver = \"1\"`, which lets dev-dependencies turn on features of the program",
        "leave `--no-dev-deps` away, or set `resolver = \"2\"` in the root manifest",
    );
}

#[test]
fn renamed_dependencies_and_two_versions_of_one_crate() {
    let world = World::new(
        r#"
== Cargo.toml
[workspace]
resolver = "3"
members = ["svc", "core", "other"]
[workspace.dependencies]
old-number = { package = "number", version = "1" }
== service svc
[dependencies]
heart = { path = "../core", package = "core-of-it" }
number = "2"
== svc/src/main.rs
fn main() {
    println!("{} {}", heart::number(), number::VERSION);
}
== library core core-of-it
[dependencies]
old-number = { workspace = true }
== core/src/lib.rs
pub fn number() -> u32 {
    old_number::VERSION
}
== service other
[dependencies]
number = "3"
== crate number 1.0.0
== ../registry/number-1.0.0/src/lib.rs
pub const VERSION: u32 = 1;
== crate number 2.0.0
== ../registry/number-2.0.0/src/lib.rs
pub const VERSION: u32 = 2;
== crate number 3.0.0
"#,
    );
    assert_eq!(world.runs("svc"), "1 2\n");
    let locked = world.split("svc").locked();
    assert_eq!(
        locked,
        [
            "core-of-it 0.1.0",
            "number 1.0.0",
            "number 2.0.0",
            "svc 0.1.0"
        ]
    );
}

#[test]
fn one_name_and_version_from_two_sources() {
    let world = World::new(
        r#"
== Cargo.toml
[workspace]
resolver = "2"
members = ["svc", "other", "number"]
== service svc
[dependencies]
number = "0.1.0"
== svc/src/main.rs
fn main() {
    println!("{}", number::FROM);
}
== service other
[dependencies]
number = { path = "../number" }
both = { path = "../both" }
== library both
[dependencies]
number = { path = "../number" }
theirs = { package = "number", version = "0.1" }
== library number
== number/src/lib.rs
pub const FROM: &str = "here";
== crate number 0.1.0
== ../registry/number-0.1.0/src/lib.rs
pub const FROM: &str = "the registry";
"#,
    );
    assert_eq!(world.runs("svc"), "the registry\n");
    let svc = world.split("svc");
    svc.lacks(&["number"]);
    let other = world.holds("other").whole;
    other.has(&["number/src/lib.rs"]);
    assert_eq!(
        other.locked(),
        ["both 0.1.0", "number 0.1.0", "number 0.1.0", "other 0.1.0"]
    );
}

#[test]
fn a_service_named_as_a_crate_of_the_registry() {
    let world = World::new(
        r#"
== Cargo.toml
[workspace]
resolver = "2"
members = ["table"]
== service table
[dependencies]
theirs = { package = "table", version = "1" }
== crate table 1.0.0
"#,
    );
    let locked = world.holds("table").whole.locked();
    assert_eq!(locked, ["table 0.1.0", "table 1.0.0"]);
}

#[test]
fn a_binary_of_another_name_than_its_package_takes_only_what_it_needs() {
    let world = World::new(
        r#"
== Cargo.toml
[workspace]
resolver = "2"
members = ["orders", "users"]
== service orders
[[bin]]
name = "server-of-orders"
path = "src/main.rs"
== service users
[dependencies]
table = "1"
== crate table 1.0.0
"#,
    );
    let service = Service::new("server-of-orders").at("orders");
    let whole = world.holds(service).whole;
    whole.lacks(&["users"]);
    assert_eq!(whole.locked(), ["orders 0.1.0"]);
}

#[test]
fn dev_dependencies_that_lead_back_to_the_package() {
    let world = World::new(
        r#"
== Cargo.toml
[workspace]
resolver = "2"
members = ["svc", "model", "testing"]
== service svc
[dependencies]
model = { path = "../model" }
== library model
[features]
fakes = []
[dev-dependencies]
testing = { path = "../testing" }
== library testing
[dependencies]
model = { path = "../model", features = ["fakes"] }
"#,
    );
    let parts = world.holds("svc");
    parts.whole.has(&["testing/Cargo.toml"]);
    parts.production.lacks(&["testing"]);
}

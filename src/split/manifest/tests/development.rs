//! Manifests without development.

use std::path::Path;

use super::world::{members, package};
use crate::split::manifest::{Development, strip_development};

fn strip(text: &str, left: Development) -> String {
    let path = Path::new("Cargo.toml");
    let once = strip_development(path, text, left).expect("TOML");
    let twice = strip_development(path, &once, left).expect("TOML");
    assert_eq!(once, twice);
    once
}

const ALL: &str = r#"[package]
name = "a"
version = "0.1.0"
edition = "2021"
readme = "README.md"
autobenches = true

[features]
default = ["mock/std", "std"]
std = ["both/std", "mock?/std", "dep:opt"]
test = [
    "mock/x", # for tests
    "win/x",
]

[dependencies]
both = { path = "both" }
opt = { path = "opt", optional = true }

[dev-dependencies]
both = { path = "both" }
mock = { path = "mock" }

[target.'cfg(windows)'.dev_dependencies]
win = { path = "win" }

[target.'cfg(unix)'.dependencies]
both = { path = "both" }

[target.'cfg(unix)'.dev-dependencies]
mock = { path = "mock" }

# Slow.
[[bench]]
name = "slow"
harness = false

[[test]]
name = "it"
path = "tests/it/main.rs"

[[example]]
name = "show"

[profile.release]
lto = true
"#;

#[test]
fn only_what_is_built_stays() {
    let left = Development {
        tests: true,
        benches: true,
        examples: false,
    };
    let text = strip(ALL, left);
    assert_eq!(
        text,
        r#"[package]
name = "a"
version = "0.1.0"
edition = "2021"
readme = "README.md"
autobenches = false
autotests = false

[features]
default = ["std"]
std = ["both/std", "dep:opt"]
test = [
]

[dependencies]
both = { path = "both" }
opt = { path = "opt", optional = true }

[target.'cfg(unix)'.dependencies]
both = { path = "both" }

[profile.release]
lto = true
"#
    );
    let (both, opt) = (
        package("both", "[features]\nstd = []\n"),
        package("opt", ""),
    );
    let files = [
        (
            "Cargo.toml",
            text.replace("[profile.release]", "[workspace]\n[profile.release]"),
        ),
        ("both/Cargo.toml", both),
        ("opt/Cargo.toml", opt),
    ];
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(file, text)| (*file, text.as_str()))
        .collect();
    assert_eq!(members(&files), ["a", "both", "opt"]);
}

#[test]
fn a_manifest_without_development_stays_byte_for_byte() {
    let text = "# Ours\r\n[package]\nname='a'\r\nversion = \"0.1.0\"   # odd\n[dependencies]\nb={path=\"b\"}";
    assert_eq!(strip(text, Development::default()), text);
}

#[test]
fn dotted_and_inline_forms_are_stripped_too() {
    let text = "package.name = \"a\"\npackage.version = \"0.1.0\"\ndev-dependencies.x = \"1\"\ntarget = { 'cfg(unix)' = { dev-dependencies = { y = \"1\" } } }\nfeatures = { f = [\"x/z\", \"y/z\"] }\nbench = [{ name = \"b\" }]\n";
    let left = Development {
        tests: true,
        ..Development::default()
    };
    let changed = strip(text, left);
    assert_eq!(
        changed,
        "package.name = \"a\"\npackage.version = \"0.1.0\"\npackage.autotests = false\nfeatures = { f = [] }\n"
    );
}

//! What manifests say about other files.

use std::path::Path;

use toml_edit::DocumentMut;

use crate::split::manifest::{
    inherited_dependencies, inherits, outside_paths, parse, workspace_pointer,
};

fn document(text: &str) -> DocumentMut {
    parse(Path::new("Cargo.toml"), text).expect("TOML")
}

#[test]
fn inherited_dependencies_are_found_in_every_table_and_form() {
    let document = document(
        r#"
[dependencies]
a.workspace = true
b = { workspace = true, optional = true }
c = { workspace = false }
d = "1"
[dependencies.e]
workspace = true
features = ["x"]
[build_dependencies]
f.workspace = true
[dev-dependencies]
g.workspace = true
[target.'cfg(unix)'.dependencies]
h.workspace = true
[target.'cfg(unix)'.dev_dependencies]
i.workspace = true
[target.'cfg(unix)'.build-dependencies]
j.workspace = true
"#,
    );
    let names =
        |dev| -> Vec<String> { inherited_dependencies(&document, dev).into_iter().collect() };
    assert_eq!(names(false), ["a", "b", "e", "f", "h", "j"]);
    assert_eq!(names(true), ["a", "b", "e", "f", "g", "h", "i", "j"]);
}

#[test]
fn anything_inherited_counts() {
    for text in [
        "package.edition.workspace = true",
        "[package]\nlicense-file = { workspace = true }",
        "[lints]\nworkspace = true",
        "badges.workspace = true",
        "dev_dependencies.a = { workspace = true }",
        "[target.x86_64-unknown-linux-gnu.dependencies.a]\nworkspace = true",
    ] {
        assert!(inherits(&document(text)), "{text}");
    }
    for text in [
        "",
        "[package]\nname = \"a\"\nworkspace = \"..\"",
        "[workspace]\npackage = { edition = \"2021\" }",
        "[dependencies]\nworkspace = \"1\"",
        "[package.metadata]\nworkspace = true",
    ] {
        assert!(!inherits(&document(text)), "{text}");
    }
}

#[test]
fn files_outside_are_found_where_they_can_be_named() {
    let text = r#"
[package]
name = "a"
description = "see ../docs"
readme = "../README.md"
license-file = "LICENSE"
build = "../build.rs"
workspace = "../.."
include = ["../not"]

[package.metadata.lighter]
include = ["../proto/**", "near/..", "a..b"]
assets = [{ from = "x\\..\\y" }]
[[package.metadata.tool.list]]
deep = { file = "../deep" }

[lib]
path = "../lib.rs"
[[bin]]
name = "../b"
path = "../bin.rs"
[dependencies]
b = { path = "../b" }
"#;
    let document = document(text);
    assert_eq!(
        outside_paths(&document),
        [
            "../README.md",
            "../bin.rs",
            "../build.rs",
            "../deep",
            "../lib.rs",
            "../proto/**",
            "near/..",
            "x\\..\\y",
        ]
    );
    assert_eq!(workspace_pointer(&document), Some("../.."));
    let inline = self::document("bin = [{ path = '../x.rs' }]\nproject.readme = '../r'\n");
    assert_eq!(outside_paths(&inline), ["../r", "../x.rs"]);
}

//! Root manifests, with cargo as the judge of those that matter most.

use std::collections::BTreeSet;
use std::path::Path;

use toml_edit::Item;

use super::world::{members, package};
use crate::split::manifest::{RootRequest, rewrite_foreign_root, rewrite_root};

/// A request in owned parts.
struct Wanted {
    members: &'static [&'static str],
    default_members: &'static [&'static str],
    excludes: &'static [&'static str],
    keep_package: bool,
    resolver: &'static str,
    dependencies: &'static [&'static str],
    patches: &'static [(&'static str, &'static str)],
    overrides: &'static [&'static str],
}

const NOTHING: Wanted = Wanted {
    members: &[],
    default_members: &[],
    excludes: &[],
    keep_package: false,
    resolver: "2",
    dependencies: &[],
    patches: &[],
    overrides: &[],
};

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn rewrite(text: &str, wanted: &Wanted) -> String {
    let dependencies: BTreeSet<String> = owned(wanted.dependencies).into_iter().collect();
    let request = RootRequest {
        members: &owned(wanted.members),
        default_members: &owned(wanted.default_members),
        excludes: &owned(wanted.excludes),
        keep_package: wanted.keep_package,
        resolver: wanted.resolver,
        workspace_dependencies: &dependencies,
        patches: &|source, key, _| wanted.patches.contains(&(source, key)),
        replacements: &|key, _: &Item| wanted.overrides.contains(&key),
        profile_packages: &|specification| wanted.overrides.contains(&specification),
    };
    let once = rewrite_root(Path::new("Cargo.toml"), text, &request).expect("TOML");
    let twice = rewrite_root(Path::new("Cargo.toml"), &once, &request).expect("TOML");
    assert_eq!(once, twice, "a second rewrite changes nothing");
    once
}

const GLOBS: &str = r#"# Copyright of everybody.

[workspace]
resolver = "2"
# Everything below.
members = ["services/*", "libs/*"] # globs
default-members = ["services/*"]
exclude = ["fuzz", "gone"]

[workspace.package]
edition = "2021" # stays

[workspace.dependencies]
# Text.
serde = "1"
common = { path = "libs/common" }
unused = { path = "libs/unused" }

[profile.release]
lto = true

[profile.release.package."*"]
opt-level = 2

[profile.dev.package.gone]
opt-level = 3

[profile.dev.package."foo:1.2"]
opt-level = 1

[profile.dev.package."foo@1.3"]
opt-level = 1
"#;

#[test]
fn globs_become_the_members_that_are_kept() {
    let wanted = Wanted {
        members: &["libs/common", "services/a"],
        excludes: &["fuzz"],
        keep_package: true,
        dependencies: &["common"],
        overrides: &["foo@1.3"],
        ..NOTHING
    };
    let text = rewrite(GLOBS, &wanted);
    assert_eq!(
        text,
        r#"# Copyright of everybody.

[workspace]
resolver = "2"
# Everything below.
members = [
    "libs/common",
    "services/a",
]
exclude = [
    "fuzz",
]

[workspace.package]
edition = "2021" # stays

[workspace.dependencies]
common = { path = "libs/common" }

[profile.release]
lto = true

[profile.release.package."*"]
opt-level = 2

[profile.dev.package."foo@1.3"]
opt-level = 1
"#
    );
    let common = package("common", "");
    let service = package("a", "[dependencies]\ncommon.workspace = true\n");
    let inner =
        "[workspace]\n[package]\nname = \"fuzz\"\nversion = \"0.0.0\"\nedition = \"2021\"\n";
    let files = [
        ("Cargo.toml", text.as_str()),
        ("libs/common/Cargo.toml", &common),
        ("services/a/Cargo.toml", &service),
        ("fuzz/Cargo.toml", inner),
    ];
    assert_eq!(members(&files), ["a", "common"]);
}

/// Facts, table 10: a virtual manifest without a resolver has the first one, whatever the edition of
/// the package that was there.
#[test]
fn a_root_package_that_goes_leaves_its_resolver() {
    let text = r#"cargo-features = []

# The program.
[package]
name = "root"
version = "0.1.0"
edition = "2021"
default-run = "root"

[package.metadata.lighter]
skip = true

[lib]
path = "src/lib.rs"

[[bin]]
name = "root"

[features]
default = ["a/std"]

[dependencies]
a = { path = "a" }

[dev_dependencies]
b = { path = "b" }

[target.'cfg(windows)'.dependencies]
b = { path = "b" }

[lints.rust]
unused = "warn"

[hints]
mostly-unused = true

[badges]
x = {}

[workspace]
members = ["a", "b"]

[workspace.lints.rust]
unused = "deny"

[profile.release]
strip = true # small
"#;
    let wanted = Wanted {
        members: &["a"],
        default_members: &["a"],
        ..NOTHING
    };
    let changed = rewrite(text, &wanted);
    assert_eq!(
        changed,
        r#"cargo-features = []

[workspace]
members = [
    "a",
]
default-members = [
    "a",
]
resolver = "2"

[workspace.lints.rust]
unused = "deny"

[profile.release]
strip = true # small
"#
    );
    let a = package("a", "[lints]\nworkspace = true\n");
    assert_eq!(
        members(&[("Cargo.toml", &changed), ("a/Cargo.toml", &a)]),
        ["a"]
    );
}

#[test]
fn a_resolver_that_is_said_is_corrected_or_left() {
    let said = "[workspace]\nresolver = \"2\" # said\nmembers = [\n    \"a\",\n]\n";
    let wanted = Wanted {
        members: &["a"],
        ..NOTHING
    };
    assert_eq!(rewrite(said, &wanted), said);
    let of_package = "[package]\nname = \"r\"\nresolver = \"1\"\n\n[workspace]\n";
    let first = Wanted {
        resolver: "1",
        ..wanted
    };
    assert_eq!(
        rewrite(of_package, &first),
        "[workspace]\nmembers = [\n    \"a\",\n]\nresolver = \"1\"\n"
    );
}

#[test]
fn hakari_keeps_the_patch_that_leads_to_a_member() {
    let text = r#"[workspace]
members = ["app", "hack", "other"]
resolver = "2"

[patch.crates-io]
# Made by cargo hakari.
workspace-hack = { path = "hack" }
unused = { path = "gone" }

[patch."https://git.example/foo"]
foo2 = { package = "foo", path = "gone-too" }

[replace]
"old:1.0.0" = { path = "gone-as-well" }
"#;
    let wanted = Wanted {
        members: &["app", "hack"],
        patches: &[("crates-io", "workspace-hack")],
        keep_package: true,
        ..NOTHING
    };
    let changed = rewrite(text, &wanted);
    assert_eq!(
        changed,
        r#"[workspace]
members = [
    "app",
    "hack",
]
resolver = "2"

[patch.crates-io]
# Made by cargo hakari.
workspace-hack = { path = "hack" }
"#
    );
    let app = package("app", "[dependencies]\nworkspace-hack = \"0.1\"\n");
    let hack = package("workspace-hack", "");
    let files = [
        ("Cargo.toml", changed.as_str()),
        ("app/Cargo.toml", &app),
        ("hack/Cargo.toml", &hack),
    ];
    assert_eq!(members(&files), ["app", "workspace-hack"]);
    let renamed = Wanted {
        patches: &[("https://git.example/foo", "foo2")],
        overrides: &["old:1.0.0"],
        ..wanted
    };
    let other = rewrite(text, &renamed);
    assert!(!other.contains("crates-io"), "{other}");
    assert!(other.contains("foo2 = { package = \"foo\", path = \"gone-too\" }"));
    assert!(other.contains("[replace]"), "{other}");
}

#[test]
fn every_form_of_the_workspace_table_is_edited() {
    let wanted = Wanted {
        members: &["a"],
        dependencies: &["x"],
        ..NOTHING
    };
    let forms = [
        "workspace = { members = [\"*\"], dependencies = { x = \"1\", y = \"1\" } }\n",
        "workspace.members = [\"*\"]\nworkspace.dependencies.x = \"1\"\nworkspace.dependencies.y = \"1\"\n",
        "[workspace.dependencies]\nx = \"1\"\ny = \"1\"\n",
        "[workspace]\nmembers = [\"*\"]\n[workspace.dependencies.x]\nversion = \"1\"\n[workspace.dependencies.y]\nversion = \"1\"\n",
        "[package]\nname = \"r\"\nversion = \"0.1.0\"\n[workspace.dependencies]\nx = \"1\"\n",
    ];
    let a = package("a", "");
    for form in forms {
        let changed = rewrite(form, &wanted);
        assert!(!changed.contains('y'), "{changed}");
        assert!(changed.contains("resolver = \"2\""), "{changed}");
        let files = [("Cargo.toml", changed.as_str()), ("a/Cargo.toml", &a)];
        assert_eq!(members(&files), ["a"], "{changed}");
    }
}

#[test]
fn windows_line_ends_stay() {
    let text = GLOBS.replace('\n', "\r\n");
    let wanted = Wanted {
        members: &["libs/common"],
        ..NOTHING
    };
    let changed = rewrite(&text, &wanted);
    assert_eq!(changed.replace("\r\n", "\n"), rewrite(GLOBS, &wanted));
    assert_eq!(
        changed.matches('\n').count(),
        changed.matches("\r\n").count()
    );
}

/// Without it, a split below another workspace would belong to that one.
#[test]
fn a_package_alone_becomes_a_workspace_of_its_own() {
    let text = package(
        "alone",
        "\n[dependencies]\nlocal = { path = \"local\" } # here\n",
    );
    let wanted = Wanted {
        keep_package: true,
        excludes: &["local"],
        ..NOTHING
    };
    let changed = rewrite(&text, &wanted);
    let added = "\n# A workspace of its own, also in a directory below another workspace.\n[workspace]\nexclude = [\n    \"local\",\n]\n";
    assert_eq!(changed, format!("{text}{added}"));
    let local = package("local", "");
    let files = [
        ("inner/Cargo.toml", changed.as_str()),
        ("inner/local/Cargo.toml", &local),
        ("Cargo.toml", "[workspace]\n"),
    ];
    assert_eq!(members(&files), ["alone"], "local is no member, as before");
}

#[test]
fn a_package_alone_that_goes_leaves_a_workspace() {
    let wanted = Wanted {
        members: &["local"],
        ..NOTHING
    };
    let text = package("alone", "[dependencies]\nlocal = { path = \"local\" }\n");
    let changed = rewrite(&text, &wanted);
    let local = package("local", "");
    let files = [
        ("Cargo.toml", changed.as_str()),
        ("local/Cargo.toml", &local),
    ];
    assert_eq!(members(&files), ["local"]);
}

#[test]
fn what_is_not_toml_is_named_with_its_line() {
    let result = rewrite_foreign_root(Path::new("far/Cargo.toml"), "[a]\nb = \n", &[], false);
    let error = result.expect_err("no value");
    assert!(
        error
            .to_string()
            .starts_with("`far/Cargo.toml` is not TOML (line 2): "),
        "{error}"
    );
}

const FOREIGN: &str = r#"# Theirs.
[package]
name = "theirs"
version = "0.1.0"
edition = "2021"

[dependencies]
near = { path = "near" }

[workspace]
members = ["near", "far/*"]
default-members = ["far/a"]
exclude = ["x"]
resolver = "2"

[workspace.package]
version = "1.2.3"

[workspace.dependencies]
serde = "1"

[workspace.lints.rust]
unused = "warn"

[workspace.metadata.tool]
key = 1

[profile.release]
lto = true

[patch.crates-io]
serde = { path = "gone" }
"#;

#[test]
fn a_foreign_root_keeps_what_is_inherited() {
    let path = Path::new("Cargo.toml");
    let text = rewrite_foreign_root(path, FOREIGN, &["near".to_owned()], false).expect("TOML");
    assert_eq!(
        text,
        r#"[workspace]
members = [
    "near",
]
resolver = "2"

[workspace.package]
version = "1.2.3"

[workspace.dependencies]
serde = "1"

[workspace.lints.rust]
unused = "warn"

[workspace.metadata.tool]
key = 1
"#
    );
    let near = "[package]\nname = \"near\"\nversion.workspace = true\nedition = \"2021\"\n[dependencies]\nserde.workspace = true\n[lints]\nworkspace = true\n";
    let ours = package(
        "ours",
        "[dependencies]\nnear = { path = \"../theirs/near\" }\n",
    );
    let files = [
        ("ours/Cargo.toml", ours.as_str()),
        ("theirs/Cargo.toml", &text),
        ("theirs/near/Cargo.toml", near),
    ];
    assert_eq!(members(&files), ["ours"]);
    let with_package = rewrite_foreign_root(path, FOREIGN, &[], true).expect("TOML");
    assert!(with_package.starts_with("# Theirs.\n[package]\n"));
    assert!(with_package.contains("[dependencies]\nnear"));
    assert!(!with_package.contains("members") && !with_package.contains("profile"));
}

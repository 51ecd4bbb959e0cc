//! What a release is called: `cargo binstall` must find what `.ci/release` makes.

use std::path::Path;
use std::process::Command;

use crate::support::tools::{run, skipped};

const TARGET: &str = "x86_64-unknown-linux-musl";

#[test]
fn binstall_looks_for_the_archives_that_a_release_has() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs_err::read_to_string(root.join("Cargo.toml")).expect("readable");
    let manifest: toml_edit::DocumentMut = text.parse().expect("a manifest");
    let binstall = &manifest["package"]["metadata"]["binstall"];
    let value = |key: &str| {
        let pattern = binstall[key].as_str().expect(key);
        let values = [
            ("{ repo }", "https://git.example.com/harbour/cargo-lighter"),
            ("{ version }", env!("CARGO_PKG_VERSION")),
            ("{ name }", "cargo-lighter"),
            ("{ bin }", "cargo-lighter"),
            ("{ target }", TARGET),
            ("{ binary-ext }", ""),
        ];
        values
            .iter()
            .fold(pattern.to_owned(), |text, (name, value)| {
                text.replace(name, value)
            })
    };
    let archive = run(Command::new(root.join(".ci/release")).args(["--names", TARGET]));
    let archive = archive.trim_end();
    let url = value("pkg-url");
    assert!(!url.contains('{'), "{url}");
    assert!(url.ends_with(&format!("/{archive}")), "{url}, {archive}");
    let stem = archive.strip_suffix(".tar.gz").expect("an archive");
    assert_eq!(value("bin-dir"), format!("{stem}/cargo-lighter"));
    assert_eq!(value("pkg-fmt"), "tgz");
}

#[test]
fn a_release_has_the_same_bytes_from_two_places_and_runs() {
    if std::env::var_os("LIGHTER_TEST_LONG").is_none_or(|value| value != "1") {
        skipped("LIGHTER_TEST_LONG is not 1, no release is built, which takes minutes");
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut check = Command::new(root.join(".ci/release"));
    run(check.arg("--check").env("LIGHTER_RELEASE_PROFILE", "dev"));
}

//! Workspaces that the real cargo judges, outside the repository.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// A library's manifest.
pub(super) fn package(name: &str, rest: &str) -> String {
    format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n{rest}")
}

/// The names of the members, as cargo sees a workspace of these files; the last part of a manifest's
/// directory also gets a `src/lib.rs`. What cargo warns about fails too.
#[track_caller]
pub(super) fn members(files: &[(&str, &str)]) -> Vec<String> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    for (file, text) in files {
        let path = directory.path().join(file);
        let parent = path.parent().expect("has a parent");
        fs_err::create_dir_all(parent.join("src")).expect("created");
        fs_err::write(&path, text).expect("written");
        fs_err::write(parent.join("src/lib.rs"), "").expect("written");
    }
    let answer = metadata(directory.path(), files[0].0);
    let packages = answer["packages"].as_array().expect("an array");
    let mut names: Vec<String> = packages
        .iter()
        .map(|package| package["name"].as_str().expect("a text").to_owned())
        .collect();
    names.sort();
    names
}

#[track_caller]
fn metadata(directory: &Path, manifest: &str) -> Value {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--offline",
            "--no-deps",
            "--format-version",
            "1",
        ])
        .arg("--manifest-path")
        .arg(directory.join(manifest))
        .current_dir(directory)
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.is_empty(), "{said}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

//! Ways out of the workspace: splits with their dependencies, and the proof that they give the same
//! executables.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use tempfile::TempDir;

use crate::support::cli::{Lighter, Run};
use crate::support::tools::output;
use crate::support::workspace::{Checkout, manifest, shop};

fn split(checkout: &Path, out: &Path, more: &[&str]) -> Run {
    Lighter::at(checkout)
        .args(["split", "--offline", "--out"])
        .args([out])
        .args(more)
        .run()
}

/// cargo in `directory` with nothing but what is there.
fn lone_cargo(directory: &Path, home: &Path, arguments: &[&str]) -> Command {
    // The toolchain's own cargo: rustup's looks for its settings in the home that is empty here.
    let cargo = std::env::var_os("CARGO").expect("cargo runs tests");
    let mut command = Command::new(cargo);
    command
        .args(arguments)
        .current_dir(directory)
        .env("CARGO_HOME", home)
        .env("CARGO_NET_OFFLINE", "true")
        .env_remove("CARGO_TARGET_DIR");
    command
}

fn all_files(directory: &Path) -> Vec<(PathBuf, SystemTime)> {
    let files = cargo_lighter::fs::sorted_files(directory).expect("readable");
    let changed = |path: &Path| path.symlink_metadata().and_then(|data| data.modified());
    files
        .into_iter()
        .map(|file| (file.relative, changed(&file.path).expect("there")))
        .collect()
}

#[test]
fn a_vendored_split_builds_with_an_empty_cargo_home_and_no_network() {
    let (out, home) = (temporary(), temporary());
    let both = ["--vendor", "--no-dev-deps", "shop-worker"];
    split(shop(), out.path(), &both).expect(0);
    let place = out.path().join("shop-worker");
    assert!(place.join("vendor").is_dir());
    let target = out.path().join("target");
    let target = target.to_str().expect("UTF-8");
    let words = ["build", "--locked", "--target-dir", target];
    let built = output(&mut lone_cargo(&place, home.path(), &words));
    let said = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "{said}");

    // Nothing changes the second time, and what is not asked for any more goes away.
    let before = all_files(&place);
    split(shop(), out.path(), &both).expect(0);
    assert_eq!(before, all_files(&place));
    split(shop(), out.path(), &["shop-worker"]).expect(0);
    assert!(!place.join("vendor").exists());
    assert!(!place.join(".cargo/config.toml").exists());
}

/// A workspace whose dependency is in the repository, and whose configuration says more.
fn vendored_checkout() -> Checkout {
    let checkout = Checkout::empty();
    checkout.write(
        "Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"app\"]\n",
    );
    checkout.write(
        "app/Cargo.toml",
        &manifest("app", "[dependencies]\nneeded = \"1\"\n"),
    );
    checkout.write("app/src/main.rs", "fn main() {\n    needed::hello();\n}\n");
    checkout.write(
        "third-party/needed/Cargo.toml",
        "[package]\nname = \"needed\"\nversion = \"1.0.0\"\nedition = \"2024\"\n",
    );
    checkout.write(
        "third-party/needed/src/lib.rs",
        "pub fn hello() {\n    println!(\"hello\");\n}\n",
    );
    checkout.write(
        "third-party/needed/.cargo-checksum.json",
        "{\"files\":{},\"package\":\"0000000000000000000000000000000000000000000000000000000000000000\"}",
    );
    checkout.write(
        ".cargo/config.toml",
        "[source.crates-io]\nreplace-with = \"here\"\n\n[source.here]\ndirectory = \"third-party\"\n",
    );
    checkout.write(
        "Cargo.lock",
        "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n \"needed\",\n]\n\n\
         [[package]]\nname = \"needed\"\nversion = \"1.0.0\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n\
         checksum = \"0000000000000000000000000000000000000000000000000000000000000000\"\n",
    );
    checkout
}

#[test]
fn what_is_vendored_already_stays_as_it_is() {
    let (checkout, out) = (vendored_checkout(), temporary());
    split(checkout.path(), out.path(), &["--vendor"]).expect(0);
    let place = out.path().join("app");
    assert!(!place.join("vendor").exists());
    assert!(place.join("third-party/needed/src/lib.rs").is_file());
    let text = |root: &Path| fs_err::read_to_string(root.join(".cargo/config.toml"));
    assert_eq!(
        text(&place).expect("there"),
        text(checkout.path()).expect("there")
    );
}

#[test]
fn verified_splits_give_the_same_executables_with_and_without_their_dependencies() {
    let out = temporary();
    let services = ["--verify", "--vendor", "invoice", "billing-report"];
    let run = split(shop(), out.path(), &services).expect(0);
    for service in ["invoice", "billing-report"] {
        run.clone().says(&[&format!(
            "Verified `{service}` the same executable, sha256:"
        )]);
    }
    run.says(&["; builds from its vendored sources"]);
}

/// A build script that tells the program where it stands.
fn tattling_checkout() -> Checkout {
    let checkout = Checkout::of_services(&["honest", "tattling"]);
    checkout.write(
        "tattling/build.rs",
        "fn main() {\n    let here = std::env::current_dir().unwrap();\n    \
         println!(\"cargo:rustc-env=HERE={}\", here.display());\n}\n",
    );
    checkout.write(
        "tattling/src/main.rs",
        "fn main() {\n    println!(\"{}\", env!(\"HERE\"));\n}\n",
    );
    checkout
}

#[test]
fn a_split_that_gives_another_executable_is_a_difference() {
    let (checkout, out) = (tattling_checkout(), temporary());
    let run = split(checkout.path(), out.path(), &["--verify"]).expect(3);
    let run = run.says(&[
        "error: the split of `tattling` gives another executable than the workspace",
        "hint: ",
        "Verified `honest`",
    ]);
    assert!(
        !run.stderr.contains("Verified `tattling`"),
        "{}",
        run.stderr
    );
    // The splits are there all the same, to be looked at.
    assert!(out.path().join("tattling/Cargo.toml").is_file());
}

#[test]
fn a_split_that_does_not_compile_ends_as_cargo_does() {
    let (checkout, out) = (Checkout::of_services(&["reading"]), temporary());
    // Found in the workspace only, and named nowhere that could be looked at.
    checkout.write("notes.txt", "hello");
    checkout.write(
        "reading/build.rs",
        "fn main() {\n    let name = [\"notes\", \"txt\"].join(\".\");\n    \
         std::fs::read(std::path::Path::new(\"..\").join(name)).expect(\"notes\");\n}\n",
    );
    let run = split(checkout.path(), out.path(), &["--verify"]).expect(101);
    run.says(&[
        "error: the split of `reading` does not compile by itself",
        "`inputs`",
    ]);
}

#[test]
fn a_path_dependency_outside_of_the_workspace_is_named_as_the_reason() {
    let (checkout, out) = (Checkout::empty(), temporary());
    checkout.write("shared/Cargo.toml", &manifest("shared", ""));
    checkout.write(
        "shared/src/lib.rs",
        "#[inline(never)]\npub fn hello() {\n    println!(\"hello\");\n}\n",
    );
    checkout.write(
        "inner/Cargo.toml",
        &format!(
            "{}\n[profile.release]\nstrip = false\n[workspace]\n",
            manifest("app", "[dependencies]\nshared = { path = \"../shared\" }\n")
        ),
    );
    checkout.write(
        "inner/src/main.rs",
        "fn main() {\n    shared::hello();\n}\n",
    );
    checkout.write(
        "inner/Cargo.lock",
        "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n \"shared\",\n]\n\n\
         [[package]]\nname = \"shared\"\nversion = \"0.1.0\"\n",
    );
    checkout.commit("all");
    let run = split(&checkout.path().join("inner"), out.path(), &["--verify"]).expect(3);
    run.says(&[
        "the split of `app` gives another executable",
        "`shared`",
        "outside of the workspace root",
    ]);
}

fn temporary() -> TempDir {
    TempDir::new().expect("a temporary directory")
}

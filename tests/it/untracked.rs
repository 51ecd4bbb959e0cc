//! Files that git does not track: whose they are, and what is said of them.

use crate::support::affected::{affected, assert_affected, changed, since};
use crate::support::cli::Lighter;
use crate::support::workspace::{Checkout, manifest};

/// A package in the root of its repository, which owns all that lies there.
fn root_package() -> Checkout {
    let checkout = Checkout::empty();
    checkout.write("Cargo.toml", &manifest("app", "[workspace]\n"));
    checkout.write("src/main.rs", "fn main() {}\n");
    checkout.write_lock(&["app"]);
    checkout.commit("first");
    checkout
}

fn key(run: Lighter) -> String {
    let run = run.args(["plan", "--keys", "--format", "json"]).run();
    let run = run.expect(0);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    json["services"][0]["key"]
        .as_str()
        .expect("a key")
        .to_owned()
}

#[test]
fn a_home_of_cargo_inside_of_the_project_is_nobodys_source() {
    for home in [".cargo", "cargo-home"] {
        let checkout = root_package();
        let before = key(Lighter::at(checkout.path()));
        for file in [
            "registry/src/index/x-1.0.0/src/lib.rs",
            "registry/src/index/x-1.0.0/Cargo.toml",
            "git/checkouts/y/abc/Cargo.toml",
            "bin/cargo-deny",
            ".package-cache",
            ".package-cache-mutate",
            ".global-cache",
            ".crates.toml",
            ".crates2.json",
            "credentials.toml",
            "config.toml",
        ] {
            checkout.write(&format!("{home}/{file}"), "");
        }
        let place = checkout.path().join(home);
        let at = || Lighter::at(checkout.path()).env("CARGO_HOME", &place);
        assert_eq!(key(at()), before, "{home}");
        // Without git, too.
        let programs = Checkout::empty();
        for program in ["cargo", "rustc", "cc", "ld"] {
            let found = std::process::Command::new("sh")
                .args(["-c", &format!("command -v {program}")])
                .output()
                .expect("sh runs");
            let found = String::from_utf8_lossy(&found.stdout).trim().to_owned();
            if !found.is_empty() {
                fs_err::os::unix::fs::symlink(found, programs.path().join(program)).expect("free");
            }
        }
        assert_eq!(key(at().env("PATH", programs.path())), before, "{home}");
        let run = since(checkout.path(), "HEAD").env("CARGO_HOME", &place);
        let run = run.args(["--format", "json"]).run();
        assert_affected(&affected(run), &[]);
    }
}

#[test]
fn a_tracked_configuration_counts_even_in_a_home_of_cargo() {
    let checkout = root_package();
    checkout.write(".cargo/config.toml", "[env]\nA = \"1\"\n");
    checkout.commit("second");
    let place = checkout.path().join(".cargo");
    let now = || {
        let run = since(checkout.path(), "HEAD").env("CARGO_HOME", &place);
        affected(run.args(["--format", "json"]).run())
    };
    assert_affected(&now(), &[]);
    checkout.append("src/main.rs", "// more\n");
    let found = now();
    assert_eq!(found["app"], ["src/main.rs changed"]);
    checkout.append(".cargo/config.toml", "B = \"2\"\n");
    assert_affected(&now(), &["app: .cargo/config.toml changed"]);
}

#[test]
fn a_target_directory_that_git_does_not_ignore_is_no_change() {
    let checkout = root_package();
    let before = key(Lighter::at(checkout.path()));
    let tag = "Signature: 8a477f597d28d172789f06886806bc55\n# created by cargo.\n";
    checkout.write("target/CACHEDIR.TAG", tag);
    checkout.write("target/package/app/Cargo.toml", "");
    checkout.write("target/debug/app", "");
    assert_eq!(key(Lighter::at(checkout.path())), before);
    assert_affected(&changed(&checkout), &[]);
}

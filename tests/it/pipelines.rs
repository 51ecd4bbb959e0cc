//! The pipelines in the README, run line by line against a registry of the loopback.

use std::path::Path;
use std::process::Command;

use crate::support::cli::Lighter;
use crate::support::registry::{PASSWORD, Registry, USER};
use crate::support::tools::run;
use crate::support::workspace::Checkout;

const README: &str = include_str!("../../README.md");

#[test]
fn the_pipeline_for_github_pushes_images() {
    let registry = Registry::with_password();
    let host = registry.host();
    let variables = [
        ("REGISTRY", host.as_str()),
        ("PASSWORD", PASSWORD),
        ("GITHUB_ACTOR", USER),
        ("GITHUB_REPOSITORY_OWNER", "Acme"),
        ("GITHUB_ACTIONS", "true"),
    ];
    let lines = lines(0, "      - run: ");
    assert_eq!(lines.len(), 2, "{lines:?}");
    pushes_images(&lines, &variables, &format!("{host}/acme"));
}

#[test]
fn the_pipeline_for_gitlab_pushes_images() {
    let registry = Registry::with_password();
    let host = registry.host();
    let image = format!("{host}/acme/shop");
    let variables = [
        ("CI_REGISTRY", host.as_str()),
        ("CI_REGISTRY_USER", USER),
        ("CI_REGISTRY_PASSWORD", PASSWORD),
        ("CI_REGISTRY_IMAGE", &image),
        ("CI_PROJECT_DIR", "/builds/acme/shop"),
        ("GITLAB_CI", "true"),
    ];
    let lines = lines(1, "    - ");
    assert_eq!(lines.len(), 4, "{lines:?}");
    pushes_images(&lines, &variables, &image);
}

/// The commands of a pipeline but the one that installs this program, which is there.
fn lines(block: usize, marker: &str) -> Vec<&'static str> {
    let section = README.split("\n## In pipelines\n").nth(1).expect("there");
    let section = section.split("\n## ").next().expect("a text");
    let block = section.split("```yaml\n").nth(block + 1).expect("a block");
    let block = block.split("```").next().expect("an end");
    assert!(block.lines().count() <= 12, "no short example any more");
    let commands: Vec<&str> = block
        .lines()
        .filter_map(|line| line.strip_prefix(marker))
        .collect();
    for command in &commands {
        // YAML would read more into it.
        assert!(
            !command.contains(": ") && !command.contains(" #"),
            "{command}"
        );
        assert!(command.starts_with(|c: char| c.is_ascii_alphabetic()));
    }
    let install = "cargo install --locked --path cargo-lighter";
    assert_eq!(commands.first(), Some(&install));
    commands[1..].to_vec()
}

#[track_caller]
fn pushes_images(lines: &[&str], variables: &[(&str, &str)], prefix: &str) {
    let checkout = Checkout::of_services(&["alpha", "beta"]);
    let commit = checkout.commit("all");
    let home = Checkout::empty();
    let binary = Path::new(env!("CARGO_BIN_EXE_cargo-lighter"));
    for line in lines {
        let mut lighter = Lighter::at(checkout.path())
            .first_on_path(binary.parent().expect("a directory"))
            .env("HOME", home.path())
            .env("CI", "true")
            .args(["-eo", "pipefail", "-c", line]);
        for (name, value) in variables {
            lighter = lighter.env(name, *value);
        }
        let run = lighter.run_program("bash").expect(0);
        assert!(!run.stderr.contains(PASSWORD), "{line}");
    }
    let credentials = format!("{USER}:{PASSWORD}");
    for service in ["alpha", "beta"] {
        for tag in ["latest", &commit[..12]] {
            let image = format!("docker://{prefix}/{service}:{tag}");
            run(Command::new("skopeo")
                .args(["inspect", "--raw", "--tls-verify=false", "--creds"])
                .args([&credentials, &image]));
        }
    }
}

/// The first line of both examples installs from a checkout within the workspace that is shipped, whose root
/// cargo would else take for ours.
#[test]
fn the_program_can_be_installed_from_within_another_workspace() {
    let checkout = Checkout::of_services(&["alpha"]);
    let ours = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in ["Cargo.toml", "Cargo.lock", "src", "benches"] {
        let place = checkout.path().join("cargo-lighter");
        fs_err::create_dir_all(&place).expect("made");
        std::os::unix::fs::symlink(ours.join(name), place.join(name)).expect("linked");
    }
    Lighter::at(checkout.path())
        .args(["metadata", "--format-version=1", "--no-deps", "--locked"])
        .args(["--manifest-path", "cargo-lighter/Cargo.toml"])
        .run_program("cargo")
        .expect(0);
}

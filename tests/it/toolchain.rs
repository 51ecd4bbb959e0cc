//! Which programs compile, and what is found missing before they do.

use std::process::Command;

use crate::support::cli::Lighter;
use crate::support::tools::{run, skipped};
use crate::support::workspace::{Checkout, TARGET, manifest};

/// A program that writes down its arguments and becomes another.
fn logging(checkout: &Checkout, name: &str, becomes: &str) -> String {
    let log = checkout.path().join(format!("{name}.log"));
    let script = format!(
        "#!/bin/sh\necho \"$*\" >> '{}'\nexec {becomes}\n",
        log.display()
    );
    checkout.write_executable(&format!("bin/{name}"), &script);
    let path = checkout.path().join("bin").join(name);
    path.to_string_lossy().into_owned()
}

fn log(checkout: &Checkout, name: &str) -> String {
    fs_err::read_to_string(checkout.path().join(format!("{name}.log"))).expect("it was run")
}

#[test]
fn wrappers_and_another_compiler_are_used() {
    for (variable, becomes) in [
        ("RUSTC", "rustc \"$@\""),
        ("RUSTC_WRAPPER", "\"$@\""),
        ("RUSTC_WORKSPACE_WRAPPER", "\"$@\""),
    ] {
        let checkout = Checkout::of_services(&["service"]);
        let program = logging(&checkout, "logger", becomes);
        Lighter::at(checkout.path())
            .args(["build"])
            .env(variable, program)
            .run()
            .expect(0);
        let log = log(&checkout, "logger");
        let compiled = log
            .lines()
            .filter(|line| line.contains("--crate-name service"));
        let compiled: Vec<&str> = compiled.collect();
        assert_eq!(compiled.len(), 1, "{variable}: {log}");
        assert!(
            compiled[0].contains("--remap-path-prefix="),
            "{variable}: {log}"
        );
    }
}

#[test]
fn compilers_of_cargos_configuration_are_used() {
    let checkout = Checkout::of_services(&["service"]);
    logging(&checkout, "compiler", "rustc \"$@\"");
    logging(&checkout, "wrapper", "\"$@\"");
    let config = "[build]\nrustc = \"bin/compiler\"\nrustc-wrapper = \"bin/wrapper\"\n";
    checkout.write(".cargo/config.toml", config);
    Lighter::at(checkout.path()).args(["build"]).run().expect(0);
    // The compiler that will compile is the one that was asked beforehand.
    assert!(log(&checkout, "compiler").contains("--print target-libdir"));
    for name in ["compiler", "wrapper"] {
        assert!(
            log(&checkout, name).contains("--crate-name service"),
            "{name}"
        );
    }
}

#[test]
fn the_users_target_directory_stays_fresh() {
    let checkout = Checkout::of_services(&["service"]);
    let cargo = || {
        let arguments = ["build", "--release", "--locked", "-v"];
        let output = Command::new("cargo")
            .args(arguments)
            .env_remove("RUSTFLAGS")
            .current_dir(checkout.path())
            .output();
        String::from_utf8(output.expect("cargo starts").stderr).expect("text")
    };
    assert!(cargo().contains("Compiling service"));
    let listing = || {
        let mut files = checkout.listing();
        files.retain(|(path, _)| !path.starts_with("target/lighter"));
        files
    };
    let before = listing();
    assert!(before.len() > 5);
    Lighter::at(checkout.path()).args(["build"]).run().expect(0);
    assert_eq!(listing(), before);
    assert!(cargo().contains("Fresh service"));
}

#[test]
fn a_target_directory_can_be_chosen() {
    let checkout = Checkout::of_services(&["service"]);
    for (flags, variable, directory) in [
        (&["--target-dir", "by flag"][..], None, "by flag"),
        (&[], Some("by environment"), "by environment"),
    ] {
        let mut lighter = Lighter::at(checkout.path()).args(["build"]).args(flags);
        if let Some(value) = variable {
            lighter = lighter.env("CARGO_TARGET_DIR", value);
        }
        let built = lighter.run().expect(0);
        let start = format!("oci:{directory}/lighter/oci:service:latest@sha256:");
        assert!(built.stdout.starts_with(&start), "{}", built.stdout);
        crate::support::check::assert_sound(&checkout.path().join(directory).join("lighter/oci"));
    }
    assert!(!checkout.path().join("target").exists());
}

#[test]
fn a_missing_target_is_told_before_anything_is_compiled() {
    let installed = run(Command::new("rustc").args(["--print", "sysroot"]));
    let other = "aarch64-unknown-linux-gnu";
    let libraries = format!("{}/lib/rustlib/{other}/lib", installed.trim());
    if std::path::Path::new(&libraries).is_dir() {
        skipped(&format!("the target {other} is installed here"));
        return;
    }
    let checkout = Checkout::of_services(&["service"]);
    for flags in [["--target", other], ["--platform", "linux/arm64"]] {
        let run = Lighter::at(checkout.path())
            .args(["build"])
            .args(flags)
            .run()
            .expect(1)
            .says(&[other, &format!("hint: run `rustup target add {other}`")]);
        assert!(!run.stderr.contains("Building"), "{}", run.stderr);
    }
}

#[test]
fn a_missing_zigbuild_is_told_before_anything_is_compiled() {
    let checkout = Checkout::of_services(&["service"]);
    // Everything that is on PATH, but for cargo-zigbuild, which some machines have.
    let bin = checkout.path().join("bin");
    fs_err::create_dir(&bin).expect("created");
    for name in ["cargo", "rustc", "cc", "sh", "git"] {
        let path = run(Command::new("sh").args(["-c", &format!("command -v {name}")]));
        fs_err::os::unix::fs::symlink(path.trim(), bin.join(name)).expect("linked");
    }
    let run = Lighter::at(checkout.path())
        .args(["build", "--builder", "zigbuild"])
        .env("PATH", bin)
        .run()
        .expect(1)
        .says(&[
            "`cargo-zigbuild`",
            "hint: run `pip install ziglang cargo-zigbuild`",
        ]);
    assert!(!run.stderr.contains("Building"), "{}", run.stderr);
}

#[test]
fn zigbuild_gets_the_version_of_the_c_library() {
    let checkout = Checkout::of_services(&["service"]);
    checkout.write(
        "service/Cargo.toml",
        &manifest(
            "service",
            "[package.metadata.lighter]\nbuilder = \"zigbuild\"\n",
        ),
    );
    // Only the real one understands `.2.17`; what matters is what it is told.
    let script = "#!/bin/bash\necho \"$*\" >> \"$LOG\"\nshift\nexec cargo build \"${@/.2.17/}\"\n";
    checkout.write_executable("bin/cargo-zigbuild", script);
    Lighter::at(checkout.path())
        .first_on_path(&checkout.path().join("bin"))
        .env("LOG", checkout.path().join("cargo-zigbuild.log"))
        .args(["build", "--target", &format!("{TARGET}.2.17")])
        .run()
        .expect(0);
    let log = log(&checkout, "cargo-zigbuild");
    assert!(log.starts_with("zigbuild "), "{log}");
    assert!(log.contains(&format!("--target {TARGET}.2.17")), "{log}");
    crate::support::check::assert_sound(&checkout.path().join("target/lighter/oci"));
}

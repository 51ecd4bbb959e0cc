//! The user's compiler flags work together with ours.

use crate::support::check::assert_sound;
use crate::support::cli::Lighter;
use crate::support::tools::Unpacked;
use crate::support::workspace::{Checkout, TARGET, manifest};

/// Says which flags it was compiled with, whether its build script got them, and where it was built.
const MAIN: &str = r#"include!(concat!(env!("OUT_DIR"), "/place.rs"));

fn main() {
    let flags = [
        ("build", cfg!(of_build)),
        ("target", cfg!(of_target)),
        ("expression", cfg!(of_expression)),
        ("environment", cfg!(of_environment)),
        ("spaces", cfg!(of_environment = "with spaces")),
    ];
    for (name, _) in flags.iter().filter(|(_, set)| *set) {
        print!("{name} ");
    }
    println!("script={} {PLACE}", env!("SCRIPT"));
}
"#;

const SCRIPT: &str = r#"fn main() {
    let any = cfg!(any(of_build, of_target, of_expression, of_environment));
    println!("cargo::rustc-env=SCRIPT={any}");
    let place = std::path::Path::new(&std::env::var_os("OUT_DIR").unwrap()).join("place.rs");
    std::fs::write(place, "const PLACE: &str = file!();\n").unwrap();
}
"#;

fn checkout() -> Checkout {
    let checkout = Checkout::of_services(&["service"]);
    let lints = "[lints.rust]\nunexpected_cfgs = \"allow\"\n";
    checkout.write("service/Cargo.toml", &manifest("service", lints));
    checkout.write("service/src/main.rs", MAIN);
    checkout.write("service/build.rs", SCRIPT);
    checkout
}

/// What the service of the image says.
#[track_caller]
fn says(checkout: &Checkout, lighter: Lighter) -> String {
    lighter.args(["build"]).run().expect(0);
    let layout = checkout.path().join("target/lighter/oci");
    assert_sound(&layout);
    let output = Unpacked::of_layout(&layout, "service:latest")
        .command(65532, "/app/service")
        .output()
        .expect("runs");
    String::from_utf8(output.stdout).expect("text")
}

/// Whatever flags there are, paths of the checkout are remapped and the build script gets none.
#[track_caller]
fn assert_flags(said: &str, expected: &str) {
    let expected = format!("{expected}script=false /target/{TARGET}/release/build/service-");
    assert!(said.starts_with(&expected), "`{said}` is not `{expected}…`");
}

#[test]
fn flags_of_cargos_configuration_stay() {
    let checkout = checkout();
    assert_flags(&says(&checkout, Lighter::at(checkout.path())), "");
    let build = "[build]\nrustflags = [\"--cfg\", \"of_build\"]\n";
    let target = format!("[target.{TARGET}]\nrustflags = \"--cfg of_target\"\n");
    let expression = "[target.'cfg(unix)']\nrustflags = [\"--cfg=of_expression\"]\n";
    let elsewhere = "[target.'cfg(windows)']\nrustflags = [\"--cfg=of_expression\"]\n";
    for (config, expected) in [
        (build.to_owned(), "build "),
        // As with cargo alone, tables of the target hide the one of all builds, and add up.
        (format!("{build}{target}"), "target "),
        (format!("{build}{expression}"), "expression "),
        (format!("{build}{target}{expression}"), "target expression "),
        (format!("{build}{elsewhere}"), "build "),
    ] {
        checkout.write(".cargo/config.toml", &config);
        assert_flags(&says(&checkout, Lighter::at(checkout.path())), expected);
    }
}

#[test]
fn flags_of_the_environment_stay_and_win() {
    let checkout = checkout();
    let config = format!("[target.{TARGET}]\nrustflags = [\"--cfg\", \"of_target\"]\n");
    checkout.write(".cargo/config.toml", &config);
    let spaces = "--cfg\u{1f}of_environment=\"with spaces\"";
    let of_target = "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS";
    for (name, value, expected) in [
        ("RUSTFLAGS", "--cfg of_environment", "environment "),
        ("CARGO_ENCODED_RUSTFLAGS", spaces, "spaces "),
        (of_target, "--cfg of_environment", "target environment "),
        ("CARGO_BUILD_RUSTFLAGS", "--cfg of_environment", "target "),
    ] {
        let lighter = Lighter::at(checkout.path()).env(name, value);
        assert_flags(&says(&checkout, lighter), expected);
    }
    fs_err::remove_file(checkout.path().join(".cargo/config.toml")).expect("removed");
    let lighter = Lighter::at(checkout.path()).env("CARGO_BUILD_RUSTFLAGS", "--cfg of_build");
    assert_flags(&says(&checkout, lighter), "build ");
}

#[test]
fn without_remapping_the_place_of_the_build_shows() {
    let checkout = checkout();
    checkout.append(
        "Cargo.toml",
        "[workspace.metadata.lighter]\nremap-paths = false\n",
    );
    let lighter = Lighter::at(checkout.path()).env("RUSTFLAGS", "--cfg of_environment");
    let said = says(&checkout, lighter);
    let place = checkout.path().join("target");
    let expected = format!("environment script=false {}/", place.display());
    assert!(said.starts_with(&expected), "`{said}` is not `{expected}…`");
}

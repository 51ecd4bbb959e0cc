//! Every executable is the one that cargo builds for its package alone.

use std::path::Path;
use std::process::Command;

use crate::support::check::{Described, assert_sound};
use crate::support::cli::{Lighter, Run};
use crate::support::tools::run;
use crate::support::workspace::{Checkout, SHOP_SERVICES, TARGET, manifest, shop};

#[test]
fn a_feature_of_one_service_is_in_no_other_executable() {
    let (run, results) = build_shop();
    for service in SHOP_SERVICES {
        let executable =
            Described::of(results.path(), &format!("{service}:latest")).executable(service);
        assert!(contains(&executable, "pricing-feature-rounding-enabled"));
        assert_eq!(
            contains(&executable, "pricing-feature-discounts-enabled"),
            ["billing-report", "invoice"].contains(&service),
            "{service}"
        );
        // Nothing tells where it was built.
        for place in [shop(), Path::new(env!("CARGO_MANIFEST_DIR"))] {
            assert!(
                !contains(&executable, &place.to_string_lossy()),
                "{service}"
            );
        }
    }
    drop(run);
}

#[test]
fn an_image_holds_exactly_what_the_printed_command_builds() {
    let (built, results) = build_shop();
    let commands: Vec<&str> = built
        .stderr
        .lines()
        .filter_map(|line| line.strip_prefix("running "))
        .collect();
    assert_eq!(commands.len(), SHOP_SERVICES.len(), "{}", built.stderr);
    for (service, command) in SHOP_SERVICES.iter().zip(commands) {
        run(Command::new("sh").args(["-c", command]).current_dir(shop()));
        let path = format!("target/lighter/build/{TARGET}/release/{service}");
        let ours = Described::of(results.path(), &format!("{service}:latest")).executable(service);
        let theirs = fs_err::read(shop().join(path)).expect("built");
        assert!(ours == theirs, "{service} differs from `{command}`");
    }
}

#[test]
fn without_remapping_an_executable_is_byte_for_byte_cargos() {
    let checkout = Checkout::of_services(&["loud", "quiet"]);
    checkout.write(
        "Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"loud\", \"quiet\", \"voice\"]\n\
         [workspace.metadata.lighter]\nremap-paths = false\n",
    );
    checkout.write(
        "voice/Cargo.toml",
        &manifest("voice", "[features]\nloud = []\n"),
    );
    checkout.write(
        "voice/src/lib.rs",
        "pub fn say() -> &'static str {\n    if cfg!(feature = \"loud\") { \"VOICE-IS-LOUD\" } else { \"voice-is-quiet\" }\n}\n",
    );
    for (name, dependency) in [
        (
            "loud",
            "voice = { path = \"../voice\", features = [\"loud\"] }\n",
        ),
        ("quiet", "voice = { path = \"../voice\" }\n"),
    ] {
        let dependencies = format!("[dependencies]\n{dependency}");
        checkout.write(
            &format!("{name}/Cargo.toml"),
            &manifest(name, &dependencies),
        );
        checkout.write(
            &format!("{name}/src/main.rs"),
            "fn main() {\n    println!(\"{} {}\", voice::say(), file!());\n    assert!(std::env::args().count() < 9, \"too many\");\n}\n",
        );
    }
    run(Command::new("cargo")
        .arg("generate-lockfile")
        .current_dir(checkout.path()));
    let plain = ["loud", "quiet"].map(|name| cargo_build(&checkout, name));
    fs_err::remove_dir_all(checkout.path().join("target")).expect("removed");
    Lighter::at(checkout.path()).args(["build"]).run().expect(0);
    let layout = checkout.path().join("target/lighter/oci");
    assert_sound(&layout);
    assert!(
        !checkout.path().join("target/lighter/build").exists(),
        "the user's own target directory serves"
    );
    for (name, plain) in ["loud", "quiet"].into_iter().zip(plain) {
        let ours = Described::of(&layout, &format!("{name}:latest")).executable(name);
        assert!(ours == plain, "{name} differs");
        assert_eq!(contains(&ours, "VOICE-IS-LOUD"), name == "loud");
    }
}

/// The executable of a plain build as a user would type it.
fn cargo_build(checkout: &Checkout, name: &str) -> Vec<u8> {
    let arguments = ["build", "--release", "--locked", "--target", TARGET];
    run(Command::new("cargo")
        .args(arguments)
        .args(["-p", name, "--bin", name])
        .env_remove("RUSTFLAGS")
        .current_dir(checkout.path()));
    let path = format!("target/{TARGET}/release/{name}");
    fs_err::read(checkout.path().join(path)).expect("built")
}

/// The shop in a layout of the test's own.
fn build_shop() -> (Run, Checkout) {
    let results = Checkout::empty();
    let run = Lighter::at(shop())
        .args(["build", "-v", "--to"])
        .args([format!("oci:{}", results.path().display())])
        .run()
        .expect(0);
    assert_sound(results.path());
    (run, results)
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

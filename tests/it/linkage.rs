//! What configuration and flags make of an executable.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::check::{Described, assert_sound, read_json};
use crate::support::cli::Lighter;
use crate::support::tools::{Unpacked, run};
use crate::support::workspace::{Checkout, manifest};

/// Builds, and gives the checked layout.
#[track_caller]
fn build(checkout: &Checkout, flags: &[&str]) -> PathBuf {
    Lighter::at(checkout.path())
        .args(["build"])
        .args(flags)
        .run()
        .expect(0);
    let layout = checkout.path().join("target/lighter/oci");
    assert_sound(&layout);
    layout
}

/// What a service of a layout prints.
#[track_caller]
fn printed(layout: &Path, service: &str) -> String {
    let output = Unpacked::of_layout(layout, &format!("{service}:latest"))
        .command(65532, &format!("/app/{service}"))
        .output()
        .expect("runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn a_static_executable_needs_no_c_library_beside_it() {
    let checkout = Checkout::of_services(&["service"]);
    let more = "[package.metadata.lighter]\nlinkage = \"static\"\n";
    checkout.write("service/Cargo.toml", &manifest("service", more));
    let layout = build(&checkout, &["--metadata-file", "summary.json"]);
    assert_eq!(printed(&layout, "service"), "hello\n");
    let image = Described::of(&layout, "service:latest");
    assert_eq!(image.layers().len(), 2);
    let files = image.files();
    assert!(!files.iter().any(|name| name.contains(".so")), "{files:?}");
    let summary = read_json(&checkout.path().join("summary.json"));
    assert_eq!(summary["services"][0]["libraries"], serde_json::json!([]));
    let executable = checkout.path().join("executable");
    fs_err::write(&executable, image.executable("service")).expect("written");
    let described = run(Command::new("readelf").args(["-hldW"]).arg(&executable));
    assert!(!described.contains("INTERP"), "{described}");
    assert!(!described.contains("NEEDED"), "{described}");
    assert!(described.contains("Flags: NOW PIE"), "{described}");
}

/// Their flags differ, so that in one target directory each run would compile all that they share.
#[test]
fn services_that_are_linked_differently_are_compiled_once() {
    for remap_paths in [true, false] {
        let checkout = Checkout::of_services(&["dynamic", "fixed"]);
        let more = "[package.metadata.lighter]\nlinkage = \"static\"\n";
        let needs = "[dependencies]\ndynamic = { path = \"../dynamic\" }\n";
        checkout.write(
            "fixed/Cargo.toml",
            &manifest("fixed", &format!("{needs}{more}")),
        );
        checkout.write("dynamic/src/lib.rs", "pub fn shared() {}\n");
        let more = format!("\n[workspace.metadata.lighter]\nremap-paths = {remap_paths}\n");
        checkout.append("Cargo.toml", &more);
        checkout.cargo(&["generate-lockfile"]);
        let run = || Lighter::at(checkout.path()).args(["build"]).run().expect(0);
        assert!(run().stderr.contains("Compiling dynamic"));
        let again = run().stderr;
        assert!(!again.contains("Compiling"), "{again}");
    }
}

#[test]
fn binaries_of_one_name_become_different_images() {
    let checkout = Checkout::of_services(&["orders", "users"]);
    for name in ["orders", "users"] {
        let more = "[[bin]]\nname = \"server\"\npath = \"src/main.rs\"\n";
        checkout.write(&format!("{name}/Cargo.toml"), &manifest(name, more));
        checkout.write(
            &format!("{name}/src/main.rs"),
            "fn main() {\n    println!(env!(\"CARGO_PKG_NAME\"));\n}\n",
        );
    }
    let layout = build(&checkout, &[]);
    for name in ["orders", "users"] {
        assert_eq!(printed(&layout, name), format!("{name}\n"));
    }
    // Once more, where cargo finds both fresh and yet has one file for two.
    let layout = build(&checkout, &[]);
    for name in ["orders", "users"] {
        assert_eq!(printed(&layout, name), format!("{name}\n"));
    }
}

#[test]
fn a_profile_that_nobody_defines_is_refused_before_anything_is_compiled() {
    let checkout = Checkout::of_services(&["service"]);
    checkout.append("Cargo.toml", "\n[profile.checked]\ninherits = \"dev\"\n");
    for (profile, hint) in [
        ("releas", "did you mean `release`?"),
        ("checkd", "did you mean `checked`?"),
        (
            "nope",
            "there are `bench`, `checked`, `dev`, `release`, `test`; define `[profile.nope]` in the \
             workspace's Cargo.toml",
        ),
    ] {
        let message =
            format!("no profile `{profile}`, which service `service` is to be built with");
        Lighter::at(checkout.path())
            .args(["build", "--profile", profile])
            .run()
            .refuses(2, &message, hint);
        assert!(!checkout.path().join("target/lighter/build").exists());
    }
}

#[test]
fn profiles_of_cargos_configuration_and_of_variables_are_left_to_cargo() {
    let checkout = Checkout::of_services(&["service"]);
    checkout.write(
        ".cargo/config.toml",
        "[profile.configured]\ninherits = \"dev\"\n",
    );
    for profile in ["configured", "from-outside"] {
        Lighter::at(checkout.path())
            .args(["build", "--profile", profile])
            .env("CARGO_PROFILE_FROM_OUTSIDE_INHERITS", "dev")
            .run()
            .expect(0);
    }
}

#[test]
fn profiles_are_cargos() {
    let checkout = Checkout::of_services(&["service"]);
    checkout.write(
        "service/src/main.rs",
        "fn main() {\n    println!(\"{}\", cfg!(debug_assertions));\n}\n",
    );
    checkout.append(
        "Cargo.toml",
        "[profile.checked]\ninherits = \"release\"\ndebug-assertions = true\n",
    );
    for (flags, expected) in [
        (&[][..], "false\n"),
        (&["--release"], "false\n"),
        (&["--profile", "dev"], "true\n"),
        (&["--profile", "checked"], "true\n"),
    ] {
        assert_eq!(
            printed(&build(&checkout, flags), "service"),
            expected,
            "{flags:?}"
        );
    }
    let more = "[package.metadata.lighter]\nprofile = \"dev\"\n";
    checkout.write("service/Cargo.toml", &manifest("service", more));
    assert_eq!(printed(&build(&checkout, &[]), "service"), "true\n");
    let layout = build(&checkout, &["--release"]);
    assert_eq!(printed(&layout, "service"), "false\n");
}

#[test]
fn features_can_differ_from_binary_to_binary() {
    let checkout = Checkout::of_services(&["voices"]);
    let more = "[features]\ndefault = [\"soft\"]\nsoft = []\nloud = []\n\
                [package.metadata.lighter.bin.loud]\nfeatures = [\"loud\"]\n\
                [package.metadata.lighter.bin.bare]\nno-default-features = true\n";
    checkout.write("voices/Cargo.toml", &manifest("voices", more));
    let main = "fn main() {\n    println!(\"{} {}\", cfg!(feature = \"soft\"), cfg!(feature = \"loud\"));\n}\n";
    fs_err::remove_file(checkout.path().join("voices/src/main.rs")).expect("removed");
    for name in ["plain", "loud", "bare"] {
        checkout.write(&format!("voices/src/bin/{name}.rs"), main);
    }
    let layout = build(&checkout, &[]);
    assert_eq!(printed(&layout, "plain"), "true false\n");
    assert_eq!(printed(&layout, "loud"), "true true\n");
    assert_eq!(printed(&layout, "bare"), "false false\n");
    for (flags, expected) in [
        (&["-F", "loud"][..], "true true\n"),
        (&["--all-features"], "true true\n"),
        (&["--no-default-features"], "false false\n"),
        (
            &["--no-default-features", "--features", "loud"],
            "false true\n",
        ),
    ] {
        let layout = build(&checkout, &[&["plain"], flags].concat());
        assert_eq!(printed(&layout, "plain"), expected, "{flags:?}");
    }
}

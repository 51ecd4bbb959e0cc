//! Services that do not compile, or compile to what no image can run.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::support::cli::{Lighter, Run};
use crate::support::refusal::{Before, images, no_temporaries};
use crate::support::tools;
use crate::support::workspace::Checkout;

const BROKEN: &str = "fn main() {\n    let wrong: u8 = \"text\";\n}\n";

fn build(checkout: &Checkout, arguments: &[&str]) -> Run {
    Lighter::at(checkout.path())
        .args(["build"])
        .args(arguments)
        .run()
}

fn summary(checkout: &Checkout, path: &str) -> serde_json::Value {
    let text = fs_err::read_to_string(checkout.path().join(path)).expect("written");
    serde_json::from_str(&text).expect("JSON")
}

/// What cargo itself prints about a broken program is what the user of cargo knows how to read.
#[test]
fn cargos_diagnostics_are_shown_as_cargo_shows_them() {
    let checkout = Checkout::of_services(&["alpha"]);
    checkout.write("alpha/src/main.rs", BROKEN);
    let run = build(&checkout, &["--metadata-file", "out.json"]).fails(
        101,
        "service `alpha` could not be compiled\n  cargo's messages are above",
        "",
    );
    let diagnostic = "error[E0308]: mismatched types\n --> alpha/src/main.rs:2:21\n  |\n2 |     let wrong: \
                      u8 = \"text\";\n  |                --   ^^^^^^ expected `u8`, found `&str`\n";
    assert!(run.stderr.contains(diagnostic), "{}", run.stderr);
    let service = &summary(&checkout, "out.json")["services"][0];
    assert_eq!(service["status"], "failed");
    assert_eq!(
        service["error"],
        "service `alpha` could not be compiled\ncargo's messages are above"
    );
    no_temporaries(checkout.path());
    assert!(images(&checkout.path().join("target/lighter/oci")).is_empty());
}

#[test]
fn one_broken_service_keeps_all_tags_where_they_are() {
    let checkout = Checkout::of_services(&["alpha", "beta", "gamma"]);
    let layout = checkout.path().join("target/lighter/oci");
    build(&checkout, &[]).expect(0);
    let before = images(&layout);
    assert_eq!(before.len(), 3);
    let index = fs_err::read(layout.join("index.json")).expect("readable");
    checkout.write(
        "alpha/src/main.rs",
        "fn main() {\n    println!(\"new\");\n}\n",
    );
    checkout.write("beta/src/main.rs", BROKEN);
    let files = ["--metadata-file", "out.json", "--image-refs", "refs"];
    build(&checkout, &files).fails(
        101,
        "service `beta` could not be compiled\n  cargo's messages are above",
        "",
    );
    assert_eq!(
        fs_err::read(layout.join("index.json")).expect("readable"),
        index
    );
    assert_eq!(images(&layout), before);
    let refs = fs_err::read_to_string(checkout.path().join("refs")).expect("written");
    assert_eq!(refs, "");
    let services = summary(&checkout, "out.json");
    for index in 0..3 {
        assert_eq!(services["services"][index]["status"], "failed");
    }
    no_temporaries(checkout.path());

    let run = build(&checkout, &["--keep-going", "--metadata-file", "out.json"]).expect(101);
    let after = images(&layout);
    assert_ne!(after["alpha:latest"], before["alpha:latest"]);
    assert_eq!(after["beta:latest"], before["beta:latest"]);
    assert_eq!(after["gamma:latest"], before["gamma:latest"]);
    let expected = ["alpha", "gamma"].map(|name| {
        let name = format!("{name}:latest");
        format!("oci:target/lighter/oci:{name}@{}", after[&name])
    });
    assert_eq!(run.lines(), expected);
    let services = summary(&checkout, "out.json");
    for (index, status) in ["built", "failed", "built"].iter().enumerate() {
        assert_eq!(services["services"][index]["status"], *status);
    }
    no_temporaries(checkout.path());
}

#[test]
fn images_without_tags_are_told_as_such() {
    let checkout = Checkout::of_services(&["alpha", "beta"]);
    checkout.append(
        "beta/Cargo.toml",
        "[package.metadata.lighter]\nextra-libs = [\"libnone.so.1\"]\n",
    );
    let run = build(&checkout, &["-j", "1"]).fails(
        1,
        "service `beta` could not be assembled\n  `libnone.so.1`, named in `extra-libs`, is not below `/`",
        "install the package that has it (`apt-file search libnone.so.1` tells which), or name the \
         root of the system that has it as `library-root`",
    );
    let warning = "warning: no tag was moved at `oci:target/lighter/oci`, because not every service got \
                   there; `--keep-going` tags those that do\n";
    assert!(run.stderr.contains(warning), "{}", run.stderr);
    assert!(images(&checkout.path().join("target/lighter/oci")).is_empty());
    no_temporaries(checkout.path());
}

#[test]
fn json_lines_tell_the_error_and_end_with_the_summary() {
    let checkout = Checkout::of_services(&["alpha", "beta"]);
    checkout.write("beta/src/main.rs", BROKEN);
    let arguments = ["--message-format", "json"];
    let run = build(&checkout, &arguments).expect(101);
    let lines: Vec<serde_json::Value> = run
        .lines()
        .iter()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let reasons: Vec<&str> = lines
        .iter()
        .filter_map(|line| line["reason"].as_str())
        .collect();
    let expected = [
        "lighter-error",
        "lighter-service",
        "lighter-service",
        "lighter-summary",
    ];
    assert_eq!(reasons, expected);
    assert_eq!(lines[0]["service"], "beta");
    assert_eq!(lines[0]["step"], "compile");
}

#[test]
fn a_compile_error_outweighs_other_failures() {
    let checkout = Checkout::of_services(&["alpha", "beta"]);
    checkout.write("alpha/src/main.rs", BROKEN);
    checkout.append(
        "beta/Cargo.toml",
        "[package.metadata.lighter]\nextra-libs = [\"lib/none.so\"]\n",
    );
    build(&checkout, &["--keep-going"]).fails(
        101,
        "service `beta` could not be assembled\n  `lib/none.so` in `extra-libs` is neither a file name \
         nor an absolute path",
        "write `libfoo.so.1` or `/opt/foo/lib/libfoo.so.1`",
    );
}

/// A linker for the build of services only; build scripts have none in these workspaces.
fn linker(checkout: &Checkout, script: &str) -> String {
    checkout.write("linker", &format!("#!/bin/sh\n{script}\n"));
    let path = checkout.path().join("linker");
    fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("executable");
    let table = format!("[target.{}-unknown-linux-gnu]\n", std::env::consts::ARCH);
    checkout.write(
        ".cargo/config.toml",
        &format!("{table}linker = \"{}\"\n", path.display()),
    );
    path.display().to_string()
}

#[test]
fn what_is_no_executable_is_not_shipped() {
    let checkout = Checkout::of_services(&["alpha"]);
    let output = "while [ \"$1\" != -o ]; do shift; done; echo words > \"$2\"";
    linker(&checkout, output);
    let before = Before::of(checkout.path());
    let platform = cargo_lighter::oci::Platform::of_target(&format!(
        "{}-unknown-linux-gnu",
        std::env::consts::ARCH
    ));
    let platform = platform.expect("a known processor");
    build(&checkout, &["--to", "oci:out"]).fails(
        1,
        &format!(
            "service `alpha` could not be assembled\n  what cargo built for `alpha` is not a Linux \
             executable for {platform}\n  it is not an ELF file"
        ),
        "check `--target` or `--platform`, and the `linker` in cargo's configuration",
    );
    assert!(images(&checkout.path().join("out")).is_empty());
    fs_err::remove_dir_all(checkout.path().join("out")).expect("removed");
    before.holds();
}

#[test]
fn a_missing_linker_is_told_before_compiling() {
    let checkout = Checkout::of_services(&["alpha"]);
    let path = linker(&checkout, "");
    fs_err::remove_file(&path).expect("removed");
    let before = Before::of(checkout.path());
    let architecture = std::env::consts::ARCH;
    let run = build(&checkout, &[]).expect(1);
    let message = format!(
        "error: the linker `{path}` of target `{architecture}-unknown-linux-gnu` is not on PATH\n\nhint: "
    );
    assert!(run.stderr.starts_with(&message), "{}", run.stderr);
    before.holds();
}

/// A service that needs `libown.so.1`, which the test builds itself.
fn with_own_library(more: &str) -> (Checkout, String) {
    let checkout = Checkout::of_services(&["alpha"]);
    checkout.write("own.c", "int own(void) { return 7; }\n");
    let library = checkout.path().join("libown.so.1");
    tools::run(
        Command::new("cc")
            .args(["-shared", "-fPIC", "-Wl,-soname,libown.so.1", "-o"])
            .arg(&library)
            .arg(checkout.path().join("own.c")),
    );
    checkout.write(
        "alpha/src/main.rs",
        "unsafe extern \"C\" {\n    safe fn own() -> i32;\n}\nfn main() {\n    println!(\"{}\", own());\n}\n",
    );
    checkout.write(
        "alpha/build.rs",
        &format!(
            "fn main() {{\n    println!(\"cargo::rustc-link-arg={}\");\n{more}}}\n",
            library.display()
        ),
    );
    (checkout, library.display().to_string())
}

#[test]
fn a_library_that_is_nowhere_is_named() {
    let (checkout, _) = with_own_library("");
    build(&checkout, &[]).fails(
        1,
        "service `alpha` could not be assembled\n  `libown.so.1`, needed by `alpha`, is not below `/`",
        "install the package that has it (`apt-file search libown.so.1` tells which), or name the root \
         of the system that has it as `library-root`",
    );
    assert!(images(&checkout.path().join("target/lighter/oci")).is_empty());
    no_temporaries(checkout.path());
}

#[test]
fn a_library_of_no_package_ships_only_when_it_is_named() {
    let (checkout, library) = with_own_library("");
    let directory = checkout.path().display();
    checkout.write(
        "alpha/build.rs",
        &format!(
            "fn main() {{\n    println!(\"cargo::rustc-link-arg={library}\");\n    \
             println!(\"cargo::rustc-link-arg=-Wl,-rpath,{directory}\");\n}}\n"
        ),
    );
    build(&checkout, &[]).fails(
        1,
        &format!("service `alpha` could not be assembled\n  no package owns `{library}`"),
        "install them from packages, or ship them all the same with `extra-libs = [\"libown.so.1\"]`",
    );
    checkout.append(
        "alpha/Cargo.toml",
        "[package.metadata.lighter]\nextra-libs = [\"libown.so.1\"]\n",
    );
    build(&checkout, &[]).expect(0);
    let layout = checkout.path().join("target/lighter/oci");
    assert_eq!(images(&layout).len(), 1);
    let unpacked = tools::Unpacked::of_layout(&layout, "alpha:latest");
    let mut command = unpacked.command(65532, "/app/alpha");
    assert_eq!(tools::run(&mut command), "7\n");
    no_temporaries(checkout.path());
}

//! `doctor`: what real workspaces lack on this machine.

use std::fmt::Write as _;

use serde_json::Value;

use crate::support::cli::{Lighter, Run};
use crate::support::refusal::Before;
use crate::support::registry::{Registry, free_port};
use crate::support::workspace::{Checkout, manifest, shop};

/// A workspace of two services, one of which needs crates of these names. The crates are empty: only their
/// names and features count.
fn needing(crates: &[&str]) -> Checkout {
    let checkout = Checkout::empty();
    checkout.write(
        "Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"native\", \"plain\"]\n",
    );
    let mut more = "[dependencies]\n".to_owned();
    for name in crates {
        writeln!(more, "{name} = {{ path = \"../crates/{name}\" }}").expect("a string");
        checkout.write(
            &format!("crates/{name}/Cargo.toml"),
            &manifest(name, "[features]\nvendored = []\n"),
        );
        checkout.write(&format!("crates/{name}/src/lib.rs"), "");
    }
    for (name, more) in [("native", more.as_str()), ("plain", "")] {
        checkout.write(&format!("{name}/Cargo.toml"), &manifest(name, more));
        checkout.write(&format!("{name}/src/main.rs"), "fn main() {}\n");
    }
    checkout.cargo(&["generate-lockfile"]);
    checkout
}

/// The triple of this machine.
fn host() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}

fn doctor(checkout: &Checkout) -> Lighter {
    Lighter::at(checkout.path()).args(["doctor", "--format", "json"])
}

#[track_caller]
fn findings(run: &Run) -> Vec<Value> {
    let document: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(document["version"], 1);
    document["findings"].as_array().expect("a list").clone()
}

#[test]
fn a_workspace_that_has_all_it_needs_is_told_so() {
    let run = Lighter::at(shop())
        .args(["doctor", "--offline"])
        .run()
        .expect(0);
    assert_eq!(run.stdout, "nothing is missing for 5 services\n");
    let run = Lighter::at(shop())
        .args(["doctor", "shop-worker", "--format", "json"])
        .run()
        .expect(0);
    assert_eq!(findings(&run), Vec::<Value>::new());
}

#[test]
fn a_library_is_missed_by_the_services_that_need_it_until_pkg_config_knows_it() {
    let checkout = needing(&["openssl-sys"]);
    let before = Before::of(checkout.path());
    let programs = Checkout::empty();
    programs.write_executable("pkg-config", "#!/bin/sh\nexit 1\n");
    let without = doctor(&checkout)
        .first_on_path(programs.path())
        .run()
        .expect(3);
    let found = findings(&without);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        found[0]["what"],
        "pkg-config does not know the library `openssl`"
    );
    assert_eq!(found[0]["services"], serde_json::json!(["native"]));
    assert_eq!(found[0]["commands"]["Alpine"], "apk add openssl-dev");
    let other = doctor(&checkout)
        .args(["plain"])
        .first_on_path(programs.path());
    other.run().expect(0);
    programs.write_executable("pkg-config", "#!/bin/sh\ntest \"$2\" = openssl\n");
    doctor(&checkout)
        .first_on_path(programs.path())
        .run()
        .expect(0);
    before.holds();
}

#[test]
fn a_feature_of_the_manifest_that_brings_the_library_is_seen() {
    let checkout = needing(&["openssl-sys"]);
    let from = "openssl-sys = { path";
    let to = "openssl-sys = { features = [\"vendored\"], path";
    checkout.replace("native/Cargo.toml", from, to);
    let programs = Checkout::empty();
    programs.write_executable("pkg-config", "#!/bin/sh\nexit 1\n");
    doctor(&checkout)
        .first_on_path(programs.path())
        .run()
        .expect(0);
}

#[test]
fn a_feature_of_the_service_turns_its_dependencies_on() {
    let checkout = needing(&["openssl-sys"]);
    let from = "openssl-sys = { path";
    checkout.replace(
        "native/Cargo.toml",
        from,
        "openssl-sys = { optional = true, path",
    );
    checkout.append(
        "native/Cargo.toml",
        "\n[features]\ntls = [\"dep:openssl-sys\"]\n",
    );
    let programs = Checkout::empty();
    programs.write_executable("pkg-config", "#!/bin/sh\nexit 1\n");
    let doctor = || doctor(&checkout).first_on_path(programs.path());
    doctor().run().expect(0);
    doctor().args(["native", "-F", "tls"]).run().expect(3);
    checkout.append(
        "native/Cargo.toml",
        "\n[package.metadata.lighter]\nfeatures = [\"tls\"]\n",
    );
    let run = doctor().run().expect(3);
    assert_eq!(findings(&run)[0]["services"], serde_json::json!(["native"]));
}

#[test]
fn what_makes_no_sense_is_refused_as_build_refuses_it() {
    let checkout = needing(&[]);
    for (arguments, said) in [
        (&["--profile", "nosuch"][..], "no profile `nosuch`"),
        (&["-F", "nosuch"], "no service has a feature `nosuch`"),
        (&["--builder", "make"], "make"),
        (
            &["--target", "x86_64-pc-windows-msvc"],
            "x86_64-pc-windows-msvc",
        ),
        (&["nobody"], "no service `nobody`"),
    ] {
        let run = doctor(&checkout).args(arguments).run().expect(2);
        assert_eq!(run.stdout, "");
        run.says(&["error: ", said]);
    }
    let unknown = ["--target", "x86_64-no-linux-gnu"];
    doctor(&checkout)
        .args(unknown)
        .run()
        .expect(1)
        .says(&["error: "]);
}

#[test]
fn targets_linkers_and_zigbuild_are_missed_together() {
    let checkout = needing(&[]);
    let target = ["--target", "riscv64gc-unknown-linux-musl"];
    let run = doctor(&checkout)
        .args(target)
        .args(["--linkage", "static"])
        .run()
        .expect(3);
    let found = findings(&run);
    let said = |word: &str| {
        let of = |finding: &&Value| {
            finding["what"]
                .as_str()
                .is_some_and(|what| what.contains(word))
        };
        found
            .iter()
            .find(of)
            .unwrap_or_else(|| panic!("{word}: {found:?}"))
    };
    let standard = said("the standard library of target");
    let hint = "run `rustup target add riscv64gc-unknown-linux-musl`";
    assert_eq!(standard["hint"], hint);
    assert_eq!(standard["services"], serde_json::json!(["native", "plain"]));
    assert!(
        said("no linker is configured")["hint"]
            .to_string()
            .contains("zigbuild")
    );
    let zigbuild = doctor(&checkout)
        .args(["--builder", "zigbuild"])
        .run()
        .expect(3);
    let found = findings(&zigbuild);
    assert!(
        found[0]["what"].to_string().contains("cargo-zigbuild"),
        "{found:?}"
    );
}

#[test]
fn a_machine_without_cargo_or_rustc_is_told_so_with_what_brings_them() {
    let checkout = needing(&[]);
    let nothing = Checkout::empty();
    let without_cargo = doctor(&checkout).env("PATH", nothing.path());
    let found = findings(&without_cargo.run().expect(3));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0]["what"].to_string().contains("cargo"), "{found:?}");
    assert_eq!(found[0]["commands"]["Debian"], "apt-get install rustup");
    let broken = Checkout::empty();
    broken.write_executable("rustc", "#!/bin/sh\necho no toolchain here >&2\nexit 1\n");
    let rustc = broken.path().join("rustc");
    let found = findings(&doctor(&checkout).env("RUSTC", &rustc).run().expect(3));
    assert!(
        found[0]["what"].to_string().contains("no toolchain here"),
        "{found:?}"
    );
}

/// A workspace of which one service compiles C with the crate `cc`.
fn compiling_c() -> Checkout {
    let checkout = needing(&["native-sys"]);
    checkout.write("crates/cc/Cargo.toml", &manifest("cc", ""));
    checkout.write("crates/cc/src/lib.rs", "");
    checkout.append(
        "crates/native-sys/Cargo.toml",
        "\n[build-dependencies]\ncc = { path = \"../cc\" }\n",
    );
    checkout.write("crates/native-sys/build.rs", "fn main() {}\n");
    checkout.cargo(&["generate-lockfile"]);
    checkout
}

/// No package brings what a variable misnames: the mend is the variable.
#[test]
fn a_variable_that_names_something_absent_is_named() {
    let checkout = compiling_c();
    let linker = format!(
        "CARGO_TARGET_{}_LINKER",
        host().to_uppercase().replace('-', "_")
    );
    for variable in ["RUSTC", &linker, "CC"] {
        let run = doctor(&checkout).env(variable, "/no/such-gcc").run();
        let found = findings(&run.expect(3));
        assert_eq!(found.len(), 1, "{variable}: {found:?}");
        let hint = found[0]["hint"].as_str().expect("a hint");
        assert!(hint.contains(variable), "{hint}");
        let commands = found[0]["commands"].to_string();
        assert!(!commands.contains("/no/such"), "{commands}");
        assert!(!commands.contains("rustup"), "{commands}");
    }
    let run = doctor(&checkout)
        .env("RUSTUP_TOOLCHAIN", "1.2.3-none")
        .run();
    let found = findings(&run.expect(3));
    let hint = found[0]["hint"].as_str().expect("a hint");
    assert!(hint.contains("unset RUSTUP_TOOLCHAIN"), "{hint}");
}

/// It was named in the command and again in the hint.
#[test]
fn a_package_is_named_once() {
    let checkout = needing(&[]);
    let target = "aarch64-unknown-linux-gnu";
    let run = doctor(&checkout).args(["--target", target]).run();
    let found = findings(&run.expect(3));
    let text = found.iter().map(ToString::to_string);
    let text = text.filter(|one| one.contains("linker is configured"));
    let text = text.collect::<String>();
    assert_eq!(text.matches("gcc-aarch64-linux-gnu").count(), 1, "{text}");
}

#[test]
fn build_scripts_need_the_linker_of_this_machine_where_another_one_is_compiled_for() {
    let checkout = needing(&["with-script"]);
    checkout.write("crates/with-script/build.rs", "fn main() {}\n");
    let host = host();
    let variable = |target: &str| {
        let target = target.to_uppercase().replace('-', "_");
        format!("CARGO_TARGET_{target}_LINKER")
    };
    let other = "riscv64gc-unknown-linux-gnu";
    let doctor = || {
        doctor(&checkout)
            .args(["--target", other])
            .env(&variable(other), "sh")
    };
    let of_host = |run: &Run| {
        let found = findings(run).into_iter();
        let of_linker = found.filter(|finding| finding["what"].to_string().contains("no-such"));
        of_linker.collect::<Vec<_>>()
    };
    let found = of_host(
        &doctor()
            .env(&variable(&host), "no-such-linker")
            .run()
            .expect(3),
    );
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["services"], serde_json::json!(["native"]));
    assert_eq!(
        found[0]["because"],
        "`with-script` has a build script or macros, which run on this machine"
    );
    assert!(of_host(&doctor().run().expect(3)).is_empty());
}

#[test]
fn a_missing_linker_is_mended_alike_by_build_and_doctor_and_on_every_system() {
    let checkout = needing(&[]);
    let target = "aarch64-unknown-linux-gnu";
    let linker = "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER";
    let nothing = doctor(&checkout)
        .args(["--target", target])
        .env(linker, "aarch64-linux-gnu-gcc-that-is-not-there-gcc");
    let found = findings(&nothing.run().expect(3));
    let of_linker = found.iter().find(|finding| {
        let what = finding["what"].to_string();
        what.contains("the linker `aarch64-linux-gnu-gcc-that")
    });
    let commands = &of_linker.expect("a finding")["commands"];
    for (system, command) in [
        ("Alpine", "apk add cargo-zigbuild"),
        ("Fedora", "pip install ziglang cargo-zigbuild"),
        ("macOS", "brew install cargo-zigbuild"),
    ] {
        assert_eq!(commands[system], command);
    }
    let host = host().to_uppercase().replace('-', "_");
    let host_linker = format!("CARGO_TARGET_{host}_LINKER");
    let programs = Checkout::empty();
    let missing = |lighter: Lighter| lighter.env(&host_linker, programs.path().join("cc"));
    let found = findings(&missing(doctor(&checkout)).run().expect(3));
    assert!(
        found[0]["what"].to_string().contains("the linker"),
        "{found:?}"
    );
    let build = Lighter::at(checkout.path()).args(["build"]);
    missing(build).run().expect(1).says(&["hint: ", "zigbuild"]);
}

#[test]
fn a_build_script_that_compiles_c_needs_a_compiler_for_the_target() {
    let checkout = compiling_c();
    let target = "riscv64gc-unknown-linux-gnu";
    let doctor = |compiler: &str| {
        let run = doctor(&checkout)
            .args(["--target", target])
            .env("CARGO_TARGET_RISCV64GC_UNKNOWN_LINUX_GNU_LINKER", "sh")
            .env("CC_riscv64gc_unknown_linux_gnu", compiler)
            .run()
            .expect(3);
        let found = findings(&run).into_iter();
        let of_compiler = found.filter(|one| one["what"].to_string().contains("no C compiler"));
        of_compiler.collect::<Vec<_>>()
    };
    let found = doctor("no-such-compiler");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        found[0]["what"],
        format!("no C compiler for `{target}`: `no-such-compiler` is not on PATH")
    );
    assert_eq!(found[0]["because"], "`native-sys` compiles C");
    assert!(doctor("sh").is_empty());
}

#[test]
fn zigbuild_needs_zig_or_pythons_module() {
    let checkout = needing(&[]);
    let programs = Checkout::empty();
    programs.write_executable("cargo-zigbuild", "#!/bin/sh\nexit 0\n");
    for python in ["python3", "python"] {
        programs.write_executable(python, "#!/bin/sh\nexit 1\n");
    }
    let doctor = || {
        let doctor = doctor(&checkout).args(["--builder", "zigbuild"]);
        doctor.first_on_path(programs.path())
    };
    let found = findings(&doctor().run().expect(3));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["hint"], "run `pip install ziglang`");
    programs.write_executable("python3", "#!/bin/sh\ntest \"$2\" = ziglang\n");
    doctor().run().expect(0);
    programs.write_executable("python3", "#!/bin/sh\nexit 1\n");
    programs.write_executable("zig", "#!/bin/sh\nexit 0\n");
    doctor().run().expect(0);
}

#[test]
fn helpers_that_are_not_there_and_broken_configurations_are_told() {
    let checkout = needing(&[]);
    checkout.write(
        "home/.docker/config.json",
        r#"{"credHelpers":{"ghcr.io":"no-such"}}"#,
    );
    let home = checkout.path().join("home");
    let doctor = || doctor(&checkout).env("HOME", &home);
    let found = findings(&doctor().run().expect(3));
    assert_eq!(
        found[0]["what"],
        "the credential helper `docker-credential-no-such` is not on PATH"
    );
    let programs = Checkout::empty();
    programs.write_executable("docker-credential-no-such", "#!/bin/sh\nexit 1\n");
    doctor().first_on_path(programs.path()).run().expect(0);
    checkout.write("home/.docker/config.json", "{");
    let found = findings(&doctor().run().expect(3));
    assert!(
        found[0]["what"].to_string().contains("config.json"),
        "{found:?}"
    );
}

#[test]
fn passwords_that_others_may_read_are_told_with_what_to_type() {
    let checkout = needing(&[]);
    let file = "home/.docker/config.json";
    checkout.write(file, r#"{"auths":{"ghcr.io":{"auth":"bWU6c2VjcmV0"}}}"#);
    let home = checkout.path().join("home");
    let doctor = || doctor(&checkout).env("HOME", &home).run();
    checkout.set_mode(file, 0o600);
    doctor().expect(0);
    checkout.set_mode(file, 0o640);
    let found = findings(&doctor().expect(3));
    let path = checkout.path().join(file).display().to_string();
    let what = format!(
        "`{path}` is where credentials are kept, and others than its owner may read it (mode 0640)"
    );
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["what"], what);
    assert!(
        found[0]
            .to_string()
            .contains(&format!("chmod 600 '{path}'")),
        "{found:?}"
    );
}

#[test]
fn a_registry_is_asked_only_where_one_is_named() {
    let checkout = needing(&[]);
    let registry = Registry::open();
    doctor(&checkout).run().expect(0);
    assert_eq!(registry.requests(), Vec::<String>::new());
    let prefix = format!("{}/shop", registry.host());
    doctor(&checkout).args(["--repo", &prefix]).run().expect(0);
    assert!(!registry.requests().is_empty());
    let nobody = format!("localhost:{}/shop", free_port());
    let offline = doctor(&checkout).args(["--offline", "--repo", &nobody]);
    offline.run().expect(0);
    let found = findings(&doctor(&checkout).args(["--repo", &nobody]).run().expect(3));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["services"], serde_json::json!(["native", "plain"]));
    let locked = Registry::with_password();
    let prefix = format!("{}/shop", locked.host());
    let found = findings(&doctor(&checkout).args(["--repo", &prefix]).run().expect(3));
    assert!(found[0]["hint"].to_string().contains("log in"), "{found:?}");
}

#[test]
fn text_says_what_to_type() {
    let checkout = needing(&["prost-build"]);
    let run = Lighter::at(checkout.path())
        .args(["doctor", "-v"])
        .env("PATH", path_without_protoc());
    let run = run.run().expect(3);
    let expected = "`protoc` is not on PATH
  because  `native` runs it
  for      native
  mend     Debian: `apt-get install protobuf-compiler`
  mend     Alpine: `apk add protoc protobuf-dev`
  mend     Fedora: `dnf install protobuf-compiler`
  mend     macOS: `brew install protobuf`
";
    assert_eq!(run.stdout, expected);
}

/// PATH without the directories in which somebody installed protoc.
fn path_without_protoc() -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let kept: Vec<_> = std::env::split_paths(&path)
        .filter(|directory| !directory.join("protoc").exists())
        .collect();
    std::env::join_paths(kept).expect("a path")
}

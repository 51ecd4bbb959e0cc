//! Each row of the table, on machines that have nothing, and on machines that have just that.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::crates::{Crate, Dependent};
use super::native::{Needy, Place, missing};
use super::system::detect;
use super::table::{Probe, Row, When, rows};
use super::{Finding, to_json, to_text};
use crate::hint::System;
use crate::process::{Environment, Interrupt};

const X86: &str = "x86_64-unknown-linux-gnu";
const ARM: &str = "aarch64-unknown-linux-gnu";

/// A machine with a PATH of its own, on which nothing is.
struct Bare {
    directory: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

impl Bare {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("bin").display().to_string();
        fs_err::create_dir(&path).expect("made");
        Self {
            directory,
            variables: vec![("PATH".to_owned(), path)],
        }
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a program, which does as `script` says.
    fn program(self, name: &str, script: &str) -> Self {
        let path = self.directory.path().join("bin").join(name);
        fs_err::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
        let mode = std::fs::Permissions::from_mode(0o755);
        fs_err::set_permissions(&path, mode).expect("executable");
        self
    }

    /// With a pkg-config that knows only these libraries.
    fn libraries(self, names: &[&str]) -> Self {
        let known = names.join("|");
        let script = format!(
            "test \"$1\" = --exists || exit 9\ncase \"$2\" in {known}) exit 0;; esac\nexit 1"
        );
        self.program("pkg-config", &script)
    }

    fn missing(&self, crates: &[Crate], target: &str, zigbuild: bool) -> Vec<Finding> {
        let variables = self.variables.iter();
        let variables = variables.map(|(name, value)| (name.clone().into(), value.clone().into()));
        let environment = Environment::new("/", variables);
        let place = Place {
            environment: &environment,
            interrupt: &Interrupt::new(),
            host: X86,
            root: self.directory.path(),
        };
        let needy = Needy {
            service: "orders",
            crates: crates.to_vec(),
            target,
            zigbuild,
        };
        missing(&place, &[needy])
    }
}

fn dependent(name: &str, for_target: bool) -> Dependent {
    let name = name.to_owned();
    Dependent { name, for_target }
}

fn krate(name: &str, features: &[&str]) -> Crate {
    Crate {
        name: name.to_owned(),
        features: features.iter().map(|&feature| feature.to_owned()).collect(),
        dependents: BTreeSet::from([dependent("native-sys", true)]),
        for_target: true,
        runs_here: false,
    }
}

/// The crate of a row, so that the row holds, on a machine that has nothing.
fn needing(row: &Row) -> (Crate, Bare) {
    let bare = Bare::new();
    match row.when {
        When::Always | When::Without(_) => (krate(row.krate, &[]), bare),
        When::With(features) => (krate(row.krate, &features[..1]), bare),
        When::Variable(name) => (krate(row.krate, &[]), bare.variable(name, "1")),
    }
}

/// The same machine with what the row asks for.
fn with(row: &Row, bare: Bare) -> Bare {
    match row.probe {
        Probe::Program(name) => bare.program(name, "exit 0"),
        Probe::Library(names) => bare.libraries(&names[names.len() - 1..]),
        Probe::Compiler => bare.program("cc", "exit 0"),
        Probe::Clang => {
            let place = bare.directory.path().join("usr/lib/llvm-19/lib");
            fs_err::create_dir_all(&place).expect("made");
            fs_err::write(place.join("libclang.so.1"), "").expect("written");
            bare
        }
    }
}

/// What is found of one row; other rows of the same crate have findings of their own.
fn of_row(row: &Row, found: Vec<Finding>) -> Option<Finding> {
    let words: Vec<&str> = match row.probe {
        Probe::Program(name) => vec![name],
        Probe::Library(names) => [names, &["pkg-config"]].concat(),
        Probe::Compiler => vec!["C compiler"],
        Probe::Clang => vec!["libclang"],
    };
    let quoted = |word: &&str| format!("`{word}`");
    found.into_iter().find(|finding| {
        words
            .iter()
            .any(|word| finding.what.contains(&quoted(word)) || finding.what.starts_with(*word))
            || (row.probe == Probe::Compiler && finding.what.contains("C compiler"))
            || (row.probe == Probe::Clang && finding.what.contains("libclang"))
    })
}

#[test]
fn each_row_is_missed_on_a_bare_machine_and_found_where_it_is() {
    for row in rows() {
        let name = row.krate;
        let (krate, bare) = needing(row);
        let found = of_row(row, bare.missing(std::slice::from_ref(&krate), X86, false));
        let found = found.unwrap_or_else(|| panic!("{name}: {:?} is not missed", row.probe));
        let who = if row.is_tool { "native-sys" } else { name };
        let because = found.because.expect("somebody needs it");
        assert!(because.contains(&format!("`{who}`")), "{name}: {because}");
        assert_eq!(found.services, ["orders"]);
        assert!(!found.commands.is_empty(), "{name}: nothing mends it");
        let bare = with(row, bare);
        let found = of_row(row, bare.missing(&[krate], X86, false));
        assert_eq!(found, None, "{name}");
    }
}

#[test]
fn a_library_that_pkg_config_does_not_know_has_the_row_s_packages() {
    for row in rows() {
        let Probe::Library(names) = row.probe else {
            continue;
        };
        let (krate, bare) = needing(row);
        let found = bare.libraries(&["other"]).missing(&[krate], X86, false);
        let found = of_row(row, found).expect("missed");
        let what = format!("pkg-config does not know the library `{}`", names[0]);
        assert_eq!(found.what, what);
        assert_eq!(found.commands, row.packages.commands(), "{}", row.krate);
    }
}

#[test]
fn what_turns_a_row_off_turns_it_off() {
    for row in rows() {
        let name = row.krate;
        if let When::Without(features) = row.when {
            for feature in features {
                let found = Bare::new().missing(&[krate(name, &[feature])], X86, false);
                assert_eq!(of_row(row, found), None, "{name}: {feature}");
            }
        }
        if matches!(row.when, When::With(_) | When::Variable(_)) {
            let found = Bare::new().missing(&[krate(name, &[])], X86, false);
            assert_eq!(of_row(row, found), None, "{name}");
        }
        for variable in row.told_by {
            let (krate, bare) = needing(row);
            let found = bare
                .variable(variable, "/somewhere")
                .missing(&[krate], X86, false);
            assert_eq!(of_row(row, found), None, "{name}: {variable}");
        }
        for mate in row.not_beside {
            let (own, bare) = needing(row);
            let found = bare.missing(&[own, krate(mate, &[])], X86, false);
            assert_eq!(of_row(row, found), None, "{name} beside {mate}");
        }
        for user in row.not_for {
            let (mut krate, bare) = needing(row);
            krate.dependents = BTreeSet::from([dependent(user, true)]);
            let found = bare.missing(&[krate], X86, false);
            assert_eq!(of_row(row, found), None, "{name} for {user}");
        }
    }
}

#[test]
fn a_compiler_is_looked_for_where_a_crate_is_compiled() {
    let mut cc = krate("cc", &[]);
    let bare = Bare::new().program("cc", "exit 0");
    let found = bare.missing(std::slice::from_ref(&cc), ARM, false);
    let what = format!("no C compiler for `{ARM}`: `aarch64-linux-gnu-gcc` is not on PATH");
    assert_eq!(found[0].what, what);
    let debian = (
        System::Debian,
        "apt-get install gcc-aarch64-linux-gnu".to_owned(),
    );
    assert!(found[0].commands.contains(&debian), "{found:?}");
    // zigbuild has one for targets, a build script's is this machine's own.
    assert_eq!(bare.missing(std::slice::from_ref(&cc), ARM, true), []);
    // It is built for this machine, and compiles for whom its users are.
    cc.for_target = false;
    assert_eq!(bare.missing(std::slice::from_ref(&cc), ARM, false), found);
    cc.dependents = BTreeSet::from([dependent("native-sys", false)]);
    assert_eq!(bare.missing(&[cc], ARM, false), []);
}

#[test]
fn another_library_of_llvm_and_a_program_are_no_libclang() {
    let bindgen = [krate("bindgen", &[])];
    let bare = Bare::new().program("clang", "exit 0");
    let llvm = bare.directory.path().join("elsewhere");
    fs_err::create_dir_all(bare.directory.path().join("usr/lib")).expect("made");
    let other = bare.directory.path().join("usr/lib/libclang-cpp.so.14");
    fs_err::write(other, "").expect("written");
    fs_err::create_dir_all(&llvm).expect("made");
    let bare = bare.program("llvm-config", &format!("echo {}", llvm.display()));
    assert_eq!(bare.missing(&bindgen, ARM, false).len(), 1);
    fs_err::write(llvm.join("libclang.so.19"), "").expect("written");
    assert_eq!(bare.missing(&bindgen, ARM, false), []);
}

#[test]
fn libraries_of_another_processor_are_not_those_of_this_machine() {
    let openssl = [krate("openssl-sys", &[])];
    let found = Bare::new()
        .libraries(&["openssl"])
        .missing(&openssl, ARM, false);
    assert_eq!(
        found[0].what,
        format!("pkg-config is not told where `openssl` for `{ARM}` is")
    );
    let hint = found[0].hint.as_deref().expect("a way out");
    assert!(
        hint.contains("PKG_CONFIG_SYSROOT_DIR_aarch64_unknown_linux_gnu"),
        "{hint}"
    );
    assert!(hint.ends_with("or turn on the feature `vendored` of `openssl-sys`, which brings it"));
    let told = Bare::new()
        .libraries(&["openssl"])
        .variable("PKG_CONFIG_SYSROOT_DIR_aarch64_unknown_linux_gnu", "/arm");
    assert_eq!(told.missing(&openssl, ARM, false), []);
}

#[test]
fn a_missing_pkg_config_is_one_trouble_however_many_ask_it() {
    let crates = [krate("openssl-sys", &[]), krate("pq-sys", &[])];
    let found = Bare::new().missing(&crates, X86, false);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].what, "`pkg-config` is not on PATH");
    let because = found[0].because.as_deref();
    assert_eq!(because, Some("`openssl-sys` and `pq-sys` ask it"));
    let hint = found[0].hint.as_deref();
    assert_eq!(
        hint,
        Some("then run this again, which asks it for `libpq` and `openssl`")
    );
}

#[test]
fn systems_are_known_by_their_release() {
    for (text, system) in [
        ("ID=debian\n", Some(System::Debian)),
        ("NAME=x\nID=ubuntu\nID_LIKE=debian\n", Some(System::Debian)),
        (
            "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n",
            Some(System::Debian),
        ),
        ("ID=alpine\n", Some(System::Alpine)),
        (
            "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n",
            Some(System::Fedora),
        ),
        ("ID=fedora\n", Some(System::Fedora)),
        ("ID=nixos\n", None),
        ("", None),
    ] {
        assert_eq!(System::of_release(text), system, "{text}");
    }
    assert_eq!(detect(Path::new("/nonexistent")), None);
}

#[test]
fn findings_say_what_to_type_here_or_everywhere() {
    let openssl = [krate("openssl-sys", &[])];
    let found = Bare::new()
        .libraries(&["none"])
        .missing(&openssl, X86, false);
    let services = ["orders".to_owned()];
    let here = to_text(&found, &services, Some(System::Alpine), false);
    let expected = "pkg-config does not know the library `openssl`
  because  `openssl-sys` links it
  for      orders
  mend     `apk add openssl-dev`
  mend     or turn on the feature `vendored` of `openssl-sys`, which brings it
";
    assert_eq!(here, expected);
    for text in [
        to_text(&found, &services, Some(System::Alpine), true),
        to_text(&found, &services, None, false),
    ] {
        for line in [
            "Debian: `apt-get install libssl-dev`",
            "Alpine: `apk add openssl-dev`",
            "Fedora: `dnf install openssl-devel`",
            "macOS: `brew install openssl@3`",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }
    let nothing = to_text(&[], &services, None, false);
    assert_eq!(nothing, "nothing is missing for 1 service\n");
    let json = to_json(&found, &services, Some(System::Debian)).expect("JSON");
    assert_eq!(
        json,
        "{\"version\":1,\"system\":\"Debian\",\"services\":[\"orders\"],\"findings\":[{\
         \"what\":\"pkg-config does not know the library `openssl`\",\
         \"because\":\"`openssl-sys` links it\",\"services\":[\"orders\"],\
         \"commands\":{\"Alpine\":\"apk add openssl-dev\",\"Debian\":\"apt-get install libssl-dev\",\
         \"Fedora\":\"dnf install openssl-devel\",\"macOS\":\"brew install openssl@3\"},\
         \"hint\":\"or turn on the feature `vendored` of `openssl-sys`, which brings it\"}]}"
    );
}

#[test]
fn a_pkg_config_that_a_variable_misnames_is_no_package_s_matter() {
    let crates = [krate("openssl-sys", &[])];
    let bare = Bare::new().variable("PKG_CONFIG", "/no/pkg-config");
    let found = bare.missing(&crates, X86, false);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].commands, []);
    let hint = found[0].hint.as_deref().expect("a hint");
    assert!(
        hint.starts_with("name one that is there in `PKG_CONFIG`, or unset it"),
        "{hint}"
    );
}

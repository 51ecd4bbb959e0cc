//! Inputs that no commit holds: who has one is always affected, and has no key.

use crate::support::affected::{assert_affected, changed};
use crate::support::cli::Lighter;
use crate::support::workspace::{Checkout, manifest};

/// Why a service has no key.
#[track_caller]
fn no_key(checkout: &Checkout, service: &str) -> String {
    let run = Lighter::at(checkout.path()).args(["plan", service, "--keys", "--format", "json"]);
    let run = run.run().expect(0);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert!(json["services"][0]["key"].is_null(), "{json}");
    json["services"][0].to_string()
}

#[test]
fn what_a_source_names_in_the_target_directory_is_a_blind_spot() {
    for source in [
        "const A: &[u8] = include_bytes!(\"../../target/wasm/x.wasm\");\nfn main() {}\n",
        "#[folder = \"../target/wasm\"]\nstruct Page;\nfn main() {}\n",
    ] {
        let checkout = Checkout::of_two();
        checkout.write("beta/src/main.rs", source);
        checkout.commit("second");
        // Nobody made it yet.
        assert_affected(&changed(&checkout), &[]);
        checkout.write("target/wasm/x.wasm", "1\n");
        let named = "a source of `beta` names `target/wasm";
        let told = |checkout: &Checkout| {
            let found = changed(checkout);
            assert!(found.keys().eq(["beta"]), "{found:?}");
            assert!(found["beta"][0].starts_with(named), "{found:?}");
        };
        told(&checkout);
        checkout.append("alpha/README.md", "nobody's\n");
        told(&checkout);
        let reason = no_key(&checkout, "beta");
        assert!(reason.contains(named), "{reason}");
        let out = Checkout::empty();
        let split = || {
            let run = Lighter::at(checkout.path()).args(["split", "beta", "--out"]);
            run.args([out.path()]).run()
        };
        split()
            .expect(2)
            .says(&[named, "add `inputs = [\"/target/wasm"]);
        checkout.append(
            "beta/Cargo.toml",
            "[package.metadata.lighter]\ninputs = [\"/target/wasm/**\"]\n",
        );
        split().expect(0);
        assert!(out.path().join("beta/target/wasm/x.wasm").is_file());
    }
}

#[test]
fn a_new_time_of_a_source_does_not_silence_the_list_of_the_last_build() {
    let checkout = Checkout::of_two();
    checkout.write("hidden/a.txt", "1\n");
    checkout.write("target/wasm/x.wasm", "1\n");
    checkout.commit("second");
    let root = checkout.path().display().to_string();
    let root = root.replace(' ', "\\ ");
    for hidden in ["hidden/a.txt", "target/wasm/x.wasm"] {
        let own = "target/release/build/beta-0123456789abcdef/out/made.rs";
        checkout.write(own, "");
        let list = format!("{root}/target/release/beta: {root}/{own} {root}/{hidden}\n");
        checkout.write("target/lighter/inputs/beta.d", &list);
        // Later than the list.
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(10);
        let source = checkout.path().join("beta/src/main.rs");
        let source = fs_err::OpenOptions::new().write(true).open(source);
        let source = source.expect("there");
        source.file().set_modified(later).expect("ours");
        let named = format!("the last build of `beta` read `{hidden}`");
        let found = changed(&checkout);
        assert!(found.keys().eq(["beta"]), "{found:?}");
        assert!(found["beta"][0].starts_with(&named), "{found:?}");
        let reason = no_key(&checkout, "beta");
        assert!(reason.contains(&named), "{reason}");
        // What changed since may not read it any more, and a split is proven otherwise.
        let out = Checkout::empty();
        let run = Lighter::at(checkout.path()).args(["split", "beta", "--out"]);
        run.args([out.path()]).run().expect(0);
    }
}

/// `beta` with a build script that is linked with `tool`, which is linked with `deep`.
fn with_tool(deep: &str, of_deep: &str) -> Checkout {
    let checkout = Checkout::of_two();
    let root = checkout.path().join("Cargo.toml");
    let text = fs_err::read_to_string(root).expect("there");
    let text = text.replace("\"other\"]", "\"other\", \"tool\", \"deep\"]");
    checkout.write("Cargo.toml", &text);
    let needs = "\n[dependencies]\ndeep = { path = \"../deep\" }\n";
    checkout.write("tool/Cargo.toml", &manifest("tool", needs));
    checkout.write("tool/src/lib.rs", "pub fn run() { deep::run() }\n");
    checkout.write("deep/Cargo.toml", &manifest("deep", of_deep));
    checkout.write("deep/src/lib.rs", deep);
    checkout.append(
        "beta/Cargo.toml",
        "\n[build-dependencies]\ntool = { path = \"../tool\" }\n",
    );
    checkout.write("beta/build.rs", "fn main() { tool::run() }\n");
    checkout.cargo(&["generate-lockfile"]);
    checkout.commit("second");
    checkout
}

#[test]
fn a_library_of_a_build_script_or_a_macro_that_asks_git_is_a_blind_spot() {
    let asks = "pub fn run() { let _ = std::process::Command::new(\"/usr/bin/git\").output(); }\n";
    let checkout = with_tool(asks, "");
    let reason = "beta: the build of `beta` asks git, and what git answers is in no file";
    assert_affected(&changed(&checkout), &[reason]);
    assert!(no_key(&checkout, "beta").contains("asks git"));

    let checkout = Checkout::of_two();
    checkout.append("other/Cargo.toml", "\n[lib]\nproc-macro = true\n");
    checkout.write(
        "other/src/lib.rs",
        "fn run() { let _ = std::process::Command::new(\"sh\").args([\"-c\", \"git rev-parse HEAD\"]).output(); }\n",
    );
    checkout.commit("second");
    let reason = "beta: the build of `other` asks git, and what git answers is in no file";
    assert_affected(&changed(&checkout), &[reason]);
    assert!(no_key(&checkout, "beta").contains("asks git"));
}

#[test]
fn what_a_library_of_a_build_script_reads_is_an_input_of_who_runs_it() {
    let reads = "pub fn run() {\n\
                 println!(\"cargo:rerun-if-changed=../texts/schema.txt\");\n\
                 let _ = std::fs::read(\"../texts/other.txt\");\n\
                 println!(\"cargo:rerun-if-env-changed=STAGE\");\n\
                 let _ = std::env::var(\"COLOUR\");\n}\n";
    let checkout = with_tool(reads, "");
    for file in ["schema.txt", "other.txt"] {
        checkout.write(&format!("texts/{file}"), "1\n");
    }
    checkout.commit("third");
    assert_affected(&changed(&checkout), &[]);
    for file in ["schema.txt", "other.txt"] {
        checkout.append(&format!("texts/{file}"), "2\n");
        let reason = format!("beta: texts/{file} changed");
        assert_affected(&changed(&checkout), &[&reason]);
        checkout.restore();
    }
    let key = |name: &str, value: &str| {
        let run = Lighter::at(checkout.path()).args(["plan", "beta", "--keys", "--format", "json"]);
        let run = run.env(name, value).run().expect(0);
        let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
        json["services"][0]["key"].clone()
    };
    for name in ["STAGE", "COLOUR"] {
        assert_ne!(key(name, "one"), key(name, "two"), "{name}");
    }
    let out = Checkout::empty();
    let run = Lighter::at(checkout.path()).args(["split", "beta", "--out"]);
    run.args([out.path()]).run().expect(0);
    assert!(out.path().join("beta/texts/other.txt").is_file());
}

#[test]
fn a_program_that_embeds_its_lock_or_a_manifest_has_them_as_they_are() {
    for (source, file, refused) in [
        ("include_str!(\"../../Cargo.lock\")", "Cargo.lock", true),
        ("include_str!(\"../../Cargo.toml\")", "Cargo.toml", true),
        ("include_str!(\"../Cargo.toml\")", "beta/Cargo.toml", false),
        (
            "include_str!(\"../../.cargo/config.toml\")",
            ".cargo/config.toml",
            false,
        ),
    ] {
        let checkout = Checkout::of_two();
        let source = format!("const A: &str = {source};\nfn main() {{}}\n");
        checkout.write("beta/src/main.rs", &source);
        checkout.commit("second");
        assert_affected(&changed(&checkout), &[]);
        checkout.append(file, "# A comment.\n");
        let reason = format!("beta: {file} changed");
        assert_affected(&changed(&checkout), &[&reason]);
        let out = Checkout::empty();
        let run = Lighter::at(checkout.path()).args(["split", "beta", "--out"]);
        let run = run.args([out.path()]).run();
        if refused {
            run.expect(2).says(&[
                &format!("`beta` embeds `{file}`, which a split has in another form"),
                "ship it without splitting",
            ]);
        } else {
            run.expect(0);
            let text = |path: &std::path::Path| fs_err::read(path).expect("there");
            assert_eq!(
                text(&out.path().join("beta").join(file)),
                text(&checkout.path().join(file))
            );
        }
    }
}

#[test]
fn a_program_that_embeds_the_directory_of_its_package_has_all_of_it() {
    for source in [
        "#[folder = \".\"]\nstruct All;\n",
        "static ALL: Dir = include_dir!(\"$CARGO_MANIFEST_DIR\");\n",
    ] {
        let checkout = Checkout::of_two();
        checkout.write("beta/src/main.rs", &format!("{source}fn main() {{}}\n"));
        for file in ["README.md", "docs/a.md", "tests/all.rs"] {
            checkout.write(&format!("beta/{file}"), "// 1\n");
        }
        checkout.commit("second");
        assert_affected(&changed(&checkout), &[]);
        for file in ["README.md", "docs/a.md", "tests/all.rs", "Cargo.toml"] {
            checkout.append(&format!("beta/{file}"), "# 2\n");
            let reason = format!("beta: beta/{file} changed");
            assert_affected(&changed(&checkout), &[&reason]);
            checkout.restore();
        }
        let out = Checkout::empty();
        let run = Lighter::at(checkout.path()).args(["split", "beta", "--no-dev-deps", "--out"]);
        run.args([out.path()]).run().expect(0);
        for file in ["README.md", "docs/a.md", "tests/all.rs"] {
            assert!(out.path().join("beta/beta").join(file).is_file(), "{file}");
        }
    }
}

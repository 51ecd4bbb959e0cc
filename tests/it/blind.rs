//! Inputs that no commit holds: who has one is always affected, and has no key.

use crate::support::affected::{assert_affected, changed};
use crate::support::cli::Lighter;
use crate::support::workspace::Checkout;

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

//! Several executables of one package are several services, and a change of one is none of the others.

use serde_json::Value;

use crate::support::cli::Lighter;
use crate::support::workspace::{Checkout, manifest};

/// One package with a library, `src/main.rs`, and two binaries, one of which takes a module that looks
/// like a third.
fn repository() -> Checkout {
    let checkout = Checkout::empty();
    let targets = "default-run = \"tool\"\n\n[[bin]]\nname = \"invoice\"\n\n[[bin]]\nname = \"tool\"\npath = \"src/main.rs\"\n";
    checkout.write("Cargo.toml", &manifest("billing", targets));
    checkout.write("src/lib.rs", "");
    checkout.write("src/main.rs", "fn main() {}\n");
    checkout.write("src/bin/invoice.rs", "mod common;\nfn main() {}\n");
    checkout.write("src/bin/common.rs", "fn main() {}\n");
    checkout.write("src/bin/dunning/main.rs", "mod letters;\nfn main() {}\n");
    checkout.write("src/bin/dunning/letters.rs", "");
    checkout.write(".gitignore", "target\n");
    checkout.write_lock(&["billing"]);
    checkout.commit("one");
    checkout
}

#[test]
fn a_change_of_one_executable_affects_no_other() {
    let cases: [(&str, &[&str]); 5] = [
        ("src/main.rs", &["tool"]),
        ("src/bin/invoice.rs", &["invoice"]),
        ("src/bin/common.rs", &["common", "invoice"]),
        ("src/bin/dunning/letters.rs", &["dunning"]),
        ("src/lib.rs", &["common", "dunning", "invoice", "tool"]),
    ];
    for (path, expected) in cases {
        let checkout = repository();
        let before = fs_err::read_to_string(checkout.path().join(path)).expect("readable");
        checkout.write(path, &format!("{before}// changed\n"));
        let run = Lighter::at(checkout.path())
            .args(["plan", "--since", "HEAD", "--format", "json"])
            .run()
            .expect(0);
        let plan: Value = serde_json::from_str(&run.stdout).expect("JSON");
        let services = plan["services"].as_array().expect("a list");
        let affected: Vec<&str> = services
            .iter()
            .filter_map(|service| service["service"].as_str())
            .collect();
        assert_eq!(affected, expected, "{path}");
        for service in services {
            assert_eq!(service["reasons"][0], format!("{path} changed"));
        }
    }
}

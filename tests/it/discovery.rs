//! Which services a workspace has, and what they are called.

use serde_json::Value;

use crate::support::cli::Lighter;
use crate::support::workspace::{Checkout, manifest};

const MAIN: &str = "fn main() {}\n";

/// A workspace: its files, and the services and other binaries that must be found.
struct Case<'a> {
    what: &'a str,
    /// Members and their manifests below `[package]`; each has a `src/main.rs` unless it is named.
    packages: &'a [(&'a str, &'a str)],
    sources: &'a [&'a str],
    /// `service package bin`.
    services: &'a [&'a str],
    /// `bin package`.
    left_out: &'a [&'a str],
}

const CASES: &[Case<'_>] = &[
    Case {
        what: "a binary is named after itself, with hyphens and underscores",
        packages: &[("order-api", ""), ("stock_keeper", "")],
        sources: &["order-api/src/main.rs", "stock_keeper/src/main.rs"],
        services: &[
            "order-api order-api order-api",
            "stock_keeper stock_keeper stock_keeper",
        ],
        left_out: &[],
    },
    Case {
        what: "a package may have several binaries",
        packages: &[("billing", "")],
        sources: &[
            "billing/src/main.rs",
            "billing/src/bin/invoice.rs",
            "billing/src/bin/dunning/main.rs",
        ],
        services: &[
            "billing billing billing",
            "dunning billing dunning",
            "invoice billing invoice",
        ],
        left_out: &[],
    },
    Case {
        what: "binaries of one name are named after their packages",
        packages: &[("orders", BIN_SERVER), ("users", BIN_SERVER)],
        sources: &["orders/src/main.rs", "users/src/main.rs"],
        services: &["orders orders server", "users users server"],
        left_out: &[],
    },
    Case {
        what: "and after both where the package has several",
        packages: &[("orders", BIN_SERVER), ("users", BIN_SERVER)],
        sources: &[
            "orders/src/main.rs",
            "users/src/main.rs",
            "users/src/bin/job.rs",
        ],
        services: &[
            "job users job",
            "orders orders server",
            "users-server users server",
        ],
        left_out: &[],
    },
    Case {
        what: "libraries, examples, tests and benches are no services",
        packages: &[("service", ""), ("library", "")],
        sources: &[
            "service/src/main.rs",
            "service/examples/demo.rs",
            "service/tests/all.rs",
            "service/benches/speed.rs",
            "library/src/lib.rs",
            "library/examples/use.rs",
        ],
        services: &["service service service"],
        left_out: &[],
    },
    Case {
        what: "packages and binaries can be skipped, and a package can be brought back",
        packages: &[
            ("chores", "[package.metadata.lighter]\nskip = true\n"),
            (
                "tools",
                "[package.metadata.lighter.bin.debug]\nskip = true\n",
            ),
            (
                "mixed",
                "[package.metadata.lighter]\nskip = true\n[package.metadata.lighter.bin.kept]\nskip = false\n",
            ),
        ],
        sources: &[
            "chores/src/main.rs",
            "tools/src/main.rs",
            "tools/src/bin/debug.rs",
            "mixed/src/main.rs",
            "mixed/src/bin/kept.rs",
        ],
        services: &["kept mixed kept", "tools tools tools"],
        left_out: &["chores chores", "mixed mixed", "debug tools"],
    },
    Case {
        what: "a skipped binary takes no name from another",
        packages: &[
            ("orders", BIN_SERVER),
            (
                "old",
                "[[bin]]\nname = \"server\"\npath = \"src/main.rs\"\n[package.metadata.lighter]\nskip = true\n",
            ),
        ],
        sources: &["orders/src/main.rs", "old/src/main.rs"],
        services: &["server orders server"],
        left_out: &["server old"],
    },
    Case {
        what: "required features must be on: by default, by another, or by configuration",
        packages: &[
            ("off", REQUIRES),
            (
                "default",
                "[features]\ndefault = [\"all\"]\nall = [\"extra\"]\nextra = []\n[[bin]]\nname = \"default\"\npath = \"src/main.rs\"\nrequired-features = [\"extra\"]\n",
            ),
            (
                "configured",
                "[features]\nextra = []\n[[bin]]\nname = \"configured\"\npath = \"src/main.rs\"\nrequired-features = [\"extra\"]\n[package.metadata.lighter]\nfeatures = [\"extra\"]\n",
            ),
            (
                "bare",
                "[features]\ndefault = [\"extra\"]\nextra = []\n[[bin]]\nname = \"bare\"\npath = \"src/main.rs\"\nrequired-features = [\"extra\"]\n[package.metadata.lighter]\nno-default-features = true\n",
            ),
        ],
        sources: &[
            "off/src/main.rs",
            "default/src/main.rs",
            "configured/src/main.rs",
            "bare/src/main.rs",
        ],
        services: &[
            "configured configured configured",
            "default default default",
        ],
        left_out: &["bare bare", "off off"],
    },
];

const BIN_SERVER: &str = "[[bin]]\nname = \"server\"\npath = \"src/main.rs\"\n";
const REQUIRES: &str = "[features]\nextra = []\n[[bin]]\nname = \"off\"\npath = \"src/main.rs\"\nrequired-features = [\"extra\"]\n";

#[test]
fn services_are_found_and_named_by_the_rules() {
    for case in CASES {
        let checkout = Checkout::empty();
        let names: Vec<&str> = case.packages.iter().map(|(name, _)| *name).collect();
        let members: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
        checkout.write(
            "Cargo.toml",
            &format!(
                "[workspace]\nresolver = \"3\"\nmembers = [{}]\n",
                members.join(", ")
            ),
        );
        for (name, more) in case.packages {
            checkout.write(&format!("{name}/Cargo.toml"), &manifest(name, more));
        }
        for source in case.sources {
            checkout.write(source, if source.ends_with("lib.rs") { "" } else { MAIN });
        }
        checkout.write_lock(&names);
        let listed = list(&checkout, &[]);
        let services = rows(&listed["services"], &["service", "package", "bin"]);
        assert_eq!(services, case.services, "{}", case.what);
        let left_out = rows(&listed["left_out"], &["bin", "package"]);
        assert_eq!(left_out, case.left_out, "{}", case.what);
    }
}

#[test]
fn a_root_package_is_a_service_beside_its_members() {
    let checkout = Checkout::empty();
    let root = manifest("root", "[workspace]\nmembers = [\"member\"]\n");
    checkout.write("Cargo.toml", &root);
    checkout.write("src/main.rs", MAIN);
    checkout.write("member/Cargo.toml", &manifest("member", ""));
    checkout.write("member/src/main.rs", MAIN);
    checkout.write_lock(&["member", "root"]);
    // All services of the workspace, wherever one stands.
    for directory in ["", "member", "member/src"] {
        let run = Lighter::at(checkout.path().join(directory))
            .args(["list", "--format", "json"])
            .run()
            .expect(0);
        let listed = serde_json::from_str::<Value>(&run.stdout).expect("JSON");
        assert_eq!(rows(&listed["services"], &["service"]), ["member", "root"]);
    }
}

#[test]
fn a_package_without_a_workspace_is_one() {
    let checkout = Checkout::empty();
    checkout.write("Cargo.toml", &manifest("single", ""));
    checkout.write("src/main.rs", MAIN);
    checkout.write_lock(&["single"]);
    let listed = list(&checkout, &[]);
    assert_eq!(listed["version"], 1);
    let row = &listed["services"][0];
    assert_eq!(row["service"], "single");
    assert_eq!(row["version"], "0.1.0");
    assert_eq!(row["image"], "single");
    assert_eq!(row["closure"], 1);
    assert_eq!(row["named_after"], "its binary");
    Lighter::at(checkout.path()).args(["build"]).run().expect(0);
}

#[test]
fn a_workspace_may_lie_below_the_root_of_the_repository() {
    let checkout = Checkout::empty();
    let assets = "[package.metadata.lighter]\nassets = [\n\
                  { from = \"own\", to = \"/data/own\" },\n\
                  { from = \"/shared/*.txt\", to = \"/data/shared\" },\n]\n";
    checkout.write(
        "rust/Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"service\"]\n",
    );
    checkout.write("rust/service/Cargo.toml", &manifest("service", assets));
    checkout.write("rust/service/src/main.rs", MAIN);
    checkout.write("rust/service/own/a.txt", "a");
    checkout.write("rust/shared/b.txt", "b");
    checkout.write("rust/Cargo.lock", LOCK);
    checkout.write(".gitignore", "target\n*.json\n");
    let commit = checkout.commit("first");
    Lighter::at(checkout.path().join("rust"))
        .args([
            "build",
            "--to",
            "oci:out",
            "--metadata-file",
            "summary.json",
        ])
        .run()
        .expect(0);
    let summary = crate::support::check::read_json(&checkout.path().join("rust/summary.json"));
    assert_eq!(summary["services"][0]["revision"], commit);
    let layout = checkout.path().join("rust/out");
    crate::support::check::assert_sound(&layout);
    let files = crate::support::check::Described::of(&layout, "service:latest").files();
    for file in ["data/own/a.txt", "data/shared/b.txt", "app/service"] {
        assert!(files.iter().any(|name| name == file), "{file}: {files:?}");
    }
    assert!(!checkout.path().join("target").exists());
}

const LOCK: &str = "version = 4\n\n[[package]]\nname = \"service\"\nversion = \"0.1.0\"\n";

/// `list --format json`.
#[track_caller]
fn list(checkout: &Checkout, arguments: &[&str]) -> Value {
    let run = Lighter::at(checkout.path())
        .args(["list", "--format", "json"])
        .args(arguments)
        .run()
        .expect(0);
    serde_json::from_str(&run.stdout).expect("JSON")
}

/// Fields of each row, joined.
fn rows(list: &Value, fields: &[&str]) -> Vec<String> {
    let text = |row: &Value, field: &str| row[field].as_str().expect("a string").to_owned();
    let row = |row: &Value| {
        fields
            .iter()
            .map(|field| text(row, field))
            .collect::<Vec<_>>()
    };
    let rows = list.as_array().expect("a list").iter();
    rows.map(|value| row(value).join(" ")).collect()
}

//! The image that a Dockerfile makes, and the one that its proposal makes.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::workspace;
use crate::support::cli::Lighter;
use crate::support::tools::{run, skipped, skopeo_config};
use crate::support::workspace::{Checkout, TARGET};

/// What every Dockerfile here begins with: an executable that was built before.
const HEAD: &str = "FROM scratch\nCOPY target/release/orders /app/orders\n";

#[test]
fn images_are_configured_as_those_of_their_dockerfiles() {
    let checkout = workspace();
    checkout.cargo(&["build", "--release", "--target", TARGET, "-p", "orders"]);
    let built = checkout
        .path()
        .join("target")
        .join(TARGET)
        .join("release/orders");
    let place = checkout.path().join("target/release/orders");
    fs_err::create_dir_all(place.parent().expect("has one")).expect("created");
    fs_err::copy(built, place).expect("copied");
    for (what, rest) in CASES {
        checkout.write("Dockerfile", &format!("{HEAD}{rest}"));
        let Some(old) = buildah(&checkout) else {
            return;
        };
        let new = ours(&checkout);
        assert_same(what, &old, &new);
        checkout.write(
            "orders/Cargo.toml",
            &crate::support::workspace::manifest("orders", ""),
        );
    }
}

const CASES: &[(&str, &str)] = &[
    (
        "an entry point",
        "USER 65532:65532\nENTRYPOINT [\"/app/orders\"]\n",
    ),
    (
        "arguments of a command",
        "USER 1000:1001\nENTRYPOINT [\"/app/orders\"]\nCMD [\"--listen\", \"0.0.0.0:80\", \"a b\", \"\\\"\"]\n",
    ),
    (
        "everything",
        "ARG WHO=world\n\
         ENV RUST_LOG=info GREETING=\"hello $WHO\" EMPTY= \\\n  # why\n  SECOND=${GREETING:-no}x\n\
         ENV OLD some words\n\
         LABEL com.example.a=1 \"com.example.b c\"=\"x = \\\"y\\\"\" \\\n  com.example.d='$WHO'\n\
         WORKDIR /srv\nWORKDIR data\n\
         EXPOSE 8080 53/udp\n\
         VOLUME [\"/srv/data\", \"/cache\"]\n\
         STOPSIGNAL SIGINT\n\
         USER 7:8\n\
         HEALTHCHECK CMD [\"/app/orders\", \"health\"]\n\
         ENTRYPOINT [\"/app/orders\"]\nCMD [\"serve\"]\n",
    ),
    (
        "an entry point takes away the command before it",
        "CMD [\"old\"]\nUSER 0:0\nENTRYPOINT [\"/app/orders\"]\nCMD [\"new\"]\nSTOPSIGNAL 9\n",
    ),
    (
        "stages on each other",
        "ENV A=1 PORT=80\nEXPOSE $PORT\nWORKDIR /x\nLABEL a=b\n\
         FROM scratch AS other\nENV NEVER=1\n\
         FROM scratch\nCOPY --from=0 /app/orders /app/orders\nUSER 1:1\nENV A=2\nENTRYPOINT [\"/app/orders\"]\n",
    ),
];

/// What buildah makes of the Dockerfile; `None` where it cannot run.
fn buildah(checkout: &Checkout) -> Option<Value> {
    let storage = TempDir::new().expect("a temporary directory");
    let layout = storage.path().join("layout");
    let place = format!("oci:{}:old", layout.display());
    let mut build = Command::new("buildah");
    build
        .arg("--root")
        .arg(storage.path().join("root"))
        .arg("--runroot")
        .arg(storage.path().join("run"))
        .args(["--storage-driver", "vfs", "build", "--isolation", "chroot"])
        .args(["--format", "docker", "--quiet", "-t", &place])
        .arg(checkout.path());
    let output = crate::support::tools::output(&mut build);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() && is_sandbox(&said) {
        skipped(&format!("buildah cannot build here:\n{said}"));
        return None;
    }
    assert!(output.status.success(), "{said}");
    Some(config(&layout, "old"))
}

/// Whether it is the machine that lets buildah not build, rather than the Dockerfile.
fn is_sandbox(said: &str) -> bool {
    [
        "operation not permitted",
        "Operation not permitted",
        "permission denied",
        "newuidmap",
    ]
    .iter()
    .any(|sign| said.contains(sign))
}

/// What the program makes of the proposal.
fn ours(checkout: &Checkout) -> Value {
    let layout = checkout.path().join("target/layout");
    Lighter::at(checkout.path())
        .args(["adopt", "Dockerfile", "--offline", "--write"])
        .run()
        .expect(0);
    Lighter::at(checkout.path())
        .args(["build", "orders", "--offline", "--target", TARGET, "--to"])
        .args([format!("oci:{}", layout.display())])
        .run()
        .expect(0);
    config(&layout, "orders:latest")
}

fn config(layout: &Path, name: &str) -> Value {
    // skopeo takes the part after the first colon for the tag.
    let copy = TempDir::new().expect("a temporary directory");
    let plain = format!("oci:{}:image", copy.path().join("layout").display());
    let source = format!("oci:{}:{name}", layout.display());
    run(Command::new("skopeo").args(["copy", "-q", &source, &plain]));
    skopeo_config(&plain)["config"].take()
}

/// Equal in all that a proposal claims; what this program adds to every image is left out.
#[track_caller]
fn assert_same(what: &str, old: &Value, new: &Value) {
    for key in [
        "User",
        "Entrypoint",
        "Cmd",
        "ExposedPorts",
        "Volumes",
        "StopSignal",
        "Healthcheck",
    ] {
        assert_eq!(old[key], new[key], "{what}: {key}");
    }
    let directory = |config: &Value| config["WorkingDir"].as_str().unwrap_or("/").to_owned();
    let old_directory = Some(directory(old)).filter(|text| !text.is_empty());
    assert_eq!(
        old_directory.unwrap_or("/".to_owned()),
        directory(new),
        "{what}"
    );
    let variables = |config: &Value| {
        let list = config["Env"].as_array().cloned().unwrap_or_default();
        let mut list: Vec<String> = list
            .iter()
            .filter_map(|variable| variable.as_str().map(str::to_owned))
            .filter(|variable| !variable.starts_with("PATH="))
            .collect();
        list.sort();
        list
    };
    assert_eq!(variables(old), variables(new), "{what}: Env");
    let none = serde_json::Map::new();
    let labels = |config: &Value| {
        let mut labels = config["Labels"].as_object().unwrap_or(&none).clone();
        labels.retain(|name, _| {
            !name.starts_with("io.buildah.") && !name.starts_with("org.opencontainers.image.")
        });
        labels
    };
    assert_eq!(labels(old), labels(new), "{what}: Labels");
}

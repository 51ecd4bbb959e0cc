//! Images of registries.

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cargo_lighter::digest::Digest;
use cargo_lighter::oci::media_type;
use cargo_lighter::process::{Environment, Interrupt};
use cargo_lighter::reference::{Repository, Tag};
use cargo_lighter::registry::{ManifestReference, Registry};
use cargo_lighter::report::Clock;
use serde_json::{Value, json};

use super::draft::{Draft, Laid, Layer, file};
use crate::fault_registry::{Anonymous, FaultRegistry, Guard, Scopes, Settings, on};
use crate::support::cli::{Lighter, Run};
use crate::support::registry::{PASSWORD, Registry as RealRegistry, USER};
use crate::support::tools::run;

/// `me:secret`.
const LOGIN: &str = "bWU6c2VjcmV0";

fn server(anonymous: Anonymous) -> FaultRegistry {
    let guard = Guard::Bearer {
        seconds: 300,
        scopes: Scopes::All,
    };
    FaultRegistry::start(Settings {
        guard,
        anonymous,
        ..Settings::default()
    })
}

/// Writes a docker configuration that knows the registry's password.
fn log_in(home: &Path, host: &str) {
    let config = format!(r#"{{"auths":{{"{host}":{{"auth":"{LOGIN}"}}}}}}"#);
    fs_err::write(home.join("config.json"), config).expect("written");
}

/// Pushes the image of a layout as `shop/SERVICE:v1`.
fn push(server: &FaultRegistry, laid: &Laid, service: &str) {
    log_in(laid.path(), &server.host());
    let variables = [("DOCKER_CONFIG".into(), laid.path().into())];
    let environment = Environment::new(laid.path(), variables);
    let clock = Clock::by_hand();
    let client = Registry::new(&environment, clock, &Interrupt::new()).expect("a client");
    let repository = Repository::parse(&format!("{}/shop/{service}", server.host()));
    let repository = repository.expect("legal");
    let read = |digest: &Digest| fs_err::read(laid.blob(digest)).expect("readable");
    for digest in laid.written.layers.iter().chain([&laid.written.config]) {
        let bytes = read(digest);
        server.store_blob(repository.path(), &digest.to_string(), &bytes);
    }
    let tag = ManifestReference::Tag(Tag::parse("v1").expect("legal"));
    let bytes = read(&laid.written.manifest);
    let pushed = client.push_manifest(&repository, &tag, media_type::MANIFEST, &bytes);
    pushed.expect("pushed");
    server.forget();
}

fn inspect(directory: &Path, words: &[&str]) -> Run {
    Lighter::at(directory)
        .env("DOCKER_CONFIG", directory)
        .args(["inspect", "--format", "json"])
        .args(words.iter().copied())
        .run()
}

fn images(run: &Run) -> Vec<Value> {
    let document: Value = serde_json::from_str(&run.stdout).expect("JSON");
    document["images"].as_array().expect("a list").clone()
}

fn draft(own: &str) -> Draft {
    Draft {
        layers: vec![
            Layer::of(&[file("usr/lib/libc.so.6", "library")]),
            Layer::of(&[file("app", own)]),
        ],
        ..Draft::default()
    }
}

#[test]
fn a_public_image_is_looked_into_as_nobody() {
    let server = server(Anonymous::Reads);
    let laid = Laid::of(&Draft::default());
    push(&server, &laid, "orders");
    let image = format!("{}/shop/orders:v1", server.host());
    let found = &images(&inspect(laid.path(), &[&image]).expect(0))[0];
    assert_eq!(found["reference"], image);
    assert_eq!(found["digest"], laid.written.manifest.to_string());
    assert_eq!(found["layers"][0]["biggest"][0]["path"], "/app/orders");
    assert_eq!(server.count("GET", "/token"), 1);
    let tokens: Vec<_> = server
        .log()
        .into_iter()
        .filter(|exchange| exchange.path == "/token")
        .collect();
    assert_eq!(tokens[0].header("authorization"), None);
    // By its digest, and with the scheme in front.
    let digest = laid.written.manifest;
    let by_digest = format!("docker://{}/shop/orders@{digest}", server.host());
    let found = &images(&inspect(laid.path(), &[&by_digest]).expect(0))[0];
    assert_eq!(found["digest"], digest.to_string());
}

#[test]
fn a_private_image_is_looked_into_as_the_user() {
    let server = server(Anonymous::Nothing);
    let laid = Laid::of(&Draft::default());
    push(&server, &laid, "orders");
    let image = format!("{}/shop/orders:v1", server.host());
    inspect(laid.path(), &[&image]).expect(0);
    fs_err::remove_file(laid.path().join("config.json")).expect("removed");
    inspect(laid.path(), &[&image]).expect(1).says(&[
        "without a login: status 401",
        "hint: log in with `cargo lighter login",
    ]);
}

#[test]
fn services_of_a_registry_are_told_what_they_share_and_it_is_read_once() {
    let server = server(Anonymous::Reads);
    let (orders, users) = (Laid::of(&draft("orders")), Laid::of(&draft("users")));
    push(&server, &orders, "orders");
    push(&server, &users, "users");
    let names = ["orders", "users"].map(|name| format!("{}/shop/{name}:v1", server.host()));
    let run = inspect(orders.path(), &[&names[0], &names[1]]).expect(0);
    let found = images(&run);
    for (image, other) in [(&found[0], &names[1]), (&found[1], &names[0])] {
        assert_eq!(image["layers"][0]["shared_with"], json!([other]));
        assert_eq!(image["layers"][1]["shared_with"], json!([]));
    }
    let digest = orders.written.layers[0];
    assert_eq!(server.count("GET", &format!("/blobs/{digest}")), 1);
    assert_eq!(
        server.count("GET", "/v2/"),
        server
            .log()
            .iter()
            .filter(|e| e.path.starts_with("/v2/"))
            .count()
    );
}

#[test]
fn an_image_of_a_registry_is_checked_and_compared() {
    let server = server(Anonymous::Reads);
    let broken = Draft {
        config: |config| {
            config["rootfs"]["diff_ids"][0] = Digest::of(b"else").to_string().into();
        },
        ..Draft::default()
    };
    let (good, bad) = (Laid::of(&Draft::default()), Laid::of(&broken));
    push(&server, &good, "good");
    push(&server, &bad, "bad");
    let name = |service: &str| format!("{}/shop/{service}:v1", server.host());
    let run = inspect(good.path(), &["--verify", &name("good")]).expect(0);
    assert_eq!(images(&run)[0]["violations"], json!([]));
    let run = inspect(good.path(), &["--verify", &name("bad")]).expect(3);
    let violations = images(&run)[0]["violations"]
        .as_array()
        .expect("a list")
        .clone();
    assert_eq!(violations.len(), 1, "{violations:?}");
    assert!(
        violations[0]
            .as_str()
            .expect("text")
            .contains("but its configuration says")
    );
    inspect(good.path(), &[&name("good"), "--against", "oci:layout"]).expect(0);
}

#[test]
fn a_blob_that_a_registry_lost_is_a_violation() {
    let server = server(Anonymous::Reads);
    let laid = Laid::of(&Draft::default());
    push(&server, &laid, "orders");
    let digest = laid.written.layers[0];
    server.add(on("GET", format!("/blobs/{digest}")).always().status(404));
    let image = format!("{}/shop/orders:v1", server.host());
    let run = inspect(laid.path(), &["--verify", &image]).expect(3);
    let violations = images(&run)[0]["violations"].clone();
    let text = violations[0].as_str().expect("text");
    assert!(
        text.contains(&format!("refers to blob {digest}, which is missing")),
        "{text}"
    );
    inspect(laid.path(), &[&image])
        .expect(1)
        .says(&["cannot read blob"]);
}

#[test]
fn a_lost_part_of_an_image_is_no_wrong_name() {
    for part in ["layer", "config"] {
        let server = server(Anonymous::Reads);
        let laid = Laid::of(&Draft::default());
        push(&server, &laid, "orders");
        let digest = match part {
            "layer" => laid.written.layers[0],
            _ => laid.written.config,
        };
        server.add(on("GET", format!("/blobs/{digest}")).always().status(404));
        let image = format!("{}/shop/orders:v1", server.host());
        inspect(laid.path(), &[&image]).expect(1).says(&[
            &format!("cannot read blob `{digest}`"),
            "status 404",
            "hint: the registry has the image's manifest, and lost this part of the image",
        ]);
    }
}

#[test]
fn a_name_that_leads_nowhere_is_told() {
    let server = server(Anonymous::Reads);
    let laid = Laid::of(&Draft::default());
    push(&server, &laid, "orders");
    let image = format!("{}/shop/orders:v2", server.host());
    inspect(laid.path(), &[&image]).expect(1).says(&[
        "cannot read manifest `v2`",
        "status 404",
        "hint: check the name `shop/orders`",
    ]);
}

#[test]
fn a_real_registry_is_read_with_and_without_a_password() {
    let laid = Laid::of(&Draft::default());
    for (registry, is_guarded) in [
        (RealRegistry::open(), false),
        (RealRegistry::with_password(), true),
    ] {
        let image = format!("{}/shop/orders:v1", registry.host());
        let mut copy = Command::new("skopeo");
        copy.args(["copy", "-q", "--dest-tls-verify=false"]);
        copy.args(["--dest-creds", &format!("{USER}:{PASSWORD}")]);
        copy.arg("oci:layout:orders:latest");
        copy.arg(format!("docker://{image}"));
        run(copy.current_dir(laid.path()));
        let pair = STANDARD.encode(format!("{USER}:{PASSWORD}"));
        let host = registry.host();
        let config = format!(r#"{{"auths":{{"{host}":{{"auth":"{pair}"}}}}}}"#);
        fs_err::write(laid.path().join("config.json"), config).expect("written");
        inspect(laid.path(), &[&image, "--against", "oci:layout"]).expect(0);
        inspect(laid.path(), &[&image, "--verify"]).expect(0);
        // Asked without a name first, once by each run.
        let refused = |line: &&String| {
            line.contains("cargo-lighter/") && line.contains("/manifests/v1 HTTP/1.1\" 401")
        };
        let asked = registry.requests();
        let count = asked.iter().filter(refused).count();
        assert_eq!(count, if is_guarded { 2 } else { 0 }, "{asked:#?}");
    }
}

#[test]
fn a_wrong_field_makes_nothing_missing_that_a_registry_has() {
    type Edit = fn(&mut Value);
    let server = server(Anonymous::Reads);
    let edits: [(Edit, &str); 2] = [
        (
            |manifest| manifest["layers"][0]["annotations"] = json!({ "a": 7 }),
            "has `7` as `annotations.a`",
        ),
        (
            |manifest| manifest["annotations"] = json!([]),
            "has a list as `annotations`",
        ),
    ];
    for (number, (manifest, says)) in edits.into_iter().enumerate() {
        let laid = Laid::of(&Draft {
            manifest,
            ..Draft::default()
        });
        let service = format!("orders-{number}");
        push(&server, &laid, &service);
        let image = format!("{}/shop/{service}:v1", server.host());
        let run = inspect(laid.path(), &["--verify", &image]).expect(3);
        let violations = images(&run)[0]["violations"].clone();
        let list = violations.as_array().expect("a list");
        assert_eq!(list.len(), 1, "{violations:#}");
        let text = list[0].as_str().expect("text");
        assert!(text.contains(says), "{text}");
    }
}

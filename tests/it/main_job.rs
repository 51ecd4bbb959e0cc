//! The main job: every service of the shop, in a registry, and running.

use std::process::Stdio;

use rustix::process::{getgid, getuid};
use serde_json::json;

use crate::support::check::Copied;
use crate::support::cli::Lighter;
use crate::support::registry::Registry;
use crate::support::serving::Serving;
use crate::support::tools::{Unpacked, is_root, skopeo_config, skopeo_inspect};
use crate::support::workspace::{SHOP_SERVICES, shop};

/// Nobody in particular; images say so too.
const NONROOT: u32 = 65532;

#[test]
fn all_services_are_pushed_and_run_as_their_user() {
    let registry = Registry::open();
    let repo = format!("{}/shop", registry.host());
    let run = Lighter::at(shop())
        .args(["push", "--repo", &repo])
        .run()
        .expect(0);
    assert_eq!(run.lines().len(), SHOP_SERVICES.len() * 2);
    let copied = Copied::of_registry(&repo, &SHOP_SERVICES, None);
    for service in SHOP_SERVICES {
        let image = format!("docker://{repo}/{service}:latest");
        let digest = describes_itself(&image, service);
        for tag in ["1.4.2", "latest"] {
            let line = format!("{repo}/{service}:{tag}@{digest}");
            assert!(run.lines().contains(&line.as_str()), "{}", run.stdout);
        }
        let unpacked = Unpacked::of_layout(&copied.layout(), &format!("{service}:latest"));
        tells_its_features(&unpacked, service);
        match service {
            "shop-catalog" => catalog_serves(&unpacked),
            "shop-gateway" => gateway_serves(&unpacked),
            "shop-worker" => worker_ticks(&unpacked),
            "invoice" => prints(&unpacked, "invoice", "Total 102.90"),
            _ => prints(&unpacked, "billing-report", "3 orders, 102.90"),
        }
    }
}

/// What `skopeo inspect` sees, against the shop's manifests. Gives the digest.
fn describes_itself(image: &str, service: &str) -> String {
    let inspected = skopeo_inspect(image);
    assert_eq!(inspected["Architecture"], "amd64");
    assert_eq!(inspected["Os"], "linux");
    let label =
        |name: &str| inspected["Labels"][format!("org.opencontainers.image.{name}")].clone();
    let title = match service {
        "shop-catalog" => "Shop catalogue",
        other => other,
    };
    assert_eq!(label("title"), title);
    assert_eq!(label("version"), "1.4.2");
    assert_eq!(label("vendor"), "The shop authors");
    assert_eq!(label("licenses"), "MIT OR Apache-2.0");
    assert_eq!(label("source"), "https://git.example.com/harbour/shop");
    assert_eq!(inspected["Labels"]["com.example.shop.team"], "harbour");
    let config = skopeo_config(image);
    assert_eq!(config["architecture"], "amd64");
    assert_eq!(config["os"], "linux");
    assert_eq!(config["created"], "1970-01-01T00:00:00Z");
    assert_eq!(config["config"]["User"], "65532:65532");
    assert_eq!(
        config["config"]["Entrypoint"],
        json!([format!("/app/{service}")])
    );
    let ports = match service {
        "shop-catalog" | "shop-gateway" => json!({ "8080/tcp": {} }),
        _ => json!(null),
    };
    assert_eq!(config["config"]["ExposedPorts"], ports);
    inspected["Digest"].as_str().expect("a digest").to_owned()
}

fn tells_its_features(unpacked: &Unpacked, service: &str) {
    let printed = printed(unpacked, service, "--features");
    assert!(printed.contains("pricing-feature-rounding-enabled"));
    let discounts = printed.contains("pricing-feature-discounts-enabled");
    let expected = ["billing-report", "invoice"].contains(&service);
    assert_eq!(discounts, expected, "{service}: {printed}");
}

fn catalog_serves(unpacked: &Unpacked) {
    let catalog = serving(unpacked, "shop-catalog");
    answers(&catalog, "/livez", "ok");
    answers(&catalog, "/products", "\"sku\"");
    let page = std::fs::read_to_string(unpacked.root().join("app/assets/pages/index.html"));
    answers(&catalog, "/", page.expect("unpacked").trim());
    stops(catalog);
}

fn gateway_serves(unpacked: &Unpacked) {
    let gateway = serving(unpacked, "shop-gateway");
    answers(&gateway, "/livez", "ok");
    // Ten pieces cost a tenth less only where discounts are compiled in.
    answers(&gateway, "/price?unit=699&quantity=10", "\"69.90\"");
    stops(gateway);
}

fn worker_ticks(unpacked: &Unpacked) {
    let output = unpacked
        .command(NONROOT, "/app/shop-worker")
        .env("WORKER_TICKS", "2")
        .env("WORKER_INTERVAL_MS", "1")
        .output()
        .expect("runs");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(printed.matches("event=tick").count(), 2, "{printed}");
    assert!(printed.contains("event=stopped"), "{printed}");
}

fn prints(unpacked: &Unpacked, service: &str, expected: &str) {
    let printed = printed(unpacked, service, "7");
    assert!(printed.contains(expected), "{printed}");
}

fn printed(unpacked: &Unpacked, service: &str, argument: &str) -> String {
    let output = unpacked
        .command(NONROOT, &format!("/app/{service}"))
        .arg(argument)
        .output()
        .expect("runs");
    assert!(output.status.success(), "{service}: {output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn serving(unpacked: &Unpacked, service: &str) -> Serving {
    let serving = Serving::start(
        unpacked
            .command(NONROOT, &format!("/app/{service}"))
            .env("HOST", "127.0.0.1")
            .env("PORT", "0")
            .stderr(Stdio::inherit()),
    );
    let status = std::fs::read_to_string(format!("/proc/{}/status", serving.id()));
    let status = status.expect("it runs");
    let (uid, gid) = if is_root() {
        (NONROOT, NONROOT)
    } else {
        (getuid().as_raw(), getgid().as_raw())
    };
    for (name, id) in [("Uid", uid), ("Gid", gid)] {
        let ids = format!("{name}:\t{id}\t{id}\t{id}\t{id}\n");
        assert!(status.contains(&ids), "{status}");
    }
    serving
}

fn answers(serving: &Serving, path: &str, expected: &str) {
    let answer = serving.get(path);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains(expected), "no `{expected}` in {answer}");
}

fn stops(serving: Serving) {
    let (printed, code) = serving.stop();
    assert_eq!(code, Some(0), "{printed}");
    assert!(printed.contains("event=stopped"), "{printed}");
}

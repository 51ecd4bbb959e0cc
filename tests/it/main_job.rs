//! The main job: every service of the shop, in a registry, and running.

use crate::support::cli::Lighter;
use crate::support::registry::Registry;
use crate::support::tools::{Unpacked, skopeo_inspect};
use crate::support::workspace::shop;

#[test]
fn all_services_are_pushed_and_run_as_their_user() {
    let registry = Registry::open();
    let repo = format!("{}/shop", registry.host());
    let run = Lighter::at(shop())
        .args(["push", "--repo", &repo])
        .run()
        .expect(0);
    let services = [
        "billing-report",
        "invoice",
        "shop-catalog",
        "shop-gateway",
        "shop-worker",
    ];
    assert_eq!(run.lines().len(), services.len() * 2);
    for service in services {
        let image = format!("docker://{repo}/{service}:latest");
        let inspected = skopeo_inspect(&image);
        assert!(
            run.stdout
                .contains(inspected["Digest"].as_str().expect("a digest"))
        );
        let unpacked = Unpacked::of_registry(&image);
        let output = unpacked
            .command(65532, &format!("/app/{service}"))
            .arg("--features")
            .output()
            .expect("runs");
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{output:?}");
        assert!(printed.contains("pricing-feature-rounding-enabled"));
        let discounts = printed.contains("pricing-feature-discounts-enabled");
        assert_eq!(
            discounts,
            ["billing-report", "invoice"].contains(&service),
            "{service}: {printed}"
        );
    }
}

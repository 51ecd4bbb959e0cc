//! The same sources give the same digests: anywhere, for anybody.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::TempDir;

use crate::support::check::{assert_sound, read_json};
use crate::support::cli::Lighter;
use crate::support::workspace::{Checkout, SHOP_SERVICES, shop};

/// Two users, on machines as different as one machine can be.
struct User<'a> {
    checkout: &'a Path,
    umask: &'a str,
    jobs: &'a str,
    home: &'a Path,
    variables: [(&'a str, &'a str); 4],
}

#[test]
fn digests_are_the_same_in_every_checkout_for_every_user() {
    let (copy, home) = (Checkout::copy(), TempDir::new().expect("a home"));
    assert!(copy.path().to_string_lossy().contains(' '));
    for_the_owner_only(copy.path());
    let careless = User {
        checkout: shop(),
        umask: "umask 000",
        jobs: "1",
        home: Path::new("/nonexistent"),
        variables: [
            ("TZ", "Asia/Kathmandu"),
            ("LANG", "C"),
            ("LC_ALL", "C"),
            ("USER", "careless"),
        ],
    };
    let careful = User {
        checkout: copy.path(),
        umask: "umask 077",
        jobs: "2",
        home: home.path(),
        variables: [
            ("TZ", "America/St_Johns"),
            ("LANG", "de_DE.UTF-8"),
            ("LC_ALL", "tr_TR.UTF-8"),
            ("USER", "careful"),
        ],
    };
    let mut seen: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for epoch in [None, Some("1000000000"), Some("1700000000")] {
        let digests = careless.digests(epoch);
        assert_eq!(digests, careful.digests(epoch), "{epoch:?}");
        assert_eq!(digests.len(), SHOP_SERVICES.len());
        for (service, digest) in digests {
            seen.entry(service).or_default().push(digest);
        }
    }
    for (service, mut digests) in seen {
        digests.sort();
        digests.dedup();
        assert_eq!(digests.len(), 3, "one for each time, of {service}");
    }
}

impl User<'_> {
    /// Digest of each service, as a process of its own builds it.
    fn digests(&self, epoch: Option<&str>) -> BTreeMap<String, String> {
        let results = TempDir::new().expect("a temporary directory");
        let layout = results.path().join("layout");
        let summary = results.path().join("summary.json");
        let mut lighter = Lighter::at(self.checkout)
            .args(["build", "--jobs", self.jobs, "--to"])
            .args([format!("oci:{}", layout.display())])
            .args(["--metadata-file".into(), summary.clone().into_os_string()])
            .env("HOME", self.home);
        for (name, value) in self.variables {
            lighter = lighter.env(name, value);
        }
        if let Some(epoch) = epoch {
            lighter = lighter.env("SOURCE_DATE_EPOCH", epoch);
        }
        lighter.run_process(self.umask).expect(0);
        assert_sound(&layout);
        let summary = read_json(&summary);
        let services = summary["services"].as_array().expect("a list");
        let text = |value: &serde_json::Value| value.as_str().expect("a string").to_owned();
        services
            .iter()
            .map(|service| (text(&service["service"]), text(&service["digest"])))
            .collect()
    }
}

/// What a checkout under umask 077 looks like.
fn for_the_owner_only(directory: &Path) {
    for file in cargo_lighter::fs::sorted_files(directory).expect("readable") {
        let mode = file.path.metadata().expect("there").permissions().mode();
        let mode = std::fs::Permissions::from_mode(mode & 0o700);
        fs_err::set_permissions(&file.path, mode).expect("permitted");
    }
}

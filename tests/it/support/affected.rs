//! What `plan --since` says.

use std::collections::BTreeMap;
use std::path::Path;

use super::cli::{Lighter, Run};
use super::workspace::Checkout;

/// The affected services with their reasons.
pub(crate) type Affected = BTreeMap<String, Vec<String>>;

/// A run of `plan --since`.
pub(crate) fn since(directory: &Path, revision: &str) -> Lighter {
    Lighter::at(directory).args(["plan", "--since", revision])
}

/// What a run with `--format json` says.
#[track_caller]
pub(crate) fn affected(run: Run) -> Affected {
    let run = run.expect(0);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    let texts = |list: &serde_json::Value| -> Vec<String> {
        let list = list.as_array().expect("a list").iter();
        list.map(|text| text.as_str().expect("text").to_owned())
            .collect()
    };
    let services = json["services"].as_array().expect("a list").iter();
    let services: Affected = services
        .map(|row| {
            let name = row["service"].as_str().expect("a name");
            (name.to_owned(), texts(&row["reasons"]))
        })
        .collect();
    let unaffected = texts(&json["unaffected"]);
    assert!(
        unaffected.iter().all(|name| !services.contains_key(name)),
        "{json}"
    );
    services
}

/// What differs from the last commit.
#[track_caller]
pub(crate) fn changed(checkout: &Checkout) -> Affected {
    affected(
        since(checkout.path(), "HEAD")
            .args(["--format", "json"])
            .run(),
    )
}

/// Asserts that just the services are affected that `expected` names (`SERVICE: REASON`), each with the
/// reasons that are named.
#[track_caller]
pub(crate) fn assert_affected(found: &Affected, expected: &[&str]) {
    let mut named: Affected = BTreeMap::new();
    for line in expected {
        let (service, reason) = line.split_once(": ").expect("SERVICE: REASON");
        named
            .entry(service.to_owned())
            .or_default()
            .push(reason.to_owned());
    }
    assert!(
        found.keys().eq(named.keys()),
        "{found:#?}\nexpected\n{named:#?}"
    );
    for (service, reasons) in &named {
        for reason in reasons {
            assert!(
                found[service].contains(reason),
                "no `{reason}` in {found:#?}"
            );
        }
    }
}

/// A change of a checkout.
pub(crate) type Edit = fn(&Checkout);

/// Makes each edit, asserts what it affects, and takes it back.
#[track_caller]
pub(crate) fn try_edits(checkout: &Checkout, table: &[(Edit, &[&str])]) {
    for (edit, expected) in table {
        edit(checkout);
        assert_affected(&changed(checkout), expected);
        checkout.restore();
    }
}

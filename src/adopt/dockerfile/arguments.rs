//! Values of `ARG` that come from outside of the Dockerfile.

use std::collections::{BTreeMap, BTreeSet};

use crate::adopt::remark::Remark;
use crate::hint::near_names;

/// What docker takes without an `ARG`, in small letters, too.
const PREDEFINED: &[&str] = &[
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "FTP_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "SOURCE_DATE_EPOCH",
];

/// What every build knows of where it runs, as long as nobody says otherwise.
pub(super) fn platform_arguments(
    given: &BTreeMap<String, String>,
) -> BTreeMap<String, Option<String>> {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    ["BUILD", "TARGET"]
        .into_iter()
        .flat_map(|side| {
            [
                (format!("{side}PLATFORM"), format!("linux/{architecture}")),
                (format!("{side}OS"), "linux".to_owned()),
                (format!("{side}ARCH"), architecture.to_owned()),
                (format!("{side}VARIANT"), String::new()),
            ]
        })
        .map(|(name, value)| {
            let value = given.get(&name).cloned().unwrap_or(value);
            (name, Some(value))
        })
        .collect()
}

/// A remark for each value that no `ARG` takes. Values may be secrets, and are not told.
pub(in crate::adopt) fn unused(
    given: &BTreeMap<String, String>,
    declared: &BTreeSet<String>,
) -> Vec<Remark> {
    let platform = platform_arguments(given);
    let is_known = |name: &String| {
        declared.contains(name)
            || platform.contains_key(name)
            || name.starts_with("BUILDKIT_")
            || PREDEFINED.contains(&name.to_uppercase().as_str())
    };
    let unknown = given.keys().filter(|name| !is_known(name));
    unknown
        .map(|name| {
            let near = near_names(name, declared.iter().map(String::as_str));
            let advice = match near.first() {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("declare it, such as `ARG {name}` after `FROM`"),
            };
            let message = format!("no `ARG` declares `{name}`: its value is not used");
            Remark::lost(0, &message, &advice)
        })
        .collect()
}

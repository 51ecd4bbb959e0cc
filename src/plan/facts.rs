//! What a package's manifest says about itself, under the image specification's names.

use std::collections::BTreeMap;

use crate::workspace::{Package, Service};

const PREFIX: &str = "org.opencontainers.image.";

/// cargo's fields and the annotations they become (image-spec, annotations.md). A `license-file` is no
/// SPDX expression and becomes none.
const NAMES: &[(&str, &str)] = &[
    ("description", "description"),
    ("license", "licenses"),
    ("repository", "source"),
    ("homepage", "url"),
    ("documentation", "documentation"),
    ("authors", "authors"),
];

/// Labels and annotations that every image of the service carries.
pub(super) fn image_facts(package: &Package, service: &Service) -> BTreeMap<String, String> {
    let mut facts: BTreeMap<String, String> = NAMES
        .iter()
        .filter_map(|(cargo, oci)| {
            let value = package.facts.get(*cargo)?;
            let value = if *cargo == "repository" {
                without_credentials(value)
            } else {
                value.clone()
            };
            Some((format!("{PREFIX}{oci}"), value))
        })
        .collect();
    facts.insert(format!("{PREFIX}title"), service.name.clone());
    facts.insert(format!("{PREFIX}version"), package.version.clone());
    facts
}

/// An address without user, password, query and fragment: tokens end up in all of them. What is no URL stays as it
/// is.
pub fn without_credentials(address: &str) -> String {
    let Ok(mut url) = url::Url::parse(address) else {
        return address.to_owned();
    };
    // `me:password@host/x` is an address of the scheme `me` to whoever knows URLs.
    if url.cannot_be_a_base()
        && url.scheme() != "mailto"
        && let Some((_, host)) = address.split_once('@')
    {
        return host.to_owned();
    }
    let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    if plain && url.fragment().is_none() {
        return address.to_owned();
    }
    // Addresses that cannot have a user have nothing to lose.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lose_their_secrets() {
        assert_eq!(
            without_credentials("https://me:t0ken@host/x?key=1#f"),
            "https://host/x"
        );
        assert_eq!(without_credentials("https://host/x"), "https://host/x");
        assert_eq!(without_credentials("me:t0ken@host/x"), "host/x");
        assert_eq!(without_credentials("mailto:me@host"), "mailto:me@host");
        assert_eq!(without_credentials("git@host:x.git"), "git@host:x.git");
    }
}

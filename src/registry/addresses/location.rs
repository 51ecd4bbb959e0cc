//! The addresses that a registry sends us on to: upload sessions and redirects.
//!
//! A `Location` is resolved against the request (RFC 3986) and used with its query untouched
//! (distribution-spec, "Pushing blobs"). It may name another host, such as a store of objects; that
//! host gets no credentials, and must be one that a registry may send us to.

use reqwest::Url;

use super::address::{BadAddress, host_of, is_internal, is_loopback};
use super::endpoint::Endpoint;
use crate::digest::Digest;

/// The URL that the `Location` of an answer to `request` means, if it may be used.
pub(in crate::registry) fn resolve(
    request: &Url,
    location: &str,
    endpoint: &Endpoint,
) -> Result<Url, BadAddress> {
    let mut url = request.join(location).map_err(|_| BadAddress::NoUrl)?;
    url.set_fragment(None);
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BadAddress::UserInfo(host_of(&url)));
    }
    let host = url.host().ok_or(BadAddress::NoUrl)?;
    let both_here = endpoint.is_loopback() && is_loopback(&host);
    // Whoever speaks http to a registry keeps doing so; nobody else begins to.
    let plain = request.scheme() == "http" && (both_here || endpoint.owns(&url));
    if !(url.scheme() == "https" || url.scheme() == "http" && plain) {
        return Err(BadAddress::Scheme(host_of(&url)));
    }
    if is_internal(&host) && !both_here && !endpoint.shares_host(&url) {
        return Err(BadAddress::Internal(host_of(&url)));
    }
    Ok(url)
}

/// The URL that commits an upload: the session's, with the digest added to the query as it is.
pub(in crate::registry) fn with_digest(session: &Url, digest: &Digest) -> Url {
    let mut url = session.clone();
    let query = match session.query() {
        Some(query) if !query.is_empty() => format!("{query}&digest={digest}"),
        _ => format!("digest={digest}"),
    };
    url.set_query(Some(&query));
    url
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn resolved(registry: &str, location: &str) -> Result<String, BadAddress> {
        let endpoint = Endpoint::of(registry).expect("legal");
        let request = endpoint.root().join("shop/blobs/uploads/").expect("legal");
        resolve(&request, location, &endpoint).map(String::from)
    }

    #[test]
    fn relative_addresses_are_relative_to_the_request() {
        for (location, url) in [
            (
                "/v2/x?_state=a%2Bb%3D",
                "https://ghcr.io/v2/x?_state=a%2Bb%3D",
            ),
            ("1234", "https://ghcr.io/v2/shop/blobs/uploads/1234"),
            (
                "../uploads/1234",
                "https://ghcr.io/v2/shop/blobs/uploads/1234",
            ),
            ("//store.example/x", "https://store.example/x"),
            ("https://store.example/x#y", "https://store.example/x"),
        ] {
            assert_eq!(
                resolved("ghcr.io", location).as_deref(),
                Ok(url),
                "{location}"
            );
        }
    }

    #[test]
    fn nothing_goes_where_a_registry_may_not_send_us() {
        for location in [
            "http://ghcr.io/v2/x",
            "http://store.example/x",
            "https://user:password@ghcr.io/x",
            "https://169.254.169.254/latest",
            "https://[::ffff:169.254.169.254]/",
            "https://0.0.0.0/",
            "https://10.0.0.1/",
            "https://localhost:1/",
            "http://127.0.0.1/",
            "http://[::bad/",
            "file:///etc/passwd",
            "gopher://x/",
            "data:,x",
        ] {
            assert!(resolved("ghcr.io", location).is_err(), "{location}");
        }
        assert!(resolved("localhost:5000", "http://store.example/x").is_err());
        assert!(resolved("localhost:5000", "http://10.0.0.1/x").is_err());
    }

    #[test]
    fn an_internal_registry_may_name_itself() {
        assert!(resolved("10.0.0.1", "https://10.0.0.1:8443/x").is_ok());
        assert!(resolved("10.0.0.1", "https://10.0.0.2/x").is_err());
        assert!(resolved("localhost:5000", "http://127.0.0.1:5000/x").is_ok());
    }

    #[test]
    fn the_query_is_kept_as_it_is() {
        let digest = Digest::of(b"");
        let url = Url::parse("https://h/x?_state=a%2Bb%3D&c=d%20e").expect("an URL");
        let expected = format!("https://h/x?_state=a%2Bb%3D&c=d%20e&digest={digest}");
        assert_eq!(with_digest(&url, &digest).as_str(), expected);
        let url = Url::parse("https://h/x").expect("an URL");
        assert_eq!(
            with_digest(&url, &digest).as_str(),
            format!("https://h/x?digest={digest}")
        );
    }

    proptest! {
        #[test]
        fn any_location_is_judged_without_a_panic(location in ".*") {
            if let Ok(url) = resolved("ghcr.io", &location) {
                let url = Url::parse(&url).expect("an URL");
                prop_assert_eq!(url.scheme(), "https");
                prop_assert!(!is_internal(&url.host().expect("a host")));
                let with = with_digest(&url, &Digest::of(b""));
                prop_assert!(with.query().is_some_and(|query| query.contains("digest=sha256:")));
            }
        }
    }
}

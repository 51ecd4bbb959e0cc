//! What a registry asks for when it answers 401: `WWW-Authenticate` (RFC 9110, 11.6.1), and the rules
//! that a token service's address must obey before it sees a credential.

use http_auth::{ChallengeRef, parse_challenges};
use reqwest::Url;
use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

use crate::registry::addresses::address::{BadAddress, host_of, is_internal};
use crate::registry::addresses::endpoint::Endpoint;
use crate::registry::addresses::vouched::Vouched;

/// A way to say who we are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::registry) enum Challenge {
    /// Name and password with every request.
    Basic,
    /// A token from a token service (distribution, "Token Authentication Specification").
    Bearer {
        /// The service's URL as the registry wrote it; see [`realm`].
        realm: String,
        /// The name the service knows the registry by.
        service: Option<String>,
    },
}

/// The challenge to answer among all headers of an answer: a token where one can be had, since it is
/// worth less than a password to whoever steals it.
pub(in crate::registry) fn read(headers: &HeaderMap) -> Option<Challenge> {
    let mut basic = false;
    for value in headers.get_all(WWW_AUTHENTICATE) {
        let Some(challenges) = value.to_str().ok().map(parse_challenges) else {
            continue;
        };
        for challenge in challenges.unwrap_or_default() {
            if let Some(bearer) = bearer(&challenge) {
                return Some(bearer);
            }
            basic |= challenge.scheme.eq_ignore_ascii_case("basic");
        }
    }
    basic.then_some(Challenge::Basic)
}

fn bearer(challenge: &ChallengeRef<'_>) -> Option<Challenge> {
    if !challenge.scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let service = parameter(challenge, "service");
    Some(Challenge::Bearer {
        realm: parameter(challenge, "realm")?,
        service: service.filter(|service| !service.is_empty()),
    })
}

fn parameter(challenge: &ChallengeRef<'_>, name: &str) -> Option<String> {
    let mut known = challenge.params.iter();
    let found = known.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    Some(found.1.to_unescaped())
}

/// The scope that a registry says is missing, where that is why it refuses a token (RFC 6750, 3.1).
pub(in crate::registry) fn missing_scope(headers: &HeaderMap) -> Option<String> {
    headers.get_all(WWW_AUTHENTICATE).iter().find_map(|value| {
        let challenges = parse_challenges(value.to_str().ok()?).ok()?;
        challenges.iter().find_map(|challenge| {
            let insufficient = parameter(challenge, "error")? == "insufficient_scope";
            parameter(challenge, "scope").filter(|_| insufficient)
        })
    })
}

/// The URL of a token service, if credentials may go there: the registry's own origin, or a public
/// https address without a user name in it, or one that the user vouches for, which is over http only where the
/// registry is.
pub(in crate::registry) fn realm(
    realm: &str,
    endpoint: &Endpoint,
    vouched: &Vouched,
) -> Result<Url, BadAddress> {
    let mut url = Url::parse(realm).map_err(|_| BadAddress::NoUrl)?;
    url.set_fragment(None);
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BadAddress::UserInfo(host_of(&url)));
    }
    if endpoint.owns(&url) {
        return Ok(url);
    }
    let plain = url.scheme() == "http" && endpoint.root().scheme() == "http";
    if vouched.has(&url) && (plain || url.scheme() == "https") {
        return Ok(url);
    }
    let host = url.host().ok_or(BadAddress::NoUrl)?;
    if url.scheme() != "https" {
        return Err(BadAddress::Scheme(host_of(&url)));
    }
    if is_internal(&host) {
        return Err(BadAddress::Internal(host_of(&url)));
    }
    if url.domain().is_some_and(|name| name.ends_with('.')) {
        return Err(BadAddress::TrailingDot(host_of(&url)));
    }
    Ok(url)
}

/// The host of a refused token service, where it would be asked if the user vouched for it.
pub(in crate::registry) fn may_be_vouched_for(
    realm: &str,
    endpoint: &Endpoint,
    bad: &BadAddress,
) -> Option<String> {
    let url = Url::parse(realm).ok()?;
    let plain = url.scheme() == "http" && endpoint.root().scheme() == "http";
    let is_place = matches!(bad, BadAddress::Internal(_) | BadAddress::Scheme(_));
    (is_place && (plain || url.scheme() == "https")).then(|| host_of(&url))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reqwest::header::HeaderValue;

    use super::*;

    fn of(headers: &[&str]) -> Option<Challenge> {
        let mut map = HeaderMap::new();
        for header in headers {
            map.append(
                WWW_AUTHENTICATE,
                HeaderValue::from_str(header).expect("a header"),
            );
        }
        read(&map)
    }

    fn asks_for(realm: &str, service: &str) -> Challenge {
        Challenge::Bearer {
            realm: realm.to_owned(),
            service: Some(service.to_owned()),
        }
    }

    #[test]
    fn all_headers_and_spellings_are_read() {
        let expected = Some(asks_for("https://a/t", "r"));
        let bearer = r#"Bearer realm="https://a/t",service="r",scope="repository:x:pull""#;
        assert_eq!(of(&[bearer]), expected);
        assert_eq!(of(&[r#"Basic realm="x""#, bearer]), expected);
        assert_eq!(of(&[&format!(r#"Basic realm="x", {bearer}"#)]), expected);
        assert_eq!(of(&[r#"bearer REALM="https://a/t", Service=r"#]), expected);
        assert_eq!(
            of(&["garbage, =", r#"basic realm="x""#]),
            Some(Challenge::Basic)
        );
        assert_eq!(of(&[r#"Bearer service="r""#]), None);
        assert_eq!(of(&["Negotiate"]), None);
    }

    #[test]
    fn a_missing_scope_is_read_only_where_it_is_what_is_wrong() {
        let missing = |header: &str| {
            let value = HeaderValue::from_str(header).expect("a header");
            missing_scope(&HeaderMap::from_iter([(WWW_AUTHENTICATE, value)]))
        };
        let scope = r#"Bearer realm="https://a/t",scope="repository:x:pull,push,delete""#;
        assert_eq!(missing(scope), None);
        assert_eq!(
            missing(&format!(r#"{scope},error="insufficient_scope""#)).as_deref(),
            Some("repository:x:pull,push,delete")
        );
        assert_eq!(missing(&format!(r#"{scope},error="invalid_token""#)), None);
    }

    #[test]
    fn hostile_realms_are_refused() {
        for registry in ["ghcr.io", "localhost:5000", "127.0.0.1:5000"] {
            let endpoint = Endpoint::of(registry).expect("legal");
            for address in [
                "",
                "token",
                "http://ghcr.io/token",
                "http://auth.example/token",
                "https://user@auth.example/token",
                "https://user:password@ghcr.io/token",
                "https://0.0.0.0/token",
                "https://127.0.0.1/token",
                "https://[::1]/token",
                "https://[::ffff:169.254.169.254]/token",
                "https://169.254.169.254/token",
                "https://10.0.0.1/token",
                "https://2852039166/token",
                "https://localhost/token",
                "http://localhost:5001/token",
                "http://127.0.0.1:5001/token",
                "http://localhost.:5000/token",
                "https://auth.example./token",
                "file:///etc/passwd",
                "gopher://auth.example/",
                "javascript:alert(1)",
            ] {
                assert!(
                    realm(address, &endpoint, &Vouched::default()).is_err(),
                    "{registry}: {address}"
                );
            }
        }
    }

    #[test]
    fn a_service_that_the_user_vouches_for_is_used_and_its_neighbours_are_not() {
        let environment = crate::process::Environment::new("/", []).with(
            "LIGHTER_TOKEN_SERVICES",
            "localhost:5001, 10.0.0.6:443,AUTH.corp",
        );
        let vouched = Vouched::of(&environment);
        let judged = |registry: &str, address: &str| {
            let endpoint = Endpoint::of(registry).expect("legal");
            let found = realm(address, &endpoint, &vouched);
            found.map_err(|bad| may_be_vouched_for(address, &endpoint, &bad))
        };
        assert!(judged("localhost:5000", "http://localhost:5001/token").is_ok());
        assert!(judged("localhost:5000", "https://10.0.0.6/token").is_ok());
        let other = Err(Some("localhost:5002".to_owned()));
        assert_eq!(
            judged("localhost:5000", "http://localhost:5002/token"),
            other
        );
        let other = Err(Some("10.0.0.7".to_owned()));
        assert_eq!(judged("ghcr.io", "https://10.0.0.7/token"), other);
        for (registry, address) in [
            // Never in the clear where the registry is not.
            ("ghcr.io", "http://localhost:5001/token"),
            ("ghcr.io", "http://auth.corp/token"),
            ("localhost:5000", "http://x@localhost:5001/token"),
            ("localhost:5000", "/token"),
            ("localhost:5000", "ftp://localhost:5001/token"),
        ] {
            assert_eq!(judged(registry, address), Err(None), "{registry} {address}");
        }
    }

    #[test]
    fn public_services_and_the_registry_itself_are_used() {
        for (registry, address) in [
            ("ghcr.io", "https://ghcr.io/token"),
            ("docker.io", "https://auth.docker.io/token"),
            ("localhost:5000", "http://localhost:5000/token"),
            ("10.0.0.1", "https://10.0.0.1/token"),
        ] {
            let endpoint = Endpoint::of(registry).expect("legal");
            assert!(
                realm(address, &endpoint, &Vouched::default()).is_ok(),
                "{address}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_header_is_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                let headers = HeaderMap::from_iter([(WWW_AUTHENTICATE, value)]);
                let _ = (read(&headers), missing_scope(&headers));
            }
        }

        #[test]
        fn near_challenges_are_read_without_a_panic(
            text in r#"(Bearer|Basic|bearer)? ?((realm|service|a)=?("[^"\r\n]{0,9}"?|[a-z]{0,4})[, ]{0,2}){0,4}"#,
        ) {
            if let Ok(value) = HeaderValue::from_str(&text) {
                let _ = read(&HeaderMap::from_iter([(WWW_AUTHENTICATE, value)]));
            }
        }

        #[test]
        fn any_realm_is_judged_without_a_panic(text in ".*") {
            let endpoint = Endpoint::of("ghcr.io").expect("legal");
            if let Ok(url) = realm(&text, &endpoint, &Vouched::default()) {
                prop_assert_eq!(url.scheme(), "https");
            }
        }
    }
}

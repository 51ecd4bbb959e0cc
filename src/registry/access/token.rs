//! Tokens: what to ask a token service for, and what it gives (distribution, "Token Authentication
//! Specification" and "`OAuth2` Token Authentication").

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::HeaderValue;
use serde_json::Value;

use crate::reference::Repository;

use crate::registry::addresses::endpoint::Endpoint;

/// What a token without `expires_in` lives, by the specification.
const DEFAULT_LIFETIME: Duration = Duration::from_mins(1);
/// Longer claims are not believed.
const LONGEST_LIFETIME: Duration = Duration::from_hours(24);
/// A token is renewed when less than this, or a quarter of its life, is left.
const MARGIN: Duration = Duration::from_secs(30);

/// What a token is good for: the text of its `scope`, or nothing in particular for a login.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::registry) struct Scope(Option<String>);

impl Scope {
    /// Reading and writing a repository: one token for everything that a push does.
    pub(in crate::registry) fn push(endpoint: &Endpoint, repository: &Repository) -> Self {
        Self(Some(format!(
            "repository:{}:pull,push",
            endpoint.api_path(repository)
        )))
    }

    /// Only reading a repository.
    pub(in crate::registry) fn pull(endpoint: &Endpoint, repository: &Repository) -> Self {
        let path = endpoint.api_path(repository);
        Self(Some(format!("repository:{path}:pull")))
    }

    /// Whether it is to write, too.
    pub(in crate::registry) fn pushes(&self) -> bool {
        self.0
            .as_deref()
            .is_some_and(|text| text.ends_with(",push"))
    }

    /// Only showing who we are.
    pub(in crate::registry) fn login() -> Self {
        Self(None)
    }

    /// The text to ask with.
    pub(in crate::registry) fn text(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

/// A token with the time it may be used.
#[derive(Debug, Clone)]
pub(in crate::registry) struct Token {
    header: HeaderValue,
    /// Repositories that it was also asked for, to read from.
    readable: Vec<String>,
    /// What it says that it grants: names of repositories, and actions.
    granted: Vec<(String, Vec<String>)>,
    /// On the run's clock.
    received: Duration,
    /// On the run's clock.
    renew_at: Duration,
}

impl Token {
    /// Reads a token service's answer, received at `now`. `issued_at` is not looked at, since clocks
    /// differ. `None` where there is no token in it that a header can hold.
    pub(in crate::registry) fn read(body: &[u8], now: Duration) -> Option<Self> {
        let answer: Value = serde_json::from_slice(body).ok()?;
        let token = ["access_token", "token"]
            .iter()
            .filter_map(|name| answer.get(name)?.as_str())
            .find(|token| !token.is_empty())?;
        let lifetime = answer
            .get("expires_in")
            .and_then(Value::as_u64)
            .filter(|seconds| *seconds > 0)
            .map_or(DEFAULT_LIFETIME, Duration::from_secs)
            .min(LONGEST_LIFETIME);
        let mut header = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
        header.set_sensitive(true);
        Some(Self {
            header,
            readable: Vec::new(),
            granted: granted(token).unwrap_or_default(),
            received: now,
            renew_at: now + lifetime.saturating_sub(MARGIN.min(lifetime / 4)),
        })
    }

    /// The `Authorization` that shows it.
    pub(in crate::registry) fn header(&self) -> &HeaderValue {
        &self.header
    }

    /// The same, asked for with the right to read these repositories, too.
    pub(in crate::registry) fn reading(mut self, readable: Vec<String>) -> Self {
        self.readable = readable;
        self
    }

    /// Repositories that it was also asked for.
    pub(in crate::registry) fn readable(&self) -> &[String] {
        &self.readable
    }

    /// Whether it gives a right to a repository, by its own account; `None` where it does not say.
    pub(in crate::registry) fn may(&self, action: &str, path: &str) -> Option<bool> {
        let (_, actions) = self.granted.iter().find(|(name, _)| name == path)?;
        Some(actions.iter().any(|one| one == action || one == "*"))
    }

    /// Whether it is so old at `now` that a registry may have stopped to take it, though it should not.
    pub(in crate::registry) fn is_old(&self, now: Duration) -> bool {
        now.saturating_sub(self.received) >= MARGIN
    }

    /// Whether a request may start with it at `now`.
    pub(in crate::registry) fn is_fresh(&self, now: Duration) -> bool {
        now < self.renew_at
    }
}

/// What a token of the usual form says that it grants (distribution, "Token Authentication
/// Implementation": a JSON Web Token whose claims hold `access`). Not proven, and only good to fail early.
fn granted(token: &str) -> Option<Vec<(String, Vec<String>)>> {
    let claims = token.split('.').nth(1)?;
    let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    let entries = claims.get("access")?.as_array()?.iter();
    let text = |entry: &Value, name: &str| Some(entry.get(name)?.as_str()?.to_owned());
    let of_repositories =
        entries.filter(|entry| text(entry, "type").as_deref() == Some("repository"));
    let grants = of_repositories.filter_map(|entry| {
        let actions = entry.get("actions")?.as_array()?.iter();
        let actions = actions.filter_map(|action| Some(action.as_str()?.to_owned()));
        Some((text(entry, "name")?, actions.collect()))
    });
    Some(grants.collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn either_name_is_taken_and_the_later_standard_wins() {
        let header = |body: &str| {
            let token = Token::read(body.as_bytes(), Duration::ZERO)?;
            Some(token.header().to_str().expect("text").to_owned())
        };
        assert_eq!(header(r#"{"token":"a"}"#).as_deref(), Some("Bearer a"));
        let both = r#"{"token":"a","access_token":"b"}"#;
        assert_eq!(header(both).as_deref(), Some("Bearer b"));
        assert_eq!(header(r#"{"token":""}"#), None);
        assert_eq!(header(r#"{"token":"a\nb"}"#), None);
        assert_eq!(header("{}"), None);
    }

    #[test]
    fn a_token_may_say_what_it_grants() {
        let token = |claims: &str| {
            let token = format!("e30.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(claims));
            let body = format!(r#"{{"token":"{token}"}}"#);
            Token::read(body.as_bytes(), Duration::ZERO).expect("a token")
        };
        let access = r#"{"access":[
            {"type":"registry","name":"shop/orders","actions":["push"]},
            {"type":"repository","name":"shop/orders","actions":["pull"]},
            {"type":"repository","name":"shop/users","actions":["pull","push"]},
            {"type":"repository","name":"shop/all","actions":["*"]}]}"#;
        let token_with = token(access);
        for (path, may) in [
            ("shop/orders", Some(false)),
            ("shop/users", Some(true)),
            ("shop/all", Some(true)),
            ("shop/other", None),
        ] {
            assert_eq!(token_with.may("push", path), may, "{path}");
        }
        for claims in ["{}", r#"{"access":7}"#, r#"{"access":[7,{}]}"#, "no JSON"] {
            assert_eq!(token(claims).may("push", "shop/orders"), None, "{claims}");
        }
    }

    proptest! {
        #[test]
        fn any_claims_are_read_without_a_panic(claims in "\\PC{0,40}", access in "[\\[\\]{}\",:a-z0-9]{0,40}") {
            let access = format!(r#"{{"access":[{access}]}}"#);
            for claims in [claims, access] {
                let _ = granted(&format!("a.{}.b", URL_SAFE_NO_PAD.encode(&claims)));
                let _ = granted(&claims);
            }
        }
    }

    #[test]
    fn a_token_is_renewed_before_it_ends() {
        let fresh_until = |body: &[u8]| {
            let token = Token::read(body, seconds(100)).expect("a token");
            (0..100_000)
                .find(|now| !token.is_fresh(seconds(*now)))
                .expect("it ends")
        };
        assert_eq!(fresh_until(br#"{"token":"a"}"#), 145);
        assert_eq!(fresh_until(br#"{"token":"a","expires_in":300}"#), 370);
        assert_eq!(fresh_until(br#"{"token":"a","expires_in":4}"#), 103);
        assert_eq!(fresh_until(br#"{"token":"a","expires_in":-1}"#), 145);
        let eternal = br#"{"token":"a","expires_in":18446744073709551615}"#;
        assert_eq!(fresh_until(eternal), 100 + 86_400 - 30);
    }

    proptest! {
        #[test]
        fn any_answer_is_read_without_a_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Token::read(&body, Duration::MAX / 2);
        }

        #[test]
        fn any_token_is_read_without_a_panic(token in ".*", life in any::<i64>()) {
            let body = serde_json::json!({"token": token, "expires_in": life});
            let _ = Token::read(body.to_string().as_bytes(), Duration::ZERO);
        }
    }
}

//! What the targets in `tests/fuzz` read with: the parsers of what registries, token services and
//! configurations say, which nobody but tests calls from outside. No part of the interface.

use std::time::Duration;

use reqwest::header::{DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use reqwest::{StatusCode, Url};

use crate::registry::access::challenge::{self, Challenge};
use crate::registry::access::token::Token;
use crate::registry::addresses::endpoint::Endpoint;
use crate::registry::addresses::location;
use crate::registry::addresses::vouched::Vouched;
use crate::registry::credentials::docker_config::DockerConfig;
use crate::registry::wire::reply::Reply;
use crate::registry::words::redaction::Secrets;
use crate::registry::words::server_words::ServerWords;

/// A public registry, so that nothing but https may come out.
const REGISTRY: &str = "registry.example";

fn headers<const N: usize>(pairs: [(HeaderName, &[u8]); N]) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(name, HeaderValue::from_bytes(value).ok()?);
    }
    Some(headers)
}

/// The token service that a `WWW-Authenticate` names, if credentials may go there.
pub fn challenge(header: &[u8]) -> Option<String> {
    let headers = headers([(WWW_AUTHENTICATE, header)])?;
    let _ = challenge::missing_scope(&headers);
    let Challenge::Bearer { realm, .. } = challenge::read(&headers)? else {
        return None;
    };
    let endpoint = Endpoint::of(REGISTRY).ok()?;
    Some(
        challenge::realm(&realm, &endpoint, &Vouched::default())
            .ok()?
            .into(),
    )
}

/// What a `Retry-After` says beside this `Date`.
pub fn retry_after(value: &[u8], date: &[u8]) -> Option<Duration> {
    let reply = Reply {
        status: StatusCode::TOO_MANY_REQUESTS,
        headers: headers([(RETRY_AFTER, value), (DATE, date)])?,
        body: Vec::new(),
        url: Url::parse("https://registry.example/v2/").ok()?,
        sent: None,
        opened: None,
    };
    reply.retry_after()
}

/// Where a `Location` leads, if anything may be sent there.
pub fn location(text: &str) -> Option<String> {
    let endpoint = Endpoint::of(REGISTRY).ok()?;
    let request = endpoint.root().join("shop/blobs/uploads/").ok()?;
    Some(location::resolve(&request, text, &endpoint).ok()?.into())
}

/// What is told of the body of a refusal.
pub fn refusal(body: &[u8]) -> String {
    ServerWords::read(body, &Secrets::from_iter(["secret"])).to_string()
}

/// Whether a text repeats the password of `USER:PASSWORD` in any form that is cut out of refusals.
pub fn repeats(text: &str, login: &str) -> bool {
    let mut secrets = Secrets::default();
    secrets.keep_pair(login);
    secrets.are_in(text)
}

/// Whether a token service's answer holds a token.
pub fn token(body: &[u8]) -> bool {
    Token::read(body, Duration::ZERO).is_some()
}

/// The user, or the helper, that a docker configuration has for a registry or repository.
pub fn docker_config(bytes: &[u8], name: &str) -> Option<String> {
    let config = DockerConfig::parse("config.json".into(), bytes).ok()?;
    let _ = config.path_entry(name);
    match config.helper_for(name) {
        Ok(Some(helper)) => Some(helper),
        _ => Some(config.inline(name).ok()??.user().to_owned()),
    }
}

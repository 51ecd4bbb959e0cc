//! Who may do what: name and password, or tokens with scopes that end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::answer::Answer;
use super::route::Route;
use super::wire::Head;

/// How the registry wants to be told who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    /// It does not.
    Open,
    /// `me` with the password `secret`.
    Basic,
    /// A token of the service at `/token`, which wants the same password, and lives so many seconds.
    Bearer { seconds: u64, scopes: Scopes },
}

/// What is granted to whoever shows no password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anonymous {
    /// No token at all.
    Refused,
    /// A token that is good for nothing.
    Nothing,
    /// Reading.
    Reads,
}

/// Which of the scopes that are asked for are granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scopes {
    All,
    /// As GitLab does.
    OnlyLast,
    OnlyFirst,
    /// All of them, without the right to push.
    OnlyPull,
}

const PASSWORD: &str = "me:secret";
/// What a token service exchanges for tokens.
const IDENTITY: &str = "identity/secret";

/// The beginning of a token as token services write it: its head, and what it grants.
fn claims(rights: &BTreeSet<(String, String)>) -> String {
    let names: BTreeSet<&String> = rights.iter().map(|(name, _)| name).collect();
    let access = names.into_iter().map(|name| {
        let actions = rights.iter().filter(|(known, _)| known == name);
        let actions: Vec<&String> = actions.map(|(_, action)| action).collect();
        serde_json::json!({ "type": "repository", "name": name, "actions": actions })
    });
    let claims = serde_json::json!({ "access": access.collect::<Vec<_>>() });
    format!("e30.{}", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

/// What was granted.
#[derive(Debug)]
struct Grant {
    /// Repository and action.
    rights: BTreeSet<(String, String)>,
    until: Duration,
}

/// The tokens that are good.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    granted: BTreeMap<String, Grant>,
    issued: usize,
}

impl Tokens {
    pub(super) fn end_all(&mut self) {
        self.granted.clear();
    }

    /// The token service.
    pub(super) fn issue(
        &mut self,
        guard: Guard,
        anonymous: Anonymous,
        head: &Head,
        body: &[u8],
        now: Duration,
    ) -> Answer {
        let Guard::Bearer { seconds, scopes } = guard else {
            return Answer::status(404);
        };
        // The same as a query, or as a form (OAuth2) whose scope is a list.
        let form = |name: &str| {
            let pairs = url::form_urlencoded::parse(body);
            let values = pairs.filter(|(known, _)| known == name);
            let value = values.map(|(_, value)| value.into_owned()).next();
            value.unwrap_or_default()
        };
        let (known, service, mut asked) = if head.method == "POST" {
            let scopes = form("scope");
            let known = form("grant_type") == "refresh_token" && form("refresh_token") == IDENTITY;
            let scopes = scopes.split_whitespace().map(str::to_owned);
            (known, form("service"), scopes.collect())
        } else {
            let service = head.parameter("service").unwrap_or_default();
            (may_have_tokens(head), service, head.parameters("scope"))
        };
        let nobody = head.method == "GET" && head.header("authorization").is_none();
        if !known && (!nobody || anonymous == Anonymous::Refused) {
            return Answer::refusal(401, "UNAUTHORIZED");
        }
        if service != "fault" {
            return Answer::refusal(400, "UNKNOWN_SERVICE");
        }
        match scopes {
            Scopes::All | Scopes::OnlyPull => {}
            Scopes::OnlyLast => asked = asked.pop().into_iter().collect(),
            Scopes::OnlyFirst => asked.truncate(1),
        }
        let rights = asked.iter().flat_map(|scope| rights_of(scope));
        let granted =
            |right: &(String, String)| known || anonymous == Anonymous::Reads && right.1 == "pull";
        let pulls = |right: &(String, String)| scopes != Scopes::OnlyPull || right.1 == "pull";
        let rights = rights.filter(granted).filter(pulls).collect();
        self.issued += 1;
        let token = format!("{}.token-sentinel-{}", claims(&rights), self.issued);
        let until = now + Duration::from_secs(seconds);
        self.granted.insert(token.clone(), Grant { rights, until });
        let answer = serde_json::json!({ "token": token, "expires_in": seconds });
        Answer::status(200).json(&answer)
    }

    /// The refusal of a request, if it lacks a right.
    pub(super) fn refuse(
        &self,
        guard: Guard,
        head: &Head,
        route: &Route,
        manifest_right: Option<&str>,
        now: Duration,
    ) -> Option<Answer> {
        let puts = head.method == "PUT" && matches!(route, Route::Manifest { .. });
        let right = manifest_right.filter(|_| puts);
        let challenge = |error: &str| {
            let scope = route.repository().map_or_else(String::new, |repository| {
                let more = right.map_or_else(String::new, |right| format!(",{right}"));
                format!(",scope=\"repository:{repository}:pull,push{more}\"")
            });
            let value =
                format!("Bearer realm=\"http://{{host}}/token\",service=\"fault\"{scope}{error}");
            Answer::refusal(401, "UNAUTHORIZED").with("WWW-Authenticate", value)
        };
        match guard {
            Guard::Open => None,
            Guard::Basic if has_password(head) => None,
            Guard::Basic => Some(
                Answer::refusal(401, "UNAUTHORIZED")
                    .with("WWW-Authenticate", "Basic realm=\"fault\""),
            ),
            Guard::Bearer { .. } => {
                let Some(shown) = head.header("authorization") else {
                    return Some(challenge(""));
                };
                let token = shown.strip_prefix("Bearer ").unwrap_or_default();
                let grant = self.granted.get(token);
                match grant.filter(|grant| now < grant.until) {
                    None => Some(challenge(",error=\"invalid_token\"")),
                    Some(grant) if needed(head, route, right).is_subset(&grant.rights) => None,
                    Some(_) => Some(challenge(",error=\"insufficient_scope\"")),
                }
            }
        }
    }
}

fn has_password(head: &Head) -> bool {
    let expected = format!("Basic {}", STANDARD.encode(PASSWORD));
    head.header("authorization") == Some(expected.as_str())
}

/// The same, or an identity token in the place of the password.
fn may_have_tokens(head: &Head) -> bool {
    let identity = format!("Basic {}", STANDARD.encode(format!("<token>:{IDENTITY}")));
    has_password(head) || head.header("authorization") == Some(identity.as_str())
}

fn rights_of(scope: &str) -> Vec<(String, String)> {
    let mut parts = scope.splitn(3, ':');
    let (Some("repository"), Some(name), Some(actions)) =
        (parts.next(), parts.next(), parts.next())
    else {
        return Vec::new();
    };
    actions
        .split(',')
        .map(|action| (name.to_owned(), action.to_owned()))
        .collect()
}

fn needed(head: &Head, route: &Route, right: Option<&str>) -> BTreeSet<(String, String)> {
    let mut needed = BTreeSet::new();
    let Some(repository) = route.repository() else {
        return needed;
    };
    let reads = matches!(head.method.as_str(), "GET" | "HEAD");
    let action = if reads { "pull" } else { "push" };
    for action in [action].into_iter().chain(right) {
        needed.insert((repository.to_owned(), action.to_owned()));
    }
    if let Some(from) = head.parameter("from") {
        needed.insert((from, "pull".to_owned()));
    }
    needed
}

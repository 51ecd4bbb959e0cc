//! Values that are secrets whatever they are called: keys, tokens, and what lets in whoever has it.

use super::word::{Named, is_filled_in, is_setting, named};
use crate::fs::has_private_key_mark;

/// Words that follow `Bearer` in texts.
const OF_BEARERS: &[&str] = &[
    "auth",
    "authentication",
    "authorization",
    "format",
    "only",
    "realm",
    "required",
    "scheme",
    "token",
    "tokens",
];
/// How tokens of well-known services begin.
const TOKENS: &[&str] = &[
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "sk_live_",
    "rk_live_",
    "AKIA",
    "ASIA",
    "AIza",
    "npm_",
    "dckr_pat_",
    "sk-ant-",
    "sk-proj-",
    "AGE-SECRET-KEY-1",
    "xapp-",
];
/// Addresses that let in whoever knows them.
const ADDRESSES: &[&str] = &[
    "://hooks.slack.com/services/",
    "://discord.com/api/webhooks/",
    "://discordapp.com/api/webhooks/",
];
/// A token is longer than a word that happens to begin like one.
const SHORTEST_TOKEN: usize = 20;

/// Whether a value is a secret whatever it is called: an address with a password, a key, a token, a
/// header that lets someone in.
pub(in crate::adopt) fn is_secret_value(value: &str) -> bool {
    has_private_key_mark(value)
        || has_password(value)
        || has_header(value)
        || has_secret_default(value)
        || has_data_source(value)
        || has_bot_token(value)
        || has_json_secret(value)
        || ADDRESSES.iter().any(|address| value.contains(address))
        || value.split(|c: char| !is_of_token(c)).any(is_token)
        || value
            .split(|c: char| !is_of_token(c) && c != '.')
            .any(is_web_token)
        || has_named_part(value)
}

/// `scheme://user:password@host`, `password=…`.
fn has_password(value: &str) -> bool {
    let in_address = value.split("://").skip(1).any(|rest| {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let user = authority.rsplit_once('@').map(|(user, _)| user);
        let password = user.and_then(|user| user.split_once(':'));
        password.is_some_and(|(_, password)| !password.is_empty())
    });
    let lower = value.to_lowercase();
    in_address
        || ["password=", "pwd=", "passwd="].iter().any(|mark| {
            let mut found = lower.split(mark).skip(1);
            found.any(|rest| !is_filled_in(rest) && !rest.starts_with([';', '&', ' ']))
        })
}

/// `Authorization: Bearer …`, `X-Api-Key: …`.
fn has_header(value: &str) -> bool {
    const SCHEMES: &[&str] = &["basic", "bearer", "digest", "negotiate", "token"];
    let quotes = ['"', '\'', '\\'];
    let mut parts = value.split(':').peekable();
    while let Some(part) = parts.next() {
        let Some(after) = parts.peek() else { break };
        let name = part.trim_end_matches(quotes);
        let name = name
            .rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '-')
            .next()
            .unwrap_or_default();
        let lets_in = name.eq_ignore_ascii_case("authorization")
            || name.eq_ignore_ascii_case("proxy-authorization");
        let is_header = name.contains('-') && named(name) != Named::Nothing;
        if !lets_in && !is_header && !name.eq_ignore_ascii_case("cookie") {
            continue;
        }
        let mut words = after
            .split_whitespace()
            .map(|word| word.trim_matches(quotes));
        let first = words.find(|word| !SCHEMES.contains(&word.to_lowercase().as_str()));
        if first.is_some_and(|word| !is_filled_in(word)) {
            return true;
        }
    }
    let lower = value.to_lowercase();
    if let Some(("bearer", token)) = lower.trim_matches(quotes).split_once(' ') {
        let token = token.trim();
        let is_text = token.contains(' ') || OF_BEARERS.contains(&token) || is_filled_in(token);
        if !is_text && !token.starts_with('%') {
            return true;
        }
    }
    lower.match_indices("bearer ").any(|(at, mark)| {
        let rest = value.get(at + mark.len()..).unwrap_or_default();
        let token = rest.split(|c: char| !is_of_token(c) && c != '.').next();
        token.is_some_and(|token| {
            token.len() >= SHORTEST_TOKEN && token.bytes().any(|byte| byte.is_ascii_digit())
        })
    })
}

/// `user:password@tcp(host)/database`, as programs in Go and those that talk to them write it.
fn has_data_source(value: &str) -> bool {
    value.match_indices('@').any(|(at, _)| {
        let (before, after) = value.split_at(at);
        let network = after.get(1..).unwrap_or_default();
        let network = network.split('(').next().filter(|_| network.contains('('));
        let is_network = network.is_some_and(|name| {
            let is_plain = |c: char| c.is_ascii_alphanumeric();
            name.len() <= 10 && name.chars().all(is_plain)
        });
        let user = before.rsplit([' ', '"', '\'', '=', '/']).next();
        let password = user.and_then(|user| user.split_once(':'));
        is_network && password.is_some_and(|(_, password)| !is_filled_in(password))
    })
}

/// A token of a bot of Telegram: `123456789:AA…`, 35 characters behind the number.
fn has_bot_token(value: &str) -> bool {
    const LENGTH: usize = 35;
    value.match_indices(':').any(|(at, _)| {
        let (before, after) = value.split_at(at);
        let digits = before.bytes().rev().take_while(u8::is_ascii_digit).count();
        let after = after.get(1..).unwrap_or_default();
        let length = after.chars().take_while(|c| is_of_token(*c)).count();
        (8..=10).contains(&digits) && length == LENGTH && after.starts_with("AA")
    })
}

/// `{"token": "…"}`, also with its quotes escaped.
fn has_json_secret(value: &str) -> bool {
    let plain = value.replace('\\', "");
    let parts: Vec<&str> = plain.split('"').collect();
    parts.windows(3).any(|parts| match parts {
        [name, between, value] => {
            between.trim() == ":" && named(name) != Named::Nothing && !is_setting(value)
        }
        _ => false,
    })
}

/// `${TOKEN:-…}`: what stands in for a secret is one.
fn has_secret_default(value: &str) -> bool {
    value.split("${").skip(1).any(|rest| {
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let (name, after) = rest.split_at(length.unwrap_or(rest.len()));
        let after = after.strip_prefix(':').unwrap_or(after);
        let default = after.strip_prefix(['-', '=', '+']).unwrap_or_default();
        let default = default.split('}').next().unwrap_or_default();
        !default.is_empty() && !is_setting(default) && named(name) != Named::Nothing
    })
}

/// `token=…` among other parts of an address or a list.
fn has_named_part(value: &str) -> bool {
    value
        .split(['?', '&', ';', ',', ' ', '"', '\''])
        .any(|part| {
            part.split_once('=').is_some_and(|(name, value)| {
                let is_name = name.chars().all(|c| is_of_token(c) || c == '.');
                let is_value = !is_setting(value) && !value.starts_with('-');
                // What signs an address lets in whoever has it, as with Azure and S3.
                let is_signature = value.len() >= SHORTEST_TOKEN
                    && ["sig", "signature", "x-amz-signature", "x-goog-signature"]
                        .contains(&name.to_lowercase().as_str());
                is_name && is_value && (is_signature || named(name) != Named::Nothing)
            })
        })
}

fn is_of_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

fn is_token(word: &str) -> bool {
    word.len() >= SHORTEST_TOKEN && TOKENS.iter().any(|begin| word.starts_with(begin))
}

/// A JSON Web Token (RFC 7519), whose header is a JSON object, or a token of another form with dots in it.
fn is_web_token(word: &str) -> bool {
    let is_dotted = word.starts_with("hvs.") || word.starts_with("SG.");
    let is_json = word.starts_with("eyJ") && word.matches('.').count() >= 2;
    word.len() >= SHORTEST_TOKEN && (is_json || is_dotted)
}

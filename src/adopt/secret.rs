//! What looks like a secret by its name or its value, and is therefore neither taken over nor printed.
//!
//! Images are read by everyone who may pull them. A name or value too many costs a warning, one too few
//! would be a secret in a manifest.

use url::Url;

use crate::fs::has_private_key_mark;

/// Parts of names, in capitals with `_` between words.
const NAMES: &[&str] = &[
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "PASSCODE",
    "SECRET",
    "TOKEN",
    "CREDENTIAL",
    "API_KEY",
    "APIKEY",
    "PRIVATE_KEY",
    "ACCESS_KEY",
    "SIGNING_KEY",
    "ENCRYPTION_KEY",
    "MASTER_KEY",
];
/// Words at the end of names that only say where a secret is, or something about it.
const ABOUT: &[&str] = &[
    "FILE",
    "PATH",
    "DIR",
    "DIRECTORY",
    "TTL",
    "EXPIRY",
    "LIFETIME",
    "SECONDS",
    "LENGTH",
    "TYPE",
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
];
/// A token is longer than a word that happens to begin like one.
const SHORTEST_TOKEN: usize = 20;

/// Whether what is called `name` and has the value `value` must not be taken over.
pub(super) fn is_secret(name: &str, value: &str) -> bool {
    !value.is_empty() && (is_secret_name(name) || is_secret_value(value))
}

/// Whether a value that is called like that is a secret.
pub(super) fn is_secret_name(name: &str) -> bool {
    let name = in_capitals(name);
    let about = name.rsplit('_').next().unwrap_or_default();
    // Language models count tokens, and split texts into them.
    let name = name.replace("TOKENS", "").replace("TOKENIZE", "");
    !ABOUT.contains(&about) && NAMES.iter().any(|part| name.contains(part))
}

/// Whether a value is a secret whatever it is called: an address with a password, a key, a token.
pub(super) fn is_secret_value(value: &str) -> bool {
    has_private_key_mark(value)
        || has_password(value)
        || value.split(|c: char| !is_of_token(c)).any(is_token)
}

/// `--password`, `--api-token=…`: whether a word of a command line is a flag whose value is a secret.
pub(super) fn is_secret_flag(word: &str) -> bool {
    let name = word.split('=').next().unwrap_or_default();
    name.starts_with('-') && is_secret_name(name)
}

/// Whether a word of a command line, or a text of several, has a secret in it.
pub(super) fn holds_secret(text: &str) -> bool {
    if is_secret_value(text) {
        return true;
    }
    let mut words = text.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let value = match word.split_once('=') {
            Some((_, value)) => Some(value),
            // What one word holds alone has its value in the next one.
            None if word.starts_with('-') => words.peek().copied(),
            None => None,
        };
        let name = word.split('=').next().unwrap_or_default();
        let is_value = |value: &&str| !value.is_empty() && !value.starts_with(['-', '$']);
        if is_secret_name(name) && value.as_ref().is_some_and(is_value) {
            return true;
        }
    }
    false
}

/// A word of a command line, without what looks like a secret in it.
pub(super) fn shown(word: &str) -> String {
    match word.split_once('=') {
        Some((name, value)) if is_secret(name, value) => format!("{name}=…"),
        _ if is_secret_value(word) => "…".to_owned(),
        _ => word.to_owned(),
    }
}

/// A command line, without what looks like a secret in it.
pub(super) fn shown_words<'w>(words: impl IntoIterator<Item = &'w String>) -> String {
    let mut after_flag = false;
    let mut all = Vec::new();
    for word in words {
        let is_value = after_flag && !word.starts_with(['-', '$']);
        all.push(if is_value {
            "…".to_owned()
        } else {
            shown(word)
        });
        after_flag = is_secret_flag(word) && !word.contains('=');
    }
    all.join(" ")
}

/// An address without what may be secret in it: user, password, query and fragment.
pub(super) fn shown_address(address: &str) -> String {
    let Ok(mut url) = Url::parse(address) else {
        return shown(address);
    };
    // Addresses that cannot have a user have nothing to lose.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

/// `apiKey`, `api-key` and `api.key` as `API_KEY`.
fn in_capitals(name: &str) -> String {
    let mut capitals = String::with_capacity(name.len());
    let mut after_small = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && after_small {
            capitals.push('_');
        }
        after_small = c.is_ascii_lowercase();
        capitals.push(match c {
            '-' | '.' | ' ' => '_',
            c => c.to_ascii_uppercase(),
        });
    }
    capitals
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
            found.any(|rest| !rest.is_empty() && !rest.starts_with([';', '&', ' ']))
        })
}

fn is_of_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

fn is_token(word: &str) -> bool {
    word.len() >= SHORTEST_TOKEN && TOKENS.iter().any(|begin| word.starts_with(begin))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn secrets_are_known_by_their_names() {
        for name in [
            "DB_PASSWORD",
            "PGPASSWORD",
            "SECRET",
            "SECRET_KEY_BASE",
            "GITHUB_TOKEN",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "STRIPE_API_KEY",
            "com.example.apiKey",
            "private-key",
            "access_token",
            "GOOGLE_CREDENTIALS",
        ] {
            assert!(is_secret(name, "x"), "{name}");
            assert!(!is_secret(name, ""), "{name}");
        }
        for name in [
            "RUST_LOG",
            "PASSWORD_FILE",
            "TOKEN_PATH",
            "TOKEN_TTL",
            "MAX_TOKENS",
            "TOKENIZER",
            "KEYBOARD",
            "PUBLIC_KEY",
            "DATABASE_URL",
        ] {
            assert!(!is_secret(name, "x"), "{name}");
        }
    }

    #[test]
    fn secrets_are_known_by_their_values() {
        for value in [
            "postgres://me:x@db:5432/orders",
            "a,amqp://u:p@b",
            "Host=db;Password=x",
            "jdbc:postgresql://db/x?user=a&password=b",
            "-----BEGIN RSA PRIVATE KEY-----\nx",
            "ghp_0123456789abcdefghij",
            "Bearer github_pat_0123456789abcdefghij",
        ] {
            assert!(is_secret("X", value), "{value}");
        }
        for value in [
            "postgres://db/orders",
            "postgres://me@db/orders",
            "postgres://me:@db/orders",
            "http://host:80/a:b@c",
            "password=",
            "Password=;Host=db",
            "ghp_short",
            "npm_config_registry",
        ] {
            assert!(!is_secret("X", value), "{value}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        assert_eq!(shown("DB_PASSWORD=x"), "DB_PASSWORD=…");
        assert_eq!(shown("--token=x"), "--token=…");
        assert_eq!(shown("--port=x"), "--port=x");
        assert_eq!(shown("postgres://a:b@c"), "…");
        let words = ["x", "--token", "y", "--secret", "$Z", "A_KEY=b"].map(str::to_owned);
        assert_eq!(shown_words(&words), "x --token … --secret $Z A_KEY=b");
        assert_eq!(shown_address("https://a:b@c/d?e=f#g"), "https://c/d");
    }

    proptest! {
        #[test]
        fn any_text_can_be_asked_about(text in "(?s).{0,60}") {
            let _ = (is_secret(&text, &text), shown(&text), shown_address(&text), is_secret_flag(&text));
        }
    }
}

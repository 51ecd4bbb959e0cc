//! What looks like a secret by its name or its value, and is therefore neither taken over nor printed.
//!
//! Images are read by everyone who may pull them. A name or value too many costs a warning, one too few
//! would be a secret in a manifest.

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
    "PRIVATEKEY",
    "ACCESS_KEY",
    "ACCESSKEY",
    "SIGNING_KEY",
    "ENCRYPTION_KEY",
    "MASTER_KEY",
];
/// Words at the end of names, which say more than one thing: their values have to look like a secret, too.
const LAST_WORDS: &[&str] = &[
    "PASS", "PW", "PWD", "CRED", "CREDS", "COOKIE", "JWT", "BEARER", "SALT", "PEPPER",
];
/// Words that end in `PASS` and have nothing to do with it.
const OTHER_PASSES: &[&str] = &[
    "BYPASS",
    "COMPASS",
    "TRESPASS",
    "UNDERPASS",
    "OVERPASS",
    "SURPASS",
];
/// What a key is for where it is no public one.
const KEYS: &[&str] = &[
    "ACCOUNT", "ADMIN", "APP", "AUTH", "COOKIE", "CRYPT", "CRYPTO", "DEPLOY", "HMAC", "JWT",
    "LICENSE", "SERVICE", "SESSION", "SHARED", "SSH",
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
    "ALGORITHM",
    "ENABLED",
    "HEADER",
    "ISSUER",
    "AUDIENCE",
    "NAME",
    "POLICY",
    "REQUIRED",
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
/// Values that are settings, whatever their name says.
const SETTINGS: &[&str] = &[
    "true", "false", "yes", "no", "on", "off", "0", "1", "none", "null", "basic", "bearer",
    "digest", "oidc", "oauth", "oauth2", "jwt", "saml", "ldap", "mtls", "trace", "debug", "info",
    "warn", "error", "lax", "strict", "required", "optional", "enabled", "disabled",
];

/// What a name says of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    Secret,
    /// Unless the value is one of [`SETTINGS`].
    Likely,
    Nothing,
}

/// Whether what is called `name` and has the value `value` must not be taken over.
pub(super) fn is_secret(name: &str, value: &str) -> bool {
    let by_name = match named(name) {
        Named::Secret => true,
        Named::Likely => !is_setting(value),
        Named::Nothing => false,
    };
    !value.is_empty() && (by_name || is_secret_value(value))
}

fn named(name: &str) -> Named {
    let name = in_capitals(name);
    let name = name.trim_matches('_');
    let words: Vec<&str> = name
        .split('_')
        // `DB_PASS_2`
        .filter(|word| !word.bytes().all(|byte| byte.is_ascii_digit()))
        .collect();
    let Some((last, before)) = words.split_last() else {
        return Named::Nothing;
    };
    // The directory that a process is in.
    if ABOUT.contains(last) || matches!(name, "PWD" | "OLDPWD") {
        return Named::Nothing;
    }
    // Language models count tokens, and split texts into them.
    let without_models = name.replace("TOKENS", "").replace("TOKENIZE", "");
    if NAMES.iter().any(|part| without_models.contains(part)) {
        return Named::Secret;
    }
    let is_pass = last.ends_with("PASS") && !OTHER_PASSES.contains(last);
    let is_key = *last == "KEY" && before.last().is_some_and(|word| KEYS.contains(word));
    let is_auth = *last == "AUTH" && !before.is_empty();
    if LAST_WORDS.contains(last) || is_pass || is_key || is_auth {
        return Named::Likely;
    }
    Named::Nothing
}

/// What is switched on, chosen from a few, or filled in later.
fn is_setting(value: &str) -> bool {
    let value = value.trim_matches(['"', '\'']);
    SETTINGS.contains(&value.to_lowercase().as_str()) || is_filled_in(value)
}

/// Whether nothing but a variable, a template or what stands for a secret is there.
fn is_filled_in(value: &str) -> bool {
    let is_template = value.starts_with("{{") || (value.starts_with('<') && value.ends_with('>'));
    value.is_empty() || is_template || value.starts_with(['$', '…'])
}

/// Whether a value is a secret whatever it is called: an address with a password, a key, a token, a
/// header that lets someone in.
pub(super) fn is_secret_value(value: &str) -> bool {
    has_private_key_mark(value)
        || has_password(value)
        || has_header(value)
        || has_secret_default(value)
        || ADDRESSES.iter().any(|address| value.contains(address))
        || value.split(|c: char| !is_of_token(c)).any(is_token)
        || value
            .split(|c: char| !is_of_token(c) && c != '.')
            .any(is_web_token)
        || has_named_part(value)
}

/// `--password`, `--api-token=…`: whether a word of a command line is a flag whose value is a secret.
pub(super) fn is_secret_flag(word: &str) -> bool {
    let name = word.split('=').next().unwrap_or_default();
    // `--with-auth` is a switch as often as not.
    name.starts_with('-') && named(name) != Named::Nothing && !in_capitals(name).ends_with("_AUTH")
}

/// Whether two words of a command line are a flag and its secret: `--password x`, `-u user:password`.
pub(super) fn is_secret_pair(flag: &str, value: &str) -> bool {
    if !flag.starts_with('-') || flag.contains('=') {
        return false;
    }
    let is_value = !is_filled_in(value) && !value.starts_with('-');
    is_value && (is_secret_flag(flag) || is_account(flag, value))
}

/// `-u user:password`; `--user 1000:1000` is a user and a group.
fn is_account(flag: &str, value: &str) -> bool {
    let name = in_capitals(flag);
    let name = name.trim_matches('_');
    let is_flag = flag == "-u"
        || matches!(name, "USER" | "USERPWD" | "PROXY_USER" | "AUTH")
        || name.ends_with("_AUTH");
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let parts = value.split_once(':');
    is_flag && parts.is_some_and(|(_, password)| !is_number(password) && !is_filled_in(password))
}

/// Whether a word of a command line, or a text of several, has a secret in it.
pub(super) fn holds_secret(text: &str) -> bool {
    if is_secret_value(text) {
        return true;
    }
    let words: Vec<&str> = text
        .split_whitespace()
        .map(|word| word.trim_matches(['"', '\'']))
        .collect();
    let is_assignment = |word: &&str| {
        word.split_once('=').is_some_and(|(name, value)| {
            let value = value.trim_matches(['"', '\'']);
            let is_value = !is_filled_in(value) && !value.starts_with('-');
            is_value && (is_secret(name, value) || is_account(name, value))
        })
    };
    let mut pairs = words.iter().zip(words.iter().skip(1));
    words.iter().any(is_assignment) || pairs.any(|(flag, value)| is_secret_pair(flag, value))
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
    lower.match_indices("bearer ").any(|(at, mark)| {
        let rest = value.get(at + mark.len()..).unwrap_or_default();
        let token = rest.split(|c: char| !is_of_token(c) && c != '.').next();
        token.is_some_and(|token| {
            token.len() >= SHORTEST_TOKEN && token.bytes().any(|byte| byte.is_ascii_digit())
        })
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
                is_name && is_value && named(name) != Named::Nothing
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tokens_and_defaults_of_secrets_are_secrets() {
        for value in [
            "hvs.CAESIJ1234567890abcdefgh",
            "SG.abcdefghijklmnop.qrstuvwxyz0123",
            "sk-ant-api03-abcdefghijklmnop",
            "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQ",
            "https://hooks.slack.com/services/T0/B0/x",
            "https://discord.com/api/webhooks/1/x",
            "--k ${TOKEN:-hushhush}",
            "${DB_PASSWORD-hushhush}",
        ] {
            assert!(is_secret_value(value), "{value}");
        }
        for value in [
            "${TOKEN}",
            "${TOKEN:-}",
            "${TOKEN:-$OTHER}",
            "${PORT:-8080}",
            "${TOKEN_FILE:-/run/secrets/token}",
            "https://hooks.slack.com/",
            "hvs.short",
        ] {
            assert!(!is_secret_value(value), "{value}");
        }
    }

    #[test]
    fn secrets_are_known_by_their_names() {
        for name in [
            "DB_PASSWORD",
            "PGPASSWORD",
            "PGPASS",
            "PASS",
            "SMTP_PASS",
            "DB_PASS_2",
            "DBPASS",
            "PW",
            "ADMIN_PW",
            "DB_PWD",
            "BASIC_AUTH",
            "REGISTRY_AUTH",
            "COOKIE",
            "SESSION_COOKIE",
            "JWT",
            "SERVICE_JWT",
            "PASSPHRASE",
            "CREDENTIALS",
            "AWS_CREDS",
            "SECRET",
            "SECRET_KEY_BASE",
            "SESSION_KEY",
            "SSH_KEY",
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
            "PATH",
            "PWD",
            "OLDPWD",
            "PASSENGER_APP_ENV",
            "PASS_THROUGH",
            "BYPASS",
            "AUTHOR",
            "AUTHORS",
            "AUTH",
            "AUTH_URL",
            "KEY",
            "SORT_KEY",
            "COOKIE_DOMAIN",
            "JWT_ISSUER",
            "PASSWORD_FILE",
            "TOKEN_PATH",
            "TOKEN_TTL",
            "SECRET_NAME",
            "API_KEY_HEADER",
            "MAX_TOKENS",
            "TOKENIZER",
            "KEYBOARD",
            "PUBLIC_KEY",
            "DATABASE_URL",
            "COMPASS",
            "1",
            "_",
            "",
        ] {
            assert!(!is_secret(name, "x"), "{name}");
        }
        for (name, value) in [
            ("ENABLE_AUTH", "true"),
            ("HTTP_AUTH", "basic"),
            ("SECURE_COOKIE", "1"),
            ("DB_PASS", "$X"),
        ] {
            assert!(!is_secret(name, value), "{name}={value}");
        }
    }

    #[test]
    fn secrets_are_known_by_their_values() {
        for value in [
            "postgres://me:x@db:5432/orders",
            "a,amqp://u:p@b",
            "Host=db;Password=x",
            "jdbc:postgresql://db/x?user=a&password=b",
            "https://x/?api_key=abc&b=c",
            "-----BEGIN RSA PRIVATE KEY-----\nx",
            "ghp_0123456789abcdefghij",
            "Bearer github_pat_0123456789abcdefghij",
            "Bearer 0123456789abcdefghijk",
            "x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln y",
            "Authorization: Bearer abc",
            "authorization:Basic dTpw",
            "\"Authorization: token abc\"",
            "{\"Authorization\": \"abc\"}",
            "X-Api-Key: abc",
            "Cookie: a=b",
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
            "auth=debug",
            "info,my_auth=debug,token=trace",
            "Bearer authentication",
            "Authorization: Bearer $TOKEN",
            "Authorization: Bearer ${TOKEN}",
            "Authorization",
            "author: me",
            "eyJ",
            "a.b.c",
            "x-frame-options: DENY",
            "https://x/?page=2",
        ] {
            assert!(!is_secret("X", value), "{value}");
        }
    }

    #[test]
    fn secrets_of_command_lines_are_known() {
        for text in [
            "--pass x",
            "a --pass=x",
            "--pw=x b",
            "--pw x",
            "-u me:x",
            "--user me:x",
            "--user=me:x",
            "--basic-auth me:x",
            "curl -H \"Authorization: Bearer abc\" http://x",
            "--password 'x y'",
            "DB_PASS=x app",
            "--jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        ] {
            assert!(holds_secret(text), "{text}");
        }
        for text in [
            "--pass",
            "--pass $X",
            "--pass=$X",
            "--pass --other",
            "-u me",
            "--user 1000:1000",
            "--user me:$X",
            "-u me:${X}",
            "--with-auth serve",
            "--passive x",
            "--author me:you",
            "RUST_LOG=auth=debug app",
            "--log auth=debug",
            "--path /x",
            "--listen 0.0.0.0:80",
        ] {
            assert!(!holds_secret(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_can_be_asked_about(text in "(?s).{0,60}") {
            let _ = (is_secret(&text, &text), holds_secret(&text), is_secret_flag(&text));
        }

        #[test]
        fn any_words_can_be_asked_about(
            text in "(--pass|authorization|bearer|-u|[ :=a$\"'.]|é|eyJ){0,12}",
        ) {
            let _ = (is_secret(&text, &text), holds_secret(&text), is_secret_flag(&text));
        }
    }
}

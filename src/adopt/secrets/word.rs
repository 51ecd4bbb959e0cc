//! What looks like a secret by its name or its value, and is therefore neither taken over nor printed.
//!
//! Images are read by everyone who may pull them. A name or value too many costs a warning, one too few
//! would be a secret in a manifest.

use super::value::is_secret_value;

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
    "PASS", "PW", "PWD", "CRED", "CREDS", "COOKIE", "JWT", "BEARER", "SALT", "PEPPER", "SIGNING",
];
/// Words at the end of names whose values are a user and a password as often as a way to log in.
const ACCOUNTS: &[&str] = &["BASIC", "BASICAUTH", "LOGIN", "USERPWD"];
/// A token is as long as this.
const SHORTEST_TOKEN: usize = 6;
/// Words of names that tell what a value is good for, wherever they stand: their values have to look like a
/// secret, too.
const WORDS: &[&str] = &["HMAC", "OTP", "TOTP", "PRIVATE", "SEED", "MNEMONIC"];
/// Words at the end of such names that stand for a place or a measure.
const NO_SECRETS: &[&str] = &[
    "ADDR",
    "ADDRESS",
    "ALGO",
    "BUCKET",
    "CIDR",
    "COUNT",
    "DATA",
    "DB",
    "DIGITS",
    "ENDPOINT",
    "HOST",
    "HOSTS",
    "INTERVAL",
    "IP",
    "MODE",
    "NETWORK",
    "NETWORKS",
    "NODE",
    "NODES",
    "PEERS",
    "PERIOD",
    "PORT",
    "REGISTRY",
    "REPO",
    "REPOSITORY",
    "RANGE",
    "SIZE",
    "STEP",
    "SUBNET",
    "SUBNETS",
    "URI",
    "URL",
    "WINDOW",
    "ZONE",
];
/// A number of so many digits makes random numbers repeat; nobody guards it.
const LONGEST_SEED: usize = 10;
/// What `--auth` may choose.
const WAYS: &[&str] = &[
    "file", "github", "gitlab", "google", "htpasswd", "http", "password", "run", "serve", "server",
    "start", "token", "userpass",
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
/// Values that are settings, whatever their name says.
const SETTINGS: &[&str] = &[
    "true", "false", "yes", "no", "on", "off", "0", "1", "none", "null", "basic", "bearer",
    "digest", "oidc", "oauth", "oauth2", "jwt", "saml", "ldap", "mtls", "trace", "debug", "info",
    "warn", "error", "lax", "strict", "required", "optional", "enabled", "disabled", "hs256",
    "hs384", "hs512", "rs256", "rs384", "rs512", "es256", "es384", "es512", "ps256", "ps384",
    "ps512", "eddsa", "ed25519",
];

/// What a name says of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    Secret,
    /// Unless the value is one of [`SETTINGS`].
    Likely,
    /// If the value is a user and a password.
    Account,
    /// If the value is that or a token.
    Auth,
    Nothing,
}

/// Whether what is called `name` and has the value `value` must not be taken over.
pub(in crate::adopt) fn is_secret(name: &str, value: &str) -> bool {
    let by_name = match named(name) {
        Named::Secret => true,
        Named::Likely => !is_setting(value) && !is_seed(name, value),
        Named::Account => is_login(value),
        Named::Auth => is_login(value) || is_token(value),
        Named::Nothing => false,
    };
    !value.is_empty() && (by_name || is_secret_value(value))
}

pub(super) fn named(name: &str) -> Named {
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
    let is_word = words.iter().any(|word| WORDS.contains(word)) && !NO_SECRETS.contains(last);
    if LAST_WORDS.contains(last) || is_pass || is_key || is_auth || is_word {
        return Named::Likely;
    }
    match *last {
        "AUTH" => Named::Auth,
        last if ACCOUNTS.contains(&last) => Named::Account,
        _ => Named::Nothing,
    }
}

/// `user:password`; `host:80` and `https://host` are none.
fn is_login(value: &str) -> bool {
    let value = value.trim_matches(['"', '\'']);
    value.split_once(':').is_some_and(|(user, password)| {
        let is_number = password.bytes().all(|byte| byte.is_ascii_digit());
        !user.is_empty() && !is_number && !password.starts_with('/') && !is_filled_in(password)
    })
}

/// Letters and digits that are no way to log in, as words and paths are.
fn is_token(value: &str) -> bool {
    let value = value.trim_matches(['"', '\'']);
    let has = |is: fn(&u8) -> bool| value.as_bytes().iter().any(is);
    let is_plain = is_setting(value)
        || WAYS.contains(&value)
        || value.starts_with(['/', '.'])
        || value.contains("://");
    !is_plain
        && value.len() >= SHORTEST_TOKEN
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_alphabetic)
}

/// `RANDOM_SEED=42`.
fn is_seed(name: &str, value: &str) -> bool {
    let name = in_capitals(name);
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
    is_number && value.len() <= LONGEST_SEED && name.ends_with("SEED")
}

/// What is switched on, chosen from a few, or filled in later.
pub(super) fn is_setting(value: &str) -> bool {
    let value = value.trim_matches(['"', '\'']);
    SETTINGS.contains(&value.to_lowercase().as_str()) || is_filled_in(value)
}

/// Whether nothing but a variable, a template or what stands for a secret is there.
pub(super) fn is_filled_in(value: &str) -> bool {
    let is_template = value.starts_with("{{") || (value.starts_with('<') && value.ends_with('>'));
    value.is_empty() || is_template || value.starts_with(['$', '…'])
}

/// `--password`, `--api-token=…`: whether a word of a command line is a flag whose value is a secret.
pub(in crate::adopt) fn is_secret_flag(word: &str) -> bool {
    let name = word.split('=').next().unwrap_or_default();
    // `--with-auth` is a switch as often as not.
    let is_named = matches!(named(name), Named::Secret | Named::Likely);
    name.starts_with('-') && is_named && !in_capitals(name).ends_with("_AUTH")
}

/// Whether two words of a command line are a flag and its secret: `--password x`, `-u user:password`.
pub(in crate::adopt) fn is_secret_pair(flag: &str, value: &str) -> bool {
    if !flag.starts_with('-') || flag.contains('=') {
        return false;
    }
    let is_value = !is_filled_in(value) && !value.starts_with('-');
    let is_plain = named(flag) == Named::Likely && (is_setting(value) || is_seed(flag, value));
    is_value && !is_plain && (is_secret_flag(flag) || is_account(flag, value))
}

/// `-u user:password`, `--auth token`; `--user 1000:1000` is a user and a group.
fn is_account(flag: &str, value: &str) -> bool {
    let name = in_capitals(flag);
    let name = name.trim_matches('_');
    let is_way = is_setting(value) || WAYS.contains(&value) || value.starts_with(['/', '.']);
    if flag.starts_with('-') && name == "AUTH" && !value.contains(':') && !is_way {
        return true;
    }
    let is_flag = flag == "-u"
        || matches!(name, "USER" | "USERPWD" | "PROXY_USER" | "AUTH")
        || name.ends_with("_AUTH");
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let parts = value.split_once(':');
    is_flag && parts.is_some_and(|(_, password)| !is_number(password) && !is_filled_in(password))
}

/// Whether a word of a command line, or a text of several, has a secret in it.
pub(in crate::adopt) fn holds_secret(text: &str) -> bool {
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

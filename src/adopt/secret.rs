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
        Named::Likely => !is_setting(value) && !is_seed(name, value),
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
    let is_word = words.iter().any(|word| WORDS.contains(word)) && !NO_SECRETS.contains(last);
    if LAST_WORDS.contains(last) || is_pass || is_key || is_auth || is_word {
        return Named::Likely;
    }
    Named::Nothing
}

/// `RANDOM_SEED=42`.
fn is_seed(name: &str, value: &str) -> bool {
    let name = in_capitals(name);
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
    is_number && value.len() <= LONGEST_SEED && name.ends_with("SEED")
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

    #[test]
    fn secrets_that_once_were_proposed_are_known() {
        let bot = format!("123456789:AA{}", "x1-_".repeat(8) + "y");
        let address = format!("https://api.telegram.org/bot{bot}/sendMessage");
        for value in [
            bot.as_str(),
            &address,
            "https://x.blob.core.windows.net/c?sv=2022-11-02&sp=r&sig=abcdefghij%2Bklmnopqrstu%3D",
            "sv=2022-11-02&sig=abcdefghijklmnopqrstuvwxyz",
            "https://s3/x?X-Amz-Signature=0123456789abcdef0123456789abcdef",
            "Bearer x",
            "bearer hunter2",
            "{\"token\":\"x\"}",
            "{\"a\": 1, \"db\": {\"password\" : \"hunter2\"}}",
            "{\\\"apiKey\\\":\\\"x\\\"}",
            "me:hunter2@tcp(db:3306)/orders?parseTime=true",
            "me:p@ss@unix(/run/mysqld.sock)/orders",
            "dsn=me:hunter2@(db)/x",
        ] {
            assert!(is_secret("X", value), "{value}");
        }
        for (name, value) in [
            ("APP_HMAC", "x"),
            ("HMAC_KEY", "x"),
            ("OTP", "123456"),
            ("TOTP_BASE", "JBSWY3DP"),
            ("PRIVATE", "x"),
            ("WALLET_PRIVATE", "0xabc"),
            ("PRIVATE_PEM", "x"),
            ("SEED", "correct horse"),
            ("WALLET_SEED", "0123456789abcdef"),
            ("SEED_PHRASE", "a b c"),
            ("MNEMONIC", "a b c"),
            ("walletMnemonic", "a b c"),
        ] {
            assert!(is_secret(name, value), "{name}={value}");
        }
        for text in [
            "--auth hunter2",
            "--auth=hunter2",
            "--auth X",
            "--token X",
            "--password=X",
            "--seed-phrase abc",
            "--hmac x",
        ] {
            assert!(holds_secret(text), "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_a_secret_is_carried() {
        for (name, value) in [
            ("X", "12345678:AAbc"),
            ("X", "host:8080"),
            ("X", "2024-01-01T10:20:30"),
            ("X", "sha256:0123456789abcdef0123456789abcdef"),
            ("X", "https://x/?sig=short"),
            ("X", "https://x/?signal=abcdefghijklmnopqrstuvwxyz"),
            ("X", "Bearer token"),
            ("X", "Bearer authentication"),
            ("X", "Bearer $TOKEN"),
            ("X", "Bearer <token>"),
            ("X", "{\"token\":\"\"}"),
            ("X", "{\"token\":\"$TOKEN\"}"),
            ("X", "{\"token_type\":\"bearer\",\"max_tokens\":\"5\"}"),
            ("X", "{\"level\":\"info\"}"),
            ("X", "me@tcp(db:3306)/orders"),
            ("X", "me:@tcp(db:3306)/orders"),
            ("X", "me:$PW@tcp(db:3306)/orders"),
            ("X", "tcp(db:3306)/orders"),
            ("X", "registry/app:1@sha256:0123"),
            ("RANDOM_SEED", "42"),
            ("SEED_NODES", "a:1,b:2"),
            ("SEED_DATA", "true"),
            ("PRIVATE_NETWORK", "10.0.0.0/8"),
            ("PRIVATE_SUBNET", "10.0.0.0/8"),
            ("PRIVATE_MODE", "x"),
            ("USE_PRIVATE", "true"),
            ("OTP_ENABLED", "true"),
            ("OTP_DIGITS", "6"),
            ("HMAC_ALGORITHM", "sha256"),
            ("MNEMONIC_FILE", "/run/secrets/m"),
            ("SEEDED", "x"),
            ("HOTPLUG", "x"),
            ("OPTIONS", "x"),
        ] {
            assert!(!is_secret(name, value), "{name}={value}");
        }
        for text in [
            "--auth",
            "--auth basic",
            "--auth=none",
            "--auth serve",
            "--auth $X",
            "--auth --verbose",
            "--auth /etc/htpasswd",
            "--no-auth hunter2",
            "--otp-digits 6",
            "--seed 42",
            "--private-network 10.0.0.0/8",
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

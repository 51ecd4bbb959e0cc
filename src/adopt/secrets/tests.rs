//! What must be found, and what must not.

use proptest::prelude::*;

use super::value::is_secret_value;
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

#[test]
fn credentials_under_names_of_ways_to_log_in_are_secrets() {
    for (name, value) in [
        ("AUTH", "hunter2"),
        ("AUTH", "me:hunter"),
        ("auth", "0a1b2c3d4e5f"),
        ("HTTP_BASIC", "user:pw"),
        ("BASIC", "user:pw"),
        ("PROXY_LOGIN", "user:pw"),
        ("USERPWD", "user:pw"),
        ("JWT_SIGNING", "hunter"),
        ("SIGNING", "x"),
    ] {
        assert!(is_secret(name, value), "{name}={value}");
    }
    for (name, value) in [
        ("AUTH", "x"),
        ("AUTH", "basic"),
        ("AUTH", "oauth2"),
        ("AUTH", "keycloak"),
        ("AUTH", "https://id.example.com/realm1"),
        ("AUTH", "/etc/htpasswd2"),
        ("AUTH", "$TOKEN"),
        ("AUTH", "me:$TOKEN"),
        ("HTTP_BASIC", "true"),
        ("HTTP_BASIC", "realm"),
        ("HTTP_BASIC", "host:80"),
        ("LOGIN", "https://id.example.com"),
        ("JWT_SIGNING", "RS256"),
        ("CODE_SIGNING", "true"),
        ("JWT_SIGNING_METHOD", "x"),
    ] {
        assert!(!is_secret(name, value), "{name}={value}");
    }
}

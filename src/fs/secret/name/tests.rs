//! Names, and what they say.

use proptest::prelude::*;

use super::*;

fn of(path: &str) -> Name {
    Name::of(
        &Path::new("/secrets/here").join(path),
        Path::new("/secrets/here"),
    )
}

#[test]
fn names_of_secrets_are_known_with_their_directories() {
    for path in [
        ".ENV",
        ".aws/credentials",
        ".env",
        ".env.local",
        ".env.production",
        ".htpasswd",
        ".netrc",
        ".npmrc",
        ".vault-token",
        ".vault_password",
        "a/id_ecdsa",
        "a/id_rsa",
        "access_token",
        "api-keys.json",
        "auth.json",
        "client_secret_12-ab.apps.googleusercontent.com.json",
        "clientSecret.json",
        "credentials",
        "credentials-prod.json",
        "credentials.json",
        "credentials.toml",
        "db.password",
        "db_passwd",
        "db_password",
        "db_password.txt",
        "dbPassword",
        "gcp-key.json",
        "github_token.txt",
        "group_vars/vault.yml",
        "keystore.jks",
        "kubeconfig",
        "password.txt",
        "prod.env",
        "prod.kubeconfig",
        "prod.tfvars",
        "root/etc/shadow",
        "secret.yaml",
        "secrets.prod.yaml",
        "secrets.yaml",
        "secrets.yaml.bak",
        "secrets/db",
        "secrets/db.json",
        "secrets/prod/db",
        "service-account.json",
        "serviceAccountKey.json",
        "serviceaccount.json",
        "store.p12",
        "terraform.tfstate",
        "terraform.tfstate.backup",
        "token",
        "token.txt",
    ] {
        assert_eq!(of(path), Name::Secret, "{path}");
    }
    for path in ["server.key", "server.PEM", "AuthKey_AB12.p8"] {
        assert_eq!(of(path), Name::Key, "{path}");
    }
}

#[test]
fn names_that_only_speak_of_secrets_are_let_be() {
    for path in [
        ".env.example",
        ".env.sample",
        "added_tokens.json",
        "auth.js",
        "boarding-pass.txt",
        "ca.crt",
        "common-passwords.txt",
        "config.json",
        "credentials.rs",
        "credentials.yaml.sample",
        "db",
        "design-tokens.json",
        "env",
        "env.json",
        "etc/passwd",
        "id_rsa.pub",
        "index.html",
        "key",
        "key.json",
        "keyboard.json",
        "keys",
        "keys.js",
        "locales/en/auth.json",
        "locales/en/password.json",
        "passwd",
        "password.html",
        "password.svg",
        "passwords.ts",
        "primary-key.json",
        "reset-password.txt",
        "secret-santa.txt",
        "secrets.enc.yaml",
        "secrets.example.yaml",
        "secrets.html",
        "secrets.template",
        "secrets/.gitkeep",
        "secrets/README",
        "secrets/README.md",
        "secrets/index.html",
        "secrets/src/main.rs",
        "secrets/Cargo.toml",
        "token.rs",
        "token.txt.template",
        "tokenizer.json",
        "tokenizer_config.json",
        "tokens.txt",
        "truststore.jks",
        "vault.rs",
        "x.aws/config.json",
    ] {
        assert_eq!(of(path), Name::Other, "{path}");
    }
}

proptest! {
    #[test]
    fn any_name_means_something_without_a_panic(name in r"([ -~]|[ÄßİǅΣ.]){0,24}", base in "[a-z/]{0,9}") {
        let path = Path::new(&base).join(&name);
        let _ = Name::of(&path, Path::new(&base));
    }
}

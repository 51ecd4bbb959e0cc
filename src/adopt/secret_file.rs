//! Files that look like secrets, by their names and what is in them.

use std::path::Path;

use crate::fs::{has_private_key_mark, looks_secret};

/// Names of files beside those that assets leave out by themselves.
const NAMES: &[&str] = &[
    ".envrc",
    ".htpasswd",
    ".my.cnf",
    ".s3cfg",
    ".vault-token",
    "credentials",
    "credentials.json",
    "kubeconfig",
    "service-account.json",
    "serviceaccount.json",
];
/// What is called `secrets` and ends like that holds some.
const OF_DATA: &[&str] = &["env", "ini", "json", "toml", "txt", "yaml", "yml"];
/// Key stores, whatever they are called.
const STORES: &[&str] = &["jks", "kdbx", "keystore", "p12", "pfx", "ppk"];
/// What may be a private key or a public one, which their text tells.
const KEYS: &[&str] = &["key", "pem"];
/// More of a key is not read.
const MAX_KEY: usize = 256 * 1024;

/// Whether assets leave a file out that they do not name.
pub(super) fn stays_out(path: &Path) -> bool {
    looks_secret(path)
}

/// Whether a file should be in no image.
pub(super) fn is_secret_file(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.to_lowercase();
    let (stem, end) = name.rsplit_once('.').unwrap_or((&name, ""));
    let is_template = ["example", "sample", "template", "dist"].contains(&end);
    if is_template {
        return false;
    }
    NAMES.contains(&name.as_str())
        || (matches!(stem, "secret" | "secrets") && OF_DATA.contains(&end))
        || STORES.contains(&end)
        || (KEYS.contains(&end) && !is_public(path))
        || looks_secret(path)
}

/// Whether a file holds a certificate or a public key, and nothing private.
fn is_public(path: &Path) -> bool {
    let is_small = path
        .metadata()
        .is_ok_and(|facts| facts.is_file() && facts.len() <= MAX_KEY as u64);
    let text = is_small
        .then(|| fs_err::read_to_string(path).ok())
        .flatten();
    text.is_some_and(|text| text.contains("-----BEGIN ") && !has_private_key_mark(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_with_the_names_of_secrets_are_known() {
        for name in [
            ".env",
            ".env.production",
            "a/id_rsa",
            ".npmrc",
            ".netrc",
            "server.key",
            "server.PEM",
            "keystore.jks",
            "credentials.json",
            ".aws/credentials",
            "secrets.yaml",
        ] {
            assert!(is_secret_file(Path::new(name)), "{name}");
        }
        for name in [
            "env",
            ".env.example",
            "index.html",
            "keys",
            "key",
            "keyboard.json",
            "secrets.html",
            "credentials.rs",
            "id_rsa.pub",
        ] {
            assert!(!is_secret_file(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn a_certificate_is_no_secret() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("ca.pem");
        for (text, expected) in [
            ("-----BEGIN CERTIFICATE-----\nMII", false),
            (
                "-----BEGIN CERTIFICATE-----\n-----BEGIN EC PRIVATE KEY-----\n",
                true,
            ),
            ("MII", true),
        ] {
            fs_err::write(&path, text).expect("written");
            assert_eq!(is_secret_file(&path), expected, "{text}");
        }
    }
}

//! Names of files that hold credentials.

use std::path::Path;

/// Names of files, or of a directory and a file in it.
const NAMES: &[&str] = &[
    ".aws/credentials",
    ".boto",
    ".cargo/credentials",
    ".docker/config.json",
    ".dockercfg",
    ".dockerconfigjson",
    ".env",
    ".envrc",
    ".git-credentials",
    ".htpasswd",
    ".my.cnf",
    ".netrc",
    ".npmrc",
    ".pgpass",
    ".pypirc",
    ".s3cfg",
    "_netrc",
    "auth.json",
    "credentials.xml",
    "etc/shadow",
    "htpasswd",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "id_rsa",
    "vault.json",
    "vault.yaml",
    "vault.yml",
];
const BEGINNINGS: &[&str] = &[".env.", "client_secret_"];
/// Variables of a deployment, what Terraform takes and knows of one, and key stores.
const ENDINGS: &[&str] = &[
    ".env",
    ".htpasswd",
    ".jks",
    ".kdbx",
    ".keystore",
    ".p12",
    ".pfx",
    ".ppk",
    ".tfstate",
    ".tfstate.backup",
    ".tfvars",
];
/// What may be a private key or a public one, which their text tells.
const KEYS: &[&str] = &[".key", ".p8", ".pem"];
/// Examples for people.
const TEMPLATES: &[&str] = &["example", "sample", "template"];

/// What a name may end in without another meaning: formats of data, copies, and stages of a deployment.
const TRAILING: &[&str] = &[
    "bak",
    "backup",
    "cfg",
    "conf",
    "csv",
    "dev",
    "development",
    "env",
    "ini",
    "json",
    "live",
    "local",
    "old",
    "orig",
    "prod",
    "production",
    "properties",
    "stage",
    "staging",
    "toml",
    "txt",
    "yaml",
    "yml",
];
/// What a file has that is called so, whatever stands before.
const WORDS: &[&str] = &[
    "accesskey",
    "apikey",
    "credential",
    "credentials",
    "kubeconfig",
    "passphrase",
    "password",
    "passwords",
    "privatekey",
    "secret",
    "secretkey",
    "secrets",
    "serviceaccount",
    "token",
];
/// The same of two words: one of the first, then one of the second.
const PAIRS: &[(&[&str], &[&str])] = &[
    (
        &[
            "access",
            "account",
            "api",
            "aws",
            "azure",
            "deploy",
            "encryption",
            "firebase",
            "gcloud",
            "gcp",
            "google",
            "hmac",
            "jwt",
            "master",
            "private",
            "sa",
            "secret",
            "service",
            "signing",
            "ssh",
            "stripe",
        ],
        &["key", "keys"],
    ),
    (
        &["access", "api", "auth", "bearer", "bot", "refresh"],
        &["tokens"],
    ),
    (
        &[
            "admin", "database", "db", "mysql", "pg", "postgres", "redis", "root", "user", "vault",
        ],
        &["pass", "passwd", "pwd"],
    ),
    (&["service"], &["account"]),
];
/// Where a name has such a word, it is about passwords and tokens: a text of a mail, a list, a part of a
/// language.
const ABOUT: &[&str] = &[
    "banned",
    "bos",
    "breached",
    "change",
    "common",
    "design",
    "eos",
    "forgot",
    "forgotten",
    "leaked",
    "lost",
    "recover",
    "reset",
    "special",
    "top",
    "weak",
    "worst",
];
/// Directories whose data is secret.
const DIRECTORIES: &[&str] = &[".secret", ".secrets", "secret", "secrets"];
/// Files of such directories that belong to anything.
const ORDINARY: &[&str] = &["cargo.toml", "license", "package.json", "readme"];
/// Directories of texts in many languages, whose files are called after what they speak of.
const LANGUAGES: &[&str] = &[
    "_locales",
    "i18n",
    "l10n",
    "lang",
    "langs",
    "locale",
    "locales",
    "translations",
];

/// What a name says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    Secret,
    /// A key, private or public.
    Key,
    Other,
}

impl Name {
    /// The meaning of a file's name, and of those of its directories below `base`.
    pub(super) fn of(path: &Path, base: &Path) -> Self {
        let original = path.file_name().unwrap_or_default().to_string_lossy();
        let name = original.to_lowercase();
        if is_template(&name) {
            return Self::Other;
        }
        let directories = directories(path, base);
        let is_listed = || {
            NAMES.iter().any(|secret| match secret.split_once('/') {
                Some((directory, file)) => {
                    name == file && path.parent().is_some_and(|path| path.ends_with(directory))
                }
                None => name == *secret,
            })
        };
        let has = |list: &[&str]| directories.iter().any(|name| list.contains(&name.as_str()));
        let is_text = has(LANGUAGES);
        let words = words(&original);
        let begins = BEGINNINGS.iter().any(|begin| name.starts_with(begin));
        let ends = ENDINGS.iter().any(|end| name.ends_with(end)) && !is_trusted(&name);
        let is_data = words.len() == 1 && !name.contains('.')
            || words
                .last()
                .is_some_and(|word| TRAILING.contains(&word.as_str()));
        let is_named = !is_text && (is_listed() || speak_of_secrets(&words));
        let is_kept = has(DIRECTORIES) && is_data && !ORDINARY.contains(&name.as_str());
        if begins || ends || is_named || is_kept {
            Self::Secret
        } else if KEYS.iter().any(|end| name.ends_with(end)) {
            Self::Key
        } else {
            Self::Other
        }
    }
}

/// The directories of a path below `base`, in small letters.
fn directories(path: &Path, base: &Path) -> Vec<String> {
    let inside = path.parent().and_then(|path| path.strip_prefix(base).ok());
    let names = inside.into_iter().flat_map(Path::iter);
    names
        .map(|name| name.to_string_lossy().to_lowercase())
        .collect()
}

/// Whether a name ends as that of an example does, before its format or behind it.
fn is_template(name: &str) -> bool {
    let mut ends = name
        .split('.')
        .skip(1)
        .collect::<Vec<_>>()
        .into_iter()
        .rev();
    let last = ends.next().unwrap_or_default();
    let before = ends.next().unwrap_or_default();
    last == "dist" || TEMPLATES.contains(&last) || TEMPLATES.contains(&before)
}

/// Whether a key store is called after those it holds to be trusted, which are public.
fn is_trusted(name: &str) -> bool {
    name.contains("trust") || name.starts_with("cacerts")
}

/// The words of a name, in small letters, parted by signs and by capitals.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_small = false;
    for character in name.chars() {
        let is_next = !character.is_alphanumeric() || (was_small && character.is_uppercase());
        was_small = character.is_lowercase();
        if is_next {
            words.push(String::new());
        }
        if character.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(character.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether the last of the words that mean something are those of a secret.
fn speak_of_secrets(words: &[String]) -> bool {
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    while words.len() > 1 && words.last().is_some_and(|word| TRAILING.contains(word)) {
        words.pop();
    }
    if words.iter().any(|word| ABOUT.contains(word)) {
        return false;
    }
    match words.as_slice() {
        [.., first, second]
            if PAIRS
                .iter()
                .any(|(firsts, seconds)| firsts.contains(first) && seconds.contains(second)) =>
        {
            true
        }
        [.., last] => WORDS.contains(last),
        [] => false,
    }
}

#[cfg(test)]
mod tests;

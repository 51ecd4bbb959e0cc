//! Files that look as if they should be in no image.

use std::io::Read as _;
use std::path::Path;

/// Names of files, or of a directory and a file in it, that hold credentials.
const NAMES: [&str; 16] = [
    ".aws/credentials",
    ".cargo/credentials",
    ".docker/config.json",
    ".dockercfg",
    ".env",
    ".git-credentials",
    ".netrc",
    ".npmrc",
    ".pgpass",
    ".pypirc",
    "_netrc",
    "credentials.toml",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "id_rsa",
];
/// The same of names that begin in any way: variables of a deployment, and what Terraform knows of one.
const ENDINGS: [&str; 3] = [".env", ".tfstate", ".tfstate.backup"];
/// Keys are small; what is larger is a program or data that may well speak of keys.
const MAX_SIZE: u64 = 1024 * 1024;
const HEAD: u64 = 64 * 1024;

/// Whether a file holds credentials by its name, or a private key by its content. Links have only
/// names.
pub fn looks_secret(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    NAMES.iter().any(|secret| path.ends_with(secret))
        || name.starts_with(".env.")
        || ENDINGS.iter().any(|ending| name.ends_with(ending))
        || holds_private_key(path)
}

fn holds_private_key(path: &Path) -> bool {
    let small = path
        .symlink_metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.len() < MAX_SIZE);
    let mut head = Vec::new();
    let read = small
        && fs_err::File::open(path)
            .is_ok_and(|file| file.take(HEAD).read_to_end(&mut head).is_ok());
    read && has_private_key_mark(&String::from_utf8_lossy(&head))
}

/// Whether a text holds a private key: RFC 7468, section 10 and 11, and what OpenSSL, OpenSSH and
/// `OpenPGP` (RFC 9580, section 6.2) write.
pub fn has_private_key_mark(text: &str) -> bool {
    text.split("-----BEGIN ").skip(1).any(|rest| {
        rest.split_once("-----").is_some_and(|(label, _)| {
            label.ends_with("PRIVATE KEY") || label.ends_with("PRIVATE KEY BLOCK")
        })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn private_keys_of_all_kinds_have_a_mark_and_public_ones_have_none() {
        for label in ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "] {
            let text = format!("x\n-----BEGIN {label}PRIVATE KEY-----\nMII");
            assert!(has_private_key_mark(&text), "{text}");
        }
        assert!(has_private_key_mark(
            "-----BEGIN PGP PRIVATE KEY BLOCK-----"
        ));
        for text in [
            "-----BEGIN PUBLIC KEY-----",
            "-----BEGIN CERTIFICATE-----",
            "about a PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY",
        ] {
            assert!(!has_private_key_mark(text), "{text}");
        }
    }

    #[test]
    fn names_of_credentials_are_known_with_their_directories() {
        for name in [
            "prod.env",
            "terraform.tfstate",
            ".env",
            ".env.local",
            "a/id_ecdsa",
            "x/.aws/credentials",
        ] {
            assert!(looks_secret(Path::new(name)), "{name}");
        }
        for name in [
            "env",
            "env.json",
            "credentials",
            "config.json",
            "x.aws/credentials",
        ] {
            assert!(!looks_secret(Path::new(name)), "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_text_can_be_searched_for_a_mark(text in "(-----|BEGIN |PRIVATE KEY|.){0,12}") {
            let found = has_private_key_mark(&text);
            prop_assert!(!found || text.contains("PRIVATE KEY"));
        }
    }
}

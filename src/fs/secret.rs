//! Files that look as if they should be in no image: what is in them. Their names are in [`name`].

mod name;

use std::io::Read as _;
use std::path::Path;

use self::name::Name;

/// Keys are small; what is larger is a program or data that may well speak of keys.
const MAX_SIZE: u64 = 1024 * 1024;
/// So much of a file that is not called a key is searched for one.
const HEAD: u64 = 64 * 1024;

/// Whether a file holds credentials by its name, or a private key by its content. Of directories, only
/// those below `base` count, so that it does not matter where that is. Links have only names.
pub fn looks_secret(path: &Path, base: &Path) -> bool {
    match Name::of(path, base) {
        Name::Secret => true,
        Name::Key => !is_public(path),
        Name::Other => beginning(path, HEAD).is_some_and(|text| has_private_key_mark(&text)),
    }
}

/// Whether what is called a key is a certificate, a public key, or something else that is no private one.
fn is_public(path: &Path) -> bool {
    let Ok(facts) = path.symlink_metadata() else {
        return false;
    };
    if facts.is_file() && facts.len() >= MAX_SIZE {
        return true;
    }
    beginning(path, MAX_SIZE).is_some_and(|text| {
        let is_marked = text.contains("-----BEGIN ") && !has_private_key_mark(&text);
        // What ssh-keygen(1) writes beside a private key, and a presentation of Keynote, which is a zip.
        is_marked || text.starts_with("ssh-") || text.starts_with("PK\u{3}\u{4}")
    })
}

/// Text at the beginning of a small file.
fn beginning(path: &Path, limit: u64) -> Option<String> {
    let facts = path.symlink_metadata().ok()?;
    if !facts.is_file() || facts.len() >= MAX_SIZE {
        return None;
    }
    let mut bytes = Vec::new();
    let file = fs_err::File::open(path).ok()?;
    file.take(limit).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
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
    fn a_public_certificate_is_no_secret_and_a_key_behind_it_is() {
        let directory = tempfile::tempdir().expect("a directory");
        let certificate = "-----BEGIN CERTIFICATE-----\nMII\n";
        let far = "x".repeat(100_000);
        for (text, expected) in [
            (certificate.to_owned(), false),
            ("-----BEGIN PUBLIC KEY-----\nMII".to_owned(), false),
            ("ssh-ed25519 AAAA me@here".to_owned(), false),
            ("PK\u{3}\u{4}slides".to_owned(), false),
            (format!("{certificate}{}", "x".repeat(2 << 20)), false),
            (
                format!("{certificate}{far}-----BEGIN EC PRIVATE KEY-----\n"),
                true,
            ),
            ("MII".to_owned(), true),
        ] {
            for name in ["ca.pem", "server.KEY", "AuthKey.p8"] {
                let path = directory.path().join(name);
                fs_err::write(&path, &text).expect("written");
                let found = looks_secret(&path, directory.path());
                assert_eq!(found, expected, "{name} {text:.40}");
            }
            let other = directory.path().join("ca.crt");
            fs_err::write(&other, &text).expect("written");
            assert!(!looks_secret(&other, directory.path()), "{text:.40}");
        }
    }

    #[test]
    fn a_template_with_a_private_key_is_a_secret_all_the_same() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("server.key.example");
        for (text, expected) in [
            ("put it here", false),
            ("-----BEGIN PRIVATE KEY-----", true),
        ] {
            fs_err::write(&path, text).expect("written");
            assert_eq!(looks_secret(&path, directory.path()), expected, "{text}");
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

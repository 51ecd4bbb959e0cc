//! Texts without the secrets in them, for messages.

use url::Url;

use super::value::is_secret_value;
use super::word::{holds_secret, is_secret, is_secret_pair};
use crate::plan::without_credentials;

/// Stands for what is not printed.
const HIDDEN: &str = "…";

/// A word of a command line, without what looks like a secret in it.
pub(in crate::adopt) fn shown(word: &str) -> String {
    match word.split_once('=') {
        Some((name, value)) if is_secret(name, value) || holds_secret(word) => {
            if holds_secret(name) {
                HIDDEN.to_owned()
            } else {
                format!("{name}={HIDDEN}")
            }
        }
        _ if is_secret_value(word) => HIDDEN.to_owned(),
        _ => word.to_owned(),
    }
}

/// A command line, without what looks like a secret in it.
pub(in crate::adopt) fn shown_words<'w>(words: impl IntoIterator<Item = &'w String>) -> String {
    let mut all: Vec<String> = Vec::new();
    let mut before: Option<&String> = None;
    for word in words {
        let is_value = before.is_some_and(|flag| is_secret_pair(flag, word));
        all.push(if is_value {
            HIDDEN.to_owned()
        } else {
            shown(word)
        });
        before = Some(word);
    }
    let text = all.join(" ");
    // What is a secret only together, such as a header of several words.
    match all.first() {
        Some(program) if holds_secret(&text) && !holds_secret(program) => {
            format!("{program} {HIDDEN}")
        }
        Some(_) if holds_secret(&text) => HIDDEN.to_owned(),
        _ => text,
    }
}

/// An address without what may be secret in it.
pub(in crate::adopt) fn shown_address(address: &str) -> String {
    if Url::parse(address).is_ok() {
        without_credentials(address)
    } else {
        shown(address)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        assert_eq!(shown("DB_PASSWORD=x"), "DB_PASSWORD=…");
        assert_eq!(shown("--token=x"), "--token=…");
        assert_eq!(shown("--user=me:x"), "--user=…");
        assert_eq!(shown("--port=x"), "--port=x");
        assert_eq!(shown("postgres://a:b@c"), "…");
        assert_eq!(shown("\"Authorization: Bearer x\""), "…");
        assert_eq!(shown_address("https://a:b@c/d?e=f#g"), "https://c/d");
    }

    #[test]
    fn command_lines_are_shown_without_their_secrets() {
        for (words, expected) in [
            (
                &["x", "--token", "y", "--secret", "$Z", "A_KEY=b"][..],
                "x --token … --secret $Z A_KEY=b",
            ),
            (&["curl", "-u", "me:x", "http://y"], "curl -u … http://y"),
            (
                &["curl", "-H", "'Authorization: Bearer x'", "y"],
                "curl -H … y",
            ),
            (&["curl", "-H", "Authorization:", "Bearer", "x"], "curl …"),
            (&["mysql", "--pass", "x"], "mysql --pass …"),
        ] {
            let words: Vec<String> = words.iter().map(ToString::to_string).collect();
            assert_eq!(shown_words(&words), expected);
        }
    }

    proptest! {
        #[test]
        fn no_text_that_is_shown_has_a_secret(
            words in prop::collection::vec("(--pass|authorization:|bearer|-u|a:b|x|=|é){0,3}", 0..5),
        ) {
            let text = shown_words(&words);
            prop_assert!(!holds_secret(&text), "{text}");
            let _ = shown_address(&text);
        }
    }
}

//! What others say, without what they were told: the one place where secrets are cut out of texts.
//!
//! Servers repeat requests in forms of their own, so that a secret is found in whatever case its letters are, and
//! however many of its characters are written as `%2B`, or as `%252B`.

use std::ops::Range;

use crate::report::printable;

/// How often a text is unescaped: once for an address, twice for an address in an address.
const MAX_DEPTH: usize = 2;

/// What a server said, printable, without `secrets` and without the queries of addresses.
pub(super) fn fit_to_print<S: AsRef<str>>(text: &str, secrets: &[S]) -> String {
    // Before anything is folded or cut: what is left of a secret then would not be found.
    without_queries(&printable(&without(text, secrets)))
}

/// The text with each part that is a secret in one of its forms replaced by a mark.
fn without<S: AsRef<str>>(text: &str, secrets: &[S]) -> String {
    let mut secret = vec![false; text.len()];
    let mut view = View::of(text);
    for _ in 0..=MAX_DEPTH {
        for needle in secrets {
            for place in view.find(&needle.as_ref().to_ascii_lowercase()) {
                secret[place].fill(true);
            }
        }
        match view.unescaped() {
            Some(unescaped) => view = unescaped,
            None => break,
        }
    }
    let mut told = String::with_capacity(text.len());
    for (place, character) in text.char_indices() {
        // A character is cut whole, whichever of its bytes was found.
        let cut = |place: usize, length: usize| secret[place..place + length].contains(&true);
        if !cut(place, character.len_utf8()) {
            told.push(character);
        } else if !told.ends_with(MARK) || !secret[..place].last().is_some_and(|cut| *cut) {
            told.push(MARK);
        }
    }
    told
}

/// Stands for a secret.
const MARK: char = '…';

/// A text in small letters, each byte with the place in the original that it stands for.
struct View {
    bytes: Vec<u8>,
    places: Vec<Range<usize>>,
}

impl View {
    fn of(text: &str) -> Self {
        Self {
            bytes: text.to_ascii_lowercase().into_bytes(),
            places: (0..text.len()).map(|place| place..place + 1).collect(),
        }
    }

    /// The same with `%2B` and the like read as what they mean; nothing where there are none.
    fn unescaped(&self) -> Option<Self> {
        let mut unescaped = Self {
            bytes: Vec::new(),
            places: Vec::new(),
        };
        let mut at = 0;
        while at < self.bytes.len() {
            let (byte, length) = self
                .escape_at(at)
                .map_or((self.bytes[at], 1), |byte| (byte, 3));
            unescaped.bytes.push(byte.to_ascii_lowercase());
            let place = self.places[at].start..self.places[at + length - 1].end;
            unescaped.places.push(place);
            at += length;
        }
        (unescaped.bytes.len() < self.bytes.len()).then_some(unescaped)
    }

    fn escape_at(&self, at: usize) -> Option<u8> {
        let [b'%', high, low] = self.bytes.get(at..at + 3)? else {
            return None;
        };
        let digit = |byte: u8| char::from(byte).to_digit(16);
        u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()
    }

    /// The places of the original where `needle` is.
    fn find(&self, needle: &str) -> Vec<Range<usize>> {
        let needle = needle.as_bytes();
        if needle.is_empty() {
            return Vec::new();
        }
        let found = self.bytes.windows(needle.len()).enumerate();
        let found = found.filter(|(_, window)| *window == needle);
        found
            .map(|(at, _)| self.places[at].start..self.places[at + needle.len() - 1].end)
            .collect()
    }
}

/// The text without the queries of URLs in it: they carry signatures.
fn without_queries(text: &str) -> String {
    let words = text.split(' ').map(|word| match word.split_once('?') {
        Some((before, query)) if !query.is_empty() && before.contains('/') => format!("{before}?…"),
        _ => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BASIC: &str = "bWU6c2VjcmV0Lz8+";

    fn told(text: &str) -> String {
        without(text, &["hunter2", BASIC, ""])
    }

    #[test]
    fn a_secret_is_cut_in_whatever_form_it_is_repeated() {
        for form in [
            "bWU6c2VjcmV0Lz8+",
            "BWU6C2VJCMV0LZ8+",
            "bwu6c2vjcmv0lz8+",
            "bWU6c2VjcmV0Lz8%2B",
            "bWU6c2VjcmV0Lz8%2b",
            "bWU6c2VjcmV0Lz8%252B",
            "%62%57%55%36c2VjcmV0Lz8+",
            "HUNTER2",
            "%68unter%32",
        ] {
            assert_eq!(told(&format!("no {form}, é")), "no …, é", "{form}");
        }
    }

    #[test]
    fn secrets_beside_one_another_leave_one_mark_and_others_their_own() {
        assert_eq!(told("hunter2hunter2 hunter2"), "… …");
        assert_eq!(told("…hunter2"), "……");
        assert_eq!(told("100% of %zz and %2"), "100% of %zz and %2");
    }

    proptest! {
        #[test]
        fn whatever_is_around_it_a_secret_is_not_told(
            before in ".{0,20}",
            after in ".{0,20}",
            escaped in prop::collection::vec(any::<bool>(), BASIC.len()),
        ) {
            let form: String = BASIC
                .chars()
                .zip(escaped)
                .map(|(c, escaped)| if escaped { format!("%{:02X}", u32::from(c)) } else { c.to_string() })
                .collect();
            let told = told(&format!("{before} {form} {after}"));
            prop_assert!(!told.contains(&form), "{}", told);
        }

        #[test]
        fn a_text_without_secrets_stays(text in "[^hb%]{0,40}") {
            prop_assert_eq!(told(&text), text);
        }
    }
}

//! What others say, without what they were told: the one place where secrets are cut out of texts, and that knows
//! in which forms they may be repeated.
//!
//! Servers repeat requests in forms of their own: a part of an address, of a page or of JSON, decoded, encoded,
//! folded, in capitals. A text is therefore read in every way (`view`), several times over, and what holds a
//! secret then is cut where it came from.

use std::collections::BTreeSet;
use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use reqwest::Url;
use reqwest::header::HeaderValue;
use url::form_urlencoded;

use super::view::{Needles, Reading, View};
use crate::report::printable;

/// How often a text is read anew: an address in an address, a page in JSON.
const MAX_DEPTH: usize = 2;
/// As much of a text is looked at; nobody is told more than a small part of it.
const MAX_LOOKED_AT: usize = 16 * 1024;
/// Of a text that is cut there, as much is not told: it may begin with half a secret.
const MAX_HALF: usize = 8 * 1024;
/// The encoded form of a shorter one is part of too many words.
const LEAST_ENCODED: usize = 4;
/// An address with more parts than so many come from was made to keep us busy.
const MOST_TEXTS: usize = 256;
/// Bytes that are compared for a text at most. What servers really say takes a small part of it.
const MOST_WORK: usize = 8 * 1024 * 1024;
/// Parameters of queries that say nothing secret.
const HARMLESS: [&str; 8] = [
    "account", "digest", "from", "last", "mount", "n", "scope", "service",
];
/// A shorter value is nothing that a signature is made of, and part of too many words.
const LEAST_SECRET: usize = 8;
/// Stands for a secret.
const MARK: char = '…';
/// Takes what others write.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What no message may repeat.
#[derive(Clone, Default)]
pub(in crate::registry) struct Secrets {
    texts: BTreeSet<Vec<u8>>,
    /// Whether there are more than can be looked for.
    too_many: bool,
}

impl Secrets {
    /// Keeps a password, a token, or anything else.
    pub(in crate::registry) fn keep(&mut self, secret: &str) {
        if secret.is_empty() {
            return;
        }
        if self.texts.len() >= MOST_TEXTS {
            self.too_many = true;
            return;
        }
        self.keep_of_run(secret);
    }

    /// Keeps a secret of the run, of which there are only so many.
    pub(in crate::registry) fn keep_of_run(&mut self, secret: &str) {
        // Where a space is a plus sign.
        let form: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        self.texts.extend([secret.into(), form.into_bytes()]);
        // What is encoded alone is found also where its letters became capitals, and cannot be decoded.
        if secret.len() >= LEAST_ENCODED {
            let encoded = [STANDARD_NO_PAD, URL_SAFE_NO_PAD].map(|engine| engine.encode(secret));
            self.texts.extend(encoded.map(String::into_bytes));
        }
    }

    /// Keeps the value of an `Authorization`, and what it says.
    pub(in crate::registry) fn keep_permit(&mut self, value: &HeaderValue) {
        let Some((scheme, secret)) = value.to_str().ok().and_then(|text| text.split_once(' '))
        else {
            return;
        };
        self.keep(secret);
        let pair = BASE64.decode(secret).ok();
        let pair = pair.and_then(|pair| String::from_utf8(pair).ok());
        if let Some(pair) = pair.filter(|_| scheme.eq_ignore_ascii_case("basic")) {
            self.keep_pair(&pair);
        }
    }

    /// Keeps `USER:PASSWORD`, of which the user is no secret.
    pub(in crate::registry) fn keep_pair(&mut self, pair: &str) {
        self.keep(pair);
        if let Some((_, password)) = pair.split_once(':') {
            self.keep(password);
        }
    }

    /// Everything in an address's query that no message may repeat: all but what is known to be harmless, since
    /// upload sessions and stores of objects keep their signatures there.
    pub(in crate::registry) fn of_query(url: &Url) -> Vec<String> {
        let written = url.query().unwrap_or_default().split('&');
        // As the parser of pairs does.
        let written = written.filter(|pair| !pair.is_empty());
        let mut secrets = Vec::new();
        for (pair, (name, value)) in written.zip(url.query_pairs()) {
            if HARMLESS.contains(&&*name) {
                continue;
            }
            secrets.push(pair.to_owned());
            if value.len() >= LEAST_SECRET {
                let (_, raw) = pair.split_once('=').unwrap_or_default();
                secrets.extend([raw.to_owned(), value.into_owned()]);
            }
        }
        secrets
    }

    /// Whether a text holds one of them, as it is or in one other form, or may for all that can be known.
    pub(in crate::registry) fn are_in(&self, text: &str) -> bool {
        let marks = self.marked(text, 1);
        marks.is_none_or(|marks| marks.contains(&true))
    }

    /// Whether each byte of a text is of a secret, the text being read anew up to so many times; nothing of a text
    /// that was made to keep us busy.
    fn marked(&self, text: &str, depth: usize) -> Option<Vec<bool>> {
        let mut search = Search {
            needles: &Needles::of(self.texts.iter().map(Vec::as_slice)),
            work: MOST_WORK,
            marks: vec![false; text.len()],
        };
        search.mark(&View::of(text), depth)?;
        Some(search.marks)
    }
}

/// The search for secrets in a text.
struct Search<'a> {
    needles: &'a Needles<'a>,
    /// Comparisons that are left.
    work: usize,
    marks: Vec<bool>,
}

impl Search<'_> {
    fn mark(&mut self, view: &View, depth: usize) -> Option<()> {
        for place in view.find(self.needles, &mut self.work)? {
            self.marks[place].fill(true);
        }
        if depth > 0 {
            for reading in Reading::ALL {
                if let Some(view) = view.read(reading) {
                    self.mark(&view, depth - 1)?;
                }
            }
        }
        Some(())
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} secrets", self.texts.len())
    }
}

impl<'a> FromIterator<&'a str> for Secrets {
    fn from_iter<T: IntoIterator<Item = &'a str>>(secrets: T) -> Self {
        let mut all = Self::default();
        for secret in secrets {
            all.keep(secret);
        }
        all
    }
}

/// What a server said, printable, without `secrets` and without the queries of addresses.
pub(in crate::registry) fn fit_to_print(text: &str, secrets: &Secrets) -> String {
    if secrets.too_many {
        return String::new();
    }
    // Before anything is folded or cut: what is left of a secret then would not be found.
    without_queries(&printable(&without(text, secrets)))
}

/// The text with each part that is a secret in one of its forms replaced by a mark.
fn without(text: &str, secrets: &Secrets) -> String {
    let looked_at = &text[..text.floor_char_boundary(MAX_LOOKED_AT)];
    let Some(marks) = secrets.marked(looked_at, MAX_DEPTH) else {
        return String::new();
    };
    let told = if looked_at.len() < text.len() {
        &looked_at[..looked_at.floor_char_boundary(MAX_LOOKED_AT - MAX_HALF)]
    } else {
        text
    };
    let mut without = String::with_capacity(told.len());
    for (place, character) in told.char_indices() {
        // A character is cut whole, whichever of its bytes was found.
        if !marks[place..place + character.len_utf8()].contains(&true) {
            without.push(character);
        } else if !without.ends_with(MARK) || !marks[..place].last().is_some_and(|mark| *mark) {
            without.push(MARK);
        }
    }
    without
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
        without(text, &["hunter2", BASIC, ""].into_iter().collect())
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
    fn a_password_is_cut_in_the_forms_that_servers_really_send() {
        let mut secrets = Secrets::default();
        // `me:hunt&er"2??`
        secrets.keep_permit(&HeaderValue::from_static("Basic bWU6aHVudCZlciIyPz8="));
        for form in [
            "bWU6aHVudCZlciIyPz8=",
            "bWU6aHVudCZlciIyPz8",
            "bWU6aHVudCZlciIyPz8_",
            "aHVudCZlciIyPz8=",
            "hunt&amp;er&quot;2??",
            "hunt&#38;er&#34;2??",
            "hunt&#x26;er&#x22;2??",
            r#"hunt\u0026er\"2??"#,
            r#"hunt&er\\\"2\u003f?"#,
            "bWU6aHVudC\r\n ZlciIyPz8=",
            r"bWU6aHVudC\n  ZlciIyPz8=",
        ] {
            let told = without(&format!("you sent {form} here"), &secrets);
            assert!(!told.contains("hunt") && told.contains(MARK), "{told}");
            assert!(
                !told.contains("ZlciIy") && !told.contains("aHVudC"),
                "{told}"
            );
        }
    }

    #[test]
    fn secrets_beside_one_another_leave_one_mark_and_others_their_own() {
        assert_eq!(told("hunter2hunter2 hunter2"), "… …");
        assert_eq!(told("…hunter2"), "……");
        assert_eq!(told("100% of %zz and %2"), "100% of %zz and %2");
    }

    #[test]
    fn half_a_secret_at_the_end_of_what_is_looked_at_is_not_told() {
        for before in MAX_LOOKED_AT - 8..MAX_LOOKED_AT + 2 {
            let text = format!("{}hunter2 ä", " ".repeat(before));
            assert!(!told(&text).contains('h'), "{before}");
        }
    }

    #[test]
    fn secrets_are_not_in_the_debug_form() {
        let secrets: Secrets = ["hunter2"].into_iter().collect();
        assert_eq!(format!("{secrets:?}"), "2 secrets");
    }

    /// One way to write a text.
    fn written(text: &str, form: usize) -> String {
        let each = |write: &dyn Fn(char) -> String| text.chars().map(write).collect::<String>();
        match form {
            0 => form_urlencoded::byte_serialize(text.as_bytes())
                .collect::<String>()
                .replace('+', "%20"),
            1 => {
                let bytes = text.bytes().map(|byte| format!("%{byte:02x}"));
                bytes.collect::<Vec<_>>().concat()
            }
            2 => each(&|c| format!("&#{};", u32::from(c))),
            3 => each(&|c| format!("&#x{:X};", u32::from(c))),
            4 => text
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('"', "&quot;")
                .replace('\'', "&apos;"),
            5 => {
                let units = text.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
                units.collect::<Vec<_>>().concat()
            }
            6 => serde_json::to_string(text).expect("JSON"),
            7 => STANDARD_NO_PAD.encode(text),
            8 => URL_SAFE_NO_PAD.encode(format!("{text}:")),
            9 => {
                let encoded = STANDARD_NO_PAD.encode(format!("me:{text}"));
                let (first, rest) = encoded.split_at(encoded.len() / 2);
                format!("{first}\r\n  {rest}")
            }
            _ => text.to_owned(),
        }
    }

    /// Every text that can be had by undoing one of the forms.
    fn undone(text: &str, depth: usize) -> bool {
        fn any(view: &View, secret: &[u8], depth: usize) -> bool {
            view.find(&Needles::of([secret]), &mut MOST_WORK.clone())
                .is_none_or(|found| !found.is_empty())
                || depth > 0
                    && Reading::ALL
                        .iter()
                        .filter_map(|reading| view.read(*reading))
                        .any(|view| any(&view, secret, depth - 1))
        }
        any(&View::of(text), SENTINEL.as_bytes(), depth)
    }

    /// Is in every secret of the test below, and cannot come about by chance.
    const SENTINEL: &str = "hunter2";

    proptest! {
        // Each case is some hundred searches.
        #![proptest_config(ProptestConfig {
            cases: ProptestConfig::default().cases / 4,
            ..ProptestConfig::default()
        })]

        #[test]
        fn a_secret_in_two_forms_one_in_the_other_is_never_told_in_any(
            (begin, end) in ("[ -~ä😀]{0,8}", "[ -~ä😀]{0,8}"),
            (inner, outer) in (0_usize..11, 0_usize..11),
            (before, after) in ("[ -~]{0,9}", "[ -~]{0,9}"),
        ) {
            let secret = format!("{begin}{SENTINEL}{end}");
            let form = written(&written(&secret, inner), outer);
            let mut secrets = Secrets::default();
            secrets.keep_pair(&format!("me:{secret}"));
            let told = without(&format!("{before} {form} {after}"), &secrets);
            prop_assert!(!undone(&told, MAX_DEPTH), "{} of {}", told, form);
            prop_assert!(told.contains(MARK), "{} of {}", told, form);
        }
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

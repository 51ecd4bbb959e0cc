//! What is to be said of registries besides errors, first of all what they say themselves: `Warning` headers of
//! code 299 (distribution-spec, "Warnings").

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use reqwest::header::{HeaderMap, WARNING};

use super::redaction::{Secrets, fit_to_print};

/// Whoever says more in one run is not listened to.
const MOST: usize = 5;
/// Nor whoever says something else each time.
const MOST_HEARD: usize = 50;

/// Warnings of a run.
#[derive(Debug, Default)]
pub(in crate::registry) struct Warnings(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    known: BTreeSet<String>,
    /// As they came: what is said with each answer is not read each time.
    heard: BTreeSet<String>,
    /// Not yet taken by the caller.
    waiting: Vec<String>,
}

impl Warnings {
    /// Notes what an answer of a registry warns of, unless it was said before. `secrets` are cut out.
    pub(in crate::registry) fn note(&self, registry: &str, headers: &HeaderMap, secrets: &Secrets) {
        for value in headers.get_all(WARNING).iter().take(MOST) {
            let Some(text) = read(&String::from_utf8_lossy(value.as_bytes())) else {
                continue;
            };
            {
                let mut told = self.told();
                if told.known.len() >= MOST || told.heard.len() >= MOST_HEARD {
                    return;
                }
                if !told.heard.insert(text.clone()) {
                    continue;
                }
            }
            let text = fit_to_print(&text, secrets);
            let mut told = self.told();
            if text.is_empty() || told.known.len() >= MOST {
                continue;
            }
            let line = format!("{registry} says: {text}");
            if told.known.insert(line.clone()) {
                told.waiting.push(line);
            }
        }
    }

    /// Notes a warning of our own, unless it was said before.
    pub(in crate::registry) fn add(&self, line: String) {
        let mut told = self.told();
        if told.known.insert(line.clone()) {
            told.waiting.push(line);
        }
    }

    /// Those that were not taken yet, in the order in which they came.
    pub(in crate::registry) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.told().waiting)
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The text of `299 - "text"`: the specification allows no other code, agent or date.
fn read(value: &str) -> Option<String> {
    let quoted = value.trim().strip_prefix("299 - \"")?.strip_suffix('"')?;
    let mut text = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.push(characters.next()?),
            '"' => return None,
            other => text.push(other),
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reqwest::header::HeaderValue;

    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let value = |text: &&str| HeaderValue::from_str(text).expect("a header");
        values.iter().map(|text| (WARNING, value(text))).collect()
    }

    fn told(values: &[&str]) -> Vec<String> {
        let warnings = Warnings::default();
        warnings.note("r", &headers(values), &Secrets::from_iter(["hunter2"]));
        warnings.take()
    }

    #[test]
    fn only_the_form_of_the_specification_is_read() {
        assert_eq!(told(&[r#"299 - "a \"b\" \\ c""#]), [r#"r says: a "b" \ c"#]);
        for other in [
            "",
            "299",
            "299 - \"",
            "299 - text",
            r#"110 - "stale""#,
            r#"299 proxy "text""#,
            r#"299 - "a" "Wed, 21 Oct 2015 07:28:00 GMT""#,
            r#"299 - "a\""#,
            r#"299 - """#,
        ] {
            assert_eq!(told(&[other]), Vec::<String>::new(), "{other}");
        }
    }

    #[test]
    fn each_is_told_once_and_no_more_than_five() {
        let warnings = Warnings::default();
        for number in [1, 1, 2, 1, 3, 4, 5, 6, 7] {
            let text = format!("299 - \"number {number}\"");
            warnings.note("r", &headers(&[&text]), &Secrets::from_iter([""]));
        }
        let first = warnings.take();
        assert_eq!(first.len(), 5);
        assert_eq!(first[4], "r says: number 5");
        warnings.note(
            "r",
            &headers(&["299 - \"number 1\"", "299 - \"more\""]),
            &Secrets::from_iter([""]),
        );
        assert_eq!(warnings.take(), Vec::<String>::new());
    }

    #[test]
    fn a_warning_repeats_no_secret() {
        assert_eq!(told(&["299 - \"no hunter2 here\""]), ["r says: no … here"]);
    }

    #[test]
    fn a_warning_repeats_no_query_of_an_address() {
        let told = told(&["299 - \"/v2/x/blobs/uploads/1?_state=abc is slow\""]);
        assert_eq!(told, ["r says: /v2/x/blobs/uploads/1?… is slow"]);
    }

    proptest! {
        #[test]
        fn any_warning_is_made_printable(text in ".{0,1500}") {
            let value = format!("299 - \"{text}\"");
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                let warnings = Warnings::default();
                warnings.note("r", &HeaderMap::from_iter([(WARNING, value)]), &Secrets::from_iter(["x"]));
                for line in warnings.take() {
                    prop_assert!(!line.chars().any(char::is_control), "{}", line);
                    prop_assert!(line.len() < 1100, "{}", line.len());
                }
            }
        }

        #[test]
        fn any_header_is_read_without_a_panic(text in "299 - [\"\\\\a-z ]{0,20}") {
            let _ = told(&[&text]);
        }
    }
}

//! What `${NAME#pattern}` and its kin cut from a value, or put into it: by the rules of `BuildKit`, whose
//! patterns know `*`, `?` and `\\`, and nothing else.

use regex::Regex;

/// An operation on a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// `#`, `##`.
    Front { longest: bool },
    /// `%`, `%%`.
    Back { longest: bool },
    /// `/`, `//`.
    Replace { all: bool },
}

impl Cut {
    /// The operation that a text behind a name begins with, and what follows it.
    pub(super) fn begins(text: &str) -> Option<(Self, &str)> {
        let first = text
            .chars()
            .next()
            .filter(|c| matches!(c, '#' | '%' | '/'))?;
        let rest = text.get(1..)?;
        let (twice, rest) = match rest.strip_prefix(first) {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let cut = match first {
            '#' => Self::Front { longest: twice },
            '%' => Self::Back { longest: twice },
            _ => Self::Replace { all: twice },
        };
        Some((cut, rest))
    }

    /// Does it to a value; `None` where docker refuses the pattern.
    pub(super) fn apply(self, value: &str, pattern: &str, replacement: &str) -> Option<String> {
        let parts = parts(pattern)?;
        Some(match self {
            Self::Front { longest } => without_front(value, &parts, longest)?,
            Self::Back { longest } => {
                // The shortest match at the end is the first from there.
                let reversed: String = value.chars().rev().collect();
                let parts: Vec<Part> = parts.into_iter().rev().collect();
                let rest = without_front(&reversed, &parts, longest)?;
                rest.chars().rev().collect()
            }
            Self::Replace { all } => {
                let regex = regex(&parts, true, "")?;
                let replacement = regex::NoExpand(replacement);
                let count = usize::from(!all);
                regex.replacen(value, count, replacement).into_owned()
            }
        })
    }
}

/// A part of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Any,
    One,
    Character(char),
}

fn parts(pattern: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut characters = pattern.chars();
    while let Some(c) = characters.next() {
        parts.push(match c {
            '*' => Part::Any,
            '?' => Part::One,
            '\\' => match characters.next()? {
                escaped @ ('*' | '?' | '\\' | '/' | '}') => Part::Character(escaped),
                _ => return None,
            },
            c => Part::Character(c),
        });
    }
    Some(parts)
}

fn regex(parts: &[Part], longest: bool, begin: &str) -> Option<Regex> {
    let mut text = begin.to_owned();
    for part in parts {
        match part {
            Part::Any if longest => text.push_str(".*"),
            Part::Any => text.push_str(".*?"),
            Part::One => text.push('.'),
            Part::Character(c) => text.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    Regex::new(&text).ok()
}

fn without_front(value: &str, parts: &[Part], longest: bool) -> Option<String> {
    let regex = regex(parts, longest, "^")?;
    let end = regex.find(value).map_or(0, |found| found.end());
    value.get(end..).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_are_cut_as_docker_does() {
        for (value, text, replacement, expected) in [
            ("a.b.c", "#*.", "", Some("b.c")),
            ("a.b.c", "##*.", "", Some("c")),
            ("a.b.c", "%.*", "", Some("a.b")),
            ("a.b.c", "%%.*", "", Some("a")),
            ("a.b.c", "%x", "", Some("a.b.c")),
            ("a.b.c", "#??", "", Some("b.c")),
            ("a.b.c", "/.", "-", Some("a-b.c")),
            ("a.b.c", "//.", "-", Some("a-b-c")),
            ("a.b.c", "/b*", "$0", Some("a.$0")),
            ("a*b", "%\\*b", "", Some("a")),
            ("[a]b", "#[a]", "", Some("b")),
            ("é.x", "%.x", "", Some("é")),
            ("a", "#\\a", "", None),
        ] {
            let (cut, pattern) = Cut::begins(text).expect("an operation");
            let found = cut.apply(value, pattern, replacement);
            assert_eq!(found.as_deref(), expected, "{value} {text}");
        }
        assert_eq!(Cut::begins("^^"), None);
        assert_eq!(Cut::begins(""), None);
    }

    proptest! {
        #[test]
        fn any_value_can_be_cut(value in ".{0,20}", text in "[#%/]{1,2}[*?a.\\\\é]{0,8}") {
            let (cut, pattern) = Cut::begins(&text).expect("an operation");
            cut.apply(&value, pattern, "x");
        }
    }
}

//! Patterns such as `{repo}/{service}`: names in braces stand for values.
//!
//! `{{` and `}}` are literal braces. A name that is not known is refused when the pattern is read,
//! a value that is missing when it is rendered; nothing is ever left out silently.

use std::collections::BTreeMap;
use std::fmt;

use crate::hint::{Hint, near_names, quoted_list};
use crate::report::printable;

/// A text with placeholders, read and checked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Pattern {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Piece {
    Literal(String),
    Placeholder(String),
}

/// A text that is no pattern, or a pattern that lacks a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// `{` without its `}`.
    #[error("`{}` opens a brace that is never closed", printable(.text))]
    Unclosed {
        /// The whole text.
        text: String,
    },
    /// `}` without its `{`.
    #[error("`{}` closes a brace that was never opened", printable(.text))]
    Unopened {
        /// The whole text.
        text: String,
    },
    /// A name that stands for nothing here.
    #[error("there is no placeholder `{{{}}}` here", printable(.name))]
    Unknown {
        /// The name without braces.
        name: String,
        /// The names that are known, as the caller listed them.
        known: Vec<String>,
    },
    /// Rendered without a value for a name.
    #[error("there is no value for `{{{}}}`", printable(.name))]
    Missing {
        /// The name without braces.
        name: String,
    },
}

impl Hint for PatternError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unclosed { .. } => Some("write `{{` for a literal brace".to_owned()),
            Self::Unopened { .. } => Some("write `}}` for a literal brace".to_owned()),
            Self::Unknown { name, known } => Some(suggest(name, known)),
            Self::Missing { .. } => None,
        }
    }
}

fn suggest(name: &str, known: &[String]) -> String {
    let in_braces: Vec<String> = known.iter().map(|name| format!("{{{name}}}")).collect();
    let in_braces: Vec<&str> = in_braces.iter().map(String::as_str).collect();
    match near_names(name, known.iter().map(String::as_str)).first() {
        Some(near) => format!("did you mean `{{{near}}}`?"),
        None => format!("use {}", quoted_list(&in_braces)),
    }
}

impl Pattern {
    /// Reads `text`, in which only the names in `known` may stand in braces.
    ///
    /// # Errors
    /// [`PatternError`] for unbalanced braces and unknown names.
    pub fn parse(text: &str, known: &[&str]) -> Result<Self, PatternError> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, braces) = rest.split_at(at);
            literal.push_str(before);
            if let Some(after) = braces.strip_prefix("{{") {
                literal.push('{');
                rest = after;
            } else if let Some(after) = braces.strip_prefix("}}") {
                literal.push('}');
                rest = after;
            } else if let Some(after) = braces.strip_prefix('{') {
                let (name, after) = placeholder(after, text, known)?;
                pieces.extend(take_literal(&mut literal));
                pieces.push(Piece::Placeholder(name.to_owned()));
                rest = after;
            } else {
                return Err(PatternError::Unopened {
                    text: text.to_owned(),
                });
            }
        }
        literal.push_str(rest);
        pieces.extend(take_literal(&mut literal));
        Ok(Self { pieces })
    }

    /// The names in braces, in order, as often as they are written.
    pub fn placeholders(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Placeholder(name) => Some(name.as_str()),
            Piece::Literal(_) => None,
        })
    }

    /// The text between placeholders, escapes resolved.
    pub fn literals(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Literal(text) => Some(text.as_str()),
            Piece::Placeholder(_) => None,
        })
    }

    /// Whether the rendered text begins with the value of `name`.
    pub fn begins_with(&self, name: &str) -> bool {
        matches!(self.pieces.first(), Some(Piece::Placeholder(first)) if first == name)
    }

    /// The text with every placeholder replaced by its value.
    ///
    /// # Errors
    /// [`PatternError::Missing`] when `values` lacks a name; values not asked for are fine.
    pub fn render(&self, values: &BTreeMap<&str, String>) -> Result<String, PatternError> {
        let mut text = String::new();
        for piece in &self.pieces {
            text.push_str(match piece {
                Piece::Literal(literal) => literal,
                Piece::Placeholder(name) => values
                    .get(name.as_str())
                    .ok_or_else(|| PatternError::Missing { name: name.clone() })?,
            });
        }
        Ok(text)
    }
}

/// The pattern as it would be written: parsing it again gives the same pattern.
impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => {
                    formatter.write_str(&text.replace('{', "{{").replace('}', "}}"))?;
                }
                Piece::Placeholder(name) => write!(formatter, "{{{name}}}")?,
            }
        }
        Ok(())
    }
}

/// The name at the start of `after`, which follows an opening brace, and what comes after it.
fn placeholder<'a>(
    after: &'a str,
    text: &str,
    known: &[&str],
) -> Result<(&'a str, &'a str), PatternError> {
    let unclosed = || PatternError::Unclosed {
        text: text.to_owned(),
    };
    let (name, rest) = after.split_once('}').ok_or_else(unclosed)?;
    if name.contains('{') {
        return Err(unclosed());
    }
    if !known.contains(&name) {
        return Err(PatternError::Unknown {
            name: name.to_owned(),
            known: known.iter().map(|&name| name.to_owned()).collect(),
        });
    }
    Ok((name, rest))
}

fn take_literal(literal: &mut String) -> Option<Piece> {
    (!literal.is_empty()).then(|| Piece::Literal(std::mem::take(literal)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KNOWN: &[&str] = &["repo", "service", "version", "git.sha"];

    fn values() -> BTreeMap<&'static str, String> {
        KNOWN
            .iter()
            .map(|&name| (name, format!("<{name}>")))
            .collect()
    }

    fn rendered(text: &str) -> String {
        Pattern::parse(text, KNOWN)
            .expect("legal")
            .render(&values())
            .expect("complete")
    }

    #[test]
    fn placeholders_become_values() {
        assert_eq!(rendered("{repo}/{service}"), "<repo>/<service>");
        assert_eq!(rendered("v{version}-{git.sha}"), "v<version>-<git.sha>");
        assert_eq!(rendered("plain"), "plain");
        assert_eq!(rendered(""), "");
    }

    #[test]
    fn doubled_braces_are_literal() {
        assert_eq!(rendered("{{{repo}}}"), "{<repo>}");
        assert_eq!(rendered("{{repo}}"), "{repo}");
    }

    #[test]
    fn parts_can_be_listed() {
        let pattern = Pattern::parse("{repo}/a-{service}{{", KNOWN).expect("legal");
        let names: Vec<&str> = pattern.placeholders().collect();
        let literals: Vec<&str> = pattern.literals().collect();
        assert_eq!(names, ["repo", "service"]);
        assert_eq!(literals, ["/a-", "{"]);
        assert!(pattern.begins_with("repo"));
        assert!(!pattern.begins_with("service"));
    }

    #[test]
    fn mistakes_say_what_to_write() {
        let cases = [
            (
                "{repo/{service}",
                "`{repo/{service}` opens a brace that is never closed",
                "write `{{` for a literal brace",
            ),
            (
                "repo}",
                "`repo}` closes a brace that was never opened",
                "write `}}` for a literal brace",
            ),
            (
                "{servce}",
                "there is no placeholder `{servce}` here",
                "did you mean `{service}`?",
            ),
            (
                "{}",
                "there is no placeholder `{}` here",
                "use `{repo}`, `{service}`, `{version}` or `{git.sha}`",
            ),
        ];
        for (text, message, hint) in cases {
            let error = Pattern::parse(text, KNOWN).expect_err("illegal");
            assert_eq!(error.to_string(), message);
            assert_eq!(error.hint().as_deref(), Some(hint));
        }
    }

    #[test]
    fn rendering_is_strict() {
        let pattern = Pattern::parse("{version}", KNOWN).expect("legal");
        let error = pattern.render(&BTreeMap::new()).expect_err("no value");
        assert_eq!(error.to_string(), "there is no value for `{version}`");
    }

    proptest! {
        #[test]
        fn any_text_is_a_pattern_or_an_error(text in "[{}a-z.]{0,24}") {
            if let Ok(pattern) = Pattern::parse(&text, &["a", "b"]) {
                prop_assert!(pattern.placeholders().all(|name| name == "a" || name == "b"));
                prop_assert_eq!(Pattern::parse(&pattern.to_string(), &["a", "b"]), Ok(pattern));
            }
        }

        #[test]
        fn escaped_text_renders_to_itself(text in ".{0,40}") {
            let escaped = text.replace('{', "{{").replace('}', "}}");
            let pattern = Pattern::parse(&escaped, &[]).expect("only literals");
            prop_assert_eq!(pattern.render(&BTreeMap::new()), Ok(text));
        }
    }
}

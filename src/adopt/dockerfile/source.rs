//! A Dockerfile's text, made ready for the parser.
//!
//! The parser takes the here-documents of `COPY` and `ADD`, but of `RUN` only one that stands first.
//! Therefore those of `RUN` are read here, and the lines they stood on become comments: line numbers
//! stay what they are.

use std::collections::BTreeMap;

use crate::adopt::error::AdoptError;
use crate::report::printable;

/// Larger than any Dockerfile that a person wrote.
pub const MAX_DOCKERFILE: u64 = 128 * 1024;

/// Stands for `<<` in a `RUN`: as long, and nothing to the parser.
pub(in crate::adopt) const MARK: &str = "\u{1}\u{1}";

/// The only word of a list that is empty: the parser takes no `ENTRYPOINT []`.
pub(super) const NO_WORD: &str = "\u{7f}";

/// A text that the parser can take.
#[derive(Debug, Default)]
pub(super) struct Source {
    pub(super) text: String,
    /// What follows the `RUN` that begins on a line.
    pub(super) documents: BTreeMap<usize, Vec<String>>,
    /// What joins lines and protects characters.
    pub(super) escape: char,
}

impl Source {
    /// Takes a whole Dockerfile, which errors call `file`.
    ///
    /// # Errors
    /// [`AdoptError::TooLarge`].
    pub(super) fn new(text: &str, file: &str) -> Result<Self, AdoptError> {
        if text.len() as u64 > MAX_DOCKERFILE {
            return Err(AdoptError::TooLarge {
                file: printable(file),
            });
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let escape = escape(text);
        let mut source = Self {
            text: String::with_capacity(text.len()),
            documents: BTreeMap::new(),
            escape,
        };
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let mut at = 0;
        while at < lines.len() {
            at = source.instruction(&lines, at);
        }
        Ok(source)
    }

    /// Takes over the instruction that begins at a line, and gives the line after it.
    fn instruction(&mut self, lines: &[&str], start: usize) -> usize {
        let mut end = start;
        let mut whole = String::new();
        while let Some(line) = lines.get(end) {
            end += 1;
            let text = line.trim();
            let inside = end > start + 1;
            if text.starts_with('#') || (inside && text.is_empty()) {
                if inside {
                    continue;
                }
                break;
            }
            let Some(head) = text.strip_suffix(self.escape) else {
                whole.push_str(text);
                break;
            };
            whole.push_str(head);
            whole.push(' ');
        }
        let own = lines.get(start..end).unwrap_or_default();
        if let Some(head) = before_empty_list(&whole) {
            self.text.extend([head.as_str(), " [\"", NO_WORD, "\"]\n"]);
            self.text.extend(own.iter().skip(1).map(|_| "#\n"));
            return end;
        }
        let (marked, is_run) = match keyword(&whole) {
            "RUN" => (true, true),
            "COPY" | "ADD" => (true, false),
            _ => (false, false),
        };
        let delimiters = if marked {
            delimiters(&whole)
        } else {
            Vec::new()
        };
        let bodies = bodies(lines, end, &delimiters);
        let Some((bodies, after)) = bodies.filter(|_| !delimiters.is_empty()) else {
            self.text.extend(own.iter().copied());
            return end;
        };
        let followed = lines.get(end..after).unwrap_or_default();
        if is_run {
            self.text
                .extend(own.iter().map(|line| line.replace("<<", MARK)));
            self.text.extend(followed.iter().map(|_| "#\n"));
            self.documents.insert(start + 1, bodies);
        } else {
            self.text.extend(own.iter().chain(followed).copied());
        }
        after
    }

    /// The line that a byte of the text stands on, from 1.
    pub(super) fn line(&self, offset: usize) -> usize {
        let before = self.text.as_bytes().get(..offset).unwrap_or_default();
        memchr::memchr_iter(b'\n', before).count() + 1
    }
}

/// The first word, or the second after `ONBUILD`, in capitals as far as it matters here.
fn keyword(instruction: &str) -> &'static str {
    let mut words = instruction.split_whitespace();
    let mut word = words.next().unwrap_or_default();
    if word.eq_ignore_ascii_case("ONBUILD") {
        word = words.next().unwrap_or_default();
    }
    ["RUN", "COPY", "ADD"]
        .into_iter()
        .find(|known| word.eq_ignore_ascii_case(known))
        .unwrap_or_default()
}

/// What stands before the empty list of an `ENTRYPOINT`.
fn before_empty_list(instruction: &str) -> Option<String> {
    let inside = instruction.trim_end().strip_suffix(']')?;
    let head = inside.trim_end().strip_suffix('[')?.trim_end();
    let mut words = head.split_whitespace().rev();
    let is_it = words
        .next()
        .is_some_and(|word| word.eq_ignore_ascii_case("ENTRYPOINT"));
    let is_alone = words.all(|word| word.eq_ignore_ascii_case("ONBUILD"));
    (is_it && is_alone).then(|| head.to_owned())
}

/// The directive `# escape=`, which stands among the first comments.
fn escape(text: &str) -> char {
    for line in text.lines() {
        let Some(comment) = line.trim_start().strip_prefix('#') else {
            break;
        };
        let Some((name, value)) = comment.split_once('=') else {
            break;
        };
        if name.trim().eq_ignore_ascii_case("escape") && value.trim() == "`" {
            return '`';
        }
    }
    '\\'
}

/// The ends of the here-documents of an instruction; each with whether tabs before it do not count.
fn delimiters(instruction: &str) -> Vec<(String, bool)> {
    instruction
        .split_whitespace()
        .filter_map(|word| {
            let marker = word.trim_start_matches(|c: char| c.is_ascii_digit());
            let rest = marker.strip_prefix("<<")?;
            let (strips, name) = match rest.strip_prefix('-') {
                Some(name) => (true, name),
                None => (false, rest),
            };
            let name = name.replace(['"', '\'', '\\'], "");
            (!name.is_empty() && !name.contains('<')).then_some((name, strips))
        })
        .collect()
}

/// The texts up to each of `delimiters`, and the line after the last; `None` if one never comes.
fn bodies(
    lines: &[&str],
    start: usize,
    delimiters: &[(String, bool)],
) -> Option<(Vec<String>, usize)> {
    let mut at = start;
    let mut bodies = Vec::new();
    for (delimiter, strips) in delimiters {
        let mut body = String::new();
        loop {
            let line = lines.get(at)?;
            at += 1;
            let line = if *strips {
                line.trim_start_matches('\t')
            } else {
                line
            };
            if line.trim_end_matches(['\r', '\n']) == delimiter {
                break;
            }
            body.push_str(line);
        }
        bodies.push(body);
    }
    Some((bodies, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_of_run_are_taken_out_and_lines_stay() {
        let text =
            "FROM a\nRUN cat <<A > /x && \\\n  # c\n  tac <<-'B'\none\nA\n\ttwo\n\tB\nUSER 1\n";
        let source = Source::new(text, "").expect("small");
        assert_eq!(source.text.lines().count(), text.lines().count());
        assert_eq!(source.documents[&2], ["one\n", "two\n"]);
        let parsed = parse_dockerfile::parse(&source.text).expect("a Dockerfile");
        assert_eq!(parsed.instructions.len(), 3);
        assert_eq!(source.line(source.text.find("USER").expect("kept")), 9);
    }

    #[test]
    fn what_only_looks_like_a_document_stays() {
        for text in [
            "FROM a\nRUN cat <<<word\nUSER 1\n",
            "FROM a\nRUN echo $((1<<2))\n",
            "FROM a\nRUN cat <<A\nno end\n",
            "FROM a\nCOPY <<A /x\nRUN <<B\nA\nUSER 1\n",
        ] {
            assert_eq!(Source::new(text, "").expect("small").text, text);
        }
    }

    #[test]
    fn an_empty_list_is_one_that_the_parser_takes_and_lines_stay() {
        for list in ["[]", "[ ]", "\\\n  # c\n  [ \\\n ]"] {
            let text = format!("FROM a\nentrypoint {list}\nUSER 1\n");
            let source = Source::new(&text, "").expect("small");
            assert_eq!(source.text.lines().count(), text.lines().count(), "{text}");
            let parsed = parse_dockerfile::parse(&source.text).expect("a Dockerfile");
            assert_eq!(parsed.instructions.len(), 3, "{text}");
        }
        let text = "FROM a\nENTRYPOINT x []\n";
        assert_eq!(Source::new(text, "").expect("small").text, text);
    }

    #[test]
    fn the_escape_directive_is_seen() {
        assert_eq!(
            Source::new("#syntax=x\n# Escape = `\nFROM a\n", "")
                .expect("small")
                .escape,
            '`'
        );
        assert_eq!(
            Source::new("# a\n# escape=`\nFROM a\n", "")
                .expect("small")
                .escape,
            '\\'
        );
    }
}

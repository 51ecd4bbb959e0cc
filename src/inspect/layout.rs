//! Laying out text for people: within the columns of a terminal, and in whole lines for all else.

use std::fmt::Write as _;

use crate::report::printable;

/// Where the values of named lines begin.
const INDENT: usize = 14;
/// Columns that a terminal is taken to have at least: in fewer nothing could be read.
const LEAST: usize = 24;
/// Columns that a table needs.
const TABLE: usize = 60;

/// How wide lines may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page(Option<usize>);

impl Page {
    /// For a terminal of so many columns, or, without one, for what reads every character: there nothing
    /// is cut or wrapped.
    pub fn new(columns: Option<usize>) -> Self {
        Self(columns.map(|columns| columns.max(LEAST)))
    }

    /// Whether there is no room for a table.
    pub(super) fn is_narrow(self) -> bool {
        self.0.is_some_and(|columns| columns < TABLE)
    }

    /// Columns behind `taken` ones.
    fn left(self, taken: usize) -> usize {
        self.0
            .map_or(usize::MAX, |columns| columns - taken.min(columns - 1))
    }

    /// Lines behind `taken` columns.
    pub(super) fn wrapped(self, text: &str, taken: usize) -> Vec<String> {
        wrapped(text, self.left(taken))
    }

    /// The beginning of a text that is too long behind `taken` columns.
    pub(super) fn cut(self, text: &str, taken: usize) -> String {
        cut(text, self.left(taken))
    }

    /// Beginning and end of a path that is too long behind `taken` columns.
    pub(super) fn cut_path(self, path: &str, taken: usize) -> String {
        cut_path(path, self.left(taken))
    }

    /// The width of a column of texts that are cut where it would take more than all columns but `others`.
    pub(super) fn column<'t>(self, texts: impl Iterator<Item = &'t str>, others: usize) -> usize {
        let widest = texts.map(|text| text.chars().count()).max().unwrap_or(0);
        widest.min(self.left(others))
    }

    /// A text behind `indent` columns, in as many lines as it takes.
    pub(super) fn indented(self, text: &mut String, indent: usize, value: &str) {
        for line in self.wrapped(value, indent) {
            let _ = writeln!(text, "{:indent$}{line}", "");
        }
    }

    /// A line `  name  value`; what is too long goes on in further lines.
    pub(super) fn named(self, text: &mut String, name: &str, value: &str) {
        let lines = self.wrapped(&printable(value), INDENT);
        for (position, line) in lines.iter().enumerate() {
            let name = if position == 0 { name } else { "" };
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  {name:<11} {line}");
        }
    }

    /// Such lines, one for each value, under one name.
    pub(super) fn named_all<'v>(
        self,
        text: &mut String,
        name: &str,
        values: impl IntoIterator<Item = &'v str>,
    ) {
        for (position, value) in values.into_iter().enumerate() {
            self.named(text, if position == 0 { name } else { "" }, value);
        }
    }
}

/// A text in lines of at most `width` characters, broken between words where there are any.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut length = 0;
    for word in text.split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        if length > 0 && length + 1 + word.len() > width {
            lines.push(std::mem::take(&mut line));
            length = 0;
        }
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        while word.len() > width {
            lines.push(word.drain(..width).collect());
        }
        length += word.len();
        line.extend(word);
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// The beginning of a text that is too long.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// Beginning and end of a path that is too long: both tell most.
fn cut_path(path: &str, width: usize) -> String {
    let characters: Vec<char> = path.chars().collect();
    if characters.len() <= width {
        return path.to_owned();
    }
    let end = width.saturating_sub(1) * 2 / 3;
    let begin = width.saturating_sub(1) - end;
    let begin: String = characters.iter().take(begin).collect();
    let end: String = characters[characters.len() - end..].iter().collect();
    format!("{begin}…{end}")
}

/// Words of a command as a shell reads them back.
pub(super) fn command(words: &[String]) -> String {
    let quoted = words.iter().map(|word| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:@,+%{}".contains(c);
        if !word.is_empty() && word.chars().all(plain) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn long_texts_are_broken_between_words() {
        assert_eq!(wrapped("a bc d", 4), ["a bc", "d"]);
        assert_eq!(wrapped("abcdefg h", 4), ["abcd", "efg", "h"]);
        assert_eq!(wrapped("", 4), [""]);
        let named = |columns| {
            let mut text = String::new();
            Page::new(columns).named(&mut text, "env", &"x".repeat(70));
            text
        };
        assert_eq!(
            named(Some(80)),
            format!("  env         {}\n              xxxx\n", "x".repeat(66))
        );
        // Nobody reads a page of ten columns.
        assert_eq!(named(Some(10)), named(Some(24)));
        assert_eq!(named(None), format!("  env         {}\n", "x".repeat(70)));
    }

    #[test]
    fn long_paths_lose_their_middle() {
        assert_eq!(cut_path("/a/b", 10), "/a/b");
        assert_eq!(cut_path("/usr/share/doc/name", 10), "/us…c/name");
        assert_eq!(cut("RUN apt-get install", 10), "RUN apt-g…");
    }

    #[test]
    fn commands_can_be_typed() {
        let words = ["/app/x", "a b", "it's", ""].map(str::to_owned);
        assert_eq!(command(&words), r"/app/x 'a b' 'it'\''s' ''");
    }

    proptest! {
        #[test]
        fn nothing_is_wider_or_lost(text in "[a-z ]{0,200}", width in 1_usize..40) {
            let lines = wrapped(&text, width);
            prop_assert!(lines.iter().all(|line| line.chars().count() <= width));
            let letters = |text: &str| text.replace(' ', "");
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
            prop_assert!(cut(&text, width).chars().count() <= width);
            prop_assert!(cut_path(&text, width).chars().count() <= width);
        }
    }
}

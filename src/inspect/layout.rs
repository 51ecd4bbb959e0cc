//! Laying out text for people in 80 columns.

use std::fmt::Write as _;

use crate::report::printable;

const WIDTH: usize = 80;
/// Where the values of named lines begin.
const INDENT: usize = 14;

/// A line `  name  value`; what is too long goes on in further lines.
pub(super) fn named(text: &mut String, name: &str, value: &str) {
    let lines = wrapped(&printable(value), WIDTH - INDENT);
    for (position, line) in lines.iter().enumerate() {
        let name = if position == 0 { name } else { "" };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {name:<12}{line}");
    }
}

/// Such lines, one for each value, under one name.
pub(super) fn named_all<'v>(
    text: &mut String,
    name: &str,
    values: impl IntoIterator<Item = &'v str>,
) {
    for (position, value) in values.into_iter().enumerate() {
        named(text, if position == 0 { name } else { "" }, value);
    }
}

/// A text in lines of at most `width` characters, broken between words where there are any.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
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
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// Beginning and end of a path that is too long: both tell most.
pub(super) fn cut_path(path: &str, width: usize) -> String {
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
        let mut text = String::new();
        named(&mut text, "env", &"x".repeat(70));
        assert_eq!(
            text,
            format!("  env         {}\n              xxxx\n", "x".repeat(66))
        );
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

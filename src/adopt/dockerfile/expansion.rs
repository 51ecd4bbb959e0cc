//! Words of a Dockerfile: quotes, escapes and variables, by the rules of its reference.

use super::cut::Cut;
use crate::adopt::shell::{Lookup, MAX_VALUE, name_length};

/// A word whose variables have values.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Expanded {
    pub(super) text: String,
    /// Variables without a value that the word needs, in their order.
    pub(super) unset: Vec<String>,
    /// `${…}` as written, where docker refuses what it asks for.
    pub(super) refused: Option<String>,
    /// A quote or a brace that is opened and never closed.
    pub(super) open: Option<char>,
}

/// Removes quotes and escapes, and puts in the values of variables.
pub(super) fn expand(word: &str, escape: char, lookup: Lookup<'_>) -> Expanded {
    let mut expander = Expander {
        rest: word,
        escape,
        lookup,
        depth: 0,
        expanded: Expanded::default(),
    };
    expander.run();
    expander.expanded
}

struct Expander<'a> {
    rest: &'a str,
    escape: char,
    lookup: Lookup<'a>,
    depth: usize,
    expanded: Expanded,
}

impl Expander<'_> {
    fn run(&mut self) {
        let mut quoted = false;
        while let Some(c) = self.next() {
            match c {
                '\'' if !quoted => self.single_quoted(),
                '"' => quoted = !quoted,
                '$' => self.variable(),
                c if c == self.escape => match self.rest.chars().next() {
                    Some(next) if !quoted || next == '"' || next == '$' || next == self.escape => {
                        self.next();
                        self.push(next);
                    }
                    Some(_) => self.push(c),
                    None => {}
                },
                c => self.push(c),
            }
        }
        if quoted {
            self.expanded.open.get_or_insert('"');
        }
    }

    fn single_quoted(&mut self) {
        if !self.rest.contains('\'') {
            self.expanded.open.get_or_insert('\'');
        }
        let (inside, after) = self.rest.split_once('\'').unwrap_or((self.rest, ""));
        self.rest = after;
        self.push_all(inside);
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = self.rest.get(c.len_utf8()..).unwrap_or_default();
        Some(c)
    }

    fn push(&mut self, c: char) {
        if self.expanded.text.len() < MAX_VALUE {
            self.expanded.text.push(c);
        }
    }

    fn push_all(&mut self, text: &str) {
        for c in text.chars() {
            self.push(c);
        }
    }

    fn variable(&mut self) {
        if let Some(rest) = self.rest.strip_prefix('{') {
            let Some(end) = closing_brace(rest) else {
                self.expanded.open.get_or_insert('{');
                self.push('$');
                return;
            };
            let (inner, after) = rest.split_at(end);
            self.rest = after.get(1..).unwrap_or_default();
            self.braced(inner);
            return;
        }
        let length = name_length(self.rest);
        if length == 0 {
            self.push('$');
            return;
        }
        let (name, after) = self.rest.split_at(length);
        self.rest = after;
        self.put(name);
    }

    fn put(&mut self, name: &str) {
        match (self.lookup)(name) {
            Some(value) => self.push_all(&value),
            None => self.miss(name),
        }
    }

    fn miss(&mut self, name: &str) {
        if !self.expanded.unset.iter().any(|unset| unset == name) {
            self.expanded.unset.push(name.to_owned());
        }
    }

    /// `NAME`, `NAME:-word`, `NAME-word`, `NAME:+word`, `NAME+word`, `NAME:?word`, `NAME?word`, and
    /// those that cut a value.
    fn braced(&mut self, inner: &str) {
        let (name, modifier) = inner.split_at(name_length(inner));
        let value = (self.lookup)(name);
        let (strict, operator) = match modifier.strip_prefix(':') {
            Some(rest) => (true, rest),
            None => (false, modifier),
        };
        let present = value
            .as_deref()
            .is_some_and(|value| !strict || !value.is_empty());
        let mut characters = operator.chars();
        match characters.next() {
            _ if name.is_empty() => self.refuse(inner),
            None if !strict => self.put(name),
            Some('-' | '?') if present => self.push_all(&value.unwrap_or_default()),
            Some('+') if !present => {}
            Some('-' | '+') => {
                if let Some(text) = self.nested(characters.as_str()) {
                    self.push_all(&text);
                }
            }
            Some('?') => self.miss(name),
            _ => {
                let cut = Cut::begins(operator).filter(|_| !strict && !name.is_empty());
                match (cut, value) {
                    (None, _) => self.refuse(inner),
                    (Some(_), None) => self.miss(name),
                    (Some((cut, rest)), Some(value)) => self.cut(cut, rest, &value, inner),
                }
            }
        }
    }

    fn refuse(&mut self, inner: &str) {
        self.expanded
            .refused
            .get_or_insert_with(|| format!("${{{inner}}}"));
    }

    fn cut(&mut self, cut: Cut, rest: &str, value: &str, inner: &str) {
        let (pattern, replacement) = match cut {
            Cut::Replace { .. } => {
                let Some(slash) = unescaped_slash(rest) else {
                    self.refuse(inner);
                    return;
                };
                let (pattern, after) = rest.split_at(slash);
                (pattern, after.get(1..).unwrap_or_default())
            }
            _ => (rest, ""),
        };
        let replacement = self.nested(replacement);
        // Quotes and variables of a pattern are its own; a backslash stays for it.
        let pattern = if pattern.contains(['$', '"', '\'']) {
            self.nested(pattern)
        } else {
            Some(pattern.to_owned())
        };
        let cut = pattern
            .zip(replacement)
            .and_then(|(pattern, replacement)| cut.apply(value, &pattern, &replacement));
        match cut {
            Some(text) => self.push_all(&text),
            None => self.refuse(inner),
        }
    }

    /// What a word in braces becomes; `None` where they are too deep in one another.
    fn nested(&mut self, word: &str) -> Option<String> {
        if self.depth >= 8 {
            return None;
        }
        let mut inner = Expander {
            rest: word,
            escape: self.escape,
            lookup: self.lookup,
            depth: self.depth + 1,
            expanded: Expanded::default(),
        };
        inner.run();
        let Expanded {
            text,
            unset,
            refused,
            open,
        } = inner.expanded;
        self.expanded.open = self.expanded.open.or(open);
        self.expanded.refused = self.expanded.refused.take().or(refused);
        for name in &unset {
            self.miss(name);
        }
        Some(text)
    }
}

/// Where a pattern ends that a replacement follows.
fn unescaped_slash(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices()
        .find(|(_, c)| {
            let is_it = *c == '/' && !escaped;
            escaped = *c == '\\' && !escaped;
            is_it
        })
        .map(|(at, _)| at)
}

/// Where the brace closes that was opened before the text.
fn closing_brace(text: &str) -> Option<usize> {
    let mut depth = 1;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// Words as written, parted by blanks that are neither quoted nor escaped.
pub(super) fn split(text: &str, escape: char) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        if quote.is_none() && c.is_whitespace() {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            continue;
        }
        word.push(c);
        match quote {
            Some(open) if open == c => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            open if c == escape && open != Some('\'') => word.extend(characters.next()),
            _ => {}
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// The pairs of `ENV` and `LABEL`, values as written: `a=b c="d e"`, or the old `a b c`.
pub(super) fn pairs(text: &str, escape: char) -> Vec<(String, Option<String>)> {
    let words = split(text, escape);
    let is_old = words.first().is_some_and(|word| !word.contains('='));
    if is_old && words.len() > 1 {
        let text = text.trim_start();
        let (name, value) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        return vec![(name.to_owned(), Some(value.trim().to_owned()))];
    }
    words.iter().map(|word| pair(word)).collect()
}

/// What `ARG` declares, values as written. It has no old form: each word is a name, with a value or without.
pub(super) fn arguments(text: &str, escape: char) -> Vec<(String, Option<String>)> {
    let one = |word: &String| {
        let quote = word.chars().next().filter(|c| matches!(c, '"' | '\''));
        let inside = quote.and_then(|quote| word.strip_prefix(quote)?.strip_suffix(quote));
        let (Some(quote), Some(inside)) = (quote, inside) else {
            return pair(word);
        };
        // The quotes are around all of it, and count for the value.
        let (name, value) = pair(inside);
        (name, value.map(|value| format!("{quote}{value}{quote}")))
    };
    split(text, escape).iter().map(one).collect()
}

fn pair(word: &str) -> (String, Option<String>) {
    match word.split_once('=') {
        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
        None => (word.to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lookup(name: &str) -> Option<String> {
        match name {
            "A" => Some("one".to_owned()),
            "E" => Some(String::new()),
            _ => None,
        }
    }

    #[test]
    fn variables_are_put_in() {
        for (word, expected) in [
            ("$A", "one"),
            ("${A}-$A/x", "one-one/x"),
            ("$Ax", ""),
            ("${X:-y}", "y"),
            ("${X-y}", "y"),
            ("${E:-y}", "y"),
            ("${E-y}", ""),
            ("${A:+z}", "z"),
            ("${X:+z}", ""),
            ("${E+z}", "z"),
            ("${X:-a${A}b}", "aoneb"),
            ("\\$A", "$A"),
            ("'$A'", "$A"),
            ("\"$A b\"", "one b"),
            ("\"a\\\"b\"", "a\"b"),
            ("a\\ b", "a b"),
            ("${A", "${A"),
            ("$", "$"),
            ("it\"'\"s", "it's"),
            ("${A#o}-${A%?}-${A/n/m}-${A//[ne]/}", "ne-on-ome-one"),
            ("${A/n/$E${A}}x", "ooneex"),
            ("${A#$A}${A?}${A:?no}", "oneone"),
        ] {
            assert_eq!(expand(word, '\\', &lookup).text, expected, "{word}");
        }
        assert_eq!(
            expand("$X ${Y:?no} ${Z#o}", '\\', &lookup).unset,
            ["X", "Y", "Z"]
        );
        assert_eq!(expand("C:\\x`$", '`', &lookup).text, "C:\\x$");
    }

    #[test]
    fn what_docker_refuses_is_found() {
        for word in [
            "${A:0:3}",
            "${A^^}",
            "${A,,}",
            "${A:#o}",
            "${A/n}",
            "${A@Q}",
            "${!A}",
            "${}",
            "x${X:-${A^}}",
        ] {
            let expanded = expand(word, '\\', &lookup);
            assert!(expanded.refused.is_some(), "{word}");
            assert!(expanded.unset.is_empty(), "{word}");
        }
        assert_eq!(
            expand("a${A^^}", '\\', &lookup).refused.as_deref(),
            Some("${A^^}")
        );
    }

    #[test]
    fn what_is_never_closed_is_found() {
        for (word, expected) in [
            ("\"a", Some('"')),
            ("it's", Some('\'')),
            ("${A", Some('{')),
            ("${X:-\"a}", Some('"')),
            ("it\\'s \"'\" '\"' \\\" $ \\${", None),
        ] {
            assert_eq!(expand(word, '\\', &lookup).open, expected, "{word}");
        }
    }

    #[test]
    fn pairs_are_told_apart() {
        let some = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
        assert_eq!(
            pairs("a=b c=\"d e\" f=g\\ h", '\\'),
            [some("a", "b"), some("c", "\"d e\""), some("f", "g\\ h")]
        );
        assert_eq!(pairs("key some value", '\\'), [some("key", "some value")]);
        assert_eq!(pairs("key", '\\'), [("key".to_owned(), None)]);
        assert_eq!(
            arguments("A B=8 \"C=x y\" D='x y' \"E\"", '\\'),
            [
                ("A".to_owned(), None),
                some("B", "8"),
                some("C", "\"x y\""),
                some("D", "'x y'"),
                ("E".to_owned(), None),
            ]
        );
    }

    proptest! {
        #[test]
        fn any_word_has_a_bounded_value(word in "[$'\"{}\\\\:A-E+?# é-]{0,40}") {
            let expanded = expand(&word, '\\', &|_| Some("x".repeat(9000)));
            prop_assert!(expanded.text.len() <= MAX_VALUE + 8);
            let _ = (split(&word, '\\'), pairs(&word, '`'), arguments(&word, '`'));
        }
    }
}

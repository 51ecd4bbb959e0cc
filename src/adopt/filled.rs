//! A word of a script as a shell fills it in, as far as that can be known.

use super::words::{Lookup, MAX_VALUE, name_length};

/// What becomes of a word.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Filled {
    /// It may be several words, or none.
    pub(super) words: Vec<String>,
    /// Variables in it.
    pub(super) variables: Vec<String>,
    /// Those of them without a value.
    pub(super) unknown: Vec<String>,
    /// Whether only a shell can say what it becomes: names of files, what a command prints.
    pub(super) needs_shell: bool,
}

impl Filled {
    /// Fills in a word. `parameters` are `$0` and those after it.
    pub(super) fn new(word: &str, parameters: &[String], lookup: Lookup<'_>) -> Self {
        let mut filling = Filling {
            rest: word,
            parameters,
            lookup,
            word: None,
            quoted: false,
            left: MAX_VALUE,
            filled: Self::default(),
        };
        filling.run();
        filling.filled
    }

    pub(super) fn is_known(&self) -> bool {
        self.unknown.is_empty() && !self.needs_shell
    }
}

struct Filling<'a> {
    rest: &'a str,
    parameters: &'a [String],
    lookup: Lookup<'a>,
    word: Option<String>,
    quoted: bool,
    /// How much may still be put in: a value may be named again and again.
    left: usize,
    filled: Filled,
}

/// What stands in for a variable.
#[derive(Clone, Copy)]
struct Fallback<'a> {
    text: &'a str,
    /// Also for one that is set to nothing.
    if_empty: bool,
}

impl Filling<'_> {
    fn run(&mut self) {
        self.filled.needs_shell = self.rest.starts_with('~');
        while let Some(c) = self.next() {
            match c {
                '\'' if !self.quoted => {
                    let (inside, after) = self.rest.split_once('\'').unwrap_or((self.rest, ""));
                    self.rest = after;
                    self.push(inside);
                }
                '"' => {
                    self.quoted = !self.quoted;
                    // `"$@"` without parameters is no word.
                    if !self.rest.starts_with("$@\"") {
                        self.push("");
                    }
                }
                '\\' => self.escaped(),
                '$' => self.dollar(),
                '`' => self.filled.needs_shell = true,
                '*' | '?' | '[' if !self.quoted => {
                    self.filled.needs_shell = true;
                    self.push(c.encode_utf8(&mut [0; 4]));
                }
                c => self.push(c.encode_utf8(&mut [0; 4])),
            }
        }
        self.end_word();
        self.filled.needs_shell |= self.left == 0;
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = self.rest.get(c.len_utf8()..).unwrap_or_default();
        Some(c)
    }

    fn push(&mut self, text: &str) {
        // An empty word counts, too.
        let Some(left) = self.left.checked_sub(text.len().max(1)) else {
            self.left = 0;
            self.filled.needs_shell = true;
            return;
        };
        self.left = left;
        self.word.get_or_insert_default().push_str(text);
    }

    fn end_word(&mut self) {
        self.filled.words.extend(self.word.take());
    }

    fn escaped(&mut self) {
        let Some(next) = self.next() else { return };
        if self.quoted && !matches!(next, '$' | '`' | '"' | '\\') {
            self.push("\\");
        }
        self.push(next.encode_utf8(&mut [0; 4]));
    }

    fn dollar(&mut self) {
        if let Some(inner) = self.rest.strip_prefix('{') {
            let Some((inner, after)) = inner.split_once('}') else {
                self.filled.needs_shell = true;
                return;
            };
            self.rest = after;
            self.braced(inner);
            return;
        }
        if let Some(after) = self.rest.strip_prefix(['@', '*']) {
            self.rest = after;
            self.all_parameters();
            return;
        }
        let length = match self.rest.bytes().next() {
            Some(byte) if byte.is_ascii_digit() => 1,
            _ => name_length(self.rest),
        };
        let (name, after) = self.rest.split_at(length);
        if name.is_empty() {
            // `$(…)`, `$$`, `$?`; a dollar sign before anything else is one.
            self.filled.needs_shell |= after.starts_with(['(', '$', '?', '#', '!', '-']);
            self.push("$");
            return;
        }
        self.rest = after;
        self.value(name, None);
    }

    /// `NAME`, `NAME-word`, `NAME:-word`; other forms are left to a shell.
    fn braced(&mut self, inner: &str) {
        let length = name_length(inner);
        let (name, modifier) = inner.split_at(length);
        if let ("", "@" | "*") = (name, modifier) {
            self.all_parameters();
            return;
        }
        let default = match modifier.strip_prefix(":-") {
            Some(text) => Some(Fallback {
                text,
                if_empty: true,
            }),
            None => modifier.strip_prefix('-').map(|text| Fallback {
                text,
                if_empty: false,
            }),
        };
        let special = ['$', '`', '\'', '"', '\\'];
        let is_plain = default.is_some_and(|default| !default.text.contains(special));
        if modifier.is_empty() || is_plain {
            self.value(name, default);
        } else {
            self.filled.needs_shell = true;
            note(&mut self.filled.variables, name);
        }
    }

    fn value(&mut self, name: &str, default: Option<Fallback<'_>>) {
        let is_parameter = name.bytes().all(|byte| byte.is_ascii_digit());
        let value = if is_parameter {
            let at: Option<usize> = name.parse().ok();
            let value = at.and_then(|at| self.parameters.get(at)).cloned();
            self.filled.needs_shell |= value.is_none();
            value.or_else(|| Some(String::new()))
        } else {
            note(&mut self.filled.variables, name);
            let if_empty = default.is_some_and(|default| default.if_empty);
            let value = (self.lookup)(name).filter(|value| !(if_empty && value.is_empty()));
            value.or_else(|| default.map(|default| default.text.to_owned()))
        };
        let Some(value) = value else {
            note(&mut self.filled.unknown, name);
            return;
        };
        if self.quoted {
            self.push(&value);
            return;
        }
        // Without quotes, a value may be several words.
        for c in value.chars().take(self.left) {
            if c.is_whitespace() {
                self.end_word();
            } else {
                self.push(c.encode_utf8(&mut [0; 4]));
            }
        }
    }

    fn all_parameters(&mut self) {
        let parameters = self.parameters.get(1..).unwrap_or_default();
        for (at, parameter) in parameters.iter().enumerate().take(self.left) {
            if at > 0 {
                self.end_word();
            }
            self.push(parameter);
        }
        if parameters.is_empty() && self.rest == "\"" {
            self.rest = "";
            self.word = self.word.take().filter(|word| !word.is_empty());
        }
    }
}

fn note(names: &mut Vec<String>, name: &str) {
    if !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(word: &str) -> Filled {
        let parameters = ["--", "p q", "r"].map(str::to_owned);
        Filled::new(word, &parameters, &|name| match name {
            "A" => Some("one".to_owned()),
            "TWO" => Some("a b".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        })
    }

    #[test]
    fn words_are_filled_in_as_a_shell_does() {
        for (word, expected) in [
            ("'a b'", &["a b"][..]),
            ("\"x $TWO\"", &["x a b"]),
            ("x$TWO", &["xa", "b"]),
            ("${A}-${X:-y}-${A:-z}", &["one-y-one"]),
            ("${EMPTY:-y}-x${EMPTY-z}", &["y-x"]),
            ("\"$@\"", &["p q", "r"]),
            ("x\"$@\"", &["xp q", "r"]),
            ("$1-$2", &["p", "q-r"]),
            ("it\\'s", &["it's"]),
            ("\"\\$A \\x\"", &["$A \\x"]),
            ("\"\"", &[""]),
            ("5$", &["5$"]),
            ("'*'\"?\"", &["*?"]),
        ] {
            let filled = of(word);
            assert_eq!(filled.words, expected, "{word}");
            assert!(filled.is_known(), "{word}");
        }
        assert!(Filled::new("\"$@\"", &[], &|_| None).words.is_empty());
    }

    #[test]
    fn a_word_has_a_bounded_value() {
        let parameters = vec![String::new(); 1_000];
        for word in [
            "$X".repeat(1_000),
            "\"$X\"".repeat(1_000),
            "$@".repeat(1_000),
        ] {
            let filled = Filled::new(&word, &parameters, &|_| Some("x ".repeat(1_000)));
            let length: usize = filled.words.iter().map(|word| word.len() + 1).sum();
            assert!(length <= 2 * MAX_VALUE, "{length}");
            assert!(filled.needs_shell);
        }
    }

    #[test]
    fn what_cannot_be_known_is_told() {
        assert_eq!(of("$X-${Y}$X").unknown, ["X", "Y"]);
        for word in [
            "$(a)", "`a`", "*.c", "~/x", "${A#o}", "${X:-$A}", "$$", "\"$(a)\"",
        ] {
            assert!(of(word).needs_shell, "{word}");
        }
    }

    proptest! {
        #[test]
        fn any_word_can_be_filled_in(word in "[ a-cA$'\"{}()@*:\\-\\\\`1é]{0,40}") {
            of(&word);
        }
    }
}

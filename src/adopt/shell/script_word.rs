//! A word of a script as a shell fills it in, as far as that can be known.

use super::variable::{Lookup, MAX_VALUE, name_length};
use crate::adopt::secrets::is_secret;

/// What becomes of a word.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(in crate::adopt) struct Filled {
    /// It may be several words, or none.
    pub(in crate::adopt) words: Vec<String>,
    /// Variables in it.
    pub(in crate::adopt) variables: Vec<String>,
    /// Those of them without a value.
    pub(in crate::adopt) unknown: Vec<String>,
    /// Whether only a shell can say what it becomes: names of files, what a command prints.
    pub(in crate::adopt) needs_shell: bool,
}

/// What a shell is, and what it knows.
#[derive(Clone, Copy)]
pub(in crate::adopt) struct Knowledge<'a> {
    /// `$0` and those after it.
    pub(in crate::adopt) parameters: &'a [String],
    pub(in crate::adopt) lookup: Lookup<'a>,
    /// Whether it knows more than POSIX has: `{a,b}`, `$'…'`.
    pub(in crate::adopt) is_bash: bool,
    /// Whether what cannot be known stays as it is written.
    pub(in crate::adopt) keeps: bool,
}

impl Filled {
    /// Fills in a word.
    pub(in crate::adopt) fn new(word: &str, knowledge: Knowledge<'_>) -> Self {
        let mut filling = Filling {
            rest: word,
            knowledge,
            word: None,
            quoted: false,
            left: MAX_VALUE,
            filled: Self::default(),
        };
        filling.run();
        filling.filled
    }

    pub(in crate::adopt) fn is_known(&self) -> bool {
        self.unknown.is_empty() && !self.needs_shell
    }
}

struct Filling<'a> {
    rest: &'a str,
    knowledge: Knowledge<'a>,
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
        self.filled.needs_shell = self.rest.starts_with('~')
            || self.rest.starts_with("<(")
            || self.rest.starts_with(">(");
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
                '`' => self.only_a_shell("`"),
                '{' if !self.quoted && self.is_list() => self.only_a_shell("{"),
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

    /// Something that a shell makes words of.
    fn only_a_shell(&mut self, written: &str) {
        self.filled.needs_shell = true;
        if self.knowledge.keeps {
            self.push(written);
        }
    }

    /// Whether bash makes several words of what a brace opens: `{a,b}`, `{1..3}`.
    fn is_list(&self) -> bool {
        let inside = self.rest.split_once('}').map(|(inside, _)| inside);
        self.knowledge.is_bash
            && inside.is_some_and(|inside| inside.contains(',') || inside.contains(".."))
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
                self.only_a_shell("$");
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
            let of_bash = self.knowledge.is_bash && !self.quoted && after.starts_with(['\'', '"']);
            self.filled.needs_shell |= of_bash || after.starts_with(['(', '$', '?', '#', '!', '-']);
            self.push("$");
            return;
        }
        self.rest = after;
        self.value(name, None, &format!("${name}"));
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
            self.value(name, default, &format!("${{{inner}}}"));
        } else {
            self.only_a_shell(&format!("${{{inner}}}"));
            note(&mut self.filled.variables, name);
        }
    }

    /// A variable's value; `written` is how it is asked for.
    fn value(&mut self, name: &str, default: Option<Fallback<'_>>, written: &str) {
        let is_parameter = name.bytes().all(|byte| byte.is_ascii_digit());
        let value = if is_parameter {
            let at: Option<usize> = name.parse().ok();
            let value = at.and_then(|at| self.knowledge.parameters.get(at)).cloned();
            if value.is_none() {
                self.only_a_shell(&format!("${name}"));
            }
            value.or_else(|| Some(String::new()))
        } else {
            note(&mut self.filled.variables, name);
            let if_empty = default.is_some_and(|default| default.if_empty);
            let value =
                (self.knowledge.lookup)(name).filter(|value| !(if_empty && value.is_empty()));
            // What stands in for a secret is one.
            let default =
                default.filter(|default| !self.knowledge.keeps && !is_secret(name, default.text));
            value.or_else(|| default.map(|default| default.text.to_owned()))
        };
        let Some(value) = value else {
            note(&mut self.filled.unknown, name);
            if self.knowledge.keeps {
                self.push(written);
            }
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
        if self.knowledge.keeps {
            self.only_a_shell("$@");
            return;
        }
        let parameters = self.knowledge.parameters.get(1..).unwrap_or_default();
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
        with(word, &parameters, false)
    }

    fn with(word: &str, parameters: &[String], is_bash: bool) -> Filled {
        let lookup = |name: &str| match name {
            "A" => Some("one".to_owned()),
            "TWO" => Some("a b".to_owned()),
            "EMPTY" => Some(String::new()),
            "LONG" => Some("x ".repeat(1_000)),
            _ => None,
        };
        let knowledge = Knowledge {
            parameters,
            lookup: &lookup,
            is_bash,
            keeps: false,
        };
        Filled::new(word, knowledge)
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
        assert!(with("\"$@\"", &[], false).words.is_empty());
    }

    #[test]
    fn a_word_has_a_bounded_value() {
        let parameters = vec![String::new(); 1_000];
        for word in [
            "$LONG".repeat(1_000),
            "\"$LONG\"".repeat(1_000),
            "$@".repeat(1_000),
        ] {
            let filled = with(&word, &parameters, false);
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

    #[test]
    fn what_only_bash_knows_is_told() {
        for word in ["{a,b}", "x{1..3}", "$'a\\n'", "$\"a\""] {
            assert!(with(word, &[], true).needs_shell, "{word}");
            assert!(!with(word, &[], false).needs_shell, "{word}");
        }
        for word in ["{a}", "'{a,b}'", "\"{a,b}\"", "{}", "\"a$'\"", "\\{a,b}"] {
            assert!(!with(word, &[], true).needs_shell, "{word}");
        }
        assert!(of("<(a)").needs_shell);
    }

    proptest! {
        #[test]
        fn any_word_can_be_filled_in(word in "[ a-cA$'\"{}()@*:\\-\\\\`1é]{0,40}") {
            of(&word);
        }
    }
}

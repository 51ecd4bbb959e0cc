//! A command of a shell, started without the shell.

use std::cell::Cell;

use crate::adopt::dockerfile::Settings;
use crate::adopt::paths::name;
use crate::adopt::remark::list;
use crate::adopt::secrets::{is_secret_flag, shown, shown_words};
use crate::adopt::shell::{Filled, Knowledge, Written};

/// More than any command line has, values and all.
const MAX_FILLED: usize = 256 * 1024;

/// What a shell would know.
pub(in crate::adopt) struct Unshelled<'a> {
    settings: &'a Settings,
    /// `$0` and those after it.
    parameters: &'a [String],
    is_bash: bool,
    /// How much may still be put in, in all words together.
    left: Cell<usize>,
}

/// A message and an advice.
type Told = (String, String);

impl<'a> Unshelled<'a> {
    pub(in crate::adopt) fn new(
        settings: &'a Settings,
        shell: &[String],
        parameters: &'a [String],
    ) -> Self {
        let is_bash = |word: &String| matches!(name(word), "bash" | "zsh" | "ksh");
        Self {
            settings,
            parameters,
            is_bash: shell.iter().any(is_bash),
            left: Cell::new(MAX_FILLED),
        }
    }

    /// A word as a shell would fill it in. Secrets have no value here.
    pub(in crate::adopt) fn filled(&self, word: &str) -> Filled {
        if self.left.get() == 0 {
            return Filled {
                needs_shell: true,
                ..Filled::default()
            };
        }
        let value = |name: &str| {
            let said = self.settings.env.get(name);
            let said = said.filter(|said| !said.secret && said.refused.is_none());
            said.map(|said| said.value.clone())
        };
        let knowledge = Knowledge {
            parameters: self.parameters,
            lookup: &value,
            is_bash: self.is_bash,
            keeps: false,
        };
        let mut filled = Filled::new(word, knowledge);
        let length: usize = filled.words.iter().map(|word| word.len() + 1).sum();
        let left = self.left.get().saturating_sub(length);
        self.left.set(left);
        filled.needs_shell |= left == 0;
        filled
    }

    /// All words for `key` that can be known, and what is to be told of the others and of those that a shell
    /// would fill in.
    pub(in crate::adopt) fn words(&self, command: &Written, key: &str) -> (Vec<String>, Vec<Told>) {
        let mut words: Vec<String> = Vec::new();
        let mut told = Vec::new();
        let mut flag: Option<&String> = None;
        for word in &command.words {
            let filled = self.filled(word);
            if filled.is_known() {
                // A secret is told where it is left out.
                let is_secret = flag.is_some_and(|flag| is_secret_flag(flag));
                if !filled.variables.is_empty() && !is_secret {
                    told.push(becomes(word, &filled, key));
                }
                let is_flag = word.starts_with('-') && !word.contains('=') && !words.is_empty();
                flag = Some(word).filter(|_| is_flag);
                words.extend(filled.words);
                continue;
            }
            // A flag without its value would be another one.
            if flag.is_some() {
                words.pop();
            }
            told.push(self.left_out(flag.take(), word, &filled, key));
        }
        (words, told)
    }

    fn left_out(&self, flag: Option<&String>, word: &str, filled: &Filled, key: &str) -> Told {
        let written = word.to_owned();
        let what = shown_words(flag.into_iter().chain([&written]));
        let own = word.split_once('=').map(|(name, _)| name);
        let own = own.filter(|name| name.starts_with('-'));
        let value = match flag.map(String::as_str).or(own) {
            Some(flag) => format!("put `{flag}` and a value into `{key}`"),
            None => format!("put a value into `{key}`"),
        };
        let unknown = &filled.unknown;
        let is_secret = |name: &String| self.settings.env.get(name).is_some_and(|said| said.secret);
        let (why, read) = if filled.needs_shell {
            let read = "let the program find it out itself".to_owned();
            ("only a shell can say what it becomes".to_owned(), read)
        } else {
            let names = list(unknown);
            let why = match unknown.as_slice() {
                [name] if is_secret(name) => format!("`{name}` looks like a secret"),
                [_] => format!("nothing here says what {names} is"),
                _ => format!("nothing here says what {names} are"),
            };
            (why, format!("let the program read {names} itself"))
        };
        let message = format!("`{what}` is left out of `{key}`: {why}");
        let advice = if unknown.iter().any(is_secret) {
            read
        } else {
            format!("{read}, or {value}")
        };
        (message, advice)
    }
}

fn becomes(word: &str, filled: &Filled, key: &str) -> Told {
    let value = match filled.words.as_slice() {
        [] => "nothing".to_owned(),
        words => {
            let words: Vec<String> = words.iter().map(|word| shown(word)).collect();
            format!("`{}`", words.join(" "))
        }
    };
    (
        format!(
            "`{}` becomes {value} in `{key}`: no shell puts in what a caller sets",
            shown(word)
        ),
        format!("let the program read {} itself", list(&filled.variables)),
    )
}

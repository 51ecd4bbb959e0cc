//! Commands of a shell, read as far as it takes to see what a `RUN` does.
//!
//! Nothing is run, and no loop or condition is followed: each command in the text is taken as one that
//! may have run.

use super::paths::name;
use super::words::Lookup;

/// More commands than these in one script are not looked at.
const MAX_COMMANDS: usize = 2_000;

/// Words before a command that are none of its own.
pub(super) const KEYWORDS: &[&str] = &[
    "if", "then", "else", "elif", "do", "while", "until", "!", "{", "}", "time", "exec", "sudo",
    "command",
];

/// A command and its arguments.
pub(super) type Words = Vec<String>;

/// The commands in a script, in their order. Continued lines and comments are taken out; variables that
/// `lookup` does not know stay as they are written.
pub(super) fn commands(script: &str, escape: char, lookup: Lookup<'_>) -> Vec<Words> {
    let mut reader = Reader {
        lookup,
        word: None,
        words: Vec::new(),
        commands: Vec::new(),
    };
    reader.run(&joined(script, escape));
    reader.commands
}

/// Whether a script is one command that needs no shell: no operator, no redirection, no variable.
pub(super) fn is_simple(script: &str) -> bool {
    let mut quote = None;
    for c in script.trim().chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some('\''), _) => {}
            (_, '$' | '`' | '\\') => return false,
            (None, '"' | '\'') => quote = Some(c),
            (None, '&' | '|' | ';' | '<' | '>' | '(' | ')' | '\n' | '*' | '?' | '~') => {
                return false;
            }
            _ => {}
        }
    }
    quote.is_none()
}

/// `NAME=value`, which sets a variable where it stands before a command.
pub(super) fn is_setting(word: &str) -> bool {
    let name = word.split_once('=').map(|(name, _)| name);
    name.is_some_and(|name| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

/// Whether a program is a shell.
pub(super) fn is_shell(program: &str) -> bool {
    matches!(name(program), "sh" | "bash" | "ash" | "dash" | "zsh")
}

/// Continued lines in one; comments and blank lines between them are left out.
pub(super) fn joined(script: &str, escape: char) -> String {
    let mut text = String::with_capacity(script.len());
    let mut continued = false;
    for line in script.lines() {
        let trimmed = line.trim();
        if trimmed.starts_with('#') || (continued && trimmed.is_empty()) {
            continue;
        }
        let line = line.trim_end();
        if let Some(head) = line.strip_suffix(escape) {
            text.push_str(head);
            text.push(' ');
            continued = true;
        } else {
            text.push_str(line);
            text.push('\n');
            continued = false;
        }
    }
    text
}

struct Reader<'a> {
    lookup: Lookup<'a>,
    word: Option<String>,
    words: Words,
    commands: Vec<Words>,
}

impl Reader<'_> {
    fn run(&mut self, text: &str) {
        let mut rest = text;
        let mut quoted = false;
        while let Some(c) = rest.chars().next() {
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
            match c {
                '\'' if !quoted => {
                    let (inside, after) = rest.split_once('\'').unwrap_or((rest, ""));
                    self.word.get_or_insert_default().push_str(inside);
                    rest = after;
                }
                '"' => {
                    quoted = !quoted;
                    self.word.get_or_insert_default();
                }
                '\\' => {
                    let next = rest.chars().next();
                    rest = rest
                        .get(next.map_or(0, char::len_utf8)..)
                        .unwrap_or_default();
                    self.word.get_or_insert_default().extend(next);
                }
                '$' => rest = self.variable(rest, quoted),
                c if quoted => self.word.get_or_insert_default().push(c),
                c if c.is_whitespace() && c != '\n' => self.end_word(),
                '#' if self.word.is_none() => {
                    rest = rest.split_once('\n').map_or("", |(_, after)| after);
                    self.end_command();
                }
                '&' | '|' | ';' | '\n' | '(' | ')' => self.end_command(),
                c => self.word.get_or_insert_default().push(c),
            }
        }
        self.end_command();
    }

    /// Puts in a variable's value, or leaves it as it is.
    fn variable<'t>(&mut self, rest: &'t str, quoted: bool) -> &'t str {
        let braced = rest.starts_with('{');
        let inner = rest.strip_prefix('{').unwrap_or(rest);
        let length = inner
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            .count();
        let (name, after) = inner.split_at(length);
        let after = if braced {
            after.strip_prefix('}')
        } else {
            Some(after)
        };
        let value = (self.lookup)(name).filter(|_| length > 0);
        let (Some(after), Some(value)) = (after, value) else {
            self.word.get_or_insert_default().push('$');
            return rest;
        };
        if quoted {
            self.word.get_or_insert_default().push_str(&value);
            return after;
        }
        // Without quotes, a value may be several words.
        for c in value.chars() {
            if c.is_whitespace() {
                self.end_word();
            } else {
                self.word.get_or_insert_default().push(c);
            }
        }
        after
    }

    fn end_word(&mut self) {
        if let Some(word) = self.word.take() {
            self.words.push(word);
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        let mut words = std::mem::take(&mut self.words);
        let skipped = words
            .iter()
            .take_while(|word| KEYWORDS.contains(&word.as_str()) || is_setting(word.as_str()))
            .count();
        words.drain(..skipped);
        if !words.is_empty() && self.commands.len() < MAX_COMMANDS {
            self.commands.push(words);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(script: &str) -> Vec<String> {
        let lookup = |name: &str| match name {
            "APP" => Some("orders".to_owned()),
            "TWO" => Some("a b".to_owned()),
            _ => None,
        };
        let commands = commands(script, '\\', &lookup);
        commands.iter().map(|words| words.join("|")).collect()
    }

    #[test]
    fn commands_are_told_apart() {
        assert_eq!(
            of(
                "set -eux; \\\n  # why\n  apt-get update && apt-get install -y 'a b' \"$APP\" \\\n\n  c || exit 1\n"
            ),
            [
                "set|-eux",
                "apt-get|update",
                "apt-get|install|-y|a b|orders|c",
                "exit|1"
            ]
        );
        assert_eq!(
            of("if [ -x y ]; then A=1 cp target/release/${APP} /bin/$OTHER; fi # end"),
            ["[|-x|y|]", "cp|target/release/orders|/bin/$OTHER", "fi"]
        );
        assert_eq!(of("echo 'it''s' a\\ b"), ["echo|its|a b"]);
        assert_eq!(of("echo x$TWO \"$TWO\""), ["echo|xa|b|a b"]);
    }

    #[test]
    fn simple_commands_need_no_shell() {
        assert!(is_simple("/app/orders --listen '0.0.0.0:80' \"a b\""));
        for script in ["a && b", "a $B", "a > b", "a `b`", "a \"$b\"", "a 'b"] {
            assert!(!is_simple(script), "{script}");
        }
    }

    proptest! {
        #[test]
        fn any_script_can_be_read(script in "(?s)[ a-z$'\"{}\\\\&|;#\né=]{0,80}") {
            of(&script);
            is_simple(&script);
        }
    }
}

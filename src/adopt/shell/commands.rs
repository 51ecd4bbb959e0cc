//! Commands of a shell, read as far as it takes to see what a `RUN` does.
//!
//! Nothing is run, and no loop or condition is followed: each command in the text is taken as one that
//! may have run.

use super::script::Script;
use super::script_word::{Filled, Knowledge};
use super::variable::Lookup;
use crate::adopt::paths::{absolute, name};

/// More commands than these in one script are not looked at.
const MAX_COMMANDS: usize = 2_000;

/// More variables of one script are not followed.
const MAX_EXPORTED: usize = 20;

/// Words before a command that are none of its own.
pub(super) const KEYWORDS: &[&str] = &[
    "if", "then", "else", "elif", "do", "while", "until", "!", "{", "}", "time", "exec", "sudo",
    "command",
];

/// Words before a command that say whether it runs at all, and how often.
const CONDITIONS: &[&str] = &[
    "if", "elif", "while", "until", "for", "case", "select", "function",
];

/// A command that a `RUN` runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::adopt) struct Ran {
    /// Variables that are set for it: `NAME=value`.
    pub(in crate::adopt) settings: Vec<String>,
    /// The program and its arguments. Variables that nobody knows stay as they are written.
    pub(in crate::adopt) words: Vec<String>,
    /// Files that its output goes to.
    pub(in crate::adopt) writes: Vec<String>,
    /// The directory it runs in.
    pub(in crate::adopt) here: String,
    /// Whether it runs whatever the others do.
    pub(in crate::adopt) surely: bool,
}

/// The commands in a script that begins in the directory `workdir`, in their order. Continued lines and
/// comments are taken out.
pub(in crate::adopt) fn commands(
    script: &str,
    escape: char,
    workdir: &str,
    lookup: Lookup<'_>,
) -> Vec<Ran> {
    let script = Script::new(&joined(script, escape));
    let knowledge = Knowledge {
        parameters: &[],
        lookup,
        is_bash: false,
        keeps: true,
    };
    let filled = |words: &[String]| -> Vec<String> {
        let words = words.iter().map(|word| Filled::new(word, knowledge).words);
        words.flatten().collect()
    };
    let whole = |words: &[String]| -> Vec<String> {
        let words = words.iter().map(|word| filled(std::slice::from_ref(word)));
        words.map(|words| words.join(" ")).collect()
    };
    let mut here = workdir.to_owned();
    let mut exported: Vec<String> = Vec::new();
    let mut ran = Vec::new();
    for command in script.commands.iter().take(MAX_COMMANDS) {
        let words = filled(&command.words);
        if words.is_empty() {
            continue;
        }
        let writes: Vec<String> = command
            .redirections
            .iter()
            .filter_map(|word| written(word))
            .collect();
        let then = match words.as_slice() {
            [program, target, ..] if program == "cd" => Some(absolute(&here, target)),
            _ => None,
        };
        if words.first().is_some_and(|program| program == "export") {
            let set = whole(&command.words)
                .into_iter()
                .filter(|word| is_setting(word));
            let left = MAX_EXPORTED.saturating_sub(exported.len());
            exported.extend(set.take(left));
        }
        let settings = exported.iter().cloned().chain(whole(&command.settings));
        ran.push(Ran {
            settings: settings.collect(),
            words,
            writes: filled(&writes),
            here: here.clone(),
            surely: !command.maybe,
        });
        here = then.unwrap_or(here);
    }
    ran
}

/// The file that a redirection writes to.
fn written(redirection: &str) -> Option<String> {
    let at = redirection.find('>')?;
    let file = redirection
        .get(at..)?
        .trim_start_matches(['>', '|', '&', ' ', '\t']);
    let is_number = file
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'-');
    (!is_number && !file.starts_with("/dev/")).then(|| file.to_owned())
}

/// Whether a word says that what follows may not run, or not once.
pub(super) fn is_condition(word: &str) -> bool {
    CONDITIONS.contains(&word)
}

/// Whether a script is one command that needs no shell: no operator, no redirection, no variable.
pub(in crate::adopt) fn is_simple(script: &str) -> bool {
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
pub(in crate::adopt) fn is_setting(word: &str) -> bool {
    let name = word.split_once('=').map(|(name, _)| name);
    name.is_some_and(|name| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

/// Whether a program is a shell.
pub(in crate::adopt) fn is_shell(program: &str) -> bool {
    matches!(name(program), "sh" | "bash" | "ash" | "dash" | "zsh")
}

/// Continued lines in one; comments and blank lines between them are left out.
pub(in crate::adopt) fn joined(script: &str, escape: char) -> String {
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
        let commands = commands(script, '\\', "/w", &lookup);
        commands.iter().map(|ran| ran.words.join("|")).collect()
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
        assert_eq!(
            of("make -j$(nproc --all) `x y` \"${NO:-1}\" $1 $@ *.c ~/x"),
            ["make|-j$(nproc --all)|`x y`|${NO:-1}|$1|$@|*.c|~/x"]
        );
    }

    #[test]
    fn where_commands_run_and_write_is_known() {
        let ran = |script| commands(script, '\\', "/w", &|_| None);
        let found = ran("cd a && x > b 2>&1 >> $C/d; cd /e; y 2> /dev/null");
        let here: Vec<&str> = found.iter().map(|ran| ran.here.as_str()).collect();
        assert_eq!(here, ["/w", "/w/a", "/w/a", "/e"]);
        assert_eq!(found[1].writes, ["b", "$C/d"]);
        assert!(found[3].writes.is_empty());
        assert!(found.iter().all(|ran| ran.surely));
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

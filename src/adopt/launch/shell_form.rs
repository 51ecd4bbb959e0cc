//! What a shell starts, without the shell.

use super::process::{INITS, Launch, SWITCHES};
use super::without_shell::Unshelled;
use crate::adopt::dockerfile::{Form, Settings};
use crate::adopt::paths::name;
use crate::adopt::remark::{Remark, list};
use crate::adopt::secrets::{holds_secret, shown, shown_words};
use crate::adopt::shell::{Filled, Script, Written, is_simple};

impl Launch {
    /// Beside an entry point in exec form, the shell of a `CMD` is an argument like others.
    pub(super) fn note_shell_of_command(&mut self, settings: &Settings) {
        let Some(command) = &settings.command else {
            return;
        };
        let (Form::Shell { shell, text }, true) = (&command.value, settings.entrypoint.is_some())
        else {
            return;
        };
        if !self.args.ends_with(&command.value.words()) {
            return;
        }
        let words = Script::new(text)
            .commands
            .into_iter()
            .next()
            .unwrap_or_default()
            .words;
        let is_told = is_simple(text) && !holds_secret(text);
        let unshelled = Unshelled::new(settings, shell, &[]);
        let words: Vec<String> = words
            .iter()
            .flat_map(|word| unshelled.filled(word).words)
            .map(|word| serde_json::Value::from(word).to_string())
            .collect();
        let written = if is_told {
            words.join(", ")
        } else {
            "…".to_owned()
        };
        if holds_secret(text) {
            let kept = self.args.len().saturating_sub(shell.len() + 1);
            self.args.truncate(kept);
            self.remarks.push(Remark::lost(
                command.line,
                "the text of `CMD` holds what looks like a secret: it is left out of `args`",
                "give it to the service when it runs, such as from a Kubernetes Secret",
            ));
        }
        let shell: Vec<String> = shell.iter().map(|word| format!("`{word}`")).collect();
        self.remarks.push(Remark::lost(
            command.line,
            &format!(
                "`CMD` in shell form starts no shell beside this `ENTRYPOINT`, which gets {} and the text as arguments",
                shell.join(", ")
            ),
            &format!("if they were meant as arguments, write `CMD [{written}]`"),
        ));
    }

    /// The command in `text` that starts the service; `after` is what follows it in a command line.
    pub(in crate::adopt) fn script(
        &mut self,
        shell: &[String],
        text: &str,
        after: &[String],
        settings: &Settings,
        is_ours: &dyn Fn(&str) -> bool,
    ) -> Option<Vec<String>> {
        let called = shell.join(" ");
        let script = Script::new(text);
        if script.open {
            self.lost(
                &format!("the text for `{called}` opens a quote and never closes it"),
                "close it",
            );
        }
        let unshelled = Unshelled::new(settings, shell, after);
        let is_told = !script.open && !is_foreign(shell);
        let found = script
            .commands
            .iter()
            .rposition(|command| starts_ours(&unshelled, command, is_ours))
            .or_else(|| is_simple(text).then_some(0))
            .filter(|_| is_told);
        let Some(command) = found.and_then(|at| script.commands.get(at)) else {
            self.unread = Some(called);
            return None;
        };
        self.changed(
            &format!("`{called}` starts the executable, and the image has no shell: it is started without one"),
            "",
        );
        let others: Vec<String> = script
            .commands
            .iter()
            .filter(|other| !std::ptr::eq(*other, command) && !is_end(other))
            .map(named)
            .collect();
        let starts = script.commands.iter();
        let starts = starts.filter(|command| starts_ours(&unshelled, command, is_ours));
        if !script.straight && starts.count() > 1 {
            self.lost(
                &format!(
                    "a condition of `{called}` decides what is started: here it is `{}`",
                    told(command)
                ),
                "let the program decide, or give callers the arguments",
            );
        }
        if !others.is_empty() {
            self.lost(
                &format!(
                    "`{called}` also runs {}, and the image has no shell",
                    list(&others)
                ),
                "do that in the program, or in a job of its own",
            );
        }
        self.told_of_parameters(text, after);
        self.told_of_settings(&command.settings);
        for redirection in &command.redirections {
            self.lost(
                &format!("`{}` sends its output elsewhere, or gives it a file to read: only a shell does that", shown(redirection)),
                "let the program open the file; what it prints is kept by whatever runs the image",
            );
        }
        let line = self.line;
        let (words, remarks) = unshelled.words(command, "args");
        let remarks = remarks.into_iter();
        self.remarks
            .extend(remarks.map(|(message, advice)| Remark::lost(line, &message, &advice)));
        Some(words)
    }

    /// Words after a script: the first is what it is called, the others are `$1` and so on.
    fn told_of_parameters(&mut self, text: &str, after: &[String]) {
        const FILLERS: &[&str] = &["--", "-", "_", "sh", "bash", "/bin/sh", "/bin/bash"];
        let is_filler = |word: &String| FILLERS.contains(&word.as_str());
        let used = uses_parameters(text);
        let unused = after.iter().enumerate().filter(|(at, word)| match at {
            0 => !is_filler(word) && !text.contains("$0"),
            _ => !used,
        });
        let unused: Vec<String> = unused.map(|(_, word)| shown(word)).collect();
        for word in unused {
            self.lost(
                &format!("`{word}` is a parameter of the script, which does not use it"),
                "put it into `args`, if the executable was meant to have it",
            );
        }
    }

    pub(super) fn told_of_settings(&mut self, settings: &[String]) {
        for setting in settings {
            let name = setting.split('=').next().unwrap_or_default().to_owned();
            let is_told = shown(setting) == *setting;
            let advice = if is_told {
                format!("set `{name}` in `env`")
            } else {
                format!("set `{name}` when the service runs, such as from a Kubernetes Secret")
            };
            self.lost(
                &format!("`{}` is set for the executable alone", shown(setting)),
                &advice,
            );
        }
    }
}

/// Whether it is a shell of another system, with a language of its own.
fn is_foreign(shell: &[String]) -> bool {
    let program = shell.first().map_or("", |program| name(program));
    let program = program
        .rsplit('\\')
        .next()
        .unwrap_or_default()
        .to_lowercase();
    let program = program.strip_suffix(".exe").unwrap_or(&program);
    matches!(program, "powershell" | "pwsh" | "cmd" | "fish" | "nu")
}

/// Whether a command starts an executable of ours, maybe by a program that starts others.
fn starts_ours(unshelled: &Unshelled, command: &Written, is_ours: &dyn Fn(&str) -> bool) -> bool {
    let mut words = command.words.iter().map(|word| unshelled.filled(word));
    let is_it = |filled: &Filled| {
        let first = filled.words.first();
        filled.is_known() && first.is_some_and(|word| is_ours(word))
    };
    let Some(program) = words.next() else {
        return false;
    };
    let starts_another = program.words.first().is_some_and(|word| {
        let program = name(word);
        INITS.contains(&program) || SWITCHES.contains(&program)
    });
    is_it(&program) || (starts_another && words.any(|filled| is_it(&filled)))
}

/// Whether a command is nothing but the end of a condition or a loop.
fn is_end(command: &Written) -> bool {
    let words: Vec<&str> = command.words.iter().map(String::as_str).collect();
    matches!(words.as_slice(), ["fi" | "done" | "esac" | ";;"])
}

/// A command as it is written, without secrets in it.
fn told(command: &Written) -> String {
    shown_words(command.settings.iter().chain(&command.words))
}

/// A command by its program, and by what it is to do where that is a plain word for a program of the image's own:
/// any other word may be a password.
fn named(command: &Written) -> String {
    let plain = |word: &&String| word.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    let mut words = command.words.iter();
    let program = words.next();
    let of_image = program.is_some_and(|program| program.contains('/'));
    let verb = words.next().filter(|_| of_image).filter(plain);
    shown_words(program.into_iter().chain(verb))
}

/// Whether a script does something with what follows it.
pub(super) fn uses_parameters(text: &str) -> bool {
    text.split('$').skip(1).any(|rest| {
        let name = rest.strip_prefix('{').unwrap_or(rest);
        name.starts_with(['@', '*', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
    })
}

//! What a container of the old image starts: `ENTRYPOINT` and `CMD` together, without what stands
//! around the executable.

use super::build::{Build, build};
use super::filled::Filled;
use super::paths::name;
use super::remark::Remark;
use super::runs::list;
use super::script::{Script, Written};
use super::secret::{holds_secret, shown, shown_words};
use super::shell::{is_setting, is_shell, is_simple};
use super::stage::{Form, Said, Settings};
use super::unshelled::Unshelled;

/// What is started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Launch {
    /// The line that says it.
    pub(super) line: usize,
    /// A path or a name; `None` where nothing says what is started.
    pub(super) executable: Option<String>,
    pub(super) args: Vec<String>,
    /// The build of `cargo run`.
    pub(super) build: Option<Build>,
    pub(super) remarks: Vec<Remark>,
    /// A shell whose script starts nothing that is known.
    unread: Option<String>,
}

/// Programs that only start another one as the first process of a container.
const INITS: &[&str] = &[
    "tini",
    "tini-static",
    "dumb-init",
    "catatonit",
    "docker-init",
    "s6-svscan",
];

/// Whether a program only starts another one.
pub(super) fn is_init(program: &str) -> bool {
    INITS.contains(&program)
}

/// Programs that do something first, and then start another one.
const SWITCHES: &[&str] = &["gosu", "su-exec", "chroot", "setpriv", "env"];

/// What `settings` start. `is_ours` tells whether a word names an executable of the image.
pub(super) fn launch(settings: &Settings, is_ours: &dyn Fn(&str) -> bool) -> Launch {
    let mut launch = Launch::default();
    let mut words = match (&settings.entrypoint, &settings.command) {
        (None, None) => return launch,
        (Some(entrypoint), command) => launch.of_entrypoint(entrypoint, command.as_ref()),
        (None, Some(command)) => {
            launch.line = command.line;
            launch.note_command(&command.value);
            command.value.words()
        }
    };
    // Each round takes off one program, and no Dockerfile has more than a few.
    for _ in 0..8 {
        let Some(inner) = launch.unwrap(&words, settings, is_ours) else {
            break;
        };
        words = inner;
    }
    let mut words = words.into_iter();
    launch.executable = words.next().filter(|word| !word.is_empty());
    launch.args = words.collect();
    let shell = launch.executable.take_if(|program| is_shell(program));
    if let Some(shell) = launch.unread.take().or(shell) {
        launch.executable = None;
        launch.args.clear();
        launch.lost(
            &format!("`{shell}` starts the service, and the image has no shell"),
            "do what it does in the program; variables can be read there, and `env` sets them",
        );
    }
    launch.note_shell_of_command(settings);
    let replaced = settings
        .command
        .as_ref()
        .map_or(0, |command| command.value.words().len());
    let is_fixed = settings
        .entrypoint
        .as_ref()
        .is_some_and(|said| said.value.is_exec());
    if is_fixed && launch.args.len() > replaced {
        launch.changed(
            "arguments of `ENTRYPOINT` become `args`, which a caller replaces as a whole",
            "let the program have them as its defaults, if callers give arguments of their own",
        );
    }
    launch
}

impl Launch {
    fn of_entrypoint(
        &mut self,
        entrypoint: &Said<Form>,
        command: Option<&Said<Form>>,
    ) -> Vec<String> {
        self.line = entrypoint.line;
        let mut words = entrypoint.value.words();
        let Some(command) = command else {
            return words;
        };
        if let Form::Shell { text, .. } = &entrypoint.value
            && !uses_parameters(text)
        {
            self.remarks.push(Remark::changed(
                command.line,
                "`CMD` says nothing beside an `ENTRYPOINT` in shell form",
                "",
            ));
            return words;
        }
        words.extend(command.value.words());
        words
    }

    /// A `CMD` alone is replaced as a whole by a caller, executable included.
    fn note_command(&mut self, form: &Form) {
        if form.is_exec() {
            self.changed(
                "`CMD` without `ENTRYPOINT`: the executable becomes the entry point, and callers \
                 replace only its arguments",
                "",
            );
        }
    }

    /// Beside an entry point in exec form, the shell of a `CMD` is an argument like others.
    fn note_shell_of_command(&mut self, settings: &Settings) {
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
        let words: Vec<String> = words
            .iter()
            .flat_map(|word| Filled::new(word, &[], &|_| None).words)
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

    /// What `words` start, if that is a program which starts another one.
    fn unwrap(
        &mut self,
        words: &[String],
        settings: &Settings,
        is_ours: &dyn Fn(&str) -> bool,
    ) -> Option<Vec<String>> {
        let forms = [&settings.entrypoint, &settings.command];
        for said in forms.into_iter().flatten() {
            if let Form::Shell { shell, text } = &said.value
                && let Some(after) = words.strip_prefix(said.value.words().as_slice())
            {
                return self.script(shell, text, after, settings, is_ours);
            }
        }
        let (program, rest) = words.split_first()?;
        if is_ours(program) {
            return None;
        }
        match name(program) {
            init if INITS.contains(&init) => {
                self.changed(
                    &format!("`{init}` is not in the image: the service is the first process"),
                    "let it end at SIGTERM; where it starts processes of its own, run the \
                     container with `--init`",
                );
                Some(after_flags(rest, &["-p", "-e", "-r"]))
            }
            switch @ ("gosu" | "su-exec" | "chroot" | "setpriv") => {
                let advice = match rest.first() {
                    Some(user) if !user.starts_with('-') => format!("say `{user}` as `user`"),
                    _ => "say the user as `user`".to_owned(),
                };
                self.lost(
                    &format!("`{switch}` is not in the image: nothing runs as root first"),
                    &advice,
                );
                Some(rest.get(1..).unwrap_or_default().to_vec())
            }
            "env" | "exec" => {
                let skipped = rest.iter().take_while(|word| is_setting(word)).count();
                let (settings, rest) = rest.split_at(skipped);
                self.told_of_settings(settings);
                Some(rest.to_vec())
            }
            "cargo" => self.cargo_run(rest),
            shell if is_shell(shell) => {
                let is_flag = |word: &String| word.starts_with('-') && word.ends_with('c');
                let at = words.iter().position(is_flag)?;
                let text = words.get(at + 1)?;
                let after = words.get(at + 2..).unwrap_or_default();
                self.script(words.get(..=at)?, text, after, settings, is_ours)
            }
            script if is_script(script) || script.contains("entrypoint") => {
                self.lost(
                    &format!("`{script}` is a script, and the image has no shell"),
                    "do what it does in the program, or in a job of its own",
                );
                (!rest.is_empty()).then(|| rest.to_vec())
            }
            _ => None,
        }
    }

    /// `cargo run --bin NAME -- ARGUMENTS`.
    fn cargo_run(&mut self, rest: &[String]) -> Option<Vec<String>> {
        let command = rest.first()?;
        if !matches!(command.as_str(), "run" | "r") {
            return None;
        }
        self.changed(
            "`cargo run` compiles when a container starts: the image has it compiled",
            "",
        );
        let split = rest.iter().position(|word| word == "--");
        let line = self.line;
        let flags = rest.get(..split.unwrap_or(rest.len())).unwrap_or_default();
        let words: Vec<String> = std::iter::once("cargo".to_owned())
            .chain(flags.iter().cloned())
            .collect();
        self.build = build(&words).map(|build| Build { line, ..build });
        let named = flags.iter().position(|word| word == "--bin");
        let executable = named.and_then(|at| flags.get(at + 1)).cloned();
        let arguments = split.and_then(|at| rest.get(at + 1..)).unwrap_or_default();
        Some(
            std::iter::once(executable.unwrap_or_default())
                .chain(arguments.iter().cloned())
                .collect(),
        )
    }

    /// The command in `text` that starts the service; `after` is what follows it in a command line.
    fn script(
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
        let unshelled = Unshelled::new(settings, after);
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
            .filter(|other| !std::ptr::eq(*other, command))
            .map(told)
            .collect();
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
        let (words, remarks) = unshelled.words(command);
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

    fn told_of_settings(&mut self, settings: &[String]) {
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

    /// Forgets what belongs to `other`, the service that is started instead of `named`.
    pub(super) fn instead(&mut self, other: &str, named: &str) {
        self.executable = None;
        self.args.clear();
        self.remarks.clear();
        self.lost(
            &format!(
                "service `{other}` is started here, not `{named}`: its arguments are not taken over"
            ),
            &format!("name in `args` what `{named}` is to be started with"),
        );
    }

    fn lost(&mut self, message: &str, advice: &str) {
        self.remarks.push(Remark::lost(self.line, message, advice));
    }

    fn changed(&mut self, message: &str, advice: &str) {
        self.remarks
            .push(Remark::changed(self.line, message, advice));
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

/// A command as it is written, without secrets in it.
fn told(command: &Written) -> String {
    shown_words(command.settings.iter().chain(&command.words))
}

/// Whether a script does something with what follows it.
fn uses_parameters(text: &str) -> bool {
    text.split('$').skip(1).any(|rest| {
        let name = rest.strip_prefix('{').unwrap_or(rest);
        name.starts_with(['@', '*', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
    })
}

fn is_script(program: &str) -> bool {
    let (_, end) = program.rsplit_once('.').unwrap_or_default();
    matches!(end, "sh" | "bash")
}

/// What follows flags, up to `--` if that is there.
fn after_flags(words: &[String], valued: &[&str]) -> Vec<String> {
    let mut at = 0;
    while let Some(word) = words.get(at) {
        if word == "--" {
            at += 1;
            break;
        }
        if !word.starts_with('-') {
            break;
        }
        at += if valued.contains(&word.as_str()) {
            2
        } else {
            1
        };
    }
    words.get(at..).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(entrypoint: Option<Form>, command: Option<Form>) -> Vec<String> {
        let said = |value| Said {
            line: 1,
            value,
            unset: Vec::new(),
            secret: false,
        };
        let set = Said {
            line: 1,
            value: "value".to_owned(),
            unset: Vec::new(),
            secret: false,
        };
        let settings = Settings {
            entrypoint: entrypoint.map(said),
            command: command.map(said),
            env: [("SET".to_owned(), set)].into(),
            ..Settings::default()
        };
        let launch = launch(&settings, &|word| name(word) == "app");
        launch.executable.into_iter().chain(launch.args).collect()
    }

    fn exec(words: &str) -> Form {
        Form::Exec(words.split(' ').map(str::to_owned).collect())
    }

    fn shell(text: &str) -> Form {
        Form::Shell {
            shell: Settings::default().shell(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn what_stands_around_the_executable_is_taken_off() {
        for (entrypoint, command, expected) in [
            (Some(exec("/app")), Some(exec("-x")), "/app -x"),
            (None, Some(exec("/app -x")), "/app -x"),
            (
                Some(exec("/sbin/tini -s -- /app")),
                Some(exec("-x")),
                "/app -x",
            ),
            (Some(exec("tini -p SIGTERM")), Some(exec("app")), "app"),
            (Some(exec("dumb-init")), Some(exec("sh -c /app")), "/app"),
            (None, Some(shell("exec /app -x 'a b'")), "/app -x a b"),
            (
                None,
                Some(shell("./migrate && exec ./app serve")),
                "./app serve",
            ),
            (None, Some(shell("app --port $PORT --name=$X -v")), "app -v"),
            (
                None,
                Some(shell("app -p $SET && app -q \"$SET\"")),
                "app -q value",
            ),
            (Some(exec("docker-entrypoint.sh")), Some(exec("app")), "app"),
            (Some(exec("gosu me app -x")), None, "app -x"),
            (
                None,
                Some(exec("cargo run --release --bin app -- -x")),
                "app -x",
            ),
            (Some(shell("app -y")), Some(exec("ignored")), "app -y"),
            (None, Some(shell("some $OTHER thing")), ""),
            (Some(exec("app.sh")), None, "app.sh"),
        ] {
            assert_eq!(
                of(entrypoint.clone(), command).join(" "),
                expected,
                "{entrypoint:?}"
            );
        }
    }
}

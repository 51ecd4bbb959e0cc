//! What a container of the old image starts: `ENTRYPOINT` and `CMD` together, without what stands
//! around the executable.

use super::build::{Build, build};
use super::paths::name;
use super::remark::Remark;
use super::shell::{commands, is_shell, is_simple};
use super::stage::{Form, Said, Settings};

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

/// What `settings` start. `is_ours` tells whether a word names an executable of the image.
pub(super) fn launch(settings: &Settings, is_ours: &dyn Fn(&str) -> bool) -> Launch {
    let mut launch = Launch::default();
    let mut words = match (&settings.entrypoint, &settings.command) {
        (None, None) => return launch,
        (Some(entrypoint), command) => launch.of_entrypoint(entrypoint, command.as_ref()),
        (None, Some(command)) => {
            launch.line = command.line;
            let words = words_of(&command.value);
            if words.len() > 1 || is_exec(&command.value) {
                launch.note_command(&command.value);
            }
            words
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
    if launch.executable.as_deref().is_some_and(is_shell) {
        launch.executable = None;
        launch.lost(
            "a shell starts the service, and the image has none",
            "do what it does in the program; variables can be read there, and `env` sets them",
        );
        launch.args.clear();
    }
    let replaced = settings
        .command
        .as_ref()
        .map_or(0, |command| words_of(&command.value).len());
    let is_fixed = settings
        .entrypoint
        .as_ref()
        .is_some_and(|said| is_exec(&said.value));
    if is_fixed && launch.args.len() > replaced {
        launch.changed(
            "arguments of `ENTRYPOINT` become `args`, which a caller replaces as a whole",
            "let the program have them as its defaults, if callers give arguments of their own",
        );
    }
    launch
}

fn is_exec(form: &Form) -> bool {
    matches!(form, Form::Exec(_))
}

fn words_of(form: &Form) -> Vec<String> {
    match form {
        Form::Exec(words) => words.clone(),
        Form::Shell(text) => vec!["/bin/sh".to_owned(), "-c".to_owned(), text.clone()],
    }
}

impl Launch {
    fn of_entrypoint(
        &mut self,
        entrypoint: &Said<Form>,
        command: Option<&Said<Form>>,
    ) -> Vec<String> {
        self.line = entrypoint.line;
        let mut words = words_of(&entrypoint.value);
        let Form::Exec(_) = &entrypoint.value else {
            if let Some(command) = command {
                self.remarks.push(Remark::changed(
                    command.line,
                    "`CMD` says nothing beside an `ENTRYPOINT` in shell form",
                    "",
                ));
            }
            return words;
        };
        words.extend(
            command
                .map(|command| words_of(&command.value))
                .unwrap_or_default(),
        );
        words
    }

    /// A `CMD` alone is replaced as a whole by a caller, executable included.
    fn note_command(&mut self, form: &Form) {
        if is_exec(form) {
            self.changed(
                "`CMD` without `ENTRYPOINT`: the executable becomes the entry point, and callers \
                 replace only its arguments",
                "",
            );
        }
    }

    /// What `words` start, if that is a program which starts another one.
    fn unwrap(
        &mut self,
        words: &[String],
        settings: &Settings,
        is_ours: &dyn Fn(&str) -> bool,
    ) -> Option<Vec<String>> {
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
                self.lost(
                    &format!("`{switch}` is not in the image: nothing runs as root first"),
                    "say the user as `user`",
                );
                Some(rest.get(1..).unwrap_or_default().to_vec())
            }
            "env" | "exec" => {
                let skipped = rest.iter().take_while(|word| word.contains('=')).count();
                Some(rest.get(skipped..).unwrap_or_default().to_vec())
            }
            "cargo" => self.cargo_run(rest),
            shell if is_shell(shell) => self.script(rest, settings, is_ours),
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

    /// `-c SCRIPT`: the command in it, if it starts the service.
    fn script(
        &mut self,
        rest: &[String],
        settings: &Settings,
        is_ours: &dyn Fn(&str) -> bool,
    ) -> Option<Vec<String>> {
        let at = rest
            .iter()
            .position(|word| word.starts_with('-') && word.ends_with('c'))?;
        let script = rest.get(at + 1)?;
        let plain = commands(script, '\\', &|_| None);
        if is_simple(script) {
            self.changed(
                "the shell form starts a shell, which the image has not: the executable is started \
                 without one",
                "",
            );
            return plain.into_iter().next();
        }
        // The last is what stays running.
        let is_it = |words: &Vec<String>| words.first().is_some_and(|word| is_ours(word));
        let ours = plain.iter().rposition(is_it)?;
        if plain.len() > 1 {
            self.lost(
                "a shell runs several commands, and the image has none",
                "do in the program what stands around the executable, or in a job of its own",
            );
        }
        let variable = |name: &str| settings.env.get(name).map(|said| said.value.clone());
        let filled = commands(script, '\\', &variable);
        Some(self.without_shell(plain.get(ours)?, filled.get(ours)?))
    }

    /// A command without what only a shell can put in: `filled` has the values that are known.
    fn without_shell(&mut self, plain: &[String], filled: &[String]) -> Vec<String> {
        let needs_shell = |word: &String| word.contains(['$', '`', '<', '>', '*', '~']);
        if let Some(word) = plain.iter().find(|word| needs_shell(word)) {
            self.lost(
                &format!("a shell puts something in for `{word}`, and the image has none"),
                "`args` has the value it has unless someone sets another; let the program read the variable",
            );
        } else {
            self.changed("a shell starts the executable, and the image has none", "");
        }
        let mut words: Vec<String> = Vec::new();
        for word in filled {
            if !needs_shell(word) {
                words.push(word.clone());
                continue;
            }
            // A flag without its value would be another one.
            if words.len() > 1 && words.last().is_some_and(|last| last.starts_with('-')) {
                words.pop();
            }
        }
        words
    }

    fn lost(&mut self, message: &str, advice: &str) {
        self.remarks.push(Remark::lost(self.line, message, advice));
    }

    fn changed(&mut self, message: &str, advice: &str) {
        self.remarks
            .push(Remark::changed(self.line, message, advice));
    }
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
        };
        let set = Said {
            line: 1,
            value: "value".to_owned(),
            unset: Vec::new(),
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
        Form::Shell(text.to_owned())
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

//! What a container of the old image starts: `ENTRYPOINT` and `CMD` together, without what stands
//! around the executable.

use super::shell_form::uses_parameters;
use crate::adopt::dockerfile::{Build, Form, Said, Settings, build};
use crate::adopt::paths::name;
use crate::adopt::remark::Remark;
use crate::adopt::shell::{is_setting, is_shell};

/// What is started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::adopt) struct Launch {
    /// The line that says it.
    pub(in crate::adopt) line: usize,
    /// A path or a name; `None` where nothing says what is started.
    pub(in crate::adopt) executable: Option<String>,
    pub(in crate::adopt) args: Vec<String>,
    /// The build of `cargo run`.
    pub(in crate::adopt) build: Option<Build>,
    pub(in crate::adopt) remarks: Vec<Remark>,
    /// What starts it as another user.
    pub(in crate::adopt) switch: Option<Switch>,
    /// A shell whose script starts nothing that is known.
    pub(super) unread: Option<String>,
}

/// A program that starts another one as a user, whom it is given by name or number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::adopt) struct Switch {
    pub(in crate::adopt) program: String,
    pub(in crate::adopt) user: Option<String>,
}

/// Programs that only start another one as the first process of a container.
pub(super) const INITS: &[&str] = &[
    "tini",
    "tini-static",
    "dumb-init",
    "catatonit",
    "docker-init",
    "s6-svscan",
];

/// Whether a program only starts another one.
pub(in crate::adopt) fn is_init(program: &str) -> bool {
    INITS.contains(&program)
}

/// Programs that do something first, and then start another one.
pub(super) const SWITCHES: &[&str] = &["gosu", "su-exec", "chroot", "setpriv", "runuser", "env"];

/// What `settings` start. `is_ours` tells whether a word names an executable of the image.
pub(in crate::adopt) fn launch(settings: &Settings, is_ours: &dyn Fn(&str) -> bool) -> Launch {
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
                // What was meant is no command, and told with the other settings.
                if said.value.is_broken_list() {
                    return Some(Vec::new());
                }
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
                self.told_of_init(init, rest);
                Some(after_flags(rest, &["-p", "-e", "-r", "--rewrite"]))
            }
            program @ ("gosu" | "su-exec" | "chroot" | "setpriv" | "runuser" | "su") => {
                let (user, started) = switched(program, rest, is_ours);
                self.switch = Some(Switch {
                    program: program.to_owned(),
                    user,
                });
                Some(started)
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

    /// What an init does to signals and exit codes.
    fn told_of_init(&mut self, init: &str, words: &[String]) {
        let flags = words.iter().take_while(|word| *word != "--").enumerate();
        for (at, word) in flags.take_while(|(_, word)| !word.starts_with('/')) {
            let next = words.get(at + 1).map_or("", String::as_str);
            let value = word.split_once('=').map_or(next, |(_, value)| value);
            match word.split('=').next().unwrap_or_default() {
                "-r" | "--rewrite" if value.contains(':') => self.lost(
                    &format!("`{init}` turns signals into others: {value}"),
                    "name the signal that ends the service in `stop-signal`",
                ),
                "-e" if !value.is_empty() => self.lost(
                    &format!("`{init}` turns the exit code {value} into 0"),
                    "let the program end with 0 where that is meant",
                ),
                _ => {}
            }
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

    /// Forgets what belongs to `other`, the service that is started instead of `named`.
    pub(in crate::adopt) fn instead(&mut self, other: &str, named: &str) {
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

    /// Forgets what belongs to `other`, which is started and not in the image.
    pub(in crate::adopt) fn absent(&mut self, other: &str, named: &str) {
        self.executable = None;
        self.args.clear();
        self.lost(
            &format!(
                "`{other}` is started here, and nothing puts it into the image: `{named}` is taken, whose \
                 executable is there, and no arguments"
            ),
            &format!(
                "see whether the Dockerfile is for `{named}`, and name in `args` what that is to be started with"
            ),
        );
    }

    pub(in crate::adopt) fn lost(&mut self, message: &str, advice: &str) {
        self.remarks.push(Remark::lost(self.line, message, advice));
    }

    pub(in crate::adopt) fn changed(&mut self, message: &str, advice: &str) {
        self.remarks
            .push(Remark::changed(self.line, message, advice));
    }
}

/// The user and the command of a program that starts something as another user.
fn switched(
    program: &str,
    words: &[String],
    is_ours: &dyn Fn(&str) -> bool,
) -> (Option<String>, Vec<String>) {
    const VALUED: &[&str] = &[
        "--reuid",
        "--ruid",
        "--euid",
        "--regid",
        "--rgid",
        "--egid",
        "--groups",
        "--inh-caps",
        "--ambient-caps",
        "--bounding-set",
        "--securebits",
        "-u",
        "-g",
        "-G",
        "-c",
        "-s",
        "--user",
        "--group",
        "--command",
        "--shell",
    ];
    let rest = after_flags(words, VALUED);
    let flags = words.get(..words.len() - rest.len()).unwrap_or_default();
    let value = |names: &[&str], among: &[String]| {
        among.iter().enumerate().find_map(|(at, word)| {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            let next = || among.get(at + 1).cloned();
            let is_it = names.contains(&name);
            let given = if word.contains('=') {
                Some(value.to_owned())
            } else {
                next()
            };
            given.filter(|_| is_it)
        })
    };
    match program {
        "setpriv" => {
            let user = value(&["--reuid", "--ruid", "--euid"], flags);
            let group = value(&["--regid", "--rgid", "--egid"], flags);
            let user = user.map(|user| match group {
                Some(group) => format!("{user}:{group}"),
                None => user,
            });
            (user, rest)
        }
        "chroot" => (
            value(&["--userspec"], flags),
            rest.get(1..).unwrap_or_default().to_vec(),
        ),
        "runuser" if flags.iter().any(|flag| flag == "-u") => (value(&["-u"], flags), rest),
        "su" | "runuser" => {
            let user = rest.iter().find(|word| *word != "-");
            let text = value(&["-c", "--command"], words);
            let shell = |text| ["/bin/sh".to_owned(), "-c".to_owned(), text].to_vec();
            (user.cloned(), text.map(shell).unwrap_or_default())
        }
        // A user whom only a shell knows is left out already.
        _ => match rest.split_first() {
            Some((first, after)) if !is_ours(first) => (Some(first.clone()), after.to_vec()),
            _ => (None, rest),
        },
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
        let said = |value| Said::plain(1, value);
        let set = Said::plain(1, "value".to_owned());
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
            (Some(exec("tini -g -e 143 -- app -x")), None, "app -x"),
            (
                Some(exec("dumb-init -c --rewrite 15:2 -- app -x")),
                None,
                "app -x",
            ),
            (Some(exec("dumb-init -c --rewrite=15:2 app")), None, "app"),
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
                Some(exec("setpriv --reuid=1 --clear-groups app -x")),
                None,
                "app -x",
            ),
            (Some(exec("chroot --userspec=1:2 / app -x")), None, "app -x"),
            (Some(exec("runuser -u me -- app -x")), None, "app -x"),
            (None, Some(shell("exec gosu \"$NOBODY\" app -x")), "app -x"),
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

//! From a Dockerfile's text to its stages.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use parse_dockerfile::{Command, FromInstruction, HealthcheckArguments, Instruction};

use super::arguments::platform_arguments;
use super::expansion::{Expanded, arguments, expand, pairs};
use super::mistakes::{Mistake, mistake};
use super::source::{NO_WORD, Source};
use super::stage::{Check, Form, Said, Settings, Stage};
use super::syntax::{keyword, place, refused};
use crate::adopt::error::AdoptError;
use crate::adopt::paths::absolute;
use crate::adopt::remark::Remark;
use crate::adopt::secrets::is_secret;
use crate::adopt::shell::{self, MAX_VALUE};
use crate::report::printable;

/// More stages than any Dockerfile has.
const MAX_STAGES: usize = 100;
/// More instructions than any Dockerfile has, and more files in all its `COPY`.
const MAX_INSTRUCTIONS: usize = 2_000;
/// How many bytes of values are put in, all together.
const MAX_VALUES: usize = 1024 * 1024;
/// What an image has in `PATH` unless it says otherwise.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What a Dockerfile says.
#[derive(Debug)]
pub(in crate::adopt) struct Dockerfile {
    pub(in crate::adopt) stages: Vec<Stage>,
    /// Names of all its `ARG`.
    pub(in crate::adopt) arguments: BTreeSet<String>,
}

/// Reads all stages. `file` is what errors call the text, `given` are the values of `--build-arg`.
///
/// # Errors
/// [`AdoptError`] where the text is no Dockerfile, or too large.
pub(in crate::adopt) fn read(
    text: &str,
    file: &str,
    given: &BTreeMap<String, String>,
) -> Result<Dockerfile, AdoptError> {
    let source = Source::new(text, file)?;
    let parsed = parse_dockerfile::parse(&source.text)
        .map_err(|error| refused(&error, &source.text, file))?;
    let limit = |what, count, limit| {
        if count > limit {
            let file = printable(file);
            return Err(AdoptError::TooMany {
                file,
                what,
                count,
                limit,
            });
        }
        Ok(())
    };
    limit("stages", parsed.stages().len(), MAX_STAGES)?;
    limit("instructions", parsed.instructions.len(), MAX_INSTRUCTIONS)?;
    let sources = parsed
        .instructions
        .iter()
        .map(|instruction| match instruction {
            Instruction::Copy(copy) => copy.src.len(),
            Instruction::Add(add) => add.src.len(),
            _ => 0,
        });
    limit("files to copy", sources.sum(), MAX_INSTRUCTIONS)?;
    let mut reading = Reading {
        source: &source,
        given,
        global: platform_arguments(given),
        stages: Vec::new(),
        line: 0,
        declared: BTreeSet::new(),
        secrets: BTreeSet::new(),
        touched: Cell::new(false),
        broken: RefCell::default(),
        open: Cell::new(None),
        budget: Cell::new(MAX_VALUES),
    };
    for instruction in &parsed.instructions {
        let span = keyword(instruction).map(|word| word.span.clone());
        let span = span.unwrap_or_default();
        reading.line = source.line(span.start);
        let place = || place(file, source.line(span.start));
        if let Some(Mistake { message, hint }) = mistake(instruction, source.escape) {
            return Err(AdoptError::Syntax {
                place: place(),
                message: printable(&message),
                hint: printable(&hint),
            });
        }
        reading.instruction(instruction);
        if reading.budget.get() == 0 {
            return Err(AdoptError::TooManyValues { place: place() });
        }
        if let Some(open) = reading.open.get() {
            let name = source.text.get(span.clone()).unwrap_or_default();
            return Err(AdoptError::Unclosed {
                place: place(),
                instruction: name.to_uppercase(),
                open,
                escape: source.escape,
            });
        }
    }
    Ok(Dockerfile {
        stages: reading.stages,
        arguments: reading.declared,
    })
}

/// What was read so far.
pub(super) struct Reading<'a> {
    pub(super) source: &'a Source,
    given: &'a BTreeMap<String, String>,
    /// `ARG` before the first `FROM`, and what every build knows.
    global: BTreeMap<String, Option<String>>,
    pub(super) stages: Vec<Stage>,
    /// The line of the instruction.
    pub(super) line: usize,
    /// Names of all `ARG`.
    declared: BTreeSet<String>,
    /// Variables whose values look like secrets. Nothing keeps those values.
    secrets: BTreeSet<String>,
    /// Whether one of them was asked for.
    touched: Cell<bool>,
    /// What docker refuses in a variable that was asked for.
    broken: RefCell<Option<String>>,
    /// What was opened and never closed.
    open: Cell<Option<char>>,
    /// What is left of [`MAX_VALUES`].
    budget: Cell<usize>,
}

impl Reading<'_> {
    fn instruction(&mut self, instruction: &Instruction<'_>) {
        match instruction {
            Instruction::From(from) => self.from(from),
            Instruction::Arg(arg) => self.arg(&arg.arguments.value),
            Instruction::Env(env) => {
                let line = self.source.line(env.env.span.start);
                let pairs = self.pairs(line, &env.arguments.value);
                self.learn(&pairs);
                self.settings(|settings| settings.env.extend(pairs));
            }
            Instruction::Label(label) => {
                let line = self.source.line(label.label.span.start);
                let pairs = self.pairs(line, &label.arguments.value);
                self.settings(|settings| settings.labels.extend(pairs));
            }
            Instruction::Expose(expose) => {
                let line = self.source.line(expose.expose.span.start);
                let words = expose.arguments.iter().map(|word| word.value.as_ref());
                let ports = self.all(line, words);
                self.settings(|settings| settings.ports.extend(ports));
            }
            Instruction::Volume(volume) => {
                use parse_dockerfile::JsonOrStringArray::{Json, String};
                let line = self.source.line(volume.volume.span.start);
                let volumes = match &volume.arguments {
                    Json(words) => self.whole(line, words.value.iter().map(|w| w.value.as_ref())),
                    String(words) => self.all(line, words.iter().map(|w| w.value.as_ref())),
                };
                self.settings(|settings| settings.volumes.extend(volumes));
            }
            Instruction::User(user) => {
                let said = self.said(user.user.span.start, &user.arguments.value);
                self.settings(|settings| settings.user = Some(said));
            }
            Instruction::Workdir(workdir) => {
                let mut said = self.said(workdir.workdir.span.start, &workdir.arguments.value);
                self.settings(|settings| {
                    said.value = absolute(settings.directory(), &said.value);
                    settings.workdir = Some(said);
                });
            }
            Instruction::Stopsignal(signal) => {
                let said = self.said(signal.stopsignal.span.start, &signal.arguments.value);
                self.settings(|settings| settings.stop_signal = Some(said));
            }
            Instruction::Entrypoint(entrypoint) => {
                let said = self.form(entrypoint.entrypoint.span.start, &entrypoint.arguments);
                self.entrypoint(said);
            }
            Instruction::Cmd(cmd) => {
                let said = self.form(cmd.cmd.span.start, &cmd.arguments);
                let said = Some(said).filter(|said| !said.value.is_nothing());
                self.settings(|settings| settings.command = said);
            }
            Instruction::Healthcheck(check) => {
                let start = check.healthcheck.span.start;
                let form = match &check.arguments {
                    HealthcheckArguments::Cmd { arguments, .. } => {
                        Some(self.form(start, arguments).value)
                    }
                    _ => None,
                };
                let options = check.options.iter();
                let options = options
                    .filter_map(|flag| self.source.text.get(flag.span()).map(str::to_owned))
                    .collect();
                let said = Said::plain(self.source.line(start), Check { form, options });
                self.settings(|settings| settings.healthcheck = Some(said));
            }
            other => self.step(other),
        }
    }

    fn from(&mut self, from: &FromInstruction<'_>) {
        let line = self.source.line(from.from.span.start);
        let global = |name: &str| self.known(name, || self.global.get(name).cloned().flatten());
        let escape = self.source.escape;
        let image = self.checked(expand(&from.image.value, escape, &global));
        let platform = from
            .options
            .iter()
            .find(|flag| flag.name.value.eq_ignore_ascii_case("platform"))
            .and_then(|flag| flag.value.as_ref())
            .filter(|value| !value.value.contains('$'))
            .map(|value| value.value.to_string());
        let parent = self.stage_named(&image.text);
        let mut stage = Stage {
            line,
            name: from.as_.as_ref().map(|(_, name)| name.value.to_string()),
            image: image.text,
            parent,
            platform,
            unset: image.unset.clone(),
            ..Stage::default()
        };
        if let Some(parent) = parent.and_then(|parent| self.stages.get(parent)) {
            stage.settings = parent.settings.clone();
            if stage.platform.is_none() {
                stage.platform.clone_from(&parent.platform);
            }
        }
        stage.remarks.extend(
            image
                .refused
                .map(|refused| refusal(line, "`FROM`", &refused)),
        );
        for name in image.unset {
            stage.remarks.push(Remark::lost(
                line,
                &format!("`{name}` in `FROM` has no value"),
                &format!("give it as `--build-arg {name}=…`"),
            ));
        }
        self.stages.push(stage);
    }

    /// The stage of that name; names do not know capitals.
    pub(super) fn stage_named(&self, name: &str) -> Option<usize> {
        self.stages.iter().rposition(|stage| {
            let known = stage.name.as_deref();
            known.is_some_and(|known| known.eq_ignore_ascii_case(name))
        })
    }

    fn arg(&mut self, text: &str) {
        for (name, default) in arguments(text, self.source.escape) {
            self.touched.set(false);
            let default = default.and_then(|word| self.default_of(&name, &word));
            let global = self.global.get(&name).cloned().flatten();
            let given = self.given.get(&name).cloned();
            self.declared.insert(name.clone());
            let from_secret = self.touched.get() && given.is_none();
            let own = given.or(default);
            let in_stage = !self.stages.is_empty();
            let mut value = own.or(if in_stage { global } else { None });
            if let Some(text) = &mut value
                && (from_secret || is_secret(&name, text))
            {
                text.clear();
                self.secrets.insert(name.clone());
            }
            match self.stages.last_mut() {
                None => self.global.insert(name, value),
                Some(stage) => stage.settings.arguments.insert(name, value),
            };
        }
    }

    /// The value of an `ARG`, unless docker refuses it.
    fn default_of(&mut self, name: &str, word: &str) -> Option<String> {
        self.broken.take();
        let Expanded { text, refused, .. } = self.expand(word);
        let refused = refused.or_else(|| self.broken.take());
        let Some(refused) = refused else {
            return Some(text);
        };
        let line = self.line;
        self.remark(refusal(line, &format!("`ARG {name}`"), &refused));
        None
    }

    /// An entry point takes away the command that was inherited, not one that this stage says itself.
    fn entrypoint(&mut self, said: Said<Form>) {
        let Some(stage) = self.stages.last_mut() else {
            return;
        };
        let start = stage.line;
        stage.settings.command = stage.settings.command.take().filter(|own| own.line > start);
        stage.settings.entrypoint = Some(said).filter(|said| !said.value.is_nothing());
    }

    /// A word whose variables have the values of the last stage.
    pub(super) fn expand(&self, word: &str) -> Expanded {
        self.checked(expand(word, self.source.escape, &|name| {
            self.variable(name)
        }))
    }

    /// A value that was cut is not believed.
    fn checked(&self, expanded: Expanded) -> Expanded {
        if expanded.text.len() >= MAX_VALUE {
            self.budget.set(0);
        }
        self.open.set(self.open.get().or(expanded.open));
        expanded
    }

    pub(super) fn variable(&self, name: &str) -> Option<String> {
        self.known(name, || {
            let Some(stage) = self.stages.last() else {
                return self.global.get(name).cloned().flatten();
            };
            let settings = &stage.settings;
            let env = settings.env.get(name);
            if let Some(refused) = env.and_then(|said| said.refused.clone()) {
                self.broken.borrow_mut().get_or_insert(refused);
            }
            let env = env.map(|said| said.value.clone());
            let argument = || settings.arguments.get(name).cloned().flatten();
            env.or_else(argument)
                .or_else(|| (name == "PATH").then(|| PATH.to_owned()))
        })
    }

    /// A value; of a secret its name, so that no text ever holds what it stands for.
    fn known(&self, name: &str, value: impl FnOnce() -> Option<String>) -> Option<String> {
        let value = value()?;
        if self.secrets.contains(name) {
            self.touched.set(true);
            return self.charged(Some(format!("${name}")));
        }
        self.charged(Some(value))
    }

    /// Notes which variables hold secrets.
    fn learn(&mut self, pairs: &[(String, Said<String>)]) {
        let secret = pairs.iter().filter(|(_, said)| said.secret);
        self.secrets.extend(secret.map(|(name, _)| name.clone()));
    }

    /// A value as long as not too much was put in already.
    fn charged(&self, value: Option<String>) -> Option<String> {
        let value = value?;
        let left = self.budget.get().saturating_sub(value.len());
        self.budget.set(left);
        (left > 0).then_some(value)
    }

    fn said(&self, start: usize, word: &str) -> Said<String> {
        self.said_on(self.source.line(start), word)
    }

    pub(super) fn said_on(&self, line: usize, word: &str) -> Said<String> {
        self.touched.set(false);
        self.broken.take();
        let Expanded {
            text,
            unset,
            refused,
            ..
        } = self.expand(word);
        Said {
            line,
            value: text,
            unset,
            refused: refused.or_else(|| self.broken.take()),
            secret: self.touched.get(),
        }
    }

    fn all<'w>(&self, line: usize, words: impl Iterator<Item = &'w str>) -> Vec<Said<String>> {
        let split = |whole: Said<String>| {
            let values = whole.value.split_whitespace().map(str::to_owned);
            let mut values: Vec<String> = values.collect();
            // What it lacks is told.
            let lacks = !whole.unset.is_empty() || whole.refused.is_some() || whole.secret;
            if values.is_empty() && lacks {
                values.push(String::new());
            }
            values.into_iter().map(move |value| Said {
                value,
                ..whole.clone()
            })
        };
        self.whole(line, words)
            .into_iter()
            .flat_map(split)
            .collect()
    }

    /// The same of a list in JSON, whose words may have blanks in them.
    fn whole<'w>(&self, line: usize, words: impl Iterator<Item = &'w str>) -> Vec<Said<String>> {
        words.map(|word| self.said_on(line, word)).collect()
    }

    /// Names and values; all of one instruction see what held before it.
    fn pairs(&self, line: usize, text: &str) -> Vec<(String, Said<String>)> {
        let pair = |(name, value): (String, Option<String>)| {
            let name = self.expand(&name).text;
            let mut said = self.said_on(line, &value.unwrap_or_default());
            said.secret |= is_secret(&name, &said.value);
            if said.secret {
                said.value.clear();
            }
            (name, said)
        };
        pairs(text, self.source.escape)
            .into_iter()
            .map(pair)
            .collect()
    }

    fn form(&self, start: usize, command: &Command<'_>) -> Said<Form> {
        let shell = || match self.stages.last() {
            Some(stage) => stage.settings.shell(),
            None => Settings::default().shell(),
        };
        let form = match command {
            Command::Exec(words) => {
                let words = words.value.iter().filter(|word| word.value != NO_WORD);
                Form::Exec(words.map(|word| word.value.to_string()).collect())
            }
            Command::Shell(text) => Form::Shell {
                shell: shell(),
                text: shell::joined(text.value, self.source.escape)
                    .trim()
                    .to_owned(),
            },
            _ => Form::Shell {
                shell: shell(),
                text: String::new(),
            },
        };
        Said::plain(self.source.line(start), form)
    }

    pub(super) fn remark(&mut self, remark: Remark) {
        if let Some(stage) = self.stages.last_mut() {
            stage.remarks.push(remark);
        }
    }

    pub(super) fn settings(&mut self, change: impl FnOnce(&mut Settings)) {
        if let Some(stage) = self.stages.last_mut() {
            change(&mut stage.settings);
        }
    }
}

/// Something that needs a variable which nothing gives a value.
pub(in crate::adopt) fn lack(line: usize, what: &str, name: &str) -> Remark {
    let advice = if name.bytes().all(|byte| byte.is_ascii_digit()) {
        "docker takes a dollar sign before a digit for a variable, too, and gives it no value: protect the sign, \
         or write the value out"
            .to_owned()
    } else {
        format!("give it as `--build-arg {name}=…`, if an `ARG` declares it")
    };
    let message = format!("{what} needs `{name}`, which has no value");
    Remark::lost(line, &message, &advice)
}

/// Something that docker takes for a mistake.
pub(in crate::adopt) fn refusal(line: usize, what: &str, refused: &str) -> Remark {
    Remark::lost(
        line,
        &format!("{what} uses `{refused}`, which `docker build` refuses: it is left out"),
        "write the value out, or let an `ARG` hold it",
    )
}

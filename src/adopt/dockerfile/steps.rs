//! From instructions that change files to the steps of a stage.

use std::collections::BTreeSet;

use parse_dockerfile::{Command, Instruction};

use super::read::{Reading, lack, refusal};
use super::source::MARK;
use super::stage::{Action, Copy, From, Step};
use crate::adopt::paths::absolute;
use crate::adopt::remark::Remark;
use crate::adopt::shell::{self, Ran};

impl Reading<'_> {
    /// What changes files, or nothing that a proposal knows.
    pub(super) fn step(&mut self, instruction: &Instruction<'_>) {
        match instruction {
            Instruction::Run(run) => {
                let start = run.run.span.start;
                let line = self.source.line(start);
                let commands = self.run_commands(line, &run.arguments);
                self.add_step(line, Action::Run { commands });
            }
            Instruction::Copy(copy) => {
                let line = self.source.line(copy.copy.span.start);
                let copied = self.copy("COPY", &copy.options, &copy.src, &copy.dest.value);
                self.add_step(line, Action::Copy(copied));
            }
            Instruction::Add(add) => {
                let line = self.source.line(add.add.span.start);
                let copied = self.copy("ADD", &add.options, &add.src, &add.dest.value);
                self.add_step(line, Action::Copy(copied));
            }
            Instruction::Onbuild(onbuild) => {
                let line = self.source.line(onbuild.onbuild.span.start);
                self.remark(Remark::lost(
                    line,
                    "`ONBUILD` speaks to images that are built on this one",
                    "put what it does into those",
                ));
            }
            Instruction::Maintainer(maintainer) => {
                let line = self.source.line(maintainer.maintainer.span.start);
                self.remark(Remark::lost(
                    line,
                    "`MAINTAINER` is not carried",
                    "`authors` of the package becomes the label `org.opencontainers.image.authors`",
                ));
            }
            Instruction::Shell(shell) => {
                let words = shell.arguments.iter();
                let words = words.map(|word| word.value.to_string()).collect();
                self.settings(|settings| settings.shell = Some(words));
            }
            _ => {}
        }
    }

    fn run_commands(&self, line: usize, command: &Command<'_>) -> Vec<Ran> {
        let lookup = |name: &str| self.variable(name);
        let escape = self.source.escape;
        let workdir = self.stages.last();
        let workdir = workdir.map_or("/", |stage| stage.settings.directory());
        let text = match command {
            Command::Exec(words) => {
                let words: Vec<String> = words
                    .value
                    .iter()
                    .map(|word| word.value.to_string())
                    .collect();
                return match words.as_slice() {
                    [_, flag, script] if flag == "-c" => {
                        shell::commands(script, escape, workdir, &lookup)
                    }
                    _ => vec![Ran {
                        settings: Vec::new(),
                        words,
                        writes: Vec::new(),
                        here: workdir.to_owned(),
                        surely: true,
                    }],
                };
            }
            Command::Shell(text) => text.value,
            _ => return Vec::new(),
        };
        let mut commands = shell::commands(text, escape, workdir, &lookup);
        let Some(documents) = self.source.documents.get(&line) else {
            return commands;
        };
        if commands.iter().any(|ran| is_script(&ran.words)) {
            commands.retain(|ran| !is_script(&ran.words));
            for document in documents {
                commands.extend(shell::commands(document, '\\', workdir, &lookup));
            }
        }
        commands
    }

    fn copy(
        &mut self,
        instruction: &'static str,
        options: &[parse_dockerfile::Flag<'_>],
        sources: &[parse_dockerfile::Source<'_>],
        to: &str,
    ) -> Copy {
        let mut from = From::Context;
        let mut flags = Vec::new();
        for flag in options {
            let value = flag.value.as_ref().map(|value| value.value.to_string());
            let value = value.unwrap_or_default();
            if flag.name.value.eq_ignore_ascii_case("from") {
                from = self.copied_from(&value);
            } else {
                flags.push((flag.name.value.to_string(), self.expand(&value).text));
            }
        }
        let mut paths = Vec::new();
        let mut documents = 0;
        for source in sources {
            match source {
                parse_dockerfile::Source::Path(path) => {
                    paths.extend(self.path(instruction, &path.value));
                }
                _ => documents += 1,
            }
        }
        if sources.len() > 1 && !to.ends_with(['/', '.']) && !to.contains('$') {
            let line = self.line;
            self.remark(Remark::lost(
                line,
                &format!("`{instruction}` has several sources, and the directory that they go to has no `/` at its end, which `docker build` refuses"),
                "write one: the assets go there as if it had one",
            ));
        }
        let to = self.path(instruction, to).unwrap_or_else(|| {
            paths.clear();
            documents = 0;
            String::new()
        });
        let directory = self
            .stages
            .last()
            .map_or("/", |stage| stage.settings.directory());
        let into = to.ends_with('/') || to.ends_with("/.") || to == "." || sources.len() > 1;
        Copy {
            instruction,
            from,
            sources: paths,
            files: BTreeSet::new(),
            into,
            to: absolute(directory, &to),
            flags,
            documents,
        }
    }

    /// A path of a `COPY`, if it can be known; tells why it cannot.
    fn path(&mut self, instruction: &str, word: &str) -> Option<String> {
        let line = self.line;
        let said = self.said_on(line, word);
        let what = format!("`{instruction}`");
        if let Some(refused) = &said.refused {
            self.remark(refusal(line, &what, refused));
        }
        for name in &said.unset {
            self.remark(lack(line, &what, name));
        }
        if said.secret {
            self.remark(Remark::lost(
                line,
                &format!("a path of {what} looks like a secret: it is not taken over"),
                "name the file in `assets`",
            ));
        }
        let is_known = said.refused.is_none() && said.unset.is_empty() && !said.secret;
        is_known.then_some(said.value)
    }

    fn copied_from(&self, name: &str) -> From {
        let last = self.stages.len().saturating_sub(1);
        let number = name.parse().ok().filter(|index| *index < last);
        match self
            .stage_named(name)
            .filter(|index| *index < last)
            .or(number)
        {
            Some(index) => From::Stage(index),
            None => From::Image(self.expand(name).text),
        }
    }

    fn add_step(&mut self, line: usize, action: Action) {
        if let Some(stage) = self.stages.last_mut() {
            stage.steps.push(Step { line, action });
        }
    }
}

/// Whether a here-document is what a command does: `<<EOF` alone, or a shell that reads it.
fn is_script(words: &[String]) -> bool {
    match words {
        [first, ..] if first.starts_with(MARK) => true,
        [program, rest @ ..] => {
            shell::is_shell(program) && rest.iter().any(|word| word.starts_with(MARK))
        }
        [] => false,
    }
}

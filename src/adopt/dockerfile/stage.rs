//! The stages of a Dockerfile, each with what its instructions add up to.

use std::collections::{BTreeMap, BTreeSet};

use crate::adopt::remark::Remark;
use crate::adopt::shell::Ran;

/// A stage.
#[derive(Debug, Clone, Default)]
pub(in crate::adopt) struct Stage {
    /// The line of its `FROM`.
    pub(in crate::adopt) line: usize,
    pub(in crate::adopt) name: Option<String>,
    /// What it is built on, as named there.
    pub(in crate::adopt) image: String,
    /// The stage it is built on, if it is one.
    pub(in crate::adopt) parent: Option<usize>,
    pub(in crate::adopt) platform: Option<String>,
    /// Variables of its `FROM` that had no value.
    pub(in crate::adopt) unset: Vec<String>,
    /// What it inherits and adds to.
    pub(in crate::adopt) settings: Settings,
    /// What is done to its files, in order.
    pub(in crate::adopt) steps: Vec<Step>,
    /// What was noticed while it was read.
    pub(in crate::adopt) remarks: Vec<Remark>,
}

/// Something that was said on a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::adopt) struct Said<T> {
    pub(in crate::adopt) line: usize,
    pub(in crate::adopt) value: T,
    /// Variables that had no value.
    pub(in crate::adopt) unset: Vec<String>,
    /// `${…}` that docker refuses: then `value` is not what it means.
    pub(in crate::adopt) refused: Option<String>,
    /// Whether it looks like a secret: then `value` does not hold it.
    pub(in crate::adopt) secret: bool,
}

/// Settings, as far as they were said in a Dockerfile.
#[derive(Debug, Clone, Default)]
pub(in crate::adopt) struct Settings {
    /// Values of `ARG`; `None` where only `--build-arg` gives one.
    pub(in crate::adopt) arguments: BTreeMap<String, Option<String>>,
    pub(in crate::adopt) env: BTreeMap<String, Said<String>>,
    pub(in crate::adopt) workdir: Option<Said<String>>,
    pub(in crate::adopt) user: Option<Said<String>>,
    pub(in crate::adopt) ports: Vec<Said<String>>,
    pub(in crate::adopt) volumes: Vec<Said<String>>,
    pub(in crate::adopt) labels: BTreeMap<String, Said<String>>,
    pub(in crate::adopt) stop_signal: Option<Said<String>>,
    pub(in crate::adopt) healthcheck: Option<Said<Check>>,
    /// What `SHELL` says last.
    pub(in crate::adopt) shell: Option<Vec<String>>,
    pub(in crate::adopt) entrypoint: Option<Said<Form>>,
    pub(in crate::adopt) command: Option<Said<Form>>,
}

/// How a command is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::adopt) enum Form {
    /// A list of words.
    Exec(Vec<String>),
    /// A text for a shell, and how `SHELL` says to start that.
    Shell { shell: Vec<String>, text: String },
}

impl Form {
    /// What is started.
    pub(in crate::adopt) fn words(&self) -> Vec<String> {
        match self {
            Self::Exec(words) => words.clone(),
            Self::Shell { shell, text } => shell.iter().chain([text]).cloned().collect(),
        }
    }

    /// `[]`, which takes away what the base has.
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Self::Exec(words) if words.is_empty())
    }

    pub(in crate::adopt) fn is_exec(&self) -> bool {
        matches!(self, Self::Exec(_))
    }

    /// Whether someone meant a list of words, and a shell gets it as a text. `[ -f x ]` is a command.
    pub(in crate::adopt) fn is_broken_list(&self) -> bool {
        let Self::Shell { text, .. } = self else {
            return false;
        };
        let Some(inside) = text.strip_prefix('[').filter(|rest| !rest.starts_with('[')) else {
            return false;
        };
        let Some(list) = inside.strip_suffix(']') else {
            return !inside.starts_with(char::is_whitespace);
        };
        // Of `[ 'x' ]` nobody wants to know whether that is a word.
        let quoted = list
            .trim()
            .strip_prefix('\'')
            .and_then(|rest| rest.strip_suffix('\''));
        !inside.starts_with(char::is_whitespace)
            || quoted.is_some_and(|word| !word.contains('\''))
            || (list.contains(',') && list.contains(['"', '\'']))
    }
}

/// A health check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::adopt) struct Check {
    /// `None` for `HEALTHCHECK NONE`.
    pub(in crate::adopt) form: Option<Form>,
    /// Flags as written.
    pub(in crate::adopt) options: Vec<String>,
}

/// Something that changes files.
#[derive(Debug, Clone)]
pub(in crate::adopt) struct Step {
    pub(in crate::adopt) line: usize,
    pub(in crate::adopt) action: Action,
}

/// What changes them.
#[derive(Debug, Clone)]
pub(in crate::adopt) enum Action {
    /// `COPY` and `ADD`.
    Copy(Copy),
    /// `RUN`, as commands.
    Run { commands: Vec<Ran> },
}

/// A `COPY` or `ADD`.
#[derive(Debug, Clone)]
pub(in crate::adopt) struct Copy {
    pub(in crate::adopt) instruction: &'static str,
    pub(in crate::adopt) from: From,
    pub(in crate::adopt) sources: Vec<String>,
    /// Those of the sources that are files, as the disk has them.
    pub(in crate::adopt) files: BTreeSet<String>,
    /// Absolute.
    pub(in crate::adopt) to: String,
    /// Whether it certainly names a directory.
    pub(in crate::adopt) into: bool,
    /// Flags with their values, but for `--from`.
    pub(in crate::adopt) flags: Vec<(String, String)>,
    /// How many of the sources are here-documents.
    pub(in crate::adopt) documents: usize,
}

/// Where files come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::adopt) enum From {
    /// The directory that `docker build` is given.
    Context,
    /// An earlier stage.
    Stage(usize),
    /// Another image.
    Image(String),
}

impl<T> Said<T> {
    /// Something without variables.
    pub(in crate::adopt) fn plain(line: usize, value: T) -> Self {
        Self {
            line,
            value,
            unset: Vec::new(),
            refused: None,
            secret: false,
        }
    }
}

impl Settings {
    /// Where relative paths begin.
    pub(in crate::adopt) fn directory(&self) -> &str {
        self.workdir.as_ref().map_or("/", |said| &said.value)
    }

    /// What starts texts.
    pub(in crate::adopt) fn shell(&self) -> Vec<String> {
        let usual = || ["/bin/sh", "-c"].map(str::to_owned).to_vec();
        self.shell.clone().unwrap_or_else(usual)
    }
}

/// The stages that `stage` is built on, itself first.
pub(in crate::adopt) fn lineage(stages: &[Stage], stage: usize) -> Vec<usize> {
    let mut found = vec![stage];
    let mut next = stages.get(stage).and_then(|stage| stage.parent);
    while let Some(parent) = next {
        found.push(parent);
        // A stage is only ever built on an earlier one.
        next = stages
            .get(parent)
            .and_then(|stage| stage.parent)
            .filter(|grandparent| *grandparent < parent);
    }
    found
}

/// The first of them, whose image is no stage.
pub(in crate::adopt) fn root(stages: &[Stage], stage: usize) -> Option<&Stage> {
    let root = lineage(stages, stage).into_iter().next_back()?;
    stages.get(root)
}

/// What is done to the files of a stage, beginning with the stages that it is built on.
pub(in crate::adopt) fn steps(
    stages: &[Stage],
    stage: usize,
) -> impl DoubleEndedIterator<Item = &Step> {
    let chain = lineage(stages, stage).into_iter().rev();
    chain
        .filter_map(|index| stages.get(index))
        .flat_map(|stage| &stage.steps)
}

/// The commands among that, each with its line.
pub(in crate::adopt) fn commands(
    stages: &[Stage],
    stage: usize,
) -> impl DoubleEndedIterator<Item = (usize, &Ran)> {
    steps(stages, stage).flat_map(|step| {
        let commands = match &step.action {
            Action::Run { commands } => commands.as_slice(),
            Action::Copy(_) => &[],
        };
        commands.iter().map(|ran| (step.line, ran))
    })
}

/// Where relative paths begin at the end of a stage.
pub(in crate::adopt) fn directory(stages: &[Stage], stage: usize) -> &str {
    stages
        .get(stage)
        .map_or("/", |stage| stage.settings.directory())
}

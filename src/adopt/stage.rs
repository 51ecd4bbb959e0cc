//! The stages of a Dockerfile, each with what its instructions add up to.

use std::collections::{BTreeMap, BTreeSet};

use super::remark::Remark;
use super::shell::Ran;

/// A stage.
#[derive(Debug, Clone, Default)]
pub(super) struct Stage {
    /// The line of its `FROM`.
    pub(super) line: usize,
    pub(super) name: Option<String>,
    /// What it is built on, as named there.
    pub(super) image: String,
    /// The stage it is built on, if it is one.
    pub(super) parent: Option<usize>,
    pub(super) platform: Option<String>,
    /// What it inherits and adds to.
    pub(super) settings: Settings,
    /// What is done to its files, in order.
    pub(super) steps: Vec<Step>,
    /// What was noticed while it was read.
    pub(super) remarks: Vec<Remark>,
}

/// Something that was said on a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said<T> {
    pub(super) line: usize,
    pub(super) value: T,
    /// Variables that had no value.
    pub(super) unset: Vec<String>,
    /// `${…}` that docker refuses: then `value` is not what it means.
    pub(super) refused: Option<String>,
    /// Whether it looks like a secret: then `value` does not hold it.
    pub(super) secret: bool,
}

/// Settings, as far as they were said in a Dockerfile.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    /// Values of `ARG`; `None` where only `--build-arg` gives one.
    pub(super) arguments: BTreeMap<String, Option<String>>,
    pub(super) env: BTreeMap<String, Said<String>>,
    pub(super) workdir: Option<Said<String>>,
    pub(super) user: Option<Said<String>>,
    pub(super) ports: Vec<Said<String>>,
    pub(super) volumes: Vec<Said<String>>,
    pub(super) labels: BTreeMap<String, Said<String>>,
    pub(super) stop_signal: Option<Said<String>>,
    pub(super) healthcheck: Option<Said<Check>>,
    /// What `SHELL` says last.
    pub(super) shell: Option<Vec<String>>,
    pub(super) entrypoint: Option<Said<Form>>,
    pub(super) command: Option<Said<Form>>,
}

/// How a command is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// A list of words.
    Exec(Vec<String>),
    /// A text for a shell, and how `SHELL` says to start that.
    Shell { shell: Vec<String>, text: String },
}

impl Form {
    /// What is started.
    pub(super) fn words(&self) -> Vec<String> {
        match self {
            Self::Exec(words) => words.clone(),
            Self::Shell { shell, text } => shell.iter().chain([text]).cloned().collect(),
        }
    }

    /// `[]`, which takes away what the base has.
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Self::Exec(words) if words.is_empty())
    }

    pub(super) fn is_exec(&self) -> bool {
        matches!(self, Self::Exec(_))
    }

    /// Whether someone meant a list of words, and a shell gets it as a text. `[ -f x ]` is a command.
    pub(super) fn is_broken_list(&self) -> bool {
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
pub(super) struct Check {
    /// `None` for `HEALTHCHECK NONE`.
    pub(super) form: Option<Form>,
    /// Flags as written.
    pub(super) options: Vec<String>,
}

/// Something that changes files.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) line: usize,
    pub(super) action: Action,
}

/// What changes them.
#[derive(Debug, Clone)]
pub(super) enum Action {
    /// `COPY` and `ADD`.
    Copy(Copy),
    /// `RUN`, as commands.
    Run { commands: Vec<Ran> },
}

/// A `COPY` or `ADD`.
#[derive(Debug, Clone)]
pub(super) struct Copy {
    pub(super) instruction: &'static str,
    pub(super) from: From,
    pub(super) sources: Vec<String>,
    /// Those of the sources that are files, as the disk has them.
    pub(super) files: BTreeSet<String>,
    /// Absolute.
    pub(super) to: String,
    /// Whether it certainly names a directory.
    pub(super) into: bool,
    /// Flags with their values, but for `--from`.
    pub(super) flags: Vec<(String, String)>,
    /// How many of the sources are here-documents.
    pub(super) documents: usize,
}

/// Where files come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum From {
    /// The directory that `docker build` is given.
    Context,
    /// An earlier stage.
    Stage(usize),
    /// Another image.
    Image(String),
}

impl<T> Said<T> {
    /// Something without variables.
    pub(super) fn plain(line: usize, value: T) -> Self {
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
    pub(super) fn directory(&self) -> &str {
        self.workdir.as_ref().map_or("/", |said| &said.value)
    }

    /// What starts texts.
    pub(super) fn shell(&self) -> Vec<String> {
        let usual = || ["/bin/sh", "-c"].map(str::to_owned).to_vec();
        self.shell.clone().unwrap_or_else(usual)
    }
}

/// The stages that `stage` is built on, itself first.
pub(super) fn lineage(stages: &[Stage], stage: usize) -> Vec<usize> {
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

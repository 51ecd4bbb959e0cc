//! What is in a directory that a stage fills by itself, such as `dist`, or that cargo fills.

use std::cell::Cell;

use super::directories::{fills, is_directory, is_said_directory, is_setting};
use super::executables::built;
use super::origin::{
    Origin, context_path, destination, is_bare, is_output, is_pattern, operands, origin,
};
use super::transfer::{Transfer, makes_directories, takes_contents};
use crate::adopt::dockerfile::{
    Action, Build, Copy, From, Stage, Step, build, commands, last_build, steps,
};
use crate::adopt::paths::{absolute, below, join, name};
use crate::adopt::secrets::shown_words;
use crate::adopt::shell::Ran;
use crate::workspace::Workspace;

/// Directories in directories are not followed further.
const MAX_DEPTH: usize = 4;
/// More parts of one directory are not looked at.
const MAX_PARTS: usize = 200;
/// More directories are not looked into for one.
const MAX_DIRECTORIES: usize = 8;
/// More of what a stage copies from others is not looked into.
const MAX_COPIES: usize = 16;
/// More commands that are not followed are not told.
const MAX_UNKNOWN: usize = 10;

/// Commands that put nothing into a directory which they name, unless they write there.
const QUIET: &[&str] = &[
    "[", "cat", "cd", "chgrp", "chmod", "chown", "du", "echo", "export", "fi", "file", "ldd", "ls",
    "mkdir", "printf", "rmdir", "set", "stat", "strip", "test", "true", "upx",
];

/// What is in a directory.
#[derive(Debug, Default)]
pub(in crate::adopt) struct Contents {
    pub(in crate::adopt) parts: Vec<Part>,
    /// Commands that put there what nobody knows, fit to be printed.
    pub(in crate::adopt) unknown: Vec<String>,
    /// Whether the directory is there when a command runs.
    exists: bool,
    /// How many sources were looked at.
    looked: usize,
}

/// A file or directory in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::adopt) struct Part {
    /// Where it is in the directory; empty for what becomes a part of the directory itself.
    pub(in crate::adopt) inner: String,
    pub(in crate::adopt) origin: Origin,
    /// Whether it is there only if the context has it.
    pub(in crate::adopt) may_be: bool,
}

impl Contents {
    /// What is in a directory of a stage; `None` where that is a file, sources, or nothing that is known.
    fn of(stages: &[Stage], stage: usize, workspace: &Workspace, directory: &str) -> Option<Self> {
        let place = Place {
            stages,
            stage,
            workspace,
            directory,
            left: &Cell::new(MAX_DIRECTORIES),
        };
        place.contents(MAX_DEPTH)
    }

    /// What is in a source of a `COPY` on a line of a stage, if that is such a directory of another stage.
    pub(in crate::adopt) fn of_copy(
        stages: &[Stage],
        stage: usize,
        workspace: &Workspace,
        line: usize,
        copy: &Copy,
        source: &str,
    ) -> Option<Self> {
        let From::Stage(earlier) = copy.from else {
            return None;
        };
        let is_earlier = |step: &&Step| match &step.action {
            Action::Copy(copy) => step.line < line && matches!(copy.from, From::Stage(_)),
            Action::Run { .. } => false,
        };
        let before = steps(stages, stage).filter(is_earlier).count();
        if before.max(copy.sources.len()) > MAX_COPIES || is_pattern(name(source)) {
            return None;
        }
        Self::of(stages, earlier, workspace, &absolute("/", source))
    }

    /// Takes a part in, in place of what was there.
    fn put(&mut self, inner: &str, origin: Origin, may_be: bool) {
        if !inner.is_empty() {
            self.parts.retain(|part| part.inner != inner);
        }
        if self.parts.len() < MAX_PARTS {
            self.parts.push(Part {
                inner: inner.to_owned(),
                origin,
                may_be,
            });
        }
    }

    fn put_all(&mut self, inner: &str, others: Self) {
        for part in others.parts {
            let inner = join(&format!("/{inner}"), &part.inner);
            self.put(inner.trim_start_matches('/'), part.origin, part.may_be);
        }
        for unknown in others.unknown {
            self.not_known(unknown);
        }
    }

    fn not_known(&mut self, command: String) {
        if self.unknown.len() < MAX_UNKNOWN && !self.unknown.contains(&command) {
            self.unknown.push(command);
        }
    }
}

/// A directory of a stage.
struct Place<'a> {
    stages: &'a [Stage],
    stage: usize,
    workspace: &'a Workspace,
    directory: &'a str,
    /// So many directories may be looked into.
    left: &'a Cell<usize>,
}

impl Place<'_> {
    fn contents(&self, depth: usize) -> Option<Contents> {
        let depth = depth.checked_sub(1)?;
        self.left.set(self.left.get().checked_sub(1)?);
        if self.directory == "/" || self.holds_sources() {
            return None;
        }
        let mut contents = Contents::default();
        let build = last_build(self.stages, self.stage);
        if is_of_cargo(self.directory, build.as_ref()) {
            let all = format!("{}/*", self.directory.trim_end_matches('/'));
            for path in built(self.workspace, build.as_ref(), &all) {
                let origin = origin(self.stages, self.stage, &path);
                contents.put(name(&path), origin, false);
            }
        } else if !is_said_directory(self.stages, self.stage, self.directory) {
            return self.elsewhere(depth);
        }
        contents.exists = is_setting(self.stages, self.stage, self.directory);
        for step in steps(self.stages, self.stage) {
            match &step.action {
                Action::Copy(copy) => {
                    self.copied(copy, depth, &mut contents);
                    contents.exists |= below(&copy.to, self.directory).is_some();
                }
                Action::Run { commands } => {
                    for ran in commands {
                        self.command(ran, depth, &mut contents);
                    }
                }
            }
        }
        if contents.parts.is_empty() {
            return self.elsewhere(depth);
        }
        Some(contents)
    }

    /// The same of the directory that this one was before.
    fn elsewhere(&self, depth: usize) -> Option<Contents> {
        let before = origin(self.stages, self.stage, self.directory);
        let Origin::Made { stage, path } = before else {
            return None;
        };
        if stage == self.stage && path == self.directory {
            return None;
        }
        self.at(stage, &path).contents(depth)
    }

    fn at<'p>(&'p self, stage: usize, directory: &'p str) -> Place<'p> {
        Place {
            stages: self.stages,
            stage,
            workspace: self.workspace,
            directory,
            left: self.left,
        }
    }

    /// Whether cargo compiles in it.
    fn holds_sources(&self) -> bool {
        commands(self.stages, self.stage).any(|(_, ran)| {
            build(&ran.words).is_some() && below(&ran.here, self.directory).is_some()
        })
    }

    /// What of it a `COPY` brings.
    fn copied(&self, copy: &Copy, depth: usize, contents: &mut Contents) {
        for source in &copy.sources {
            let is_whole = match &copy.from {
                From::Context => !copy.files.contains(source),
                From::Stage(earlier) if *earlier < self.stage => {
                    let from = absolute("/", source);
                    let others = self.at(*earlier, &from).contents(depth);
                    if let (Some(others), Some(inner)) = (others, below(&copy.to, self.directory)) {
                        contents.put_all(inner, others);
                        continue;
                    }
                    is_pattern(name(source))
                }
                From::Stage(_) | From::Image(_) => false,
            };
            let bare = is_bare(self.stages, self.stage);
            let to = if is_whole {
                copy.to.clone()
            } else {
                destination(copy, source, bare)
            };
            if let Some(inner) = below(&to, self.directory) {
                let found = match &copy.from {
                    From::Context => Origin::Context(context_path(source)),
                    From::Stage(_) | From::Image(_) => origin(self.stages, self.stage, &to),
                };
                contents.put(inner, found, false);
            } else if let Some(rest) = below(self.directory, &to).filter(|_| is_whole)
                && copy.from == From::Context
                && !is_pattern(source)
            {
                let source = format!("{source}/{rest}");
                contents.put("", Origin::Context(context_path(&source)), true);
            }
        }
    }

    fn command(&self, ran: &Ran, depth: usize, contents: &mut Contents) {
        let Some((program, arguments)) = ran.words.split_first() else {
            return;
        };
        if let Some(transfer) = Transfer::of(ran) {
            self.transferred(&transfer, depth, contents);
            contents.exists |= transfer.target == self.directory && transfer.brings_directory();
        } else if name(program) == "rm" && ran.surely {
            for operand in operands(arguments) {
                let path = absolute(&ran.here, operand);
                contents.parts.retain(|part| {
                    let whole = join(self.directory, &part.inner);
                    part.inner.is_empty() || below(&whole, &path).is_none()
                });
            }
        } else if name(program) != "rm" && self.is_filled_by(ran) {
            contents.not_known(shown_words(&ran.words));
        }
        contents.exists |= fills(ran, self.directory);
    }

    /// Whether a command that is not followed may put something into it.
    fn is_filled_by(&self, ran: &Ran) -> bool {
        let is_in = |word: &str| {
            !word.is_empty() && below(&absolute(&ran.here, word), self.directory).is_some()
        };
        if ran.writes.iter().any(|file| is_in(file)) {
            return true;
        }
        let mut words = ran.words.iter();
        let program = words.next().map_or("", |program| name(program));
        let names = |word: &String| match word.split_once('=') {
            Some((_, value)) => is_in(value),
            None => !word.starts_with('-') && is_in(word),
        };
        !QUIET.contains(&program)
            && !makes_directories(ran)
            && build(&ran.words).is_none()
            && (words.any(names) || below(&ran.here, self.directory).is_some())
    }

    /// What of it `cp` and its kin bring.
    fn transferred(&self, transfer: &Transfer<'_>, depth: usize, contents: &mut Contents) {
        let (ran, target) = (transfer.ran, transfer.target.as_str());
        let is_itself = target == self.directory;
        let is_new = is_itself && !transfer.into && !contents.exists;
        let into = transfer.into
            || (is_itself && !is_new)
            || (!is_itself && is_directory(self.stages, self.stage, target));
        for source in &transfer.sources {
            let place = if into {
                transfer.inside(source)
            } else {
                target.to_owned()
            };
            let Some(inner) = below(&place, self.directory) else {
                continue;
            };
            contents.looked += 1;
            if contents.looked > MAX_PARTS {
                return;
            }
            let is_open = |word: &str| word.contains(['$', '`', '{', '~']);
            if !ran.surely || is_open(source) || is_open(target) || transfer.is_link() {
                contents.not_known(shown_words(&ran.words));
                continue;
            }
            let from = absolute(&ran.here, source);
            if is_pattern(&from) {
                self.matched(ran, &from, inner, contents);
                continue;
            }
            let others = transfer
                .takes_directories()
                .then(|| self.at(self.stage, &from).contents(depth));
            if let Some(others) = others.flatten() {
                contents.put_all(inner, others);
            } else if inner.is_empty() || takes_contents(source) {
                contents.put(inner, origin(self.stages, self.stage, &from), false);
            } else {
                contents.put(inner, origin(self.stages, self.stage, &place), false);
            }
        }
    }

    /// What a pattern brings: executables of cargo's, or files of the context.
    fn matched(&self, ran: &Ran, pattern: &str, inner: &str, contents: &mut Contents) {
        // In a directory, a pattern stands for names in it.
        let inner = inner.strip_suffix(name(pattern)).unwrap_or(inner);
        let inner = inner.trim_end_matches('/');
        let build = last_build(self.stages, self.stage);
        let executables = built(self.workspace, build.as_ref(), pattern);
        for path in &executables {
            let origin = origin(self.stages, self.stage, path);
            let inner = join(&format!("/{inner}"), name(path));
            contents.put(inner.trim_start_matches('/'), origin, false);
        }
        if !executables.is_empty() {
            return;
        }
        match origin(self.stages, self.stage, pattern) {
            found @ Origin::Context(_) => contents.put(inner, found, false),
            Origin::Made { .. } | Origin::Image { .. } => {
                contents.not_known(shown_words(&ran.words));
            }
        }
    }
}

/// Whether a directory is the one that cargo puts executables into.
fn is_of_cargo(directory: &str, build: Option<&Build>) -> bool {
    let Some(build) = build else {
        return false;
    };
    let last = name(directory);
    let is_profile = matches!(last, "release" | "debug") || build.profile.as_deref() == Some(last);
    let is_installed =
        last == "bin" && build.path.is_some() && !matches!(directory, "/bin" | "/usr/bin");
    (is_profile && is_output(&format!("{directory}/x"))) || is_installed
}

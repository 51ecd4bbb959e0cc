//! Directories of a stage: those that commands make, and those that hold something.

use std::collections::BTreeSet;

use super::origin::{is_pattern, operands};
use super::transfer::{Transfer, makes_directories};
use crate::adopt::dockerfile::{Action, Copy, From, Stage, commands, lineage, steps};
use crate::adopt::paths::{absolute, below, is_usual_directory, name};
use crate::adopt::shell::Ran;

/// Directories that commands of a stage make.
pub(in crate::adopt) fn made(stages: &[Stage], stage: usize) -> BTreeSet<String> {
    commands(stages, stage)
        .flat_map(|(_, ran)| made_by(ran))
        .collect()
}

/// Those of one command.
fn made_by(ran: &Ran) -> Vec<String> {
    let program = ran.words.first().map_or("", |program| name(program));
    if program != "mkdir" && !makes_directories(ran) {
        return Vec::new();
    }
    let operands = operands(ran.words.get(1..).unwrap_or_default()).into_iter();
    operands
        .map(|operand| absolute(&ran.here, operand))
        .collect()
}

/// Whether something in a stage says that a path is a directory: it is made, something is put into it, or a
/// command runs there. When that comes is not asked: a path is seldom a file first and a directory later.
pub(super) fn is_directory(stages: &[Stage], stage: usize, path: &str) -> bool {
    is_usual_directory(path) || is_said_directory(stages, stage, path)
}

/// The same, where the base alone says nothing of it.
pub(super) fn is_said_directory(stages: &[Stage], stage: usize, path: &str) -> bool {
    let has = |inner: &str| below(inner, path).is_some();
    let holds = |inner: &str| below(inner, path).is_some_and(|rest| !rest.is_empty());
    let by_command = |ran: &Ran| has(&ran.here) || fills(ran, path);
    is_setting(stages, stage, path)
        || grows(stages, stage, path)
        || steps(stages, stage).any(|step| match &step.action {
            Action::Copy(copy) => {
                holds(&copy.to) || (has(&copy.to) && (copy.into || brings_directory(copy)))
            }
            Action::Run { commands } => commands.iter().any(by_command),
        })
}

/// Whether a path is or holds where a stage or one that it is built on ends up, or a volume of theirs.
pub(in crate::adopt) fn is_setting(stages: &[Stage], stage: usize, path: &str) -> bool {
    let has = |inner: &str| path != "/" && below(inner, path).is_some();
    let mut chain = lineage(stages, stage).into_iter();
    chain.any(|index| {
        stages.get(index).is_some_and(|stage| {
            let settings = &stage.settings;
            has(settings.directory()) || settings.volumes.iter().any(|said| has(&said.value))
        })
    })
}

/// Whether a directory is copied to a path, and something into that later.
fn grows(stages: &[Stage], stage: usize, path: &str) -> bool {
    let mut is_there = false;
    for (_, ran) in commands(stages, stage) {
        let Some(transfer) = Transfer::of(ran).filter(|transfer| transfer.target == path) else {
            continue;
        };
        if is_there {
            return true;
        }
        is_there = transfer.brings_directory();
    }
    false
}

/// Whether a command makes a directory, or puts something into it.
pub(super) fn fills(ran: &Ran, directory: &str) -> bool {
    let has = |inner: &str| below(inner, directory).is_some();
    let by_transfer = |transfer: Transfer<'_>| {
        has(&transfer.target) && (transfer.into || transfer.target != directory)
    };
    made_by(ran).iter().any(|made| has(made)) || Transfer::of(ran).is_some_and(by_transfer)
}

/// Whether a directory of the context is copied, whose contents need one.
fn brings_directory(copy: &Copy) -> bool {
    let is_directory = |source: &String| !copy.files.contains(source) && !is_pattern(source);
    copy.from == From::Context && copy.sources.iter().any(is_directory)
}

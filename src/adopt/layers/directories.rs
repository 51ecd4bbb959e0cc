//! Directories that commands make.

use std::collections::BTreeSet;

use super::origin::operands;
use crate::adopt::dockerfile::{Stage, commands};
use crate::adopt::paths::{absolute, name};
use crate::adopt::shell::Ran;

/// Directories that commands of a stage make.
pub(in crate::adopt) fn made(stages: &[Stage], stage: usize) -> BTreeSet<String> {
    let makes = |ran: &&Ran| {
        let program = ran.words.first().map_or("", |program| name(program));
        program == "mkdir" || (program == "install" && ran.words.iter().any(|word| word == "-d"))
    };
    commands(stages, stage)
        .map(|(_, ran)| ran)
        .filter(makes)
        .flat_map(|ran| {
            let operands = operands(ran.words.get(1..).unwrap_or_default()).into_iter();
            operands.map(|operand| absolute(&ran.here, operand))
        })
        .collect()
}

//! What a Dockerfile starts, and nothing puts into the image.

use super::executables::{Placed, is_put, started};
use super::origin::{Origin, origin};
use crate::adopt::dockerfile::{Action, Stage, last_build, steps};
use crate::adopt::launch::is_init;
use crate::adopt::paths::{join, name, parent};
use crate::workspace::{Service, Workspace};

/// Whether a word names what nothing puts into the image, where the executables of services are put.
/// `known` are all that are copied or linked one by one.
pub(in crate::adopt) fn is_absent(
    stages: &[Stage],
    stage: usize,
    workspace: &Workspace,
    known: &[Placed],
    word: &str,
) -> bool {
    let is_of =
        |service: &Service, binary: &str| service.binary == binary || service.name == binary;
    let has = |service: &Service| {
        let mut known = known.iter();
        known.any(|placed| {
            is_of(service, placed.origin.name()) || is_of(service, name(&placed.path))
        })
    };
    let services = || workspace.services.iter();
    let mut named = services().filter(|service| is_of(service, name(word)));
    if named.any(has) || !services().any(has) {
        return false;
    }
    // What is compiled there can be anywhere.
    last_build(stages, stage).is_none() && !may_be_there(stages, stage, known, word)
}

/// Whether a step may bring what a word names, such as with a directory.
fn may_be_there(stages: &[Stage], stage: usize, known: &[Placed], word: &str) -> bool {
    let brings = |placed: &Placed| is_put(stages, stage, placed) && !is_below_a_file(placed, known);
    if brings(&started(stages, stage, word, known)) {
        return true;
    }
    if word.contains('/') {
        return false;
    }
    // `PATH` may lead anywhere.
    steps(stages, stage).any(|step| match &step.action {
        Action::Copy(copy) => {
            let path = join(&copy.to, word);
            brings(&Placed {
                line: step.line,
                origin: origin(stages, stage, &path),
                path,
            })
        }
        Action::Run { .. } => false,
    })
}

/// Whether the directory that holds it is an executable, and so no directory.
fn is_below_a_file(placed: &Placed, known: &[Placed]) -> bool {
    let above = parent(placed.origin.path());
    match &placed.origin {
        Origin::Image { .. } => is_init(name(above)),
        Origin::Context(_) | Origin::Made { .. } => {
            known.iter().any(|other| other.origin.path() == above)
        }
    }
}

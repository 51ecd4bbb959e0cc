//! What the directory that `docker build` is given tells of the stages: which of the files that they name
//! are there.

use std::path::{Path, PathBuf};

use super::origin::{context_path, is_pattern};
use crate::adopt::dockerfile::{Action, From, Stage, Step};
use crate::adopt::paths::join;

/// More sources are not looked for.
const MAX_SOURCES: usize = 200;

/// `COPY --parents` as one `COPY` for each source, which says where that goes.
pub(in crate::adopt) fn follow_parents(stages: &mut [Stage]) {
    for stage in stages {
        let steps = std::mem::take(&mut stage.steps);
        stage.steps = steps.into_iter().flat_map(with_parents).collect();
    }
}

/// Those of one step; of what is no file of the context, `--parents` is told.
fn with_parents(step: Step) -> Vec<Step> {
    let Action::Copy(copy) = &step.action else {
        return vec![step];
    };
    let has_flag = copy.flags.iter().any(|(flag, _)| flag == "parents");
    let is_open = |source: &String| is_pattern(source) || source.contains("://");
    if !has_flag || copy.from != From::Context || copy.sources.iter().any(is_open) {
        return vec![step];
    }
    let line = step.line;
    let single = |source: &String| {
        // `./a/./b` keeps only what follows the second one.
        let from = source.trim_start_matches("./");
        let kept = from.rsplit_once("/./").map_or(from, |(_, kept)| kept);
        let kept = context_path(kept);
        let is_file = copy.files.contains(source);
        let inner = if is_file {
            kept.rsplit_once('/')
                .map_or("", |(directories, _)| directories)
        } else {
            kept.as_str()
        };
        let mut single = copy.clone();
        single.to = join(&copy.to, inner);
        single.into = true;
        single.sources = vec![source.clone()];
        single.flags.retain(|(flag, _)| flag != "parents");
        Step {
            line,
            action: Action::Copy(single),
        }
    };
    copy.sources.iter().map(single).collect()
}

/// Notes which sources of `COPY` are files in the context.
pub(in crate::adopt) fn see_files(stages: &mut [Stage], context: &Path) {
    let steps = stages.iter_mut().flat_map(|stage| &mut stage.steps);
    for step in steps {
        if let Action::Copy(copy) = &mut step.action
            && copy.from == From::Context
        {
            let is_file = |source: &&String| context.join(context_path(source)).is_file();
            copy.files = copy.sources.iter().filter(is_file).cloned().collect();
        }
    }
}

/// The directory in which most of what is copied from the context is found. `docker build` is told by
/// its caller, whom nobody can ask.
pub(in crate::adopt) fn likely_context(stages: &[Stage], candidates: &[PathBuf]) -> PathBuf {
    let sources: Vec<&String> = stages
        .iter()
        .flat_map(|stage| &stage.steps)
        .filter_map(|step| match &step.action {
            Action::Copy(copy) if copy.from == From::Context => Some(&copy.sources),
            _ => None,
        })
        .flatten()
        .filter(|source| !is_pattern(source))
        .take(MAX_SOURCES)
        .collect();
    let found = |directory: &PathBuf| {
        let there = sources.iter().filter(|source| {
            let path = context_path(source);
            directory.join(path).symlink_metadata().is_ok()
        });
        there.count()
    };
    let mut best: Option<(usize, &PathBuf)> = None;
    for candidate in candidates {
        let count = found(candidate);
        if best.is_none_or(|(most, _)| count > most) {
            best = Some((count, candidate));
        }
    }
    best.map(|(_, directory)| directory.clone())
        .unwrap_or_default()
}

//! Directories that the target of a `COPY` names without saying so: there a file keeps its name.

use std::path::Path;

use super::directories::{is_directory, is_said_directory};
use super::origin::{Origin, context_path, is_bare, is_pattern, origin};
use super::users::Users;
use crate::adopt::dockerfile::{Action, Copy, From, Stage, steps};
use crate::adopt::paths::{absolute, below, name};
use crate::workspace::Workspace;

/// More of what is copied to one place is not looked into.
const MAX_COPIES: usize = 16;

/// Notes which targets of `COPY` are directories that are there, and take a file under its own name. Whoever
/// names a directory of the context or of a stage copies what is in it, wherever that goes.
pub(in crate::adopt) fn see_directories(
    stages: &mut [Stage],
    workspace: &Workspace,
    context: &Path,
) {
    for stage in 0..stages.len() {
        see_executables(stages, stage, workspace, context);
        let seen = Seen {
            stages,
            stage,
            workspace,
            context,
        };
        for at in seen.entering() {
            let step = stages
                .get_mut(stage)
                .and_then(|stage| stage.steps.get_mut(at));
            if let Some(Action::Copy(copy)) = step.map(|step| &mut step.action) {
                copy.into = true;
            }
        }
    }
}

/// A stage, of which the earlier ones are known.
struct Seen<'a> {
    stages: &'a [Stage],
    stage: usize,
    workspace: &'a Workspace,
    context: &'a Path,
}

impl Seen<'_> {
    /// Which steps of the stage copy a file into a directory.
    fn entering(&self) -> Vec<usize> {
        let Some(stage) = self.stages.get(self.stage) else {
            return Vec::new();
        };
        let homes: Vec<String> = Users::of(self.stages, self.stage)
            .homes
            .into_values()
            .map(|home| home.path)
            .collect();
        let is_home = |path: &str| homes.iter().any(|home| below(home, path).is_some());
        let steps = stage.steps.iter().enumerate();
        let found = steps.filter(|(_, step)| match &step.action {
            Action::Copy(copy) if !copy.into => {
                (is_home(&copy.to) || self.is_there(&copy.to)) && self.brings_file(copy)
            }
            Action::Copy(_) | Action::Run { .. } => false,
        });
        found.map(|(at, _)| at).collect()
    }

    fn is_there(&self, path: &str) -> bool {
        let is_there = if is_bare(self.stages, self.stage) {
            is_said_directory(self.stages, self.stage, path)
        } else {
            is_directory(self.stages, self.stage, path)
        };
        is_there || self.is_copied(path)
    }

    /// Whether a directory is copied to a path, or one that holds it.
    fn is_copied(&self, path: &str) -> bool {
        let copies = steps(self.stages, self.stage).filter_map(|step| match &step.action {
            Action::Copy(copy) => Some((copy, below(path, &copy.to)?)),
            Action::Run { .. } => None,
        });
        copies.take(MAX_COPIES).any(|(copy, rest)| {
            copy.sources.iter().take(MAX_COPIES).any(|source| {
                let source = format!("{source}/{rest}");
                match copy.from {
                    From::Context => self.context.join(context_path(&source)).is_dir(),
                    From::Stage(earlier) if earlier < self.stage => {
                        self.is_directory_of(earlier, &absolute("/", &source))
                    }
                    From::Stage(_) | From::Image(_) => false,
                }
            })
        })
    }

    fn is_directory_of(&self, stage: usize, path: &str) -> bool {
        is_directory(self.stages, stage, path)
            || match origin(self.stages, stage, path) {
                Origin::Context(path) => self.context.join(path).is_dir(),
                Origin::Made { .. } | Origin::Image { .. } => false,
            }
    }

    /// Whether the one source is known to be a file: on the disk, or made by cargo.
    fn brings_file(&self, copy: &Copy) -> bool {
        let [source] = copy.sources.as_slice() else {
            return false;
        };
        if is_pattern(source) {
            return false;
        }
        match copy.from {
            From::Context => self.is_file(&context_path(source)),
            From::Stage(earlier) if earlier < self.stage => {
                let path = absolute("/", source);
                !is_directory(self.stages, earlier, &path)
                    && match origin(self.stages, earlier, &path) {
                        Origin::Context(path) => self.is_file(&path),
                        Origin::Made { path, .. } => is_executable(self.workspace, &path),
                        Origin::Image { .. } => false,
                    }
            }
            From::Stage(_) | From::Image(_) => false,
        }
    }

    fn is_file(&self, path: &str) -> bool {
        let on_disk = self.context.join(path);
        on_disk.is_file() || (!on_disk.is_dir() && is_executable(self.workspace, path))
    }
}

/// Notes which sources of `COPY` are files that nothing has built yet.
fn see_executables(stages: &mut [Stage], stage: usize, workspace: &Workspace, context: &Path) {
    let steps = stages.get_mut(stage).map(|stage| &mut stage.steps);
    for step in steps.into_iter().flatten() {
        if let Action::Copy(copy) = &mut step.action
            && copy.from == From::Context
        {
            let is_missing = |source: &&String| {
                let path = context_path(source);
                !is_pattern(source)
                    && is_executable(workspace, &path)
                    && !context.join(&path).exists()
            };
            let missing: Vec<String> = copy.sources.iter().filter(is_missing).cloned().collect();
            copy.files.extend(missing);
        }
    }
}

/// Whether cargo makes it, as its name says.
fn is_executable(workspace: &Workspace, path: &str) -> bool {
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    let packages = workspace.packages.iter();
    let mut binaries = packages.flat_map(|package| &package.binaries);
    let mut services = workspace.services.iter();
    matches!(name(directory), "release" | "debug")
        || binaries.any(|binary| binary == name(path))
        || services.any(|service| service.binary == name(path))
}

//! The executables of services in a stage, and what puts them there.

use globset::Glob;

use super::contents::Contents;
use super::origin::{Origin, destination, is_bare, is_output, is_pattern, origin};
use super::transfer::Transfer;
use crate::adopt::dockerfile::{Action, Build, Copy, From, Stage, directory, last_build, lineage};
use crate::adopt::paths::{absolute, join, name, parent};
use crate::adopt::shell::Ran;
use crate::workspace::{Service, Workspace};

/// More files of one step are not looked at.
const MAX_LINKED: usize = 50;

/// Where a shell looks for programs.
const ON_PATH: &[&str] = &[
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
];

/// An executable that ends up in the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::adopt) struct Placed {
    pub(in crate::adopt) line: usize,
    /// Where it is in the image.
    pub(in crate::adopt) path: String,
    pub(in crate::adopt) origin: Origin,
}

impl Placed {
    /// Whether one of these stages makes it.
    pub(super) fn is_made_in(&self, stages: &[usize]) -> bool {
        matches!(&self.origin, Origin::Made { stage, .. } if stages.contains(stage))
    }
}

/// The other names that `cp`, `mv`, `install` and `ln` give to executables of services in a stage.
pub(in crate::adopt) fn linked(
    stages: &[Stage],
    stage: usize,
    workspace: &Workspace,
) -> Vec<Placed> {
    let mut found: Vec<Placed> = Vec::new();
    let chain = lineage(stages, stage).into_iter();
    let steps = chain
        .filter_map(|index| stages.get(index))
        .flat_map(|stage| &stage.steps);
    for step in steps {
        let Action::Run { commands } = &step.action else {
            continue;
        };
        let places = commands.iter().flat_map(places);
        for path in places.take(MAX_LINKED) {
            let origin = origin(stages, stage, &path);
            let mut services = workspace.services.iter();
            let is_service = services.any(|service| service.binary == origin.name());
            if is_service && origin.path() != path && !found.iter().any(|other| other.path == path)
            {
                let line = step.line;
                found.push(Placed { line, path, origin });
            }
        }
    }
    found
}

/// Where a command may put a file or a link.
fn places(ran: &Ran) -> Vec<String> {
    let Some(transfer) = Transfer::of(ran) else {
        return Vec::new();
    };
    let sources = transfer.sources.iter();
    let inside = sources.map(|source| transfer.inside(source));
    let itself = (!transfer.into).then(|| transfer.target.clone());
    inside.chain(itself).collect()
}

/// All files that are copied into a stage one by one and have the name of a binary.
pub(in crate::adopt) fn executables(
    stages: &[Stage],
    stage: usize,
    workspace: &Workspace,
) -> Vec<Placed> {
    let mut found: Vec<Placed> = Vec::new();
    let is_binary = |name: &str| is_binary(workspace, name);
    for index in lineage(stages, stage) {
        let steps = stages.get(index).map(|stage| stage.steps.as_slice());
        for step in steps.unwrap_or_default() {
            let Action::Copy(copy) = &step.action else {
                continue;
            };
            let sources = copy.sources.iter();
            let line = step.line;
            let paths =
                sources.flat_map(|source| landed(stages, stage, workspace, line, copy, source));
            for path in paths {
                let origin = origin(stages, stage, &path);
                let looks_built = match &origin {
                    Origin::Made { .. } => true,
                    Origin::Context(path) => is_built(path),
                    Origin::Image { .. } => false,
                };
                let fits = is_binary(origin.name())
                    || (is_binary(name(&path)) && !matches!(copy.from, From::Context));
                if looks_built && fits && !found.iter().any(|placed| placed.path == path) {
                    found.push(Placed {
                        line: step.line,
                        path,
                        origin,
                    });
                }
            }
        }
    }
    found
}

/// Where the files of a source land, those of a directory and a pattern too.
fn landed(
    stages: &[Stage],
    stage: usize,
    workspace: &Workspace,
    line: usize,
    copy: &Copy,
    source: &str,
) -> Vec<String> {
    let bare = is_bare(stages, stage);
    if let From::Stage(maker) = copy.from
        && is_pattern(name(source))
    {
        let build = last_build(stages, maker);
        let files = built(workspace, build.as_ref(), source).into_iter();
        return files
            .map(|source| destination(copy, &source, bare))
            .collect();
    }
    match Contents::of_copy(stages, stage, workspace, line, copy, source) {
        Some(contents) => {
            let files = contents.parts.iter().map(|part| part.inner.as_str());
            let files = files.filter(|inner| !inner.is_empty());
            files.map(|inner| join(&copy.to, inner)).collect()
        }
        None => vec![destination(copy, source, bare)],
    }
}

/// The executables that a pattern stands for: those of what a build compiles.
pub(super) fn built(workspace: &Workspace, build: Option<&Build>, pattern: &str) -> Vec<String> {
    let last = name(pattern);
    let directory = pattern.strip_suffix(last).unwrap_or_default();
    let Some(matcher) = Glob::new(last).ok().map(|glob| glob.compile_matcher()) else {
        return Vec::new();
    };
    let (Some(build), true) = (build, is_output(pattern) || directory.ends_with("/bin/")) else {
        return Vec::new();
    };
    let is_built = |service: &&Service| {
        let package = workspace.package_of(service);
        let by_path = build.path.as_ref().is_none_or(|path| {
            *path == "." || package.directory.ends_with(path.trim_start_matches("./"))
        });
        let by_package = build.packages.is_empty() || build.packages.contains(&package.name);
        let by_binary = build.binaries.is_empty() || build.binaries.contains(&service.binary);
        by_path && by_package && by_binary && matcher.is_match(&service.binary)
    };
    let services = workspace.services.iter().filter(is_built);
    services
        .map(|service| format!("{directory}{}", service.binary))
        .collect()
}

fn is_binary(workspace: &Workspace, name: &str) -> bool {
    let mut binaries = workspace
        .packages
        .iter()
        .filter(|package| package.member)
        .flat_map(|package| &package.binaries);
    binaries.any(|binary| binary == name)
}

/// Whether a path in the context is where cargo or a script puts what it built.
fn is_built(path: &str) -> bool {
    let mut parts = path.split('/').rev().skip(1);
    is_output(path) || parts.any(|part| matches!(part, "bin" | "dist" | "out"))
}

/// What a word of a command names: a path, or the name of something on `PATH`.
pub(in crate::adopt) fn started(
    stages: &[Stage],
    stage: usize,
    word: &str,
    all: &[Placed],
) -> Placed {
    let directory = directory(stages, stage);
    let path = if word.contains('/') {
        absolute(directory, word)
    } else {
        let named = || all.iter().filter(|placed| name(&placed.path) == word);
        let is_on_path = |placed: &&Placed| ON_PATH.contains(&parent(&placed.path));
        let on_path = named().find(is_on_path).or_else(|| named().next());
        match on_path {
            Some(placed) => placed.path.clone(),
            None => unlisted(stages, stage, word),
        }
    };
    if let Some(placed) = all.iter().find(|placed| placed.path == path) {
        return placed.clone();
    }
    Placed {
        line: 0,
        origin: origin(stages, stage, &path),
        path,
    }
}

/// Where a program is on `PATH` of which no step says so by itself: where a directory is copied that may
/// hold it.
fn unlisted(stages: &[Stage], stage: usize, word: &str) -> String {
    let usual = format!("/usr/local/bin/{word}");
    let others = ON_PATH.iter().map(|directory| join(directory, word));
    let mut all = std::iter::once(usual.clone()).chain(others);
    let is_there = |path: &String| {
        let origin = origin(stages, stage, path);
        is_put(
            stages,
            stage,
            &Placed {
                line: 0,
                path: path.clone(),
                origin,
            },
        )
    };
    all.find(is_there).unwrap_or(usual)
}

/// Whether something puts the executable where it is, other than cargo itself.
pub(in crate::adopt) fn is_put(stages: &[Stage], stage: usize, placed: &Placed) -> bool {
    let is_here = |made: usize| lineage(stages, stage).contains(&made);
    match &placed.origin {
        Origin::Made { stage: made, path } => !is_here(*made) || *path != placed.path,
        Origin::Context(_) | Origin::Image { .. } => true,
    }
}

//! Which service a Dockerfile is for, and where its executable is put.

use super::build::{Build, last_build};
use super::error::AdoptError;
use super::launch::Launch;
use super::locate::{Origin, destination, is_bare, is_output, origin};
use super::paths::{absolute, name};
use super::stage::{Action, From, Stage, lineage};
use crate::hint::near_names;
use crate::report::printable;
use crate::workspace::{Service, Workspace};

/// An executable that ends up in the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) line: usize,
    /// Where it is in the image.
    pub(super) path: String,
    pub(super) origin: Origin,
}

/// A service, and what is known of how the Dockerfile makes it.
pub(super) struct Chosen<'a> {
    pub(super) service: &'a Service,
    /// Where its executable is, if something puts it there.
    pub(super) placed: Option<Placed>,
    pub(super) build: Option<Build>,
    /// The stage that compiles it.
    pub(super) stage: Option<usize>,
}

/// All files that are copied into a stage one by one and have the name of a binary.
pub(super) fn executables(stages: &[Stage], stage: usize, workspace: &Workspace) -> Vec<Placed> {
    let mut found: Vec<Placed> = Vec::new();
    let is_binary = |name: &str| is_binary(workspace, name);
    for index in lineage(stages, stage) {
        let bare = is_bare(stages, index);
        let steps = stages.get(index).map(|stage| stage.steps.as_slice());
        for step in steps.unwrap_or_default() {
            let Action::Copy(copy) = &step.action else {
                continue;
            };
            for source in &copy.sources {
                let path = destination(copy, source, bare);
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

/// Chooses the service: the one that is named, else the one whose executable is started, else the only
/// one that is copied, compiled or there.
///
/// # Errors
/// [`AdoptError`] where that is none or several.
pub(super) fn choose<'a>(
    workspace: &'a Workspace,
    stages: &[Stage],
    stage: usize,
    launch: &Launch,
    named: Option<&str>,
) -> Result<Chosen<'a>, AdoptError> {
    let all = executables(stages, stage, workspace);
    let started = launch
        .executable
        .as_deref()
        .map(|word| started(stages, stage, word, &all));
    let chosen = |service: &'a Service, placed: Option<Placed>| {
        let maker = placed.as_ref().map_or(stage, |placed| match placed.origin {
            Origin::Made { stage, .. } => stage,
            _ => stage,
        });
        let build = last_build(stages, maker);
        Chosen {
            service,
            stage: build.is_some().then_some(maker),
            build,
            placed: placed.filter(|placed| is_put(stages, stage, placed)),
        }
    };
    if let Some(named) = named {
        let service = workspace
            .service(named)
            .ok_or_else(|| no_such_service(workspace, named))?;
        let own = |placed: &&Placed| placed.origin.name() == service.binary;
        let placed = started
            .clone()
            .filter(|placed| own(&placed))
            .or_else(|| all.iter().find(own).cloned())
            .or(started);
        return Ok(chosen(service, placed));
    }
    let candidates = match &started {
        Some(placed) => vec![placed.clone()],
        None => all.clone(),
    };
    let mut services = Vec::new();
    for placed in candidates {
        let of_maker = match placed.origin {
            Origin::Made { stage, .. } => last_build(stages, stage),
            _ => last_build(stages, stage),
        };
        for service in matching(workspace, placed.origin.name(), of_maker.as_ref()) {
            services.push((service, placed.clone()));
        }
    }
    match services.as_slice() {
        [(service, placed)] => Ok(chosen(service, Some(placed.clone()))),
        [] => {
            let maker = match started.as_ref().map(|placed| &placed.origin) {
                Some(Origin::Made { stage, .. }) => *stage,
                _ => stage,
            };
            let build = last_build(stages, maker);
            let service = compiled(workspace, build.as_ref())
                .or(match workspace.services.as_slice() {
                    [only] => Some(only),
                    _ => None,
                })
                .ok_or_else(|| unknown(workspace, launch))?;
            Ok(chosen(service, started))
        }
        several => Err(AdoptError::SeveralServices {
            services: several
                .iter()
                .map(|(service, _)| service.name.clone())
                .collect(),
        }),
    }
}

/// What a word of a command names: a path, or the name of something on `PATH`.
fn started(stages: &[Stage], stage: usize, word: &str, all: &[Placed]) -> Placed {
    let directory = stages
        .get(stage)
        .map_or("/", |stage| stage.settings.directory());
    let path = if word.contains('/') {
        absolute(directory, word)
    } else {
        let on_path = all.iter().find(|placed| name(&placed.path) == word);
        match on_path {
            Some(placed) => placed.path.clone(),
            None => format!("/usr/local/bin/{word}"),
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

/// Whether something puts the executable where it is, other than cargo itself.
fn is_put(stages: &[Stage], stage: usize, placed: &Placed) -> bool {
    let is_here = |made: usize| lineage(stages, stage).contains(&made);
    match &placed.origin {
        Origin::Made { stage: made, path } => !is_here(*made) || *path != placed.path,
        Origin::Context(_) | Origin::Image { .. } => true,
    }
}

/// Services with a binary of that name; of several, those of the packages that are compiled.
fn matching<'a>(workspace: &'a Workspace, binary: &str, build: Option<&Build>) -> Vec<&'a Service> {
    let mut found: Vec<&Service> = workspace
        .services
        .iter()
        .filter(|service| service.binary == binary || service.name == binary)
        .collect();
    if let Some(build) = build.filter(|build| found.len() > 1 && !build.packages.is_empty()) {
        let of_package =
            |service: &&Service| build.packages.contains(&workspace.package_of(service).name);
        if found.iter().any(of_package) {
            found.retain(of_package);
        }
    }
    found
}

/// The only service that a build compiles.
fn compiled<'a>(workspace: &'a Workspace, build: Option<&Build>) -> Option<&'a Service> {
    let build = build?;
    let directory = build
        .path
        .as_deref()
        .map(|path| workspace.root.join(path.trim_start_matches("./")));
    let fits = |service: &&Service| {
        let package = workspace.package_of(service);
        let by_binary = build.binaries.contains(&service.binary);
        let by_package = build.packages.contains(&package.name);
        let by_path = directory
            .as_ref()
            .is_some_and(|path| *path == package.directory);
        match (build.binaries.is_empty(), build.packages.is_empty()) {
            (false, false) => by_binary && by_package,
            (false, true) => by_binary,
            (true, false) => by_package,
            (true, true) => by_path,
        }
    };
    let mut found = workspace.services.iter().filter(fits);
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

fn no_such_service(workspace: &Workspace, named: &str) -> AdoptError {
    let all = || {
        workspace
            .services
            .iter()
            .map(|service| service.name.as_str())
    };
    let near = near_names(named, all());
    let known = if near.is_empty() {
        all().map(str::to_owned).collect()
    } else {
        near.into_iter().map(str::to_owned).collect()
    };
    AdoptError::NoSuchService {
        service: printable(named),
        known,
    }
}

fn unknown(workspace: &Workspace, launch: &Launch) -> AdoptError {
    let executable = launch.executable.as_deref().map(name);
    let left_out = workspace
        .left_out
        .iter()
        .find(|left| Some(left.binary.as_str()) == executable)
        .map(|left| {
            format!(
                "`{}` of package `{}` is no service: {}",
                left.binary, left.package, left.reason
            )
        });
    AdoptError::UnknownService {
        executable: executable.map(printable),
        known: workspace
            .services
            .iter()
            .map(|service| service.name.clone())
            .collect(),
        left_out,
    }
}

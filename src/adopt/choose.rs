//! Which service a Dockerfile is for, and where its executable is put.

use std::collections::BTreeSet;

use globset::Glob;

use super::absent::is_absent;
use super::build::{Build, last_build};
use super::error::AdoptError;
use super::launch::Launch;
use super::locate::{Origin, destination, is_bare, is_output, is_pattern, operands, origin};
use super::paths::{absolute, join, name, parent};
use super::shell::Ran;
use super::stage::{Action, From, Stage, lineage};
use crate::hint::near_names;
use crate::report::printable;
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
    /// Another service that is started instead.
    pub(super) instead: Option<&'a str>,
    /// What is started instead, and is not in the image.
    pub(super) absent: Option<String>,
}

/// What a service is chosen by.
pub(super) struct Choice<'a, 'd> {
    /// What errors call the Dockerfile.
    pub(super) file: &'d str,
    pub(super) workspace: &'a Workspace,
    pub(super) stages: &'d [Stage],
    pub(super) stage: usize,
    pub(super) launch: &'d Launch,
    /// What commands of the stage make of executables.
    pub(super) linked: &'d [Placed],
}

impl Placed {
    /// Whether one of these stages makes it.
    pub(super) fn is_made_in(&self, stages: &[usize]) -> bool {
        matches!(&self.origin, Origin::Made { stage, .. } if stages.contains(stage))
    }
}

/// The other names that `cp`, `mv`, `install` and `ln` give to executables of services in a stage.
pub(super) fn linked(stages: &[Stage], stage: usize, workspace: &Workspace) -> Vec<Placed> {
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
    let Some((program, arguments)) = ran.words.split_first() else {
        return Vec::new();
    };
    if !matches!(name(program), "cp" | "mv" | "install" | "ln") {
        return Vec::new();
    }
    let operands = operands(arguments);
    let Some((last, sources)) = operands.split_last() else {
        return Vec::new();
    };
    let target = absolute(&ran.here, last);
    let inside = sources.iter().map(|source| join(&target, name(source)));
    inside.chain([target.clone()]).collect()
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
            let sources = copy.sources.iter().flat_map(|source| match copy.from {
                From::Stage(maker) if is_pattern(name(source)) => {
                    let build = last_build(stages, maker);
                    built(workspace, build.as_ref(), source)
                }
                _ => vec![source.clone()],
            });
            for source in sources {
                let path = destination(copy, &source, bare);
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

/// The executables that a pattern stands for: those of what a build compiles.
fn built(workspace: &Workspace, build: Option<&Build>, pattern: &str) -> Vec<String> {
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

impl<'a> Choice<'a, '_> {
    /// Chooses the service: the one that is named, else the one whose executable is started, else the
    /// only one that is copied, compiled or there.
    ///
    /// # Errors
    /// [`AdoptError`] where that is none or several, or the Dockerfile is for another one.
    pub(super) fn service(&self, named: Option<&str>) -> Result<Chosen<'a>, AdoptError> {
        let all = executables(self.stages, self.stage, self.workspace);
        let word = self.launch.executable.as_deref();
        let known: Vec<Placed> = all.iter().chain(self.linked).cloned().collect();
        let is_absent =
            |word: &&str| is_absent(self.stages, self.stage, self.workspace, &known, word);
        let absent = word.filter(is_absent);
        let there = word.filter(|_| absent.is_none());
        let started = there.map(|word| started(self.stages, self.stage, word, &known));
        let chosen = match named {
            Some(named) => self.named(named, started, &all),
            None => self.found(started, all),
        }?;
        let absent = absent.map(str::to_owned);
        Ok(Chosen { absent, ..chosen })
    }

    fn named(
        &self,
        named: &str,
        started: Option<Placed>,
        all: &[Placed],
    ) -> Result<Chosen<'a>, AdoptError> {
        let service = self
            .workspace
            .service(named)
            .ok_or_else(|| no_such_service(self.workspace, named))?;
        let own = |placed: &&Placed| placed.origin.name() == service.binary;
        let other = |placed: &Placed| {
            let mut services = self.workspace.services.iter();
            let binary = placed.origin.name();
            services
                .find(|other| other.binary == binary && binary != service.binary)
                .map(|other| other.name.as_str())
        };
        if let Some(placed) = started.clone().filter(|placed| own(&placed)) {
            return Ok(self.chosen(service, Some(placed)));
        }
        let instead = started.as_ref().and_then(other);
        if let Some(placed) = all.iter().find(own) {
            let chosen = self.chosen(service, Some(placed.clone()));
            return Ok(Chosen { instead, ..chosen });
        }
        let build = self.build(started.as_ref());
        let compiled = compiled(self.workspace, build.as_ref());
        let compiled = compiled.filter(|other| other.binary != service.binary);
        let copied = || all.iter().filter_map(other).collect();
        let (does, others): (_, BTreeSet<&str>) = match (instead, compiled) {
            (Some(instead), _) => ("starts", [instead].into()),
            (None, Some(compiled)) => ("compiles", [compiled.name.as_str()].into()),
            (None, None) if started.is_none() => ("has the executable of", copied()),
            (None, None) => ("", BTreeSet::new()),
        };
        if others.is_empty() {
            return Ok(self.chosen(service, started));
        }
        Err(AdoptError::OtherService {
            file: printable(self.file),
            service: service.name.clone(),
            does,
            others: others.into_iter().map(str::to_owned).collect(),
            stage: None,
        })
    }

    fn found(&self, started: Option<Placed>, all: Vec<Placed>) -> Result<Chosen<'a>, AdoptError> {
        let candidates = match &started {
            Some(placed) => vec![placed.clone()],
            None => all,
        };
        let mut services = Vec::new();
        for placed in candidates {
            let build = last_build(self.stages, self.maker(Some(&placed)));
            for service in matching(self.workspace, placed.origin.name(), build.as_ref()) {
                services.push((service, placed.clone()));
            }
        }
        match services.as_slice() {
            [(service, placed)] => Ok(self.chosen(service, Some(placed.clone()))),
            [] => {
                let build = self.build(started.as_ref());
                let service = compiled(self.workspace, build.as_ref())
                    .or(match self.workspace.services.as_slice() {
                        [only] => Some(only),
                        _ => None,
                    })
                    .ok_or_else(|| self.unknown())?;
                Ok(self.chosen(service, started))
            }
            several => Err(AdoptError::SeveralServices {
                file: printable(self.file),
                services: several
                    .iter()
                    .map(|(service, _)| service.name.clone())
                    .collect(),
            }),
        }
    }

    /// How it is compiled: `cargo run` does that when a container starts.
    fn build(&self, placed: Option<&Placed>) -> Option<Build> {
        let at_start = self.launch.build.clone();
        at_start.or_else(|| last_build(self.stages, self.maker(placed)))
    }

    /// The stage that makes an executable.
    fn maker(&self, placed: Option<&Placed>) -> usize {
        match placed.map(|placed| &placed.origin) {
            Some(Origin::Made { stage, .. }) => *stage,
            _ => self.stage,
        }
    }

    fn chosen(&self, service: &'a Service, placed: Option<Placed>) -> Chosen<'a> {
        let maker = self.maker(placed.as_ref());
        let build = last_build(self.stages, maker);
        Chosen {
            service,
            stage: build.is_some().then_some(maker),
            build,
            placed: placed.filter(|placed| is_put(self.stages, self.stage, placed)),
            instead: None,
            absent: None,
        }
    }

    fn unknown(&self) -> AdoptError {
        let executable = self.launch.executable.as_deref().map(name);
        let left_out = self
            .workspace
            .left_out
            .iter()
            .find(|left| Some(left.binary.as_str()) == executable)
            .map(|left| {
                format!(
                    "`{}` of package `{}` is no service: {}",
                    left.binary, left.package, left.reason
                )
            });
        let services = self.workspace.services.iter();
        AdoptError::UnknownService {
            file: printable(self.file),
            executable: executable.map(printable),
            known: services.map(|service| service.name.clone()).collect(),
            left_out,
        }
    }
}

/// What a word of a command names: a path, or the name of something on `PATH`.
pub(super) fn started(stages: &[Stage], stage: usize, word: &str, all: &[Placed]) -> Placed {
    let directory = stages
        .get(stage)
        .map_or("/", |stage| stage.settings.directory());
    let path = if word.contains('/') {
        absolute(directory, word)
    } else {
        let named = || all.iter().filter(|placed| name(&placed.path) == word);
        let is_on_path = |placed: &&Placed| ON_PATH.contains(&parent(&placed.path));
        let on_path = named().find(is_on_path).or_else(|| named().next());
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
pub(super) fn is_put(stages: &[Stage], stage: usize, placed: &Placed) -> bool {
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

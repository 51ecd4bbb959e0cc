//! Which service a Dockerfile is for.

use std::collections::BTreeSet;

use crate::adopt::dockerfile::{Build, Stage, last_build};
use crate::adopt::error::AdoptError;
use crate::adopt::launch::Launch;
use crate::adopt::layers::{Origin, Placed, executables, is_absent, is_put, started};
use crate::adopt::paths::name;
use crate::hint::near_names;
use crate::report::printable;
use crate::workspace::{Service, Workspace};

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

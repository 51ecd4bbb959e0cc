//! What every command works with, and the way from arguments to a plan.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use super::Failure;
use super::arguments::{InsecureArguments, PlanArguments, WorkspaceArguments};
use super::destinations::Aim;
use super::jobs::Jobs;
use crate::cargo::{Cargo, Configuration, Network};
use crate::config::{self, Config, Overrides};
use crate::destination::Spec;
use crate::hint::Hint;
use crate::oci::Platform;
use crate::plan::{self, Plan, TargetChoice};
use crate::process::{Environment, Interrupt};
use crate::registry::{self, Listener, Registry};
use crate::report::Clock;
use crate::ui::Console;
use crate::workspace::{self, ServiceFilter, Workspace};

/// The world of a command.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) environment: Environment,
    pub(super) clock: Clock,
    pub(super) interrupt: Interrupt,
    pub(super) console: Arc<Console>,
    /// Columns of the terminal that data goes to, if it goes to one.
    pub(super) columns: Option<usize>,
}

/// `SOURCE_DATE_EPOCH` is not a number of seconds.
#[derive(Debug, thiserror::Error)]
#[error("SOURCE_DATE_EPOCH is `{0}`, which is not a number of seconds since 1970")]
struct InvalidEpoch(String);

impl Hint for InvalidEpoch {
    fn hint(&self) -> Option<String> {
        Some("set it as `SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)`, or unset it".to_owned())
    }
}

/// cargo's configuration names no target that one image could be for.
#[derive(Debug, thiserror::Error)]
#[error("`build.target` of cargo's configuration names several targets, or a specification file")]
struct SeveralTargets;

impl Hint for SeveralTargets {
    fn hint(&self) -> Option<String> {
        Some("choose one with `--target`".to_owned())
    }
}

/// A plan, cargo for its workspace, and where images go.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) cargo: Cargo,
    pub(super) workspace: Workspace,
    pub(super) plan: Plan,
    pub(super) destinations: Vec<Spec>,
}

impl Context {
    /// Threads that may work at once, and what cargo is told of `--jobs`.
    pub(super) fn threads(jobs: Option<Jobs>) -> (NonZeroUsize, Option<u32>) {
        let cpus = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let asked = jobs.map(|jobs| jobs.count(cpus));
        let threads = asked.and_then(|jobs| NonZeroUsize::new(usize::try_from(jobs).ok()?));
        (threads.unwrap_or(cpus), asked)
    }

    /// The terminal, for what clients of registries have to say.
    pub(super) fn listener(&self) -> Listener {
        Listener::new(Arc::<Console>::clone(&self.console))
    }

    /// A client for commands that ask registries and push nothing.
    pub(super) fn registry(&self, insecure: &InsecureArguments) -> Result<Registry, Failure> {
        let options = registry::Options {
            insecure: insecure.hosts()?,
            listener: self.listener(),
            ..registry::Options::default()
        };
        let clock = self.clock.clone();
        Registry::with(&self.environment, clock, &self.interrupt, options)
            .map_err(Failure::of_registry)
    }

    /// cargo as the flags want it.
    pub(super) fn cargo(&self, arguments: &WorkspaceArguments) -> Cargo {
        let network = Network {
            offline: arguments.offline || arguments.frozen,
        };
        let cargo = Cargo::new(&self.environment, network, &self.interrupt);
        match manifest_directory(
            self.environment.directory(),
            arguments.manifest_path.as_deref(),
        ) {
            Some(directory) => cargo.at(&directory),
            None => cargo,
        }
    }

    /// The workspace that is meant, with the configuration of its services; those that cannot be
    /// deployed with it are left out.
    pub(super) fn workspace(
        &self,
        cargo: &Cargo,
        arguments: &WorkspaceArguments,
        overrides: &Overrides,
    ) -> Result<(Workspace, Config), Failure> {
        self.workspace_in(cargo, arguments, overrides, None)
    }

    /// The same in a repository whose top cannot be found by looking for `.git`.
    pub(super) fn workspace_in(
        &self,
        cargo: &Cargo,
        arguments: &WorkspaceArguments,
        overrides: &Overrides,
        repository: Option<&Path>,
    ) -> Result<(Workspace, Config), Failure> {
        let manifest_path = arguments
            .manifest_path
            .as_ref()
            .map(|path| self.environment.resolve(path));
        let mut workspace =
            workspace::discover(cargo, manifest_path.as_deref()).map_err(Failure::of_workspace)?;
        if let Some(repository) = repository {
            repository.clone_into(&mut workspace.repository_root);
        }
        let config =
            config::resolve(&workspace, &self.environment, overrides).map_err(Failure::usage)?;
        Ok((plan::deployable(workspace, &config), config))
    }

    /// Everything that is decided before anything is done.
    pub(super) fn plan(&self, arguments: &PlanArguments, aim: Aim) -> Result<Planned, Failure> {
        let cargo = self.cargo(&arguments.workspace);
        let (mut workspace, config) =
            self.workspace(&cargo, &arguments.workspace, &overrides(arguments))?;
        if let Some(directory) = &arguments.compile.target_dir {
            workspace.target_directory = self.environment.resolve(directory);
        }
        let filter = filter(arguments);
        let selected = filter.select(&workspace).map_err(Failure::usage)?;
        let request = plan::Request {
            selected,
            named: filter.names_any(),
            target: self.target_choice(&cargo, &workspace, arguments)?,
            target_directory_named: arguments.compile.target_dir.is_some(),
            source_date_epoch: self.source_date_epoch()?,
        };
        let plan = plan::make(&workspace, &config, request).map_err(Failure::usage)?;
        let destinations = aim.destinations(self, &plan, &arguments.destinations)?;
        Ok(Planned {
            cargo,
            workspace,
            plan,
            destinations,
        })
    }

    fn target_choice(
        &self,
        cargo: &Cargo,
        workspace: &Workspace,
        arguments: &PlanArguments,
    ) -> Result<TargetChoice, Failure> {
        let platform: Option<Platform> = arguments
            .compile
            .platform
            .as_deref()
            .map(str::parse)
            .transpose()
            .map_err(Failure::usage)?;
        let at_root = cargo.at(&workspace.root);
        let configuration = Configuration::read(at_root.environment()).map_err(Failure::usage)?;
        let configured = match self.environment.get("CARGO_BUILD_TARGET") {
            Some(target) => Some(target.to_owned()),
            None => match configuration.build_target() {
                Some(None) if arguments.compile.target.is_none() && platform.is_none() => {
                    return Err(Failure::usage(SeveralTargets));
                }
                named => named.flatten().map(str::to_owned),
            },
        };
        Ok(TargetChoice {
            target: arguments.compile.target.clone(),
            platform,
            configured,
        })
    }

    fn source_date_epoch(&self) -> Result<Option<u64>, Failure> {
        // 9999-12-31T23:59:59Z, the last second that RFC 3339 can write.
        const LAST: u64 = 253_402_300_799;
        let Some(text) = self.environment.os("SOURCE_DATE_EPOCH") else {
            return Ok(None);
        };
        let text = text.to_string_lossy();
        let seconds = text.parse().ok().filter(|seconds| *seconds <= LAST);
        seconds
            .map(Some)
            .ok_or_else(|| Failure::usage(InvalidEpoch(text.into_owned())))
    }
}

/// Where rustup and cargo should look for the workspace's own settings.
fn manifest_directory(here: &Path, manifest_path: Option<&Path>) -> Option<PathBuf> {
    let directory = here.join(manifest_path?.parent()?);
    directory.is_dir().then_some(directory)
}

pub(super) fn filter(arguments: &PlanArguments) -> ServiceFilter {
    ServiceFilter {
        services: arguments.selection.services.clone(),
        packages: arguments.selection.packages.clone(),
        excluded: arguments.selection.exclude.clone(),
    }
}

pub(super) fn overrides(arguments: &PlanArguments) -> Overrides {
    let PlanArguments {
        features,
        compile,
        image,
        ..
    } = arguments;
    Overrides {
        repo: image.repo.clone(),
        tags: image.tags.clone(),
        profile: compile
            .profile
            .clone()
            .or_else(|| compile.release.then(|| "release".to_owned())),
        features: features.features.clone(),
        all_features: features.all_features,
        no_default_features: features.no_default_features,
        builder: compile.builder.clone(),
        linkage: compile.linkage.clone(),
        compression: image.compression.clone(),
        compression_level: image.compression_level,
    }
}

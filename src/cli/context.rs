//! What every command works with, and the way from arguments to a plan.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread;

use super::Failure;
use super::arguments::{PlanArguments, WorkspaceArguments};
use crate::cargo::{Cargo, Configuration, Network};
use crate::config::{self, Overrides};
use crate::hint::Hint;
use crate::oci::Platform;
use crate::plan::{self, Plan, TargetChoice};
use crate::process::{Environment, Interrupt};
use crate::report::Clock;
use crate::ui::Console;
use crate::workspace::{self, Discovery, ServiceFilter, Workspace};

/// The world of a command.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) environment: Environment,
    pub(super) clock: Clock,
    pub(super) interrupt: Interrupt,
    pub(super) console: Console,
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

/// A plan, and cargo for its workspace.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) cargo: Cargo,
    pub(super) plan: Plan,
}

impl Context {
    /// Threads that may work at once.
    pub(super) fn threads(jobs: Option<u32>) -> NonZeroUsize {
        let asked = jobs.and_then(|jobs| NonZeroUsize::new(usize::try_from(jobs).ok()?));
        asked
            .or_else(|| thread::available_parallelism().ok())
            .unwrap_or(NonZeroUsize::MIN)
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

    /// The workspace that is meant.
    pub(super) fn workspace(
        &self,
        cargo: &Cargo,
        arguments: &WorkspaceArguments,
        features: &[String],
        all_features: bool,
    ) -> Result<Workspace, Failure> {
        let manifest_path = arguments
            .manifest_path
            .as_ref()
            .map(|path| self.environment.resolve(path));
        let discovery = Discovery {
            manifest_path: manifest_path.as_deref(),
            features,
            all_features,
        };
        workspace::discover(cargo, &discovery).map_err(Failure::usage)
    }

    /// Everything that is decided before anything is done. `destinations` gets the configuration and
    /// the directory for layouts, and says where images go.
    pub(super) fn plan(
        &self,
        arguments: &PlanArguments,
        destinations: impl FnOnce(&Plan) -> Result<Vec<String>, Failure>,
    ) -> Result<Planned, Failure> {
        let cargo = self.cargo(&arguments.workspace);
        let features: Vec<String> = arguments
            .features
            .features
            .iter()
            .flat_map(|typed| typed.split([',', ' ']))
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect();
        let all_features = arguments.features.all_features;
        let mut workspace =
            self.workspace(&cargo, &arguments.workspace, &features, all_features)?;
        if let Some(directory) = &arguments.compile.target_dir {
            workspace.target_directory = self.environment.resolve(directory);
        }
        let filter = filter(arguments);
        let selected = filter.select(&workspace).map_err(Failure::usage)?;
        let overrides = overrides(arguments);
        let config =
            config::resolve(&workspace, &self.environment, &overrides).map_err(Failure::usage)?;
        let request = plan::Request {
            selected,
            named: filter.names_any(),
            target: self.target_choice(&cargo, &workspace, arguments)?,
            destinations: Vec::new(),
            source_date_epoch: self.source_date_epoch()?,
        };
        let mut plan = plan::make(&workspace, &config, request).map_err(Failure::usage)?;
        plan.destinations = destinations(&plan)?;
        Ok(Planned { cargo, plan })
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
        let configured = self
            .environment
            .get("CARGO_BUILD_TARGET")
            .or_else(|| configuration.string(&["build", "target"]))
            .map(str::to_owned);
        Ok(TargetChoice {
            target: arguments.compile.target.clone(),
            platform,
            configured,
            processor: std::env::consts::ARCH.to_owned(),
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

fn filter(arguments: &PlanArguments) -> ServiceFilter {
    ServiceFilter {
        services: arguments.selection.services.clone(),
        packages: arguments.selection.packages.clone(),
        excluded: arguments.selection.exclude.clone(),
    }
}

fn overrides(arguments: &PlanArguments) -> Overrides {
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

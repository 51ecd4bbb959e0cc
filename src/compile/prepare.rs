//! Everything that must be known and true before the first compile.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::flags::{Remapping, STATIC};
use super::{CompileError, linker};
use crate::cargo::{
    BuildRequest, Cargo, Configuration, Flags, Toolchain, cargo_home, winning_table,
};
use crate::config::{Builder, Linkage};
use crate::plan::{Plan, PlannedService};

/// What the command line says about compiling.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// `-j`.
    pub jobs: Option<u32>,
    /// Whether cargo's messages may have colours.
    pub colors: bool,
    /// Whether cargo keeps its own messages to itself.
    pub quiet: bool,
}

/// The build of each planned service, ready to run.
#[derive(Debug)]
pub struct Preparation {
    pub(super) cargo: Cargo,
    pub(super) requests: BTreeMap<String, BuildRequest>,
}

impl Preparation {
    /// The command for a service, as a user could type it.
    pub fn command_line(&self, service: &str) -> Option<String> {
        Some(
            self.requests
                .get(service)?
                .program(&self.cargo)
                .command_line(),
        )
    }
}

/// Asks the toolchain of the workspace, checks targets and linkers, and writes down each build.
///
/// # Errors
/// [`CompileError`] for the first thing that is missing on this machine.
pub fn prepare(cargo: &Cargo, plan: &Plan, options: &Options) -> Result<Preparation, CompileError> {
    let cargo = cargo.at(&plan.workspace_root);
    let configuration = Configuration::read(cargo.environment())?;
    let mut toolchains: BTreeMap<String, Toolchain> = BTreeMap::new();
    let mut requests = BTreeMap::new();
    for service in &plan.services {
        let target = plain_target(&service.target);
        if !toolchains.contains_key(target) {
            let toolchain = Toolchain::ask(&cargo, &configuration, Some(target))?;
            toolchains.insert(target.to_owned(), toolchain);
        }
        let Some(toolchain) = toolchains.get(target) else {
            continue;
        };
        check(&cargo, &configuration, toolchain, service)?;
        let request = request(&cargo, &configuration, toolchain, plan, service, options);
        requests.insert(service.service.clone(), request);
    }
    Ok(Preparation { cargo, requests })
}

/// The target without the glibc version that only zigbuild understands.
fn plain_target(target: &str) -> &str {
    target.split('.').next().unwrap_or(target)
}

fn check(
    cargo: &Cargo,
    configuration: &Configuration,
    toolchain: &Toolchain,
    service: &PlannedService,
) -> Result<(), CompileError> {
    if !toolchain.has_target() {
        return Err(CompileError::TargetMissing {
            target: plain_target(&service.target).to_owned(),
        });
    }
    let environment = cargo.environment();
    match service.config.builder.value {
        Builder::Cargo => linker::check(environment, configuration, toolchain, &service.target),
        Builder::Zigbuild => {
            if environment.find_program("cargo-zigbuild").is_none() {
                return Err(CompileError::ZigbuildMissing("cargo-zigbuild"));
            }
            Ok(())
        }
    }
}

fn request(
    cargo: &Cargo,
    configuration: &Configuration,
    toolchain: &Toolchain,
    plan: &Plan,
    service: &PlannedService,
    options: &Options,
) -> BuildRequest {
    let config = &service.config;
    let target_directory = config
        .remap_paths
        .value
        .then(|| build_directory(&plan.target_directory));
    let mut added = Vec::new();
    if let Some(target_directory) = &target_directory {
        let remapping = Remapping {
            workspace: plan.workspace_root.clone(),
            repository: plan.repository_root.clone(),
            target_directory: target_directory.clone(),
            cargo_home: cargo_home(cargo.environment()),
        };
        added.extend(remapping.flags(toolchain));
    }
    if config.linkage.value == Linkage::Static {
        added.push(STATIC.to_owned());
    }
    let table = winning_table(
        configuration,
        cargo.environment(),
        toolchain,
        plain_target(&service.target),
    );
    BuildRequest {
        package_id: service.package_id.clone(),
        binary: service.binary.clone(),
        target: service.target.clone(),
        profile: config.profile.value.clone(),
        selection: service.selection.clone(),
        target_directory,
        flags: Flags { table, added },
        zigbuild: config.builder.value == Builder::Zigbuild,
        jobs: options.jobs,
        colors: options.colors,
        quiet: options.quiet,
    }
}

/// Where builds with our flags go: never the user's own, which cargo would rebuild again and again for
/// other flags.
fn build_directory(target_directory: &Path) -> PathBuf {
    target_directory.join("lighter").join("build")
}

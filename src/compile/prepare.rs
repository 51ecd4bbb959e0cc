//! Everything that must be known and true before the first compile.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use super::flags::{Remapping, STATIC};
use super::{CompileError, linker, profile};
use crate::cargo::{
    BuildRequest, Cargo, Configuration, Flags, Toolchain, UserFlags, cargo_home, user_flags,
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
    /// In plan order.
    pub(super) builds: Vec<PreparedBuild>,
    /// Where it is kept which files each build read.
    pub(super) inputs: PathBuf,
}

/// One build, ready to run.
#[derive(Debug)]
pub struct PreparedBuild {
    pub(super) service: String,
    pub(super) request: BuildRequest,
}

impl Preparation {
    /// The builds, in plan order.
    pub fn builds(&self) -> &[PreparedBuild] {
        &self.builds
    }

    /// The command of a build, as a user could type it.
    pub fn command_line(&self, build: &PreparedBuild) -> String {
        build.request.program(&self.cargo).command_line()
    }
}

/// Asks the toolchain of the workspace, checks targets and linkers, and writes down each build.
///
/// # Errors
/// [`CompileError`] for the first thing that is missing on this machine.
pub fn prepare(cargo: &Cargo, plan: &Plan, options: &Options) -> Result<Preparation, CompileError> {
    let mut machines = Machines::of(cargo, plan)?;
    let mut builds = Vec::new();
    for service in &plan.services {
        let machine = machines.machine_for(&service.target)?;
        for check in machines.checks(&machine, service) {
            check?;
        }
        let request = request(&machines.cargo, &machine, plan, service, options);
        builds.push(PreparedBuild {
            service: service.service.clone(),
            request,
        });
    }
    let cargo = machines.cargo;
    Ok(Preparation {
        cargo,
        builds,
        inputs: plan.target_directory.join("lighter").join("inputs"),
    })
}

/// What this machine lacks to compile the services of a plan.
#[derive(Debug)]
pub struct Missing {
    /// The triple of this machine.
    pub host: String,
    /// What [`prepare`] would refuse of each service, in plan order: all of it, not only the first.
    pub missing: Vec<(String, CompileError)>,
    /// Why build scripts and procedural macros, which run on this machine, cannot be linked.
    pub for_host: Option<CompileError>,
}

/// Looks for targets, linkers and builders without an end at the first that is missing.
///
/// # Errors
/// [`CompileError`] when cargo or rustc do not answer, or a profile is unknown, which nothing can be
/// installed against.
pub fn missing(cargo: &Cargo, plan: &Plan) -> Result<Missing, CompileError> {
    let mut machines = Machines::of(cargo, plan)?;
    let mut missing = Vec::new();
    let mut host = String::new();
    for service in &plan.services {
        let machine = machines.machine_for(&service.target)?;
        host.clone_from(&machine.toolchain.host);
        for error in machines
            .checks(&machine, service)
            .into_iter()
            .filter_map(Result::err)
        {
            missing.push((service.service.clone(), error));
        }
    }
    let for_host = if host.is_empty() {
        None
    } else {
        let machine = machines.machine_for(&host)?;
        machines.check_linker(&machine, &host).err()
    };
    Ok(Missing {
        host,
        missing,
        for_host,
    })
}

/// What compiles on this machine, asked once for each target.
struct Machines {
    cargo: Cargo,
    configuration: Configuration,
    known: BTreeMap<String, Rc<Machine>>,
}

impl Machines {
    fn of(cargo: &Cargo, plan: &Plan) -> Result<Self, CompileError> {
        let cargo = cargo.at(&plan.workspace_root);
        let configuration = Configuration::read(cargo.environment())?;
        check_profiles(&cargo, &configuration, plan)?;
        Ok(Self {
            cargo,
            configuration,
            known: BTreeMap::new(),
        })
    }

    fn machine_for(&mut self, target: &str) -> Result<Rc<Machine>, CompileError> {
        let target = plain_target(target);
        if let Some(known) = self.known.get(target) {
            return Ok(Rc::clone(known));
        }
        let machine = Rc::new(Machine::ask(&self.cargo, &self.configuration, target)?);
        self.known.insert(target.to_owned(), Rc::clone(&machine));
        Ok(machine)
    }

    /// What must be there before a service is compiled.
    fn checks(&self, machine: &Machine, service: &PlannedService) -> [Result<(), CompileError>; 2] {
        [
            self.check_target(machine, plain_target(&service.target)),
            self.check_builder(machine, service),
        ]
    }

    fn check_target(&self, machine: &Machine, target: &str) -> Result<(), CompileError> {
        // Whoever builds the standard library along needs none installed.
        let environment = self.cargo.environment();
        let builds_std = !self
            .configuration
            .items(&["unstable", "build-std"])
            .is_empty()
            || environment.os("CARGO_UNSTABLE_BUILD_STD").is_some();
        if machine.toolchain.has_target() || builds_std {
            return Ok(());
        }
        Err(CompileError::TargetMissing {
            target: target.to_owned(),
        })
    }

    fn check_builder(
        &self,
        machine: &Machine,
        service: &PlannedService,
    ) -> Result<(), CompileError> {
        let target = plain_target(&service.target);
        match service.config.builder.value {
            Builder::Cargo if target != service.target => Err(CompileError::GlibcVersion {
                target: service.target.clone(),
            }),
            Builder::Cargo => self.check_linker(machine, target),
            Builder::Zigbuild
                if self
                    .cargo
                    .environment()
                    .find_program("cargo-zigbuild")
                    .is_none() =>
            {
                Err(CompileError::ZigbuildMissing)
            }
            Builder::Zigbuild => Ok(()),
        }
    }

    fn check_linker(&self, machine: &Machine, target: &str) -> Result<(), CompileError> {
        linker::check(
            self.cargo.environment(),
            &self.configuration,
            &machine.toolchain,
            &machine.flags,
            target,
        )
    }
}

/// What compiles for one target.
#[derive(Debug)]
struct Machine {
    toolchain: Toolchain,
    flags: UserFlags,
}

impl Machine {
    fn ask(
        cargo: &Cargo,
        configuration: &Configuration,
        target: &str,
    ) -> Result<Self, CompileError> {
        let toolchain = Toolchain::ask(cargo, configuration, Some(target))?;
        let flags = user_flags(configuration, cargo.environment(), &toolchain, target);
        Ok(Self { toolchain, flags })
    }
}

/// The target without the glibc version that only zigbuild understands.
fn plain_target(target: &str) -> &str {
    target.split('.').next().unwrap_or(target)
}

fn check_profiles(
    cargo: &Cargo,
    configuration: &Configuration,
    plan: &Plan,
) -> Result<(), CompileError> {
    let Some(known) = crate::cargo::known_profiles(&plan.workspace_root, configuration) else {
        return Ok(());
    };
    for service in &plan.services {
        let profile = &service.config.profile.value;
        profile::check(&known, profile, &service.service, cargo.environment())?;
    }
    Ok(())
}

fn request(
    cargo: &Cargo,
    machine: &Machine,
    plan: &Plan,
    service: &PlannedService,
    options: &Options,
) -> BuildRequest {
    let config = &service.config;
    let mut added = Vec::new();
    if config.remap_paths.value {
        let remapping = Remapping {
            workspace: plan.workspace_root.clone(),
            repository: plan.repository_root.clone(),
            target_directory: build_directory(plan, service),
            cargo_home: cargo_home(cargo.environment()),
        };
        added.extend(remapping.flags(&machine.toolchain));
    }
    if config.linkage.value == Linkage::Static {
        added.push(STATIC.to_owned());
    }
    let target_directory = if added.is_empty() {
        plan.target_directory_named
            .then(|| plan.target_directory.clone())
    } else {
        Some(build_directory(plan, service))
    };
    BuildRequest {
        package_id: service.package_id.clone(),
        binary: service.binary.clone(),
        target: service.target.clone(),
        profile: config.profile.value.clone(),
        selection: service.selection.clone(),
        target_directory,
        flags: Flags {
            table: machine.flags.table.clone(),
            added,
        },
        zigbuild: config.builder.value == Builder::Zigbuild,
        jobs: options.jobs,
        colors: options.colors,
        quiet: options.quiet,
    }
}

/// Where builds with our flags go: never the user's own, which cargo would rebuild again and again for
/// other flags. For the same reason services that are linked in different ways do not share one.
fn build_directory(plan: &Plan, service: &PlannedService) -> PathBuf {
    let (linkage, builder) = (service.config.linkage.value, service.config.builder.value);
    let name = match (linkage, builder) {
        (Linkage::Dynamic, Builder::Cargo) => "build",
        (Linkage::Static, Builder::Cargo) => "build-static",
        (Linkage::Dynamic, Builder::Zigbuild) => "build-zigbuild",
        (Linkage::Static, Builder::Zigbuild) => "build-static-zigbuild",
    };
    plan.target_directory.join("lighter").join(name)
}

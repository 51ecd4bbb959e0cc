//! All checks, one after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cargo_metadata::Metadata;

use super::compiler::install;
use super::crates::closure;
use super::finding::Finding;
use super::native::{self, Needy, Place};
use super::{registry, runtime};
use crate::cargo::{self, Cargo, CargoError};
use crate::compile::{self, CompileError, cross_compiler, zigbuild_commands};
use crate::config::Builder;
use crate::hint::Hint as _;
use crate::plan::{Plan, PlannedService};
use crate::report::with_causes;

/// The machine that is examined.
#[derive(Debug)]
pub struct Machine<'a> {
    /// cargo for the workspace.
    pub cargo: &'a Cargo,
    /// Where the system's files are: `/` but in tests.
    pub root: &'a Path,
}

/// Everything that the services of `plan` need and the machine has not, but for registries. Reads cargo's
/// metadata and asks programs that only answer; compiles and writes nothing.
///
/// # Errors
/// [`CompileError`] where cargo or rustc do not answer: then nothing can be said.
pub fn examine(machine: &Machine<'_>, plan: &Plan) -> Result<Vec<Finding>, CompileError> {
    let mut findings = Vec::new();
    let report = compile::missing(machine.cargo, plan)?;
    findings.extend(toolchain(&report.missing));
    let environment = machine.cargo.environment();
    findings.extend(zig(machine.cargo, plan));
    let metadata = Resolved::read(machine.cargo, plan)?;
    let needy: Vec<Needy<'_>> = plan
        .services
        .iter()
        .map(|service| Needy {
            service: &service.service,
            crates: metadata.of(service),
            target: plain_target(&service.target),
            zigbuild: service.config.builder.value == Builder::Zigbuild,
        })
        .collect();
    let place = Place {
        environment,
        interrupt: machine.cargo.interrupt(),
        host: &report.host,
        root: machine.root,
    };
    findings.extend(
        report
            .for_host
            .and_then(|error| for_host(&error, &report.host, &needy)),
    );
    findings.extend(native::missing(&place, &needy));
    findings.extend(runtime::missing(plan));
    findings.extend(registry::helpers(environment));
    findings.extend(registry::exposed(environment));
    Ok(findings)
}

/// Services for other machines whose build scripts and procedural macros are linked for this one. Those for
/// this machine miss its linker anyway.
fn for_host(error: &CompileError, host: &str, needy: &[Needy<'_>]) -> Option<Finding> {
    let mut crates = BTreeSet::new();
    let mut services = Vec::new();
    for one in needy.iter().filter(|one| one.target != host) {
        let run_here = one.crates.iter().filter(|krate| krate.runs_here);
        let names: Vec<String> = run_here.map(|krate| krate.name.clone()).collect();
        if !names.is_empty() {
            services.push(one.service);
            crates.extend(names);
        }
    }
    let (verb, crates) = match crates.len() {
        0 => return None,
        1 => (
            "has a build script or macros, which run",
            native::quoted(&crates),
        ),
        _ => (
            "have build scripts or macros, which run",
            native::quoted(&crates),
        ),
    };
    let because = format!("{crates} {verb} on this machine");
    Some(of_error(error).because(because).services(services))
}

/// The target without the glibc version that only zigbuild understands.
fn plain_target(target: &str) -> &str {
    target.split('.').next().unwrap_or(target)
}

/// What `build` would refuse first, one finding for all services with the same trouble.
fn toolchain(missing: &[(String, CompileError)]) -> Vec<Finding> {
    let mut found: Vec<(Finding, BTreeSet<&str>)> = Vec::new();
    for (service, error) in missing {
        let finding = of_error(error);
        match found.iter_mut().find(|(known, _)| *known == finding) {
            Some((_, services)) => {
                services.insert(service);
            }
            None => found.push((finding, BTreeSet::from([service.as_str()]))),
        }
    }
    found
        .into_iter()
        .map(|(finding, services)| finding.services(services))
        .collect()
}

fn of_error(error: &CompileError) -> Finding {
    let finding = Finding::new(with_causes(error).join(": "));
    match error {
        CompileError::LinkerMissing { linker, target, .. } => {
            install(finding, linker, target, error.another_linker())
        }
        CompileError::NoLinker { target, .. } => {
            let linker = cross_compiler(target);
            install(finding, &linker, target, error.another_linker())
        }
        CompileError::ZigbuildMissing | CompileError::GlibcVersion { .. } => {
            finding.commands(zigbuild_commands()).hint(error.hint())
        }
        _ => finding.hint(error.hint()),
    }
}

/// `cargo-zigbuild` without zig, in the places where it looks for one.
fn zig(cargo: &Cargo, plan: &Plan) -> Option<Finding> {
    let environment = cargo.environment();
    let services = plan.services.iter();
    let users: Vec<&str> = services
        .filter(|service| service.config.builder.value == Builder::Zigbuild)
        .map(|service| service.service.as_str())
        .collect();
    let told = environment.os("CARGO_ZIGBUILD_ZIG_PATH").is_some();
    if users.is_empty() || told || environment.find_program("zig").is_some() {
        return None;
    }
    let python = ["python3", "python"];
    let module = python
        .iter()
        .find_map(|name| environment.find_program(name))
        .and_then(|python| {
            let asked = cargo.companion(python).args(["-m", "ziglang", "version"]);
            asked.capture(b"").ok()
        });
    if module.is_some_and(|answer| answer.status.success()) {
        return None;
    }
    let finding = Finding::new("`zig` is not on PATH, and Python has no module `ziglang`");
    let hint = "run `pip install ziglang`".to_owned();
    let finding = finding.because("`cargo zigbuild` compiles and links with it");
    Some(finding.services(users).hint(Some(hint)))
}

/// cargo's metadata for each target, with the features of all services turned on.
struct Resolved(BTreeMap<String, Metadata>);

impl Resolved {
    fn read(cargo: &Cargo, plan: &Plan) -> Result<Self, CargoError> {
        let mut found = BTreeMap::new();
        let cargo = cargo.at(&plan.workspace_root);
        for service in &plan.services {
            let target = plain_target(&service.target);
            if found.contains_key(target) {
                continue;
            }
            let mates: Vec<&PlannedService> = plan
                .services
                .iter()
                .filter(|mate| plain_target(&mate.target) == target)
                .collect();
            let features = features(&mates);
            let all = mates.iter().any(|mate| mate.selection.all_features);
            let manifest = plan.workspace_root.join("Cargo.toml");
            let metadata = cargo::resolved(&cargo, &manifest, target, &features, all)?;
            found.insert(target.to_owned(), metadata);
        }
        Ok(Self(found))
    }

    fn of(&self, service: &PlannedService) -> Vec<super::crates::Crate> {
        let metadata = self.0.get(plain_target(&service.target));
        metadata.map_or_else(Vec::new, |metadata| closure(metadata, &service.package_id))
    }
}

/// Features as cargo takes them for a whole workspace; those of dependencies (`dep/feature`) can be said
/// only where the package itself stands, and are left out.
fn features(services: &[&PlannedService]) -> Vec<String> {
    let mut features: Vec<String> = services
        .iter()
        .flat_map(|service| {
            let own = service.selection.features.iter();
            own.filter(|feature| !feature.contains('/'))
                .map(|feature| format!("{}/{feature}", service.package))
        })
        .collect();
    features.sort();
    features.dedup();
    features
}

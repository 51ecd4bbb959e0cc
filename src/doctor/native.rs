//! What the crates of services need beside a Rust compiler.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::compiler;
use super::crates::Crate;
use super::finding::Finding;
use super::table::{PKG_CONFIG, Probe, Row, When, rows};
use crate::process::{Environment, Interrupt, Program};

/// pkg-config reads a few small files.
const TIME_LIMIT: Duration = Duration::from_secs(30);
/// Where libclang is besides PATH's neighbours; `*` is a directory of any name.
const CLANG_PLACES: [&str; 6] = [
    "usr/lib",
    "usr/lib64",
    "usr/local/lib",
    "usr/lib/*",
    "usr/lib/*/lib",
    "opt/homebrew/opt/llvm/lib",
];

/// A service, and what is compiled for it.
#[derive(Debug)]
pub(super) struct Needy<'a> {
    pub(super) service: &'a str,
    pub(super) crates: Vec<Crate>,
    /// Without the glibc version that only zigbuild understands.
    pub(super) target: &'a str,
    /// Whether zigbuild, which has a C compiler of its own, compiles.
    pub(super) zigbuild: bool,
}

/// Where things are looked for.
#[derive(Debug)]
pub(super) struct Place<'a> {
    pub(super) environment: &'a Environment,
    pub(super) interrupt: &'a Interrupt,
    /// This machine's triple.
    pub(super) host: &'a str,
    /// Where the system's files are.
    pub(super) root: &'a Path,
}

/// Who needs a thing.
#[derive(Debug, Default)]
struct Users {
    crates: BTreeSet<String>,
    services: BTreeSet<String>,
    /// Features that make a crate bring the thing itself.
    features: BTreeSet<&'static str>,
    rows: Vec<&'static Row>,
}

/// All that is missing.
pub(super) fn missing(place: &Place<'_>, needy: &[Needy<'_>]) -> Vec<Finding> {
    let mut wanted: BTreeMap<(Probe, &str), Users> = BTreeMap::new();
    for service in needy {
        for (row, krate) in rows_of(place.environment, &service.crates) {
            for (name, for_target) in users_of(row, krate) {
                if row.probe == Probe::Compiler && service.zigbuild && for_target {
                    continue;
                }
                // Programs run here, whatever they are run for.
                let runs_here = matches!(row.probe, Probe::Program(_) | Probe::Clang);
                let target = if for_target && !runs_here {
                    service.target
                } else {
                    place.host
                };
                let users = wanted.entry((row.probe, target)).or_default();
                users.services.insert(service.service.to_owned());
                users.crates.insert(name.to_owned());
                if let When::Without(features) = row.when {
                    users.features.extend(features.first());
                }
                users.rows.push(row);
            }
        }
    }
    let mut findings = Vec::new();
    // Without pkg-config nothing can be said of any library, and that is one trouble, not many.
    let mut unanswered: BTreeMap<(String, Option<String>), (Users, BTreeSet<String>)> =
        BTreeMap::new();
    for ((probe, target), users) in wanted {
        if let Probe::Library(names) = probe
            && let Some(program) = PkgConfig::of(place, target).absent()
        {
            let (known, libraries) = unanswered.entry(program).or_default();
            known.crates.extend(users.crates);
            known.services.extend(users.services);
            libraries.extend(names.first().map(|&name| name.to_owned()));
        } else if let Some(finding) = probe_for(place, probe, target, &users) {
            findings.push(users.told(finding, verb(probe, &users)));
        }
    }
    for ((program, variable), (users, libraries)) in unanswered {
        let verb = if users.crates.len() == 1 {
            "asks it"
        } else {
            "ask it"
        };
        let then = format!("run this again, which asks it for {}", quoted(&libraries));
        let finding = Finding::new(format!("`{program}` is not on PATH"));
        let finding = if let Some(variable) = variable {
            finding.hint(Some(format!(
                "name one that is there in `{variable}`, or unset it; then {then}"
            )))
        } else {
            let hint = Some(format!("then {then}"));
            finding.packages(&PKG_CONFIG).hint(hint)
        };
        findings.push(users.told(finding, verb));
    }
    findings
}

impl Users {
    /// `finding` with who needs it: crates that do as `verb` says, and services.
    fn told(&self, finding: Finding, verb: &str) -> Finding {
        let because = format!("{} {verb}", quoted(&self.crates));
        let services = self.services.iter().map(String::as_str);
        finding.because(because).services(services)
    }
}

/// The rows that hold for the crates of one service.
fn rows_of<'a>(environment: &Environment, crates: &'a [Crate]) -> Vec<(&'static Row, &'a Crate)> {
    let named = |name: &str| crates.iter().any(|krate| krate.name == name);
    let holds = |row: &Row, krate: &Crate| {
        let has = |features: &[&str]| {
            features
                .iter()
                .any(|feature| krate.features.contains(*feature))
        };
        let wanted = match row.when {
            When::Always => true,
            When::Without(features) => !has(features),
            When::With(features) => has(features),
            When::Variable(name) => environment.os(name).is_some(),
        };
        let told = row
            .told_by
            .iter()
            .any(|name| environment.os(name).is_some());
        let brought = row.not_beside.iter().any(|name| named(name));
        wanted && !told && !brought
    };
    let mut found = Vec::new();
    for row in rows() {
        for krate in crates.iter().filter(|krate| krate.name == row.krate) {
            if holds(row, krate) {
                found.push((row, krate));
            }
        }
    }
    found
}

/// The crates that need what a row says, and whether for the target: of a tool those that use it and cannot
/// do without; else the crate itself.
fn users_of<'a>(row: &Row, krate: &'a Crate) -> Vec<(&'a str, bool)> {
    if !row.is_tool {
        return vec![(&krate.name, krate.for_target)];
    }
    let dependents = krate.dependents.iter();
    dependents
        .filter(|dependent| !row.not_for.contains(&dependent.name.as_str()))
        .map(|dependent| (dependent.name.as_str(), dependent.for_target))
        .collect()
}

fn verb(probe: Probe, users: &Users) -> &'static str {
    match (probe, users.crates.len()) {
        (Probe::Program(_), 1) => "runs it",
        (Probe::Program(_), _) => "run it",
        (Probe::Library(_), 1) => "links it",
        (Probe::Library(_), _) => "link it",
        (Probe::Compiler, 1) => "compiles C",
        (Probe::Compiler, _) => "compile C",
        (Probe::Clang, 1) => "reads C headers with it",
        (Probe::Clang, _) => "read C headers with it",
    }
}

/// At most four names: a closure may have dozens.
pub(super) fn quoted(names: &BTreeSet<String>) -> String {
    const SHOWN: usize = 4;
    let shown: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{name}`"))
        .collect();
    let more = names.len().saturating_sub(SHOWN);
    match shown.split_last() {
        _ if more > 0 => format!("{} and {more} more", shown.join(", ")),
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => shown.join(""),
    }
}

fn probe_for(place: &Place<'_>, probe: Probe, target: &str, users: &Users) -> Option<Finding> {
    let packages = users.rows.first().map(|row| &row.packages)?;
    let environment = place.environment;
    match probe {
        Probe::Program(name) if environment.find_program(name).is_some() => None,
        Probe::Program(name) => {
            Some(Finding::new(format!("`{name}` is not on PATH")).packages(packages))
        }
        Probe::Compiler => {
            let absent = compiler::missing(environment, place.host, target)?;
            Some(compiler::finding(&absent, target))
        }
        Probe::Clang if has_clang(place) => None,
        Probe::Clang => Some(Finding::new("libclang is not installed").packages(packages)),
        Probe::Library(names) => {
            let feature = users.features.first();
            let instead = feature.map(|feature| {
                format!(
                    "or turn on the feature `{feature}` of {}, which brings it",
                    quoted(&users.crates)
                )
            });
            let finding = library(place, names, target)?;
            let finding = if target == place.host {
                finding.packages(packages)
            } else {
                finding
            };
            let hints: Vec<String> = finding.hint.clone().into_iter().chain(instead).collect();
            let hint = (!hints.is_empty()).then(|| hints.join(", "));
            Some(finding.hint(hint))
        }
    }
}

/// pkg-config for a target, as the crate `pkg-config` finds it.
struct PkgConfig<'a> {
    place: &'a Place<'a>,
    target: &'a str,
}

impl<'a> PkgConfig<'a> {
    fn of(place: &'a Place<'a>, target: &'a str) -> Self {
        Self { place, target }
    }

    /// A variable of it: the one for the target before the general one.
    fn variable(&self, stem: &str) -> Option<String> {
        self.set(stem).map(|(_, value)| value)
    }

    /// The same with its name.
    fn set(&self, stem: &str) -> Option<(String, String)> {
        let target = self.target;
        [
            format!("{stem}_{target}"),
            format!("{stem}_{}", target.replace(['-', '.'], "_")),
            format!("TARGET_{stem}"),
            stem.to_owned(),
        ]
        .into_iter()
        .find_map(|name| {
            let value = self.place.environment.get(&name)?.to_owned();
            Some((name, value))
        })
    }

    fn program(&self) -> String {
        let own = self.variable("PKG_CONFIG");
        own.unwrap_or_else(|| "pkg-config".to_owned())
    }

    /// The program, if it is not there, and the variable that names it.
    fn absent(&self) -> Option<(String, Option<String>)> {
        let (variable, program) = match self.set("PKG_CONFIG") {
            Some((variable, program)) => (Some(variable), program),
            None => (None, "pkg-config".to_owned()),
        };
        let found = self.place.environment.find_program(&program);
        found.is_none().then_some((program, variable))
    }

    /// Whether it may answer at all: for another processor only if it was told where to look.
    fn may_answer(&self) -> bool {
        self.target == self.place.host
            || self.variable("PKG_CONFIG").is_some()
            || self.variable("PKG_CONFIG_SYSROOT_DIR").is_some()
            || self
                .variable("PKG_CONFIG_ALLOW_CROSS")
                .is_some_and(|value| value != "0")
    }

    fn knows(&self, name: &str) -> bool {
        let asked = Program::new(self.program(), self.place.environment)
            .args(["--exists", name])
            .time_limit(TIME_LIMIT)
            .interrupted_by(self.place.interrupt)
            .capture(b"");
        asked.is_ok_and(|answer| answer.status.success())
    }
}

/// What keeps pkg-config from answering for a library, by any of its names.
fn library(place: &Place<'_>, names: &[&str], target: &str) -> Option<Finding> {
    let pkg_config = PkgConfig::of(place, target);
    let first = names.first().copied().unwrap_or_default();
    if !pkg_config.may_answer() {
        let ending = target.replace(['-', '.'], "_");
        let what = format!("pkg-config is not told where `{first}` for `{target}` is");
        let hint = format!(
            "set PKG_CONFIG_SYSROOT_DIR_{ending} and PKG_CONFIG_PATH_{ending} to a Linux file system that has it"
        );
        return Some(Finding::new(what).hint(Some(hint)));
    }
    if names.iter().any(|name| pkg_config.knows(name)) {
        return None;
    }
    Some(Finding::new(format!(
        "pkg-config does not know the library `{first}`"
    )))
}

/// Whether bindgen would find libclang, by the places that clang-sys searches.
fn has_clang(place: &Place<'_>) -> bool {
    let mut directories: Vec<PathBuf> = CLANG_PLACES
        .iter()
        .flat_map(|pattern| matching(place.root, pattern))
        .collect();
    directories.extend(llvm_libraries(place));
    directories
        .iter()
        .flat_map(|directory| entries(directory))
        .any(|file| is_libclang(&file))
}

/// The directories below `root` of which `*` is a part of any name.
fn matching(root: &Path, pattern: &str) -> Vec<PathBuf> {
    let mut directories = vec![root.to_owned()];
    for part in pattern.split('/') {
        directories = match part {
            "*" => directories.iter().flat_map(|one| entries(one)).collect(),
            part => directories.iter().map(|one| one.join(part)).collect(),
        };
    }
    directories
}

/// Where LLVM says that its libraries are.
fn llvm_libraries(place: &Place<'_>) -> Option<PathBuf> {
    place.environment.find_program("llvm-config")?;
    let asked = Program::new("llvm-config", place.environment)
        .args(["--libdir"])
        .time_limit(TIME_LIMIT)
        .interrupted_by(place.interrupt)
        .capture(b"");
    let answer = asked.ok().filter(|answer| answer.status.success())?;
    let text = String::from_utf8(answer.stdout).ok()?;
    Some(PathBuf::from(text.trim()))
}

/// Of LLVM's C++ interface, which has a similar name, bindgen makes nothing.
fn is_libclang(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let versioned = name.starts_with("libclang-") && !name.starts_with("libclang-cpp");
    name.starts_with("libclang.so") || versioned || name == "libclang.dylib"
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs_err::read_dir(directory) else {
        return Vec::new();
    };
    entries.flatten().map(|entry| entry.path()).collect()
}

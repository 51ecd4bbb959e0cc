//! A Dockerfile for each split: the way out for whoever must leave.
//!
//! It is rendered from the same plan, settings and trees of files that images are made from. What only
//! this machine's library root can tell is left to the image that the Dockerfile builds in, so that
//! nothing of this machine is in it but the version of its toolchain and the user's flags.

mod compile;
mod files;
mod place;
mod quote;

use std::collections::BTreeMap;
use std::path::Path;

use self::compile::{Compiler, add_target, executable, shown};
use self::place::Place;
use self::quote::{exec, list, word};
use super::PipelineError;
use super::assemble::{application_tree, settings};
use super::check::needs_glibc;
use super::stack::stack;
use crate::cargo::Cargo;
use crate::fs::{Content, Node, Tree};
use crate::hint::Hint;
use crate::image::Settings;
use crate::layer::collect_assets;
use crate::plan::{Plan, PlannedService};
use crate::report::printable;
use crate::runtime::{self, LibraryRoot, fixed_files};
use crate::split::{Split, SplitFile};
use crate::template::{Pattern, PatternError};
use crate::workspace::Workspace;

const DOCKERFILE: &str = include_str!("../../../templates/dockerfile/Dockerfile");
const SYSTEM: &str = include_str!("../../../templates/dockerfile/system");
const RECORDS: &str = include_str!("../../../templates/dockerfile/records");
const ZONES: &str = include_str!("../../../templates/dockerfile/zones");
const IGNORED: &str = include_str!("../../../templates/dockerfile/dockerignore");

/// Why a service has no Dockerfile.
#[derive(Debug, thiserror::Error)]
pub enum DockerfileError {
    /// A text with a line break or another control character.
    #[error("a Dockerfile cannot hold the text `{}`, which has a control character", printable(.0))]
    Control(String),
    /// A file of our own that is no text: never.
    #[error("`{0}` is no text")]
    NoText(String),
    /// A name that a Dockerfile cannot hold.
    #[error("a Dockerfile cannot hold the name `{}`", printable(.0))]
    Name(String),
    /// Never for the templates that are built in; rendering is fallible by its type.
    #[error(transparent)]
    Template(#[from] PatternError),
}

impl Hint for DockerfileError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Control(_) | Self::Name(_) => Some(
                "change the variable, label or path of that text, or leave `--dockerfile` away"
                    .to_owned(),
            ),
            Self::NoText(_) | Self::Template(_) => None,
        }
    }
}

/// Adds a Dockerfile and its ignore file to each split.
///
/// # Errors
/// [`PipelineError`] when the toolchain does not answer, assets are not there, or a Dockerfile cannot say
/// what is configured.
pub fn add_dockerfiles(
    cargo: &Cargo,
    workspace: &Workspace,
    plan: &Plan,
    splits: &mut [Split],
) -> Result<(), PipelineError> {
    for split in splits {
        let service = plan
            .services
            .iter()
            .find(|planned| planned.service == split.service);
        if let Some(service) = service {
            add(cargo, workspace, plan, service, split)?;
        }
    }
    Ok(())
}

fn add(
    cargo: &Cargo,
    workspace: &Workspace,
    plan: &Plan,
    service: &PlannedService,
    split: &mut Split,
) -> Result<(), PipelineError> {
    let failed = |source: DockerfileError| PipelineError::Dockerfile {
        service: service.service.clone(),
        source,
    };
    let place = Place::of(plan, split);
    let compiler = Compiler::ask(cargo, plan, service, &place)?;
    let trees = Trees::of(plan, service)?;
    let names = names(split);
    let text = dockerfile(
        workspace, service, split, &place, &compiler, &trees, names[0],
    )
    .map_err(failed)?;
    let paths = files::ignored(split, &plan.workspace_root, &names).join("\n");
    let ignored = render(IGNORED, &[("paths", paths)]).map_err(failed)?;
    for (name, text) in names.into_iter().zip([text, ignored]) {
        split.files.insert(name.into(), SplitFile::Text(text));
    }
    Ok(())
}

/// The Dockerfile and its ignore file; a root package may have its own, which are sources.
fn names(split: &Split) -> [&'static str; 2] {
    let usual = ["Dockerfile", ".dockerignore"];
    let is_taken = |name: &&str| split.files.contains_key(Path::new(name));
    if usual.iter().any(is_taken) {
        return ["Dockerfile.lighter", "Dockerfile.lighter.dockerignore"];
    }
    usual
}

/// What stands in the image besides files of the system.
struct Trees {
    users: Tree,
    assets: Tree,
    application: Tree,
}

impl Trees {
    fn of(plan: &Plan, service: &PlannedService) -> Result<Self, PipelineError> {
        let config = &service.config;
        let executable = executable(service);
        // Users and homes need nothing of any root.
        let root = LibraryRoot::open(Path::new("/"))?;
        let users = fixed_files(
            &runtime::Request {
                service: &service.service,
                executable: Path::new(&executable),
                platform: &service.platform,
                library_root: &root,
                extra_libraries: &[],
                ca_certificates: false,
                tzdata: false,
            },
            false,
        )?;
        let assets = collect_assets(
            &config.assets.value,
            &plan.repository_root,
            &plan.target_directory,
        )?;
        let application = application_tree(config, Path::new(&executable))?;
        let stacked = stack(&[
            ("runtime", &users.base),
            ("assets", &assets.tree),
            ("application", &application),
        ])?;
        let mut trees = stacked.into_iter().map(|(_, tree)| tree);
        let mut next = || trees.next().unwrap_or_default();
        Ok(Self {
            users: next(),
            assets: next(),
            application: next(),
        })
    }
}

fn dockerfile(
    workspace: &Workspace,
    service: &PlannedService,
    split: &mut Split,
    place: &Place,
    compiler: &Compiler,
    trees: &Trees,
    name: &str,
) -> Result<String, DockerfileError> {
    let none = |_: &_, from: &Path| Ok(from.to_owned());
    let users = files::commands(&trees.users, none)?;
    let modes = modes(&trees.assets);
    let mut all = files::commands(&trees.assets, |to, from| {
        let mode = modes.get(to.as_str()).copied().unwrap_or_default();
        Ok(files::asset(split, place, to, from, mode))
    })?;
    all.extend(files::commands(&trees.application, none)?);
    let file = if name == "Dockerfile" {
        String::new()
    } else {
        format!(" --file {name}")
    };
    render(
        DOCKERFILE,
        &[
            ("service", printable(&service.service)),
            ("tag", service.config.short_name().unwrap_or_default()),
            ("file", file),
            ("image", compiler.image.clone()),
            ("platform", service.platform.to_string()),
            ("arguments", arguments(split)),
            ("place", format!("{}/", shown(&place.split)?)),
            ("workspace", shown(&place.workspace)?),
            ("target", add_target(service)?),
            ("build", compiler.command(service, place)?),
            ("users", files::script(&users)),
            ("system", system(workspace, service, split)?),
            ("files", files::script(&all)),
            ("settings", instructions(&settings(service, String::new()))?),
        ],
    )
}

fn modes(tree: &Tree) -> BTreeMap<&str, u32> {
    let files = tree.iter().filter_map(|(path, node)| match node {
        Node::File {
            mode,
            content: Content::File(_),
        } => Some((path.as_str(), *mode)),
        _ => None,
    });
    files.collect()
}

/// Variables that sources read while they are compiled: whoever builds may set them.
fn arguments(split: &Split) -> String {
    let legal = |name: &&String| {
        let mut letters = name.chars();
        let first = letters.next();
        first.is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let mut lines = String::new();
    for name in split.variables.iter().filter(legal) {
        if lines.is_empty() {
            lines.push_str("# Sources read these: `--build-arg NAME=VALUE` sets them.\n");
        }
        lines.push_str("ARG ");
        lines.push_str(name);
        lines.push('\n');
    }
    lines
}

fn system(
    workspace: &Workspace,
    service: &PlannedService,
    split: &Split,
) -> Result<String, DockerfileError> {
    let is_dynamic = needs_glibc(service);
    let commands = files::system(workspace, service, split, is_dynamic)?;
    if commands.is_empty() {
        return Ok(String::new());
    }
    let native = if is_dynamic && files::links_native(workspace, split) {
        "\n# A dependency links native libraries: which, only the executable knows, so `ldd` is asked."
    } else {
        ""
    };
    // A static executable says nothing of the system that it was made on.
    let records = if is_dynamic {
        render(RECORDS, &[])?
    } else {
        String::new()
    };
    render(
        SYSTEM,
        &[
            ("records", records),
            ("native", native.to_owned()),
            ("commands", files::joined(&commands)),
        ],
    )
}

/// How the image runs and what it says.
fn instructions(settings: &Settings) -> Result<String, DockerfileError> {
    let mut lines = Vec::new();
    for (name, value) in &settings.env {
        lines.push(format!("ENV {}={}", key(name)?, word(value)?));
    }
    for (name, value) in &settings.labels {
        lines.push(format!("LABEL {}={}", key(name)?, word(value)?));
    }
    for port in &settings.ports {
        lines.push(format!("EXPOSE {port}"));
    }
    if !settings.volumes.is_empty() {
        let volumes: Vec<String> = settings.volumes.iter().cloned().collect();
        lines.push(format!("VOLUME {}", list(&volumes)));
    }
    lines.push(format!("WORKDIR {}", word(&settings.workdir)?));
    lines.push(format!("USER {}", settings.user));
    if let Some(signal) = &settings.stop_signal {
        lines.push(format!("STOPSIGNAL {}", word(signal)?));
    }
    if let Some(command) = &settings.healthcheck {
        lines.push(format!("HEALTHCHECK CMD {}", exec(command)));
    }
    lines.push(format!("ENTRYPOINT {}", exec(&settings.entrypoint)));
    if !settings.args.is_empty() {
        lines.push(format!("CMD {}", exec(&settings.args)));
    }
    Ok(lines.join("\n"))
}

/// A name before `=`.
fn key(name: &str) -> Result<String, DockerfileError> {
    if name.is_empty() || name.contains('=') {
        return Err(DockerfileError::Name(name.to_owned()));
    }
    word(name)
}

fn render(template: &str, values: &[(&str, String)]) -> Result<String, DockerfileError> {
    let names: Vec<&str> = values.iter().map(|(name, _)| *name).collect();
    let values = values
        .iter()
        .map(|(name, value)| (*name, value.clone()))
        .collect();
    Ok(Pattern::parse(template, &names)?.render(&values)?)
}

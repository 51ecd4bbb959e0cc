//! Everything that can be found wrong before the first compile.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::assemble::application_tree;
use super::names::image_names;
use super::parallel::in_parallel;
use super::stack::stack;
use super::{Options, PipelineError, Session};
use crate::cargo::Cargo;
use crate::compile::{self, Preparation};
use crate::config::{Created, Linkage};
use crate::destination::{Destination, DestinationError, Prefix};
use crate::fs::{Tree, TreeError};
use crate::layer::{Compression, collect_assets};
use crate::plan::{Plan, PlannedService, TagValues};
use crate::reference::Tag;
use crate::report::Event;
use crate::runtime::{self, FixedFiles, LibraryRoot, fixed_files, fixed_libraries};
use crate::since::Revision;

/// A plan that can be carried out on this machine, as far as can be known.
#[derive(Debug)]
pub struct Checked {
    pub(super) preparation: Preparation,
    pub(super) revision: Option<Revision>,
    /// Each library root, opened once.
    pub(super) library_roots: BTreeMap<PathBuf, LibraryRoot>,
    /// What destinations will not take.
    pub(super) refusals: Vec<Refusal>,
}

impl Checked {
    /// What tags stand for before images exist.
    pub(super) fn tag_values(&self) -> TagValues {
        tag_values(self.revision.as_ref())
    }
}

/// Checks tags, assets, toolchains, linkers and destinations.
///
/// # Errors
/// [`PipelineError`] for the first thing that would fail later; a destination that refuses is none.
pub fn check(
    session: &Session<'_>,
    cargo: &Cargo,
    plan: &Plan,
    destinations: &[Box<dyn Destination>],
    options: Options,
    compiling: &compile::Options,
) -> Result<Checked, PipelineError> {
    let revision = revision(session, plan);
    let values = tag_values(revision.as_ref());
    for service in &plan.services {
        service.tags(&values)?;
        if service.config.created.value == Created::Commit
            && plan.source_date_epoch.is_none()
            && revision.is_none()
        {
            return Err(PipelineError::NoCommit(service.service.clone()));
        }
        compression(service)?;
    }
    let preparation = compile::prepare(cargo, plan, compiling)?;
    let library_roots = library_roots(plan)?;
    for service in &plan.services {
        check_files(session, plan, service, &library_roots)?;
    }
    let refusals = preflight(session, plan, destinations, &values, options)?;
    Ok(Checked {
        preparation,
        revision,
        library_roots,
        refusals,
    })
}

/// A place that cannot take an image, found before anything was built.
#[derive(Debug)]
pub(super) struct Refusal {
    /// Position among the destinations.
    pub(super) destination: usize,
    /// Position of the service in the plan; every service where it is `None`.
    pub(super) service: Option<usize>,
    /// Why not.
    pub(super) error: PipelineError,
}

/// Asks every destination, so that all that refuse are told at once. With `keep_going` one that refuses is out for the
/// services that it refuses, and keeps no image from the others.
fn preflight(
    session: &Session<'_>,
    plan: &Plan,
    destinations: &[Box<dyn Destination>],
    values: &TagValues,
    options: Options,
) -> Result<Vec<Refusal>, PipelineError> {
    let mut refusals = Vec::new();
    for (destination, place) in destinations.iter().enumerate() {
        let names = image_names(plan, place.as_ref())?;
        let name = place.name();
        if place.prefix() != Prefix::None {
            // A registry may let us wait.
            let (verb, subject) = ("Checking", format!("`{name}`"));
            session.reporter.report(Event::Status { verb, subject });
        }
        // What is wrong with a name is told by the check of that image.
        let _ = place.expect(&names);
        let asked = ask(place.as_ref(), plan, &names, values, options);
        for text in place.details() {
            session.reporter.report(Event::Verbose(text));
        }
        for (index, source) in asked? {
            if session.interrupt.received().is_some() {
                return Err(PipelineError::Interrupted);
            }
            let error = PipelineError::deliver(name, source);
            if error.is_configuration() {
                return Err(error);
            }
            let service = options.keep_going.then_some(index);
            refusals.push(Refusal {
                destination,
                service,
                error,
            });
            if !options.keep_going {
                break;
            }
        }
    }
    Ok(refusals)
}

/// Asks one destination for every image: for the first alone, so that what is wrong with all of them,
/// a password for one, is tried once; then for the others at the same time. After a refusal nothing more is asked
/// unless the run is to keep going.
fn ask(
    place: &dyn Destination,
    plan: &Plan,
    names: &[String],
    values: &TagValues,
    options: Options,
) -> Result<Vec<(usize, DestinationError)>, PipelineError> {
    let mut images = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        let tags = match plan.services.get(index) {
            Some(service) => service.tags(values)?,
            None => Vec::new(),
        };
        images.push((index, name, tags));
    }
    let refused = AtomicBool::new(false);
    let preflight = |(index, name, tags): &(usize, &String, Vec<Tag>)| {
        if refused.load(Ordering::Relaxed) && !options.keep_going {
            return None;
        }
        let error = place.preflight(name, tags.first()).err()?;
        refused.store(true, Ordering::Relaxed);
        Some((*index, error))
    };
    let first = images.first().and_then(preflight);
    let others = images.get(1..).unwrap_or_default();
    let others = in_parallel(others, options.conversations(), preflight);
    Ok(first
        .into_iter()
        .chain(others.into_iter().flatten())
        .collect())
}

/// Finds all files of a service that are known before it is compiled, and refuses those that exclude
/// one another.
fn check_files(
    session: &Session<'_>,
    plan: &Plan,
    service: &PlannedService,
    library_roots: &BTreeMap<PathBuf, LibraryRoot>,
) -> Result<(), PipelineError> {
    let config = &service.config;
    let assets = collect_assets(
        &config.assets.value,
        &plan.repository_root,
        &plan.target_directory,
    )
    .map_err(|source| PipelineError::Assets {
        service: service.service.clone(),
        source,
    })?;
    for path in &assets.left_out {
        session.reporter.report(Event::Warning(format!(
            "`{}` looks like a secret and is left out of `{}`: name it in an asset of its own to ship it",
            path.display(),
            service.service
        )));
    }
    let below = match library_roots.get(&config.library_root.value) {
        Some(library_root) => fixed_files(
            &runtime::Request {
                service: &service.service,
                executable: Path::new(""),
                platform: &service.platform,
                library_root,
                extra_libraries: &[],
                ca_certificates: config.ca_certificates.value,
                tzdata: config.tzdata.value,
            },
            needs_glibc(service),
        )?,
        None => FixedFiles::default(),
    };
    fit_together(service, &below, &assets.tree).map_err(|source| PipelineError::Files {
        service: service.service.clone(),
        source,
    })
}

/// Whether assets, executable, links and directories can stand together, and above `below`.
fn fit_together(
    service: &PlannedService,
    below: &FixedFiles,
    assets: &Tree,
) -> Result<(), TreeError> {
    // The executable's bytes do not matter here, and do not exist yet.
    let application = application_tree(&service.config, Path::new(""))?;
    // Of an asset and the executable, neither may take the other's place.
    let mut together = assets.clone();
    for (path, node) in application.iter() {
        together.insert(path.clone(), node.clone())?;
    }
    stack(&[
        ("runtime", &below.base),
        ("glibc", &below.glibc),
        ("assets", assets),
        ("application", &application),
    ])?;
    Ok(())
}

/// Whether the executable will be started by glibc's loader.
pub fn needs_glibc(service: &PlannedService) -> bool {
    service.config.linkage.value == Linkage::Dynamic && service.target.contains("-gnu")
}

/// Where the work tree stands; that git cannot tell is no reason not to build.
fn revision(session: &Session<'_>, plan: &Plan) -> Option<Revision> {
    let read = Revision::read(session.environment, &plan.workspace_root, session.interrupt);
    read.unwrap_or_else(|error| {
        let text = format!("the commit is unknown: {error}");
        session.reporter.report(Event::Warning(text));
        None
    })
}

/// Opens every root, and refuses one without the C library that its services will need.
fn library_roots(plan: &Plan) -> Result<BTreeMap<PathBuf, LibraryRoot>, PipelineError> {
    let mut roots = BTreeMap::new();
    for service in &plan.services {
        let path = &service.config.library_root.value;
        if !roots.contains_key(path) {
            roots.insert(path.clone(), LibraryRoot::open(path)?);
        }
        let Some(root) = roots.get(path).filter(|_| needs_glibc(service)) else {
            continue;
        };
        if fixed_libraries(root, &service.platform)?.is_empty() {
            return Err(PipelineError::NoGlibc {
                root: path.clone(),
                platform: service.platform.to_string(),
            });
        }
    }
    Ok(roots)
}

fn tag_values(revision: Option<&Revision>) -> TagValues {
    let Some(revision) = revision else {
        return TagValues::default();
    };
    // A tag that names a commit must not stand on anything else.
    let dirty = if revision.dirty { "-dirty" } else { "" };
    TagValues {
        sha: Some(format!("{}{dirty}", revision.sha)),
        short: Some(format!("{}{dirty}", revision.short())),
        branch: revision.branch.clone(),
        digest: None,
    }
}

/// The compression of a service's layers.
pub(super) fn compression(service: &PlannedService) -> Result<Compression, PipelineError> {
    let name = service.config.compression.value.to_string();
    let level = service.config.compression_level.value.map(i64::from);
    Ok(Compression::new(&name, level)?)
}

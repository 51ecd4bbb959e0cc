//! `plan`: what `build` would do, before anything is done.

use std::panic::resume_unwind;
use std::path::PathBuf;
use std::thread;

use clap::{Args, ValueEnum};

use crate::cli::arguments::PlanArguments;
use crate::cli::context::{Context, Planned};
use crate::cli::destinations::{Aim, open};
use crate::cli::since::{Change, SinceArguments};
use crate::cli::{Exit, Failure, StreamError};
use crate::destination::Prefix;
use crate::pipeline;
use crate::plan::{
    Comment, Details, Images, InputRow, KeyRow, Plan, Row, github_output, gitlab_pipeline, markdown,
};
use crate::report::LibrarySummary;
use crate::runtime::{LibraryRoot, fixed_libraries};
use crate::split::Keyed;
use crate::ui::Verbosity;

mod against;

/// What `--help` shows last.
const EXAMPLES: &str = r#"Examples:
  Every service:
    cargo lighter plan
  Every setting of one service, and where it comes from:
    cargo lighter plan -v orders
  What a branch changed, with the reasons:
    cargo lighter plan --since origin/main
  The same as a matrix for GitHub Actions:
    cargo lighter plan --since origin/main --format github >> "$GITHUB_OUTPUT""#;

/// Print what `build` would do
///
/// Decides everything that `build` decides before it compiles: targets, profiles, image names, tags and
/// settings. With `-v`, every setting and where it came from. `--since` keeps the services that a change
/// reaches, `--keys` adds a digest over all that can change an image.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    plan: PlanArguments,
    #[command(flatten)]
    since: SinceArguments,
    /// Compute the input key of each service: a digest over all that can change its image
    #[arg(long, help_heading = "Key Options")]
    keys: bool,
    /// List what went into each key
    #[arg(long, help_heading = "Key Options", requires = "keys")]
    explain: bool,
    /// Compare with keys that `--keys --explain --format json` wrote to this file, and name the first
    /// difference of each (exit code 3 if there is any)
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Key Options",
        requires = "keys",
        conflicts_with_all = ["explain", "format"]
    )]
    against: Option<PathBuf>,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One JSON document
    Json,
    /// Two lines for the file that `GITHUB_OUTPUT` names: a matrix, and whether there is anything in it
    Github,
    /// A child pipeline with a job for each service
    Gitlab,
    /// A comment for a pull request
    Markdown,
}

pub(in crate::cli) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Failure> {
    let mut planned = context.plan(&arguments.plan, Aim::Layout)?;
    let (threads, _) = Context::threads(arguments.plan.compile.jobs);
    let change = context.change(
        &planned,
        &arguments.plan,
        &arguments.since,
        arguments.keys,
        threads,
    )?;
    let unaffected = change
        .as_ref()
        .map(|change| keep_affected(&mut planned.plan, change));
    let mut details = Details {
        unaffected,
        ..Details::default()
    };
    let plan = &planned.plan;
    let is_shown = matches!(arguments.format, Format::Text | Format::Json);
    let wants_libraries = is_shown && arguments.against.is_none();
    let found = thread::scope(|scope| {
        // Files of packages are looked up while keys are found.
        let found = wants_libraries.then(|| scope.spawn(|| libraries(plan)));
        if arguments.keys {
            add_keys(context, &planned, &mut details, threads)?;
        }
        let found = found.map(thread::ScopedJoinHandle::join);
        Ok(found.map(|found| found.unwrap_or_else(|panic| resume_unwind(panic))))
    })?;
    if let Some(found) = found {
        details.libraries = found?;
    }
    if let Some(path) = &arguments.against {
        return against::compare(context, path, &planned.plan, &details);
    }
    if !arguments.explain {
        details.keys.values_mut().for_each(|key| key.inputs.clear());
    }
    details.images = images(context, &planned)?;
    let text = render(context, arguments, &planned.plan, change.as_ref(), details)?;
    context
        .console
        .data(&text)
        .map_err(|error| Failure::failed(StreamError(error)))?;
    Ok(Exit::Success)
}

fn render(
    context: &Context,
    arguments: &Arguments,
    plan: &Plan,
    change: Option<&Change>,
    details: Details,
) -> Result<String, Failure> {
    let rows = |details: &Details| -> Vec<Row> {
        let services = plan.services.iter();
        services
            .map(|service| Row::of(service, &details.images))
            .collect()
    };
    Ok(match arguments.format {
        Format::Text => plan.to_text(context.console.verbosity() == Verbosity::Verbose, &details),
        Format::Json => {
            let json = plan.to_json(&details).map_err(std::io::Error::other);
            json.map_err(|error| Failure::failed(StreamError(error)))? + "\n"
        }
        Format::Github => github_output(&rows(&details)).map_err(Failure::usage)?,
        Format::Gitlab => gitlab_pipeline(&rows(&details), &push_flags(arguments))
            .map_err(std::io::Error::other)
            .map_err(|error| Failure::failed(StreamError(error)))?,
        Format::Markdown => markdown(&Comment {
            since: change.map_or("", |change| &change.since),
            base: change.and_then(|change| change.base.as_deref()),
            affected: &rows(&details),
            unaffected: &details.unaffected.unwrap_or_default(),
            everything: change.and_then(|change| change.affected.everything.clone()),
        }),
    })
}

/// Flags of this command that a job's `push` must have too.
fn push_flags(arguments: &Arguments) -> Vec<String> {
    let plan = &arguments.plan;
    let path = |path: &PathBuf| path.display().to_string();
    let pairs = [
        (
            "--manifest-path",
            plan.workspace.manifest_path.as_ref().map(path),
        ),
        ("--profile", plan.compile.profile.clone()),
        ("--target", plan.compile.target.clone()),
        ("--platform", plan.compile.platform.clone()),
        ("--builder", plan.compile.builder.clone()),
        ("--linkage", plan.compile.linkage.clone()),
        ("--repo", plan.image.repo.clone()),
        ("--compression", plan.image.compression.clone()),
    ];
    let mut flags: Vec<String> = Vec::new();
    for (name, value) in pairs {
        if let Some(value) = value {
            flags.extend([name.to_owned(), value]);
        }
    }
    for tag in &plan.image.tags {
        flags.extend(["--tag".to_owned(), tag.clone()]);
    }
    flags
}

/// Leaves the affected services in the plan, each with its reasons, and gives the names of the others.
fn keep_affected(plan: &mut Plan, change: &Change) -> Vec<String> {
    let mut unaffected = Vec::new();
    let present = std::mem::take(&mut plan.services);
    let services = change.affected.services.clone().unwrap_or(present);
    for (mut service, reasons) in services.into_iter().zip(&change.affected.reasons) {
        match reasons {
            Some(reasons) => {
                service.reasons.clone_from(reasons);
                plan.services.push(service);
            }
            None => unaffected.push(service.service),
        }
    }
    unaffected
}

fn add_keys(
    context: &Context,
    planned: &Planned,
    details: &mut Details,
    threads: std::num::NonZeroUsize,
) -> Result<(), Failure> {
    let keys = context.keys(planned, threads)?;
    let plan = &planned.plan;
    for (service, keyed) in plan.services.iter().zip(keys) {
        details.keys.insert(service.service.clone(), key_row(keyed));
    }
    Ok(())
}

fn key_row(keyed: Keyed) -> KeyRow {
    match keyed {
        Keyed::Unknown { reason } => KeyRow {
            unkeyed: Some(reason),
            ..KeyRow::default()
        },
        Keyed::Known(key) => KeyRow {
            digest: Some(key.digest()),
            unkeyed: None,
            inputs: key
                .ingredients()
                .iter()
                .map(|ingredient| InputRow {
                    kind: ingredient.kind.name().to_owned(),
                    name: ingredient.name.clone(),
                    value: ingredient.value.clone(),
                })
                .collect(),
        },
    }
}

/// What every image is called at every destination.
fn images(context: &Context, planned: &Planned) -> Result<Images, Failure> {
    let mut images = Images::new();
    for destination in open(context, &planned.destinations)? {
        let names = pipeline::image_names(&planned.plan, destination.as_ref());
        let names = names.map_err(Failure::of_pipeline)?;
        for (service, name) in planned.plan.services.iter().zip(names) {
            let full = match destination.prefix() {
                Prefix::None => {
                    let place = destination.name();
                    format!("{}:{name}", place.strip_suffix(':').unwrap_or(place))
                }
                Prefix::Fixed(_) | Prefix::Configured => name,
            };
            images
                .entry(service.service.clone())
                .or_default()
                .push(full);
        }
    }
    Ok(images)
}

/// What every dynamic service gets. Services mostly share a root, and its packages are read only once.
fn libraries(plan: &Plan) -> Result<Vec<LibrarySummary>, Failure> {
    let mut seen = Vec::new();
    let mut libraries: Vec<LibrarySummary> = Vec::new();
    for service in &plan.services {
        let place = (&service.config.library_root.value, &service.platform);
        if seen.contains(&place) {
            continue;
        }
        seen.push(place);
        let root = LibraryRoot::open(place.0).map_err(Failure::usage)?;
        libraries.extend(fixed_libraries(&root, place.1).map_err(Failure::failed)?);
    }
    libraries.sort();
    libraries.dedup();
    Ok(libraries)
}

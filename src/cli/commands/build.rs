//! `build`: compile, assemble, deliver.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::arguments::{PlanArguments, RunArguments};
use crate::cli::context::Context;
use crate::cli::destinations::{Aim, open_with, refuse_clashes};
use crate::cli::since::{FromArguments, SinceArguments};
use crate::cli::{Exit, Failure, StreamError};
use crate::compile;
use crate::fs::{AtomicFile, write_atomic};
use crate::hint::Hint;
use crate::pipeline::{self, Options, Outcome, Session};
use crate::registry;
use crate::report::Summary;
use crate::ui::Verbosity;

/// What `--help` shows last.
const EXAMPLES: &str = "Examples:
  Every service, into target/lighter/oci:
    cargo lighter build
  Two services, tagged, into a layout of your choice:
    cargo lighter build orders billing -t v1 --to oci:images
  Into a layout and to a registry at once:
    cargo lighter build --to oci:images --to docker://ghcr.io/acme
  One into docker or podman, with the line that runs it:
    cargo lighter build orders --load
  All into one file, which `docker load` takes, too:
    cargo lighter build --to oci-archive:images.tar
  For another processor:
    cargo lighter build --platform linux/arm64 --builder zigbuild
  Only what a branch changed, the rest retagged:
    cargo lighter build --since origin/main -t '{git.sha}'";

/// Compile services and deliver their images
///
/// Compiles each service, puts what it needs to run around its executable, and delivers an image of it:
/// into an image layout in the target directory, unless `--to` names other places. Needs no daemon and no
/// Dockerfile. Standard output has a line for each image and tag; all else is on standard error.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    plan: PlanArguments,
    /// Load the images into docker, podman or nerdctl, whichever is there, and say how to run them
    #[arg(short = 'L', long, help_heading = "Image Options")]
    load: bool,
    #[command(flatten)]
    since: SinceArguments,
    #[command(flatten)]
    from: FromArguments,
    #[command(flatten)]
    pub(in crate::cli) run: RunArguments,
}

pub(in crate::cli) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Failure> {
    execute(
        context,
        &Execution {
            aim: if arguments.load {
                Aim::Engine
            } else {
                Aim::Layout
            },
            plan: &arguments.plan,
            since: &arguments.since,
            from: &arguments.from,
            run: &arguments.run,
        },
    )
}

/// What was typed of a command that delivers images.
pub(super) struct Execution<'a> {
    pub(super) aim: Aim,
    pub(super) plan: &'a PlanArguments,
    pub(super) since: &'a SinceArguments,
    pub(super) from: &'a FromArguments,
    pub(super) run: &'a RunArguments,
}

/// Makes a plan, carries it out, and writes down what came of it.
pub(super) fn execute(context: &Context, execution: &Execution<'_>) -> Result<Exit, Failure> {
    let planned = &context.plan(execution.plan, execution.aim)?;
    let arguments = execution.run;
    let plan = &planned.plan;
    let client = registry::Options {
        confirm: !arguments.push.no_verify_push,
        budget: arguments.push.timeout.map(|seconds| seconds.0),
        insecure: arguments.push.insecure.hosts()?,
        listener: context.listener(),
        ..registry::Options::default()
    };
    refuse_clashes(
        context,
        &planned.destinations,
        &[
            ("--metadata-file", &arguments.metadata_file),
            ("--image-refs", &arguments.image_refs),
        ],
    )?;
    let destinations = open_with(context, &planned.destinations, &client)?;
    for path in [&arguments.metadata_file, &arguments.image_refs]
        .into_iter()
        .flatten()
    {
        refuse_unwritable(&context.environment.resolve(path))?;
    }
    let session = Session {
        environment: planned.cargo.environment(),
        interrupt: &context.interrupt,
        reporter: context.console.as_ref(),
        clock: &context.clock,
    };
    let (threads, jobs) = Context::threads(execution.plan.compile.jobs);
    let options = Options {
        keep_going: arguments.keep_going,
        threads,
    };
    let compile = compile::Options {
        jobs,
        colors: context.console.colors(),
        quiet: context.console.verbosity() == Verbosity::Quiet,
    };
    let reuse = context.reuse(
        planned,
        execution.plan,
        execution.since,
        execution.from,
        threads,
    )?;
    let checked = pipeline::check(
        &session,
        &planned.cargo,
        plan,
        &destinations,
        options,
        &compile,
    )
    .map_err(Failure::of_pipeline)?;
    let outcome = pipeline::run(
        &session,
        plan,
        &checked,
        &destinations,
        reuse.as_ref(),
        options,
    )
    .map_err(Failure::of_pipeline)?;
    write_results(context, arguments, &outcome.summary)?;
    Ok(match exit(&outcome) {
        Exit::Success if context.console.lost_data() => Exit::Failed,
        exit => exit,
    })
}

/// An hour of building must not end with a file that cannot be written.
fn refuse_unwritable(path: &Path) -> Result<(), Failure> {
    let refuse = |source| {
        let path = path.to_owned();
        Failure::usage(UnwritableFile { path, source })
    };
    if path.is_dir() {
        return Err(refuse(std::io::ErrorKind::IsADirectory.into()));
    }
    // A rename would not ask for the right that its owner took away.
    if std::fs::metadata(path).is_ok_and(|standing| standing.permissions().readonly()) {
        return Err(refuse(std::io::ErrorKind::PermissionDenied.into()));
    }
    // Creating the temporary file is the question; dropping it leaves nothing.
    AtomicFile::create(path).map(drop).map_err(refuse)
}

/// A file that a flag names, and that could not be written after the build.
#[derive(Debug, thiserror::Error)]
#[error("cannot write `{path}`")]
struct UnwritableFile {
    path: PathBuf,
    #[source]
    source: std::io::Error,
}

impl Hint for UnwritableFile {
    fn hint(&self) -> Option<String> {
        Some(
            "name a file that can be written, in a directory that exists and can be written"
                .to_owned(),
        )
    }
}

fn write_results(
    context: &Context,
    arguments: &RunArguments,
    summary: &Summary,
) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::failed(StreamError(error));
    if let Some(path) = &arguments.metadata_file {
        let mut json = serde_json::to_vec_pretty(summary).map_err(|error| failed(error.into()))?;
        json.push(b'\n');
        write_atomic(&context.environment.resolve(path), &json).map_err(failed)?;
    }
    if let Some(path) = &arguments.image_refs {
        let references = summary
            .services
            .iter()
            .flat_map(|service| &service.deliveries);
        let lines: String = references
            .flat_map(|delivery| &delivery.reference)
            .flat_map(|reference| [reference.as_str(), "\n"])
            .collect();
        write_atomic(&context.environment.resolve(path), lines.as_bytes()).map_err(failed)?;
    }
    Ok(())
}

fn exit(outcome: &Outcome) -> Exit {
    if outcome.compile_failed {
        Exit::CompileFailed
    } else if outcome.is_success() {
        Exit::Success
    } else {
        Exit::Failed
    }
}

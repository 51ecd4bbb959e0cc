//! `split`: each service as a standalone workspace.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::arguments::{
    CompileArguments, FeatureArguments, ImageArguments, PlanArguments, SelectionArguments,
    WorkspaceArguments,
};
use crate::cli::context::{Context, Planned};
use crate::cli::destinations::Aim;
use crate::cli::{Exit, Failure, StreamError};
use crate::compile;
use crate::fs::DirectoryLock;
use crate::pipeline::{self, Session, VerifyError};
use crate::report::{Event, Reporter as _};
use crate::split::{self, Origin, Sources, Split, Vendored, View};
use crate::ui::Verbosity;

const LOCK: &str = "split.lock";

/// What `--help` shows last.
const EXAMPLES: &str = "Examples:
  Every service, each in a directory of its name:
    cargo lighter split --out ../splits
  One service that builds without network, tests left out:
    cargo lighter split --out ../splits orders --vendor --no-dev-deps
  Show that the splits build the same executables:
    cargo lighter split --out ../splits --verify";

/// Write each service as a standalone workspace
///
/// A split has the package of the service, the local packages it needs, a root manifest and a Cargo.lock
/// without the rest, and every file these read. It can be copied anywhere, and builds there with
/// `cargo build --locked`. Standard output has the path of each root manifest.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    selection: SelectionArguments,
    #[command(flatten)]
    workspace: WorkspaceArguments,
    #[command(flatten)]
    features: FeatureArguments,
    #[command(flatten)]
    compile: CompileArguments,
    /// Directory that gets a directory of each service's name; outside of the repository, or in `target`
    #[arg(long, value_name = "DIR", help_heading = "Split Options")]
    out: PathBuf,
    #[command(flatten)]
    contents: ContentsArguments,
    /// Build each outside of the repository, and compare its executable with that of the workspace
    #[arg(long, help_heading = "Split Options")]
    verify: bool,
}

/// What splits have and have not.
#[derive(Debug, Args)]
#[command(next_help_heading = "Split Options")]
struct ContentsArguments {
    /// Leave out dev-dependencies, tests, benches, examples and texts for people
    #[arg(long)]
    no_dev_deps: bool,
    /// Add the sources of all dependencies: each then builds without network and downloads
    #[arg(long)]
    vendor: bool,
    /// Add a Dockerfile that builds the same image with `docker build` alone
    #[arg(long)]
    dockerfile: bool,
}

pub(in crate::cli) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Failure> {
    let planned = context.plan(&plan_arguments(arguments), Aim::Layout)?;
    let Planned {
        plan, workspace, ..
    } = &planned;
    let out = context.environment.resolve(&arguments.out);
    let check = || {
        let names = plan.services.iter().map(|service| service.service.as_str());
        split::check_out(workspace, &out, names).map_err(Failure::of_split)
    };
    let cache = pipeline::cache_directory(plan);
    let checked = check();
    // Who was never here has no other run to wait for.
    if checked.is_err() && !cache.is_dir() {
        checked?;
    }
    let _making = lock(&cache);
    check()?;
    let sources = Sources::read(workspace, &planned.cargo, Origin::Checkout, Some(cache))
        .map_err(Failure::of_split)?;
    for file in sources.foreign_configuration() {
        context.console.report(Event::Warning(format!(
            "`{}` rules the workspace, but lies outside of the repository: splits will not have it",
            file.display()
        )));
    }
    let view = if arguments.contents.no_dev_deps {
        sources
            .allow_without_development()
            .map_err(Failure::of_split)?;
        View::Production
    } else {
        View::Whole
    };
    let (threads, _) = Context::threads(arguments.compile.jobs);
    let plain =
        pipeline::splits(&sources, workspace, plan, view, threads).map_err(Failure::of_pipeline)?;
    for split in &plain {
        split.refuse_altered().map_err(Failure::of_split)?;
    }
    let mut splits = plain.clone();
    // Holds what splits are written from.
    let _vendored = arguments
        .contents
        .vendor
        .then(|| vendor(context, &sources, &mut splits))
        .transpose()?;
    if arguments.contents.dockerfile {
        pipeline::add_dockerfiles(&planned.cargo, workspace, plan, &mut splits)
            .map_err(Failure::of_pipeline)?;
    }
    // Nothing is written before all of it is known to be right.
    for split in &splits {
        let manifest = split::write(split, &out.join(&split.service)).map_err(Failure::of_split)?;
        context.console.report(Event::Status {
            verb: "Split",
            subject: format!(
                "`{}` {} packages, {} files",
                split.service,
                split.packages.len(),
                split.files.len()
            ),
        });
        // As the user would write it.
        let manifest = manifest.strip_prefix(&out).unwrap_or(&manifest);
        let line = format!("{}\n", arguments.out.join(manifest).display());
        context
            .console
            .data(&line)
            .map_err(|error| Failure::failed(StreamError(error)))?;
    }
    if arguments.verify {
        let vendored = arguments.contents.vendor.then_some(&splits[..]);
        verify(context, &planned, &plain, vendored, arguments)?;
    }
    Ok(Exit::Success)
}

/// Held while splits are made: two runs may have one directory for them, and one must not see what the
/// other has half written. Where there is no place for it, nobody waits.
fn lock(cache: &Path) -> Option<DirectoryLock> {
    fs_err::create_dir_all(cache).ok()?;
    DirectoryLock::acquire(cache, LOCK).ok()
}

fn vendor(
    context: &Context,
    sources: &Sources<'_>,
    splits: &mut [Split],
) -> Result<Vendored, Failure> {
    context.console.report(Event::Status {
        verb: "Vendoring",
        subject: "dependencies".to_owned(),
    });
    split::vendor(sources, splits).map_err(Failure::of_split)
}

/// Proves that splits are what they should be.
fn verify(
    context: &Context,
    planned: &Planned,
    splits: &[Split],
    vendored: Option<&[Split]>,
    arguments: &Arguments,
) -> Result<(), Failure> {
    let session = Session {
        environment: planned.cargo.environment(),
        interrupt: &context.interrupt,
        reporter: context.console.as_ref(),
        clock: &context.clock,
    };
    let (_, jobs) = Context::threads(arguments.compile.jobs);
    let compiling = compile::Options {
        jobs,
        colors: context.console.colors(),
        quiet: context.console.verbosity() == Verbosity::Quiet,
    };
    let Planned {
        cargo,
        workspace,
        plan,
        ..
    } = planned;
    pipeline::verify(
        &session, cargo, workspace, plan, splits, vendored, &compiling,
    )
    .map_err(of_verification)
}

fn of_verification(error: VerifyError) -> Failure {
    let exit = match error {
        VerifyError::Different(_) => Exit::Difference,
        ref error if error.is_compilation() => Exit::CompileFailed,
        VerifyError::Pipeline(error) => return Failure::of_pipeline(error),
        VerifyError::Compile { .. } => Exit::Failed,
        VerifyError::Workspace { .. }
        | VerifyError::NoPackage { .. }
        | VerifyError::TemporaryInside { .. } => Exit::Usage,
    };
    Failure {
        error: Some(error.into()),
        exit,
    }
}

fn plan_arguments(arguments: &Arguments) -> PlanArguments {
    PlanArguments {
        selection: arguments.selection.clone(),
        workspace: arguments.workspace.clone(),
        features: arguments.features.clone(),
        compile: arguments.compile.clone(),
        image: ImageArguments::default(),
        destinations: Vec::new(),
    }
}

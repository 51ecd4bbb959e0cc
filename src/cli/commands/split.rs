//! `split`: each service as a standalone workspace.

use std::path::PathBuf;

use clap::Args;

use crate::cli::arguments::{
    CompileArguments, FeatureArguments, ImageArguments, PlanArguments, SelectionArguments,
    WorkspaceArguments,
};
use crate::cli::context::{Context, Planned};
use crate::cli::destinations::Aim;
use crate::cli::{Exit, Failure, StreamError};
use crate::pipeline;
use crate::report::{Event, Reporter as _};
use crate::split::{self, Origin, Sources, View};

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    selection: SelectionArguments,
    #[command(flatten)]
    workspace: WorkspaceArguments,
    #[command(flatten)]
    features: FeatureArguments,
    #[command(flatten)]
    compile: CompileArguments,
    /// Directory that gets a directory of each service's name
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Leave out dev-dependencies, tests, benches, examples and texts for people
    #[arg(long)]
    no_dev_deps: bool,
}

pub(in crate::cli) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Failure> {
    let planned = context.plan(&plan_arguments(arguments), Aim::Layout)?;
    let Planned {
        plan, workspace, ..
    } = &planned;
    let out = context.environment.resolve(&arguments.out);
    let names = plan.services.iter().map(|service| service.service.as_str());
    split::check_out(workspace, &out, names).map_err(Failure::of_split)?;
    let cache = pipeline::cache_directory(plan);
    let sources = Sources::read(workspace, &planned.cargo, Origin::Checkout, Some(cache))
        .map_err(Failure::of_split)?;
    for file in sources.foreign_configuration() {
        context.console.report(Event::Warning(format!(
            "`{}` rules the workspace, but lies outside of the repository: splits will not have it",
            file.display()
        )));
    }
    let view = if arguments.no_dev_deps {
        sources
            .allow_without_development()
            .map_err(Failure::of_split)?;
        View::Production
    } else {
        View::Whole
    };
    let (threads, _) = Context::threads(arguments.compile.jobs);
    let splits =
        pipeline::splits(&sources, workspace, plan, view, threads).map_err(Failure::of_pipeline)?;
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
        let line = format!("{}\n", manifest.display());
        context
            .console
            .data(&line)
            .map_err(|error| Failure::failed(StreamError(error)))?;
    }
    Ok(Exit::Success)
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

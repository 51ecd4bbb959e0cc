//! `plan`: what `build` would do, before anything is done.

use clap::{Args, ValueEnum};

use super::build::layout_in;
use crate::cli::arguments::PlanArguments;
use crate::cli::context::Context;
use crate::cli::{Exit, Failure, StreamError};
use crate::report::LibrarySummary;
use crate::runtime::{LibraryRoot, fixed_libraries};
use crate::ui::Verbosity;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    plan: PlanArguments,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

pub(in crate::cli) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Failure> {
    let planned = context.plan(&arguments.plan, |plan| {
        let named = arguments.plan.destinations.clone();
        Ok(if named.is_empty() {
            vec![layout_in(plan, context)]
        } else {
            named
        })
    })?;
    let plan = &planned.plan;
    let mut libraries: Vec<LibrarySummary> = Vec::new();
    for service in &plan.services {
        let root = LibraryRoot::open(&service.config.library_root.value).map_err(Failure::usage)?;
        libraries.extend(fixed_libraries(&root, &service.platform).map_err(Failure::failed)?);
    }
    libraries.sort();
    libraries.dedup();
    let text = match arguments.format {
        Format::Text => plan.to_text(
            context.console.verbosity() == Verbosity::Verbose,
            &libraries,
        ),
        Format::Json => {
            let json = plan.to_json(&libraries).map_err(std::io::Error::other);
            json.map_err(|error| Failure::failed(StreamError(error)))? + "\n"
        }
    };
    context
        .console
        .data(&text)
        .map_err(|error| Failure::failed(StreamError(error)))?;
    Ok(Exit::Success)
}

//! `plan`: what `build` would do, before anything is done.

use clap::{Args, ValueEnum};

use crate::cli::arguments::PlanArguments;
use crate::cli::context::{Context, Planned};
use crate::cli::destinations::{Aim, open};
use crate::cli::{Exit, Failure, StreamError};
use crate::destination::Prefix;
use crate::pipeline;
use crate::plan::{Images, Plan};
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
    let planned = context.plan(&arguments.plan, Aim::Layout)?;
    let plan = &planned.plan;
    let images = images(context, &planned)?;
    let libraries = libraries(plan)?;
    let text = match arguments.format {
        Format::Text => plan.to_text(
            context.console.verbosity() == Verbosity::Verbose,
            &images,
            &libraries,
        ),
        Format::Json => {
            let json = plan
                .to_json(&images, &libraries)
                .map_err(std::io::Error::other);
            json.map_err(|error| Failure::failed(StreamError(error)))? + "\n"
        }
    };
    context
        .console
        .data(&text)
        .map_err(|error| Failure::failed(StreamError(error)))?;
    Ok(Exit::Success)
}

/// What every image is called at every destination.
fn images(context: &Context, planned: &Planned) -> Result<Images, Failure> {
    let mut images = Images::new();
    for destination in open(context, &planned.destinations)? {
        let names = pipeline::image_names(&planned.plan, destination.as_ref());
        let names = names.map_err(Failure::of_pipeline)?;
        for (service, name) in planned.plan.services.iter().zip(names) {
            let full = match destination.prefix() {
                Prefix::None => format!("{}:{name}", destination.name()),
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

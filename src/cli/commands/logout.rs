//! `logout`: forget the credentials of a registry.

use clap::Args;

use crate::cli::context::Context;
use crate::cli::{Exit, Failure};
use crate::registry;
use crate::report::{Event, Reporter as _};

/// What `--help` shows last.
const EXAMPLES: &str = "Examples:
  Forget the credentials of one registry:
    cargo lighter logout ghcr.io";

/// Remove the credentials of a registry
///
/// They are removed from where `login` would store them. Nothing is asked of the registry.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Arguments {
    /// The registry's host, such as ghcr.io
    #[arg(value_name = "HOST")]
    registry: String,
}

pub(in crate::cli) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Failure> {
    let removed = registry::logout(
        &context.environment,
        &arguments.registry,
        &context.interrupt,
    )
    .map_err(Failure::of_registry)?;
    let host = &arguments.registry;
    if removed.is_empty() {
        let warning = format!("there were no credentials for {host}");
        context.console.report(Event::Warning(warning));
    }
    for place in removed {
        context.console.report(Event::Status {
            verb: "Removed",
            subject: format!("credentials for {host} from {place}"),
        });
    }
    Ok(Exit::Success)
}

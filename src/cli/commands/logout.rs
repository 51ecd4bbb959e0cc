//! `logout`: forget the credentials of a registry.

use clap::Args;

use crate::cli::context::Context;
use crate::cli::{Exit, Failure};
use crate::reference::refuse_login;
use crate::registry::{self, RegistryError};
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
    /// The registry's host, such as ghcr.io, or a part of it that has credentials of its own, such as ghcr.io/acme
    #[arg(value_name = "HOST")]
    name: String,
}

pub(in crate::cli) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Failure> {
    let name = &arguments.name;
    refuse_login(name).map_err(Failure::usage)?;
    let result = registry::logout(&context.environment, name, &context.interrupt);
    let logout = result.map_err(|error| {
        if let RegistryError::Credential(error) = &error
            && let Some(detail) = error.detail()
        {
            context.console.report(Event::Verbose(detail));
        }
        Failure::of_registry(error)
    })?;
    if logout.removed.is_empty() {
        let warning = format!("there were no credentials for {name}");
        context.console.report(Event::Warning(warning));
    }
    for place in logout.removed {
        context.console.report(Event::Status {
            verb: "Removed",
            subject: format!("credentials for {name} from {place}"),
        });
    }
    for (part, place) in logout.left {
        context.console.report(Event::Warning(format!(
            "{place} still has credentials for {part}; remove them with `cargo lighter logout {part}`"
        )));
    }
    Ok(Exit::Success)
}

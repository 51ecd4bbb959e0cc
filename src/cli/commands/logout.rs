//! `logout`: forget the credentials of a registry.

use clap::Args;

use crate::cli::context::Context;
use crate::cli::{Exit, Failure};
use crate::registry;

#[derive(Debug, Args)]
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
    .map_err(Failure::failed)?;
    context.console.raw(&match removed {
        Some(place) => format!(
            "logged out of {}; credentials were in {place}",
            arguments.registry
        ),
        None => format!("there were no credentials for {}", arguments.registry),
    });
    Ok(Exit::Success)
}

//! `push`: `build` to a registry.

use clap::Args;

use super::build::execute;
use crate::cli::arguments::{PlanArguments, RunArguments};
use crate::cli::context::Context;
use crate::cli::destinations::Aim;
use crate::cli::{Exit, Failure};

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    plan: PlanArguments,
    #[command(flatten)]
    pub(in crate::cli) run: RunArguments,
}

pub(in crate::cli) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Failure> {
    let planned = context.plan(&arguments.plan, Aim::Registry)?;
    execute(
        context,
        &planned,
        arguments.plan.compile.jobs,
        &arguments.run,
    )
}

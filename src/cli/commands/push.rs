//! `push`: `build` to a registry.

use clap::Args;

use super::build::{Execution, execute};
use crate::cli::arguments::{PlanArguments, RunArguments};
use crate::cli::context::Context;
use crate::cli::destinations::Aim;
use crate::cli::since::{FromArguments, SinceArguments};
use crate::cli::{Exit, Failure};

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    plan: PlanArguments,
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
            aim: Aim::Registry,
            plan: &arguments.plan,
            since: &arguments.since,
            from: &arguments.from,
            run: &arguments.run,
        },
    )
}

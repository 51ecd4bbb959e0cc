//! `push`: `build` to a registry.

use clap::Args;

use super::build::{Execution, execute};
use crate::cli::arguments::{PlanArguments, RunArguments};
use crate::cli::context::Context;
use crate::cli::destinations::Aim;
use crate::cli::since::{FromArguments, SinceArguments};
use crate::cli::{Exit, Failure};

/// What `--help` shows last.
const EXAMPLES: &str = "Examples:
  Every service, as ghcr.io/acme/SERVICE:latest:
    cargo lighter push --repo ghcr.io/acme
  With tags that name the version and the commit:
    cargo lighter push --repo ghcr.io/acme -t '{version}' -t '{git.short}'
  From a pipeline, with a summary for the next step:
    cargo lighter push --metadata-file images.json --keep-going
  To a registry on this machine:
    cargo lighter push orders --repo localhost:5000/acme";

/// Compile services and push their images to a registry
///
/// The same as `build --to docker://REPO`. REPO is what `--repo` says, or `LIGHTER_REPO`, or `repo` in
/// `[workspace.metadata.lighter]`. No tag moves before all images are stored; what the registry has is not
/// sent again. Credentials are those of docker and podman, or of `cargo lighter login`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
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

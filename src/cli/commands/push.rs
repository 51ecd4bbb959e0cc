//! `push`: `build` to a registry.

use std::collections::BTreeSet;

use clap::Args;

use super::build::execute;
use crate::cli::arguments::{PlanArguments, RunArguments};
use crate::cli::context::Context;
use crate::cli::{Exit, Failure};
use crate::hint::Hint;
use crate::plan::Plan;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    plan: PlanArguments,
    #[command(flatten)]
    pub(in crate::cli) run: RunArguments,
}

/// Nobody said where to push.
#[derive(Debug, thiserror::Error)]
#[error("nothing says which registry to push `{0}` to")]
struct NoRepository(String);

impl Hint for NoRepository {
    fn hint(&self) -> Option<String> {
        Some(
            "type `--repo HOST/PREFIX`, set LIGHTER_REPO, or set `repo` in `[workspace.metadata.lighter]`"
                .to_owned(),
        )
    }
}

pub(in crate::cli) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Failure> {
    let planned = context.plan(&arguments.plan, |plan| {
        let mut destinations = vec![format!("docker://{}", repository(plan)?)];
        destinations.extend(arguments.plan.destinations.iter().cloned());
        Ok(destinations)
    })?;
    execute(
        context,
        &planned,
        arguments.plan.compile.jobs,
        &arguments.run,
    )
}

/// The repository prefix of all services, or nothing where each has its own.
fn repository(plan: &Plan) -> Result<String, Failure> {
    let mut repos = BTreeSet::new();
    for service in &plan.services {
        let repo = service.config.repo.value.as_deref();
        repos.insert(repo.ok_or_else(|| Failure::usage(NoRepository(service.service.clone())))?);
    }
    let only = if repos.len() == 1 {
        repos.first().copied()
    } else {
        None
    };
    Ok(only.unwrap_or_default().to_owned())
}

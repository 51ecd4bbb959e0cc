//! Splits of many services at once.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::PipelineError;
use super::parallel::in_parallel;
use crate::plan::Plan;
use crate::split::{self, Request, Sources, Split, View};
use crate::workspace::Workspace;

/// Where what is true for ever is kept, below a target directory.
pub fn cache_directory(plan: &Plan) -> PathBuf {
    plan.target_directory.join("lighter").join("cache")
}

/// The split of each planned service, in plan order.
///
/// # Errors
/// [`PipelineError::Split`] for the first service in plan order that cannot be split off.
pub fn splits(
    sources: &Sources<'_>,
    workspace: &Workspace,
    plan: &Plan,
    view: View,
    threads: NonZeroUsize,
) -> Result<Vec<Split>, PipelineError> {
    let made = in_parallel(&plan.services, threads, |planned| {
        let service = workspace.service(&planned.service)?;
        let request = Request {
            service,
            config: &planned.config,
            view,
        };
        Some(split::split(sources, &request))
    });
    let splits = made.into_iter().flatten().collect::<Result<_, _>>()?;
    Ok(splits)
}

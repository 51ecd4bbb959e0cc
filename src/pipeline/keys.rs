//! Input keys of planned services.

use std::num::NonZeroUsize;

use super::ingredients::{KeyWorld, Keying, ingredients};
use super::parallel::in_parallel;
use super::splits::cache_directory;
use super::{PipelineError, Session, State};
use crate::cargo::Cargo;
use crate::config::Builder;
use crate::hint::Hint as _;
use crate::plan::PlannedService;
use crate::since::Revision;
use crate::split::{
    self, FileDigests, Key, Keyed, Origin, Request, Sources, Split, SplitError, View,
};

/// The key of each planned service, in plan order.
///
/// # Errors
/// [`PipelineError`] for the first service whose inputs cannot be found.
pub fn keys(
    session: &Session<'_>,
    cargo: &Cargo,
    state: State<'_>,
    revision: Option<&Revision>,
    threads: NonZeroUsize,
) -> Result<Vec<Keyed>, PipelineError> {
    let services: Vec<&PlannedService> = state.plan.services.iter().collect();
    keys_of(session, cargo, state, &services, revision, threads)
}

/// The keys of some services of a plan, by what is in the work tree now.
pub(super) fn keys_of(
    session: &Session<'_>,
    cargo: &Cargo,
    state: State<'_>,
    services: &[&PlannedService],
    revision: Option<&Revision>,
    threads: NonZeroUsize,
) -> Result<Vec<Keyed>, PipelineError> {
    let State { workspace, plan } = state;
    let cache = cache_directory(plan);
    let sources = Sources::read(workspace, cargo, Origin::Checkout, Some(cache.clone()))?;
    let world = KeyWorld::ask(cargo, plan, FileDigests::open(Some(&cache)))?;
    let keyed = in_parallel(services, threads, |planned| {
        let Some(service) = workspace.service(&planned.service) else {
            let reason = "the workspace has no such service any more".to_owned();
            return Ok(Keyed::Unknown { reason });
        };
        let request = Request {
            service,
            config: &planned.config,
            view: View::Production,
        };
        let split = match split::split(&sources, &request) {
            Ok(split) => split,
            Err(error @ SplitError::Unforeseen { .. }) => {
                let hint = error.hint().map(|hint| format!(": {hint}"));
                let reason = format!("{error}{}", hint.unwrap_or_default());
                return Ok(Keyed::Unknown { reason });
            }
            Err(error) => return Err(error.into()),
        };
        if let Some(reason) = unknown(session, planned, &split) {
            return Ok(Keyed::Unknown { reason });
        }
        let keying = Keying {
            workspace,
            plan,
            service: planned,
            split: &split,
            revision,
            digests: &world.digests,
        };
        let ingredients = ingredients(session, &world, &keying)?;
        Ok(Keyed::Known(Key::new(ingredients)))
    });
    world.digests.keep();
    keyed.into_iter().collect()
}

/// Why the inputs of a service cannot all be known.
pub(super) fn unknown(
    session: &Session<'_>,
    service: &PlannedService,
    split: &Split,
) -> Option<String> {
    if let Some(package) = split.asking_git.first() {
        return Some(format!(
            "the build of `{package}` asks git, and what git answers is in no file"
        ));
    }
    let zig = service.config.builder.value == Builder::Zigbuild;
    (zig && session.environment.find_program("zig").is_none())
        .then(|| "`builder = \"zigbuild\"`, and `zig` is not on PATH to be looked at".to_owned())
}

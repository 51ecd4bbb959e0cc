//! Input keys of planned services.

use std::num::NonZeroUsize;

use super::ingredients::{KeyWorld, Keying, ingredients};
use super::parallel::in_parallel;
use super::splits::cache_directory;
use super::{PipelineError, Session, State};
use crate::cargo::Cargo;
use crate::config::Builder;
use crate::plan::PlannedService;
use crate::since::Revision;
use crate::split::{FileDigests, Key, Keyed, Split};

/// The key of each planned service, in plan order, given its split in the production view.
///
/// # Errors
/// [`PipelineError`] for the first service whose inputs cannot be found.
pub fn keys(
    session: &Session<'_>,
    cargo: &Cargo,
    state: State<'_>,
    splits: &[Split],
    revision: Option<&Revision>,
    threads: NonZeroUsize,
) -> Result<Vec<Keyed>, PipelineError> {
    let State { workspace, plan } = state;
    let digests = FileDigests::open(Some(&cache_directory(plan)));
    let world = KeyWorld::ask(cargo, plan, digests)?;
    let pairs: Vec<(&PlannedService, &Split)> = plan.services.iter().zip(splits).collect();
    let keyed = in_parallel(&pairs, threads, |(service, split)| {
        if let Some(reason) = unknown(session, service) {
            return Ok(Keyed::Unknown { reason });
        }
        let keying = Keying {
            workspace,
            plan,
            service,
            split,
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
pub(super) fn unknown(session: &Session<'_>, service: &PlannedService) -> Option<String> {
    let zig = service.config.builder.value == Builder::Zigbuild;
    (zig && session.environment.find_program("zig").is_none())
        .then(|| "`builder = \"zigbuild\"`, and `zig` is not on PATH to be looked at".to_owned())
}

//! Input keys of planned services.

use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::thread;

use super::ingredients::{KeyWorld, Keying, ingredients};
use super::parallel::in_parallel;
use super::splits::cache_directory;
use super::standing::with_hint;
use super::{PipelineError, Session, State};
use crate::cargo::Cargo;
use crate::config::Builder;
use crate::plan::PlannedService;
use crate::since::Revision;
use crate::split::{self, FileDigests, Key, Keyed, Origin, Request, Sources, Split, View};

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
    let (sources, world) = thread::scope(|scope| {
        // Both wait for programs.
        let world = scope.spawn(|| KeyWorld::ask(cargo, plan, FileDigests::open(Some(&cache))));
        let sources = Sources::read(workspace, cargo, Origin::Checkout, Some(cache.clone()));
        let sources = sources.inspect(Sources::prepare_locks);
        let world = world.join();
        (sources, world.unwrap_or_else(|panic| resume_unwind(panic)))
    });
    let (sources, world) = (sources?, world?);
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
        let found = split::split(&sources, &request).and_then(|split| {
            split::check_any_build(&sources, service, &split)?;
            Ok(split)
        });
        let split = match found {
            Ok(split) => split,
            Err(error) if error.is_blind_spot() => {
                let reason = with_hint(&error);
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
    let asking = split.asking_git.first();
    asking
        .map(|package| asking_git(package))
        .or_else(|| zig_is_missing(session, service))
}

/// Why the inputs of whoever needs `package` cannot be known.
pub(super) fn asking_git(package: &str) -> String {
    format!("the build of `{package}` asks git, and what git answers is in no file")
}

/// Why the linker of a service cannot be known.
pub(super) fn zig_is_missing(session: &Session<'_>, service: &PlannedService) -> Option<String> {
    let zig = service.config.builder.value == Builder::Zigbuild;
    (zig && session.environment.find_program("zig").is_none())
        .then(|| "`builder = \"zigbuild\"`, and `zig` is not on PATH to be looked at".to_owned())
}

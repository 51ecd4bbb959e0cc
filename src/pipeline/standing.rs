//! Reasons for which a service is affected, whatever paths changed.

use super::assemble::created;
use super::keys::{asking_git, zig_is_missing};
use super::laid::wants_time;
use super::parallel::in_parallel;
use super::{Comparing, PipelineError};
use crate::cargo::HomeInside;
use crate::config::Created;
use crate::hint::Hint as _;
use crate::plan::PlannedService;
use crate::since::Revision;
use crate::split::{BlindSpot, Request, Sources, SplitError, View, blind_spot, may_be_blind};

/// How the time of a commit is told.
const TIME: &str = "the commit's time (`created = \"commit\"`)";

/// Such reasons, in plan order.
#[derive(Debug)]
pub(super) struct Standing {
    /// Why nobody can tell whether the service changed.
    pub(super) unknown: Vec<Option<String>>,
    /// Whether its image bears the time of another commit than at the base.
    moved: Vec<bool>,
}

impl Standing {
    /// Those that need no look at any source.
    pub(super) fn of_plan(comparing: &Comparing<'_>) -> Result<Self, PipelineError> {
        let plan = comparing.present.plan;
        let unknown = plan.services.iter();
        let unknown = unknown.map(|service| zig_is_missing(comparing.session, service));
        let before = if wants_time(plan) {
            let session = comparing.session;
            let comparison = comparing.comparison;
            Some(Revision::of_commit(
                session.environment,
                &comparison.repository,
                &comparison.base,
                session.interrupt,
            )?)
        } else {
            None
        };
        let moved = plan.services.iter().map(|service| {
            let time = |revision| created(plan, &service.config, revision);
            service.config.created.value == Created::Commit
                && before
                    .as_ref()
                    .is_some_and(|before| time(Some(before)) != time(comparing.revision))
        });
        Ok(Self {
            unknown: unknown.collect(),
            moved: moved.collect(),
        })
    }

    /// Whether only the sources can tell that there are no more.
    pub(super) fn needs_sources(comparing: &Comparing<'_>) -> bool {
        let repository = &comparing.comparison.repository;
        let home = HomeInside::of(comparing.session.environment, repository);
        let services = comparing.present.plan.services.iter();
        let requests = services.filter_map(|service| request(comparing, service));
        !comparing.ignored.is_empty()
            || may_be_blind(comparing.present.workspace, &home, repository, requests)
    }

    /// Looks for inputs that git does not see.
    pub(super) fn look(
        &mut self,
        comparing: &Comparing<'_>,
        sources: &Sources<'_>,
    ) -> Result<(), PipelineError> {
        let services = &comparing.present.plan.services;
        let found = in_parallel(services, comparing.threads, |service| {
            let repository = &comparing.comparison.repository;
            request(comparing, service)
                .map(|request| blind_spot(sources, &request, repository))
                .transpose()
        });
        for (unknown, found) in self.unknown.iter_mut().zip(found) {
            let found = found?.flatten().map(|spot| told(&spot));
            *unknown = unknown.take().or(found);
        }
        Ok(())
    }

    /// Puts them beside the reasons that were found by comparing.
    pub(super) fn add_to(self, reasons: &mut [Option<Vec<String>>]) {
        let standing = self.unknown.into_iter().zip(self.moved);
        for (reasons, (unknown, moved)) in reasons.iter_mut().zip(standing) {
            if let Some(unknown) = unknown {
                *reasons = Some(vec![unknown]);
            } else if moved {
                let reasons = reasons.get_or_insert_default();
                reasons.retain(|reason| !reason.starts_with("created "));
                reasons.push(TIME.to_owned());
            }
        }
    }
}

fn request<'a>(comparing: &Comparing<'a>, service: &'a PlannedService) -> Option<Request<'a>> {
    Some(Request {
        service: comparing.present.workspace.service(&service.service)?,
        config: &service.config,
        view: View::Production,
    })
}

fn told(spot: &BlindSpot) -> String {
    match spot {
        BlindSpot::AsksGit(package) => asking_git(package),
        BlindSpot::Untracked(path) => format!(
            "{} is not tracked by git: whether it changed cannot be known",
            path.display()
        ),
        BlindSpot::Unknown(error) => with_hint(error),
    }
}

/// An error in one line.
pub(super) fn with_hint(error: &SplitError) -> String {
    let hint = error.hint().map(|hint| format!(": {hint}"));
    format!("{error}{}", hint.unwrap_or_default())
}

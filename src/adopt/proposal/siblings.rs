//! Stages for other services: a Dockerfile may have one for each.

use super::propose::Reading;
use crate::adopt::dockerfile::{Action, From, Stage, lineage};
use crate::adopt::error::AdoptError;
use crate::adopt::paths::name;
use crate::adopt::remark::Remark;

/// A stage that starts the executable of another service.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sibling<'a> {
    line: usize,
    /// As `--stage` takes it.
    pub(super) stage: String,
    pub(super) service: &'a str,
}

/// How a stage fits a service.
struct Fit {
    stage: usize,
    /// By its name.
    is_called: bool,
    /// By the executable in it.
    has_executable: bool,
}

impl<'a> Reading<'a> {
    /// The stage that is for a service, where this one is not: the only final one that is called so, else
    /// the only one that has its executable.
    pub(super) fn own_stage(&self, named: &str) -> Option<usize> {
        if !self.is_foreign(named) {
            return None;
        }
        let others = 0..self.stages.len();
        let fits: Vec<Fit> = others
            .filter(|at| *at != self.stage && is_final(self.stages, *at))
            .filter_map(|at| self.fit(at, named))
            .collect();
        let is_called = fits.iter().any(|fit| fit.is_called);
        let mut meant = fits.iter().filter(|fit| {
            if is_called {
                fit.is_called
            } else {
                fit.has_executable
            }
        });
        let first = meant.next()?;
        meant.next().is_none().then_some(first.stage)
    }

    /// Whether nothing of the stage is for a service, or it starts another one.
    fn is_foreign(&self, named: &str) -> bool {
        match self.chosen(&mut self.launch(), Some(named)) {
            Ok(chosen) => {
                chosen.instead.is_some() || (chosen.placed.is_none() && chosen.stage.is_none())
            }
            Err(error) => matches!(error, AdoptError::OtherService { .. }),
        }
    }

    /// How another stage fits it, if that starts no other one.
    fn fit(&self, stage: usize, named: &str) -> Option<Fit> {
        let reading = self.of_stage(stage);
        let chosen = reading.chosen(&mut reading.launch(), Some(named)).ok()?;
        if chosen.instead.is_some() {
            return None;
        }
        let service = chosen.service;
        let called = self.stages.get(stage)?.name.as_deref();
        let is_it = |name: &str| name == service.name || name == service.binary;
        let placed = chosen.placed.as_ref();
        Some(Fit {
            stage,
            is_called: called.is_some_and(is_it),
            has_executable: placed.is_some_and(|placed| placed.origin.name() == service.binary),
        })
    }

    /// Says that the stage was taken because it is for a service.
    pub(super) fn told_of_own_stage(&self, service: &str) -> Remark {
        let stage = self.stages.get(self.stage);
        let line = stage.map_or(0, |stage| stage.line);
        let named = stage.and_then(|stage| stage.name.clone());
        let named = named.unwrap_or_else(|| self.stage.to_string());
        let last = self.stages.len().saturating_sub(1);
        Remark::changed(
            line,
            &format!(
                "stage `{named}` is for service `{service}`, and read instead of the last one"
            ),
            &format!("`--stage {last}` reads the last one"),
        )
    }

    /// The stages that start another service than the one of this stage, the last of each service.
    pub(super) fn siblings(&self) -> Vec<Sibling<'a>> {
        let chain = lineage(self.stages, self.stage);
        let others = self.stages.iter().enumerate();
        let mut found: Vec<Sibling<'a>> = Vec::new();
        for (at, stage) in others.filter(|(at, _)| !chain.contains(at)) {
            let reading = self.of_stage(at);
            let mut launch = reading.launch();
            let Some(executable) = launch.executable.clone() else {
                continue;
            };
            let Ok(chosen) = reading.chosen(&mut launch, None) else {
                continue;
            };
            let service = chosen.service;
            if name(&executable) != service.binary && chosen.placed.is_none() {
                continue;
            }
            found.retain(|other| other.service != service.name);
            found.push(Sibling {
                line: stage.line,
                stage: stage.name.clone().unwrap_or_else(|| at.to_string()),
                service: &service.name,
            });
        }
        found
    }

    /// Those of services that were not asked for.
    pub(super) fn told_of_siblings(&self, service: &str) -> Vec<Remark> {
        let others = self.siblings().into_iter();
        others
            .filter(|sibling| sibling.service != service)
            .map(|sibling| {
                let Sibling { line, stage, service } = sibling;
                Remark::changed(
                    line,
                    &format!("stage `{stage}` is for service `{service}`, and not read: the last stage is"),
                    &format!("`--stage {stage}` reads it"),
                )
            })
            .collect()
    }
}

/// Whether no other stage is built on one, or copies from it.
fn is_final(stages: &[Stage], stage: usize) -> bool {
    let uses = |other: &Stage| {
        let copies = |action: &Action| match action {
            Action::Copy(copy) => copy.from == From::Stage(stage),
            Action::Run { .. } => false,
        };
        other.parent == Some(stage) || other.steps.iter().any(|step| copies(&step.action))
    };
    !stages.iter().any(uses)
}

//! Stages for other services: a Dockerfile may have one for each.

use super::propose::Reading;
use crate::adopt::dockerfile::lineage;
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

impl<'a> Reading<'a> {
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

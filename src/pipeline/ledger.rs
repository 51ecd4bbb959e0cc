//! What became of each service, written by all threads of a run and read at its end.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::assemble::Assembled;
use super::check::Refusal;
use super::{PipelineError, Reuse};
use crate::destination::{DeliverableImage, Standing, Stored};
use crate::digest::Digest;
use crate::plan::Plan;
use crate::report::{
    DeliveryStatus, DeliverySummary, Event, ImageSummary, LibrarySummary, Reporter, SCHEMA_VERSION,
    Seconds, ServiceStatus, ServiceSummary, Step, Summary, with_causes,
};
use crate::since::Revision;

/// One service at one destination.
#[derive(Debug, Clone, Default)]
pub(super) enum Delivered {
    /// Not attempted.
    #[default]
    Not,
    /// Blobs and manifest are there; tags are not.
    Stored(Box<(DeliverableImage, Stored)>),
    /// It was there before, made from the same inputs; the run's tags are not.
    Standing(Box<Standing>),
    /// All is there.
    Tagged(DeliverySummary),
    /// It failed, maybe after some of the tags had moved.
    Failed(Option<DeliverySummary>),
}

/// What the summary says of an image: not the image itself, whose layers take room on the disk for as
/// long as somebody has them.
#[derive(Debug)]
pub(super) struct Made {
    digest: Digest,
    image: ImageSummary,
    libraries: Vec<LibrarySummary>,
}

impl From<&Assembled> for Made {
    fn from(assembled: &Assembled) -> Self {
        Self {
            digest: assembled.image.manifest.digest(),
            image: ImageSummary {
                bytes: assembled.bytes(),
                layers: assembled.layers.len() as u64,
            },
            libraries: assembled.libraries.clone(),
        }
    }
}

/// One service.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) assembled: Option<Made>,
    /// The image that stood everywhere, and was not built.
    pub(super) standing: Option<Digest>,
    pub(super) deliveries: Vec<Delivered>,
    pub(super) seconds: Seconds,
    /// The first failure, with its causes.
    error: Option<String>,
    /// Whether it failed before anything could be delivered.
    failed_early: bool,
    compile_failed: bool,
}

/// All services of a run, in plan order.
#[derive(Debug)]
pub(super) struct Ledger<'a> {
    plan: &'a Plan,
    destinations: Vec<String>,
    records: Vec<Mutex<Record>>,
}

impl<'a> Ledger<'a> {
    /// Nothing happened yet.
    pub(super) fn new(plan: &'a Plan, destinations: Vec<String>) -> Self {
        let records = plan.services.iter().map(|_| {
            let deliveries = destinations.iter().map(|_| Delivered::Not).collect();
            Mutex::new(Record {
                deliveries,
                ..Record::default()
            })
        });
        Self {
            plan,
            records: records.collect(),
            destinations,
        }
    }

    /// The record of the service at `index` of the plan.
    pub(super) fn record(&self, index: usize) -> MutexGuard<'_, Record> {
        self.records[index]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes down that a step of a service failed, and reports it.
    pub(super) fn fail(
        &self,
        index: usize,
        step: Step,
        error: &PipelineError,
        reporter: &dyn Reporter,
    ) {
        use crate::hint::Hint as _;
        let service = &self.plan.services[index].service;
        let done = match step {
            Step::Compile => "compiled",
            Step::Assemble => "assembled",
            Step::Deliver => "delivered",
        };
        let mut lines = vec![format!("service `{service}` could not be {done}")];
        lines.extend(with_causes(error));
        let text = lines.join("\n");
        let mut record = self.record(index);
        record.compile_failed |= step == Step::Compile;
        record.failed_early |= step != Step::Deliver;
        record.error.get_or_insert_with(|| text.clone());
        drop(record);
        let (service, hint) = (service.clone(), error.hint());
        reporter.report(Event::Failed {
            service,
            step,
            error: text,
            hint,
        });
    }

    /// Takes over what destinations refused before anything was built.
    pub(super) fn take_refusals(&self, refusals: &[Refusal], reporter: &dyn Reporter) {
        for refusal in refusals {
            match refusal.service {
                None => self.refuse(refusal.destination, &refusal.error, reporter),
                Some(index) => {
                    self.record(index).deliveries[refusal.destination] = Delivered::Failed(None);
                    self.fail(index, Step::Deliver, &refusal.error, reporter);
                }
            }
        }
    }

    /// Writes down that a destination takes no image of the run, and reports it once.
    pub(super) fn refuse(
        &self,
        destination: usize,
        error: &PipelineError,
        reporter: &dyn Reporter,
    ) {
        use crate::hint::Hint as _;
        let text = with_causes(error).join("\n");
        for index in self.indices() {
            let mut record = self.record(index);
            record.deliveries[destination] = Delivered::Failed(None);
            record.error.get_or_insert_with(|| text.clone());
        }
        reporter.report(Event::Refused {
            destination: self.destinations[destination].clone(),
            error: text,
            hint: error.hint(),
        });
    }

    /// Whether no destination takes the service.
    pub(super) fn is_refused_everywhere(&self, index: usize) -> bool {
        let record = self.record(index);
        record
            .deliveries
            .iter()
            .all(|delivered| matches!(delivered, Delivered::Failed(_)))
    }

    /// Services that are to be built and delivered somewhere.
    pub(super) fn to_build(&self) -> usize {
        let standing =
            |index: &usize| self.is_refused_everywhere(*index) || self.is_standing(*index);
        self.indices().filter(|index| !standing(index)).count()
    }

    /// Whether anything failed: a service before it could be delivered, or at any destination.
    pub(super) fn any_failed(&self) -> bool {
        self.indices().any(|index| {
            let record = self.record(index);
            let mut deliveries = record.deliveries.iter();
            record.failed_early
                || deliveries.any(|delivered| matches!(delivered, Delivered::Failed(_)))
        })
    }

    /// Whether every service is stored at the destination.
    pub(super) fn all_stored_at(&self, destination: usize) -> bool {
        self.indices().all(|index| {
            matches!(
                self.record(index).deliveries[destination],
                Delivered::Stored(_) | Delivered::Standing(_)
            )
        })
    }

    /// Counts time that was spent at a destination for all its images, as much for each.
    #[expect(
        clippy::cast_precision_loss,
        reason = "there are not that many services"
    )]
    pub(super) fn share_seconds(&self, destination: usize, seconds: f64) {
        let stored = |index: &usize| {
            let deliveries = &self.record(*index).deliveries;
            matches!(deliveries[destination], Delivered::Stored(_))
        };
        let stored: Vec<usize> = self.indices().filter(stored).collect();
        for index in &stored {
            self.record(*index).seconds.deliver += seconds / stored.len() as f64;
        }
    }

    /// Names of the images that are stored at the destination, in plan order.
    pub(super) fn stored_at(&self, destination: usize) -> Vec<String> {
        let stored = |index| match &self.record(index).deliveries[destination] {
            Delivered::Stored(stored) => Some(stored.0.name.clone()),
            _ => None,
        };
        self.indices().filter_map(stored).collect()
    }

    /// Whether any service is stored at the destination.
    pub(super) fn any_stored_at(&self, destination: usize) -> bool {
        self.indices().any(|index| {
            matches!(
                self.record(index).deliveries[destination],
                Delivered::Stored(_)
            )
        })
    }

    /// Whether the service's image stands at every destination.
    pub(super) fn is_standing(&self, index: usize) -> bool {
        let record = self.record(index);
        record
            .deliveries
            .iter()
            .all(|delivered| matches!(delivered, Delivered::Standing(_)))
    }

    /// Whether a compilation failed.
    pub(super) fn any_compile_failed(&self) -> bool {
        self.indices()
            .any(|index| self.record(index).compile_failed)
    }

    /// Positions of the services in the plan.
    pub(super) fn indices(&self) -> std::ops::Range<usize> {
        0..self.records.len()
    }

    /// What came of the run.
    pub(super) fn summary(
        &self,
        revision: Option<&Revision>,
        reuse: Option<&Reuse<'_>>,
    ) -> Summary {
        let services = self
            .indices()
            .map(|index| self.service_summary(index, revision, reuse))
            .collect();
        Summary {
            version: SCHEMA_VERSION,
            services,
        }
    }

    fn service_summary(
        &self,
        index: usize,
        revision: Option<&Revision>,
        reuse: Option<&Reuse<'_>>,
    ) -> ServiceSummary {
        let planned = &self.plan.services[index];
        let record = self.record(index);
        let built = record.assembled.as_ref().map(|made| made.digest);
        let digest = built.or(record.standing);
        let complete = record
            .deliveries
            .iter()
            .all(|delivered| matches!(delivered, Delivered::Tagged(_)));
        let deliveries = record
            .deliveries
            .iter()
            .zip(&self.destinations)
            .filter_map(|(delivered, destination)| {
                delivery_summary(delivered, destination, digest?)
            })
            .collect();
        let error = record.error.clone().or_else(|| {
            (!complete).then(|| {
                "not delivered, because another service failed or the run was stopped".to_owned()
            })
        });
        ServiceSummary {
            service: planned.service.clone(),
            package: planned.package.clone(),
            status: match (complete, built) {
                (false, _) => ServiceStatus::Failed,
                (true, Some(_)) => ServiceStatus::Built,
                (true, None) => ServiceStatus::Retagged,
            },
            key: reuse.and_then(|reuse| reuse.key(index)),
            digest,
            image: record.assembled.as_ref().map(|made| made.image),
            revision: revision.map(|revision| revision.sha.clone()),
            dirty: revision.map(|revision| revision.dirty),
            platforms: vec![planned.platform.to_string()],
            libraries: record
                .assembled
                .as_ref()
                .map(|made| made.libraries.clone())
                .unwrap_or_default(),
            deliveries,
            seconds: record.seconds,
            error,
        }
    }
}

/// What the summary says of one destination; nothing where nothing was attempted.
fn delivery_summary(
    delivered: &Delivered,
    destination: &str,
    digest: Digest,
) -> Option<DeliverySummary> {
    let stored = match delivered {
        Delivered::Not => return None,
        Delivered::Tagged(summary) | Delivered::Failed(Some(summary)) => {
            return Some(summary.clone());
        }
        Delivered::Stored(stored) => Some(&stored.1),
        Delivered::Failed(None) | Delivered::Standing(_) => None,
    };
    Some(DeliverySummary {
        destination: destination.to_owned(),
        reference: Vec::new(),
        tags: Vec::new(),
        digest,
        status: DeliveryStatus::Failed,
        uploaded_bytes: stored.map_or(0, |stored| stored.uploaded_bytes),
        mounted_blobs: stored.map_or(0, |stored| stored.mounted_blobs),
        existing_blobs: stored.map_or(0, |stored| stored.existing_blobs),
        requests: stored.map_or(0, |stored| stored.requests),
    })
}

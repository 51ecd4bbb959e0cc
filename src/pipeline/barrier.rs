//! The barrier between the two phases of delivery, and the second phase.

use super::PipelineError;
use super::deliver::Work;
use super::ledger::Delivered;
use super::parallel::in_parallel;
use crate::destination::{Standing, Tagged};
use crate::plan::TagValues;
use crate::reference::Tag;
use crate::report::{DeliverySummary, Event, Step};

/// How tagging an image at a destination ended.
struct End {
    /// The service's place in the plan.
    index: usize,
    /// The tags that moved.
    moved: Option<DeliverySummary>,
    /// What kept the others.
    error: Option<PipelineError>,
}

impl Work<'_> {
    /// Moves tags where that is allowed: at a destination that holds every image of the run, or, with
    /// `--keep-going`, of every service that got that far.
    pub(super) fn tag_all(&self) {
        if self.session.interrupt.received().is_some() {
            return;
        }
        let stopped = !self.options.keep_going && self.ledger.any_failed_before_delivery();
        let open: Vec<bool> = (0..self.destinations.len())
            .map(|destination| {
                self.options.keep_going || (!stopped && self.ledger.all_stored_at(destination))
            })
            .collect();
        self.say_what_stays_untagged(&open);
        let indices: Vec<usize> = self.ledger.indices().collect();
        let tagged = in_parallel(&indices, self.options.conversations(), |&index| {
            let open = open.iter().enumerate().filter(|(_, open)| **open);
            open.map(|(destination, _)| self.tag(index, destination))
                .collect::<Vec<_>>()
        });
        // In plan order, whatever order they were tagged in.
        for end in tagged.into_iter().flatten().flatten() {
            self.tell(end);
        }
    }

    /// "Stored" was said of images that nobody will find by a name.
    fn say_what_stays_untagged(&self, open: &[bool]) {
        let places = self.destinations.iter().enumerate().zip(open);
        for ((destination, place), _) in places.filter(|(_, open)| !**open) {
            if self.ledger.any_stored_at(destination) {
                self.session.reporter.report(Event::Warning(format!(
                    "no tag was moved at `{}`, because not every service got there; \
                     `--keep-going` tags those that do",
                    place.name()
                )));
            }
        }
    }

    /// The tags that this run gives to an image that stood before it.
    fn tags_of(&self, index: usize, standing: &Standing) -> Result<Vec<Tag>, PipelineError> {
        let digest = Some(standing.manifest.digest.hex());
        Ok(self.plan.services[index].tags(&TagValues {
            digest,
            ..self.checked.tag_values()
        })?)
    }

    /// Tags one image at one destination, if it got there.
    fn tag(&self, index: usize, destination: usize) -> Option<End> {
        if self.session.interrupt.received().is_some() {
            return None;
        }
        let place = &self.destinations[destination];
        let delivered = self.ledger.record(index).deliveries[destination].clone();
        let watch = self.session.clock.start();
        let Tagged { summary, error } = match delivered {
            Delivered::Stored(stored) => {
                let (image, stored) = *stored;
                place.tag(&image, stored)
            }
            Delivered::Standing(standing) => match self.tags_of(index, &standing) {
                Ok(tags) => place.retag(&standing, &tags),
                Err(error) => {
                    self.ledger.record(index).deliveries[destination] = Delivered::Failed(None);
                    return Some(End {
                        index,
                        moved: None,
                        error: Some(error),
                    });
                }
            },
            _ => return None,
        };
        self.ledger.record(index).seconds.deliver += watch.seconds();
        self.ledger.record(index).deliveries[destination] = match error {
            None => Delivered::Tagged(summary.clone()),
            Some(_) => Delivered::Failed(Some(summary.clone())),
        };
        Some(End {
            index,
            moved: Some(summary).filter(|summary| !summary.reference.is_empty()),
            error: error.map(|source| PipelineError::deliver(place.name(), source)),
        })
    }

    fn tell(&self, end: End) {
        let reporter = self.session.reporter;
        if let Some(delivery) = end.moved {
            let service = self.plan.services[end.index].service.clone();
            reporter.report(Event::Delivered { service, delivery });
        }
        if let Some(error) = end.error
            && self.session.interrupt.received().is_none()
        {
            self.ledger.fail(end.index, Step::Deliver, &error, reporter);
        }
    }
}

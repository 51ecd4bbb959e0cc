//! The barrier between the two phases of delivery, and the second phase.

use super::PipelineError;
use super::deliver::Work;
use super::ledger::Delivered;
use crate::destination::{Standing, Tagged};
use crate::plan::TagValues;
use crate::reference::Tag;
use crate::report::{Event, Step};

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
        for index in self.ledger.indices() {
            for (destination, open) in open.iter().enumerate() {
                if *open && self.session.interrupt.received().is_none() {
                    self.tag(index, destination);
                }
            }
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

    fn tag(&self, index: usize, destination: usize) {
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
                    let reporter = self.session.reporter;
                    self.ledger.fail(index, Step::Deliver, &error, reporter);
                    return;
                }
            },
            _ => return,
        };
        self.ledger.record(index).seconds.deliver += watch.seconds();
        let moved = !summary.reference.is_empty();
        self.ledger.record(index).deliveries[destination] = match error {
            None => Delivered::Tagged(summary.clone()),
            Some(_) => Delivered::Failed(Some(summary.clone())),
        };
        let reporter = self.session.reporter;
        if moved {
            let service = self.plan.services[index].service.clone();
            let delivery = summary;
            reporter.report(Event::Delivered { service, delivery });
        }
        if let Some(source) = error
            && self.session.interrupt.received().is_none()
        {
            let error = PipelineError::deliver(place.name(), source);
            self.ledger.fail(index, Step::Deliver, &error, reporter);
        }
    }
}

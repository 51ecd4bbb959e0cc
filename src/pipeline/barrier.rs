//! The barrier between the two phases of delivery, and the second phase.

use super::PipelineError;
use super::deliver::Work;
use super::ledger::Delivered;
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

    /// "Delivered" was said of images that nobody finds by a name yet.
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

    fn tag(&self, index: usize, destination: usize) {
        let place = &self.destinations[destination];
        let Delivered::Stored(stored) = self.ledger.record(index).deliveries[destination].clone()
        else {
            return;
        };
        let (image, stored) = *stored;
        let watch = self.session.clock.start();
        let result = place.tag(&image, stored);
        self.ledger.record(index).seconds.deliver += watch.seconds();
        match result {
            Ok(delivery) => {
                let service = self.plan.services[index].service.clone();
                self.ledger.record(index).deliveries[destination] =
                    Delivered::Tagged(delivery.clone());
                self.session
                    .reporter
                    .report(Event::Delivered { service, delivery });
            }
            Err(_) if self.session.interrupt.received().is_some() => {}
            Err(source) => {
                let error = PipelineError::deliver(place.name(), source);
                self.ledger.record(index).deliveries[destination] = Delivered::Failed;
                self.ledger
                    .fail(index, Step::Deliver, &error, self.session.reporter);
            }
        }
    }
}

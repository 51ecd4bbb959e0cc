//! The barrier between the two phases of delivery, and the second phase.

use std::num::NonZeroUsize;

use super::PipelineError;
use super::deliver::Work;
use super::ledger::Delivered;
use super::parallel::in_parallel;
use crate::config::{Port, Protocol};
use crate::destination::{Prefix, RunCommand, Standing, Tagged};
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
    /// How the image is run there.
    run: Option<RunCommand>,
}

impl Work<'_> {
    /// Moves tags where that is allowed: at a destination that holds every image of the run, or, with
    /// `--keep-going`, of every service that got that far. Gives the commands that run the images, where they
    /// can be run at once.
    pub(super) fn tag_all(&self) -> Vec<String> {
        if self.session.interrupt.received().is_some() {
            return Vec::new();
        }
        let stopped = !self.options.keep_going && self.ledger.any_failed_before_delivery();
        let open: Vec<bool> = (0..self.destinations.len())
            .map(|destination| {
                self.options.keep_going || (!stopped && self.ledger.all_stored_at(destination))
            })
            .collect();
        self.say_what_stays_untagged(&open);
        let open: Vec<bool> = open
            .iter()
            .enumerate()
            .map(|(destination, open)| *open && self.complete(destination))
            .collect();
        let open = open.iter().enumerate().filter(|(_, open)| **open);
        let tagged = open.flat_map(|(destination, _)| self.tag_all_at(destination));
        let mut ends: Vec<End> = tagged.collect();
        // In plan order, whatever order they were tagged in.
        ends.sort_by_key(|end| end.index);
        ends.into_iter().filter_map(|end| self.tell(end)).collect()
    }

    /// Tags every image that got to a destination: at a registry several at once, and in plan order where all
    /// are written into one file, whose bytes must not depend on who came first.
    fn tag_all_at(&self, destination: usize) -> Vec<End> {
        let indices: Vec<usize> = self.ledger.indices().collect();
        let at_once = match self.destinations[destination].prefix() {
            Prefix::None => NonZeroUsize::MIN,
            Prefix::Fixed(_) | Prefix::Configured => self.options.conversations(),
        };
        let tagged = in_parallel(&indices, at_once, |&index| self.tag(index, destination));
        tagged.into_iter().flatten().collect()
    }

    /// Lets a place that takes all images in one piece have them, and tells whether it did.
    fn complete(&self, destination: usize) -> bool {
        let place = &self.destinations[destination];
        let names = self.ledger.stored_at(destination);
        if self.session.interrupt.received().is_some() {
            return false;
        }
        if names.is_empty() {
            // What is tagged then stood there before.
            return true;
        }
        let reporter = self.session.reporter;
        let say = |verb, seconds: &str| {
            if place.takes_all_at_once() {
                let images = if names.len() == 1 { "image" } else { "images" };
                let subject = format!("{} {images} to `{}`{seconds}", names.len(), place.name());
                reporter.report(Event::Status { verb, subject });
            }
        };
        say("Delivering", "");
        let watch = self.session.clock.start();
        let completed = place.complete(&names);
        let seconds = watch.seconds();
        self.ledger.share_seconds(destination, seconds);
        match completed {
            Ok(()) => {
                say("Delivered", &format!(" in {seconds:.2}s"));
                true
            }
            Err(_) if self.session.interrupt.received().is_some() => false,
            Err(source) => {
                let error = PipelineError::deliver(place.name(), source);
                self.ledger.refuse(destination, &error, reporter);
                false
            }
        }
    }

    /// The command that runs an image where it was delivered, with all its ports.
    fn run_command(&self, index: usize, run: &RunCommand) -> String {
        let ports = &self.plan.services[index].config.ports.value;
        let ports: String = ports.iter().copied().map(published).collect();
        let RunCommand { program, image } = run;
        format!("`{program} run --rm {ports}{image}`")
    }

    /// "Stored" was said of images that nobody will find by a name.
    fn say_what_stays_untagged(&self, open: &[bool]) {
        let places = self.destinations.iter().enumerate().zip(open);
        for ((destination, place), _) in places.filter(|(_, open)| !**open) {
            if self.ledger.any_stored_at(destination) {
                let name = place.name();
                let text = if place.takes_all_at_once() {
                    format!(
                        "nothing was put into `{name}`, because not every service got there; \
                         `--keep-going` takes those that do"
                    )
                } else {
                    format!(
                        "no tag was moved at `{name}`, because not every service got there; \
                         `--keep-going` tags those that do"
                    )
                };
                self.session.reporter.report(Event::Warning(text));
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
        let mut run = None;
        let Tagged { summary, error } = match delivered {
            Delivered::Stored(stored) => {
                let (image, stored) = *stored;
                run = place.run_command(&image);
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
                        run: None,
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
            run,
        })
    }

    /// Reports how it ended; gives the command that runs the image.
    fn tell(&self, end: End) -> Option<String> {
        let reporter = self.session.reporter;
        let run = end.run.filter(|_| end.moved.is_some());
        if let Some(delivery) = end.moved {
            let service = self.plan.services[end.index].service.clone();
            reporter.report(Event::Delivered { service, delivery });
        }
        if let Some(error) = end.error
            && self.session.interrupt.received().is_none()
        {
            self.ledger.fail(end.index, Step::Deliver, &error, reporter);
        }
        run.map(|run| self.run_command(end.index, &run))
    }
}

/// `-p 8080:8080 `: a port of the image, on all addresses of this machine under the same number.
fn published(port: Port) -> String {
    let number = port.number;
    match port.protocol {
        Protocol::Tcp => format!("-p {number}:{number} "),
        Protocol::Udp | Protocol::Sctp => format!("-p {number}:{port} "),
    }
}

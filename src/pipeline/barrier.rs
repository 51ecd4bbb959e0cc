//! The barrier between the two phases of delivery, and the second phase.
//!
//! There is one for the run. It stands behind all threads that compile, assemble and store, so that nobody waits at it,
//! and without `--keep-going` it opens for all destinations or for none.

use std::num::NonZeroUsize;

use super::PipelineError;
use super::deliver::Work;
use super::ledger::Delivered;
use super::parallel::in_parallel;
use crate::config::{Port, Protocol};
use crate::destination::{DestinationError, Prefix, RunCommand, Standing, Tagged};
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

/// A place that has made ready what goes in one piece.
struct Prepared {
    destination: usize,
    /// Whether what is left is but a step.
    ready: bool,
    seconds: f64,
}

impl Work<'_> {
    /// Moves tags where that is allowed: everywhere, if every image of the run is at every destination, or, with
    /// `--keep-going`, those of the images that got to a destination. Gives the commands that run the images, where
    /// they can be run at once.
    pub(super) fn tag_all(&self) -> Vec<String> {
        let mut open = self.all_there();
        let prepared = self.prepare_all(&mut open);
        let there = self.complete_all(&prepared, &mut open);
        if self.session.interrupt.received().is_some() {
            // What has its images by now has them, and is told; nothing more is done anywhere.
            let is_there =
                |(destination, open): (usize, &bool)| *open && there.contains(&destination);
            open = open.iter().enumerate().map(is_there).collect();
        } else {
            self.say_what_stays_untagged(&open);
        }
        let open = open.iter().enumerate().filter(|(_, open)| **open);
        let tagged = open.flat_map(|(destination, _)| self.tag_all_at(destination));
        let mut ends: Vec<End> = tagged.collect();
        // In plan order, whatever order they were tagged in.
        ends.sort_by_key(|end| end.index);
        ends.into_iter().filter_map(|end| self.tell(end)).collect()
    }

    /// For each destination, whether tags may move there, as far as what is stored tells.
    fn all_there(&self) -> Vec<bool> {
        let mut destinations = 0..self.destinations.len();
        let everywhere = destinations.all(|destination| self.ledger.all_stored_at(destination));
        vec![self.options.keep_going || everywhere; self.destinations.len()]
    }

    /// Lets places make ready what goes in one piece. Gives them in the order in which they are completed: what may
    /// still fail comes before what is but a step, so that a failure finds as little done as can be.
    fn prepare_all(&self, open: &mut [bool]) -> Vec<Prepared> {
        let mut all = Vec::with_capacity(open.len());
        for destination in 0..open.len() {
            if open[destination] {
                match self.prepare(destination) {
                    Some(prepared) => all.push(prepared),
                    None => self.close(destination, open, &[]),
                }
            }
        }
        all.sort_by_key(|prepared| prepared.ready);
        all
    }

    /// Lets places have what goes in one piece; gives those that have it.
    fn complete_all(&self, prepared: &[Prepared], open: &mut [bool]) -> Vec<usize> {
        let mut there = Vec::new();
        for prepared in prepared {
            let destination = prepared.destination;
            if !open[destination] {
                continue;
            }
            if !self.complete(prepared) {
                self.close(destination, open, &there);
            } else if self.destinations[destination].takes_all_at_once() {
                there.push(destination);
            }
        }
        there
    }

    /// After a place failed, lets no tag move there, nor, without `--keep-going`, elsewhere, but for places that have
    /// their images `there` under all names: these are told.
    fn close(&self, failed: usize, open: &mut [bool], there: &[usize]) {
        for (destination, open) in open.iter_mut().enumerate() {
            let apart = self.options.keep_going && destination != failed;
            *open &= apart || there.contains(&destination);
        }
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

    /// Lets a place make ready what it takes in one piece; nothing where it cannot.
    fn prepare(&self, destination: usize) -> Option<Prepared> {
        let place = &self.destinations[destination];
        let names = self.ledger.stored_at(destination);
        if self.session.interrupt.received().is_some() {
            return None;
        }
        let watch = self.session.clock.start();
        let mut ready = false;
        if !names.is_empty() {
            self.say_of_all("Delivering", destination, "");
            let prepared = place.prepare(&names);
            self.ledger.share_seconds(destination, watch.seconds());
            ready = self.taken(destination, prepared)?;
        }
        Some(Prepared {
            destination,
            ready,
            seconds: watch.seconds(),
        })
    }

    /// Lets a place that takes all images in one piece have them, and tells whether it did.
    fn complete(&self, prepared: &Prepared) -> bool {
        let destination = prepared.destination;
        let names = self.ledger.stored_at(destination);
        if self.session.interrupt.received().is_some() {
            return false;
        }
        if names.is_empty() {
            // What is tagged then stood there before.
            return true;
        }
        let watch = self.session.clock.start();
        let completed = self.destinations[destination].complete(&names);
        let seconds = watch.seconds();
        self.ledger.share_seconds(destination, seconds);
        if self.taken(destination, completed).is_none() {
            return false;
        }
        let took = format!(" in {:.2}s", prepared.seconds + seconds);
        self.say_of_all("Delivered", destination, &took);
        true
    }

    /// What came of a step for all images of a place; a failure is written down, unless somebody said stop.
    fn taken<T>(&self, destination: usize, result: Result<T, DestinationError>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(_) if self.session.interrupt.received().is_some() => None,
            Err(source) => {
                let name = self.destinations[destination].name();
                let error = PipelineError::deliver(name, source);
                let reporter = self.session.reporter;
                self.ledger.refuse(destination, &error, reporter);
                None
            }
        }
    }

    /// Says something of all images that go to a place in one piece.
    fn say_of_all(&self, verb: &'static str, destination: usize, more: &str) {
        let place = &self.destinations[destination];
        if place.takes_all_at_once() {
            let count = self.ledger.stored_at(destination).len();
            let images = if count == 1 { "image" } else { "images" };
            let subject = format!("{count} {images} to `{}`{more}", place.name());
            let reporter = self.session.reporter;
            reporter.report(Event::Status { verb, subject });
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
            if !self.ledger.any_stored_at(destination) {
                continue;
            }
            let name = place.name();
            let (what, goes_on) = if place.takes_all_at_once() {
                ("nothing was put into", "takes")
            } else {
                ("no tag was moved at", "tags")
            };
            let (why, which) = if self.ledger.all_stored_at(destination) {
                ("another destination has not all images", "what got there")
            } else {
                ("not every service got there", "those that do")
            };
            let text = format!("{what} `{name}`, because {why}; `--keep-going` {goes_on} {which}");
            self.session.reporter.report(Event::Warning(text));
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
        let place = &self.destinations[destination];
        // Where all went in one piece, the images have their tags, and are only told.
        if self.session.interrupt.received().is_some() && !place.takes_all_at_once() {
            return None;
        }
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

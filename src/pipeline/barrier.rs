//! The barrier between the two phases of delivery, and the second phase.

use super::PipelineError;
use super::deliver::Work;
use super::ledger::Delivered;
use crate::config::{Port, Protocol};
use crate::destination::{RunCommand, Standing, Tagged};
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
        let open: Vec<bool> = open
            .iter()
            .enumerate()
            .map(|(destination, open)| *open && self.complete(destination))
            .collect();
        let mut commands = Vec::new();
        for index in self.ledger.indices() {
            for (destination, open) in open.iter().enumerate() {
                if *open && self.session.interrupt.received().is_none() {
                    commands.extend(self.tag(index, destination));
                }
            }
        }
        for subject in commands {
            let verb = "Run";
            self.session
                .reporter
                .report(Event::Status { verb, subject });
        }
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

    /// Tags one image, and gives the command that runs it there, if one does.
    fn tag(&self, index: usize, destination: usize) -> Option<String> {
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
                    let reporter = self.session.reporter;
                    self.ledger.fail(index, Step::Deliver, &error, reporter);
                    return None;
                }
            },
            _ => return None,
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
        run.filter(|_| moved)
            .map(|run| self.run_command(index, &run))
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

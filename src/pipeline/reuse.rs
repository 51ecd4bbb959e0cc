//! Images that stand where they should go, and need no building.

use super::PipelineError;
use super::deliver::Work;
use super::ledger::Delivered;
use super::names::image_name;
use super::parallel::in_parallel;
use crate::destination::{Standing, Wanted};
use crate::digest::Digest;
use crate::reference::Tag;
use crate::report::Event;
use crate::split::{self, Sources, Split};

/// What a run knows of its services' inputs, and which of them need no building if their images stand
/// where they should go.
#[derive(Debug)]
pub struct Reuse<'a> {
    /// The tag that such an image has.
    pub from_tag: Tag,
    /// Input keys in plan order; none where some input cannot be known.
    pub keys: Vec<Option<Digest>>,
    /// Whether the change at hand reaches the service, in plan order.
    pub affected: Vec<bool>,
    /// What the splits were taken from.
    pub sources: Sources<'a>,
    /// The production view of each service, in plan order.
    pub splits: Vec<Split>,
}

impl Work<'_> {
    /// Looks for the images of services that the change does not reach. A service whose image stands at
    /// every destination, made from the inputs it has now, is not built.
    pub(super) fn find_standing(&self) {
        let Some(reuse) = self.reuse else {
            return;
        };
        let indices: Vec<usize> = self.ledger.indices().collect();
        in_parallel(&indices, self.options.threads, |&index| {
            let unaffected = reuse.affected.get(index) == Some(&false);
            let key = reuse.keys.get(index).copied().flatten();
            if !unaffected || self.session.interrupt.received().is_some() {
                return;
            }
            let service = &self.plan.services[index].service;
            let Some(key) = key else {
                return self.say(format!(
                    "`{service}` is built: not all of its inputs are known"
                ));
            };
            match self.standing_everywhere(index, key, &reuse.from_tag) {
                Ok(Some(found)) => self.take_over(index, found),
                Ok(None) => self.say(format!(
                    "`{service}` is built, though the change does not reach it: no image of its \
                     inputs is tagged `{}`",
                    reuse.from_tag
                )),
                // Whatever keeps the image from being found, building it is right.
                Err(error) => {
                    let text = crate::report::with_causes(&error).join(": ");
                    self.session.reporter.report(Event::Warning(format!(
                        "`{service}` is built: its image cannot be looked for: {text}"
                    )));
                }
            }
        });
    }

    /// The key to write down beside an image that was just built; none where its build read a file that
    /// the key does not know of, because the next change of that file would go unseen.
    pub(super) fn key_of_built(&self, index: usize) -> Option<Digest> {
        use crate::hint::Hint as _;
        let reuse = self.reuse?;
        let key = self.key(index)?;
        let planned = &self.plan.services[index];
        let service = reuse.sources.workspace().service(&planned.service)?;
        match split::check_last_build(&reuse.sources, service, reuse.splits.get(index)?) {
            Ok(()) => Some(key),
            Err(error) => {
                let hint = error.hint().map(|hint| format!(": {hint}"));
                self.session.reporter.report(Event::Warning(format!(
                    "{error}, so that it is always built{}",
                    hint.unwrap_or_default()
                )));
                None
            }
        }
    }

    fn say(&self, text: String) {
        self.session.reporter.report(Event::Status {
            verb: "Note",
            subject: text,
        });
    }

    /// The same image at all destinations; `None` if one of them has it not, or has another.
    fn standing_everywhere(
        &self,
        index: usize,
        key: Digest,
        tag: &Tag,
    ) -> Result<Option<Vec<Standing>>, PipelineError> {
        let service = &self.plan.services[index];
        let mut found: Vec<Standing> = Vec::new();
        for (place, delivered) in self
            .destinations
            .iter()
            .zip(&self.ledger.record(index).deliveries.clone())
        {
            if matches!(delivered, Delivered::Failed(_)) {
                return Ok(None);
            }
            let wanted = Wanted {
                name: image_name(service, place.as_ref())?,
                tag: tag.clone(),
                key,
            };
            let standing = place
                .find(&wanted)
                .map_err(|source| PipelineError::deliver(place.name(), source))?;
            let Some(standing) = standing else {
                return Ok(None);
            };
            let same = |first: &Standing| first.manifest.digest == standing.manifest.digest;
            if !found.first().is_none_or(same) {
                return Ok(None);
            }
            found.push(standing);
        }
        Ok(Some(found))
    }

    fn take_over(&self, index: usize, found: Vec<Standing>) {
        let service = &self.plan.services[index].service;
        if let Some(first) = found.first() {
            self.session.reporter.report(Event::Status {
                verb: "Unchanged",
                subject: format!("`{service}` {}", first.manifest.digest),
            });
        }
        let mut record = self.ledger.record(index);
        record.standing = found.first().map(|standing| standing.manifest.digest);
        for (delivered, standing) in record.deliveries.iter_mut().zip(found) {
            *delivered = Delivered::Standing(Box::new(standing));
        }
    }
}

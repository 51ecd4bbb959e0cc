//! Images that stand where they should go, and need no building.

use std::num::NonZeroUsize;

use super::deliver::Work;
use super::keys::{keys, keys_of};
use super::ledger::Delivered;
use super::names::image_name;
use super::parallel::in_parallel;
use super::{PipelineError, Session, State};
use crate::cargo::Cargo;
use crate::destination::{Standing, Wanted};
use crate::digest::Digest;
use crate::reference::Tag;
use crate::report::Event;
use crate::since::Revision;
use crate::split::Keyed;

/// What a run knows of its services' inputs, and which of them need no building if their images stand
/// where they should go.
#[derive(Debug)]
pub struct Reuse<'a> {
    /// The tag that such an image has.
    from_tag: Tag,
    /// In plan order.
    keys: Vec<Keyed>,
    /// Whether the change at hand reaches the service, in plan order.
    affected: Vec<bool>,
    cargo: &'a Cargo,
    state: State<'a>,
    revision: Option<Revision>,
}

impl<'a> Reuse<'a> {
    /// Computes the keys of all services. `affected` says in plan order which of them the change at hand
    /// reaches; the images of the others are looked for under `from_tag`.
    ///
    /// # Errors
    /// [`PipelineError`] for the first service whose inputs cannot be found.
    pub fn of(
        session: &Session<'_>,
        cargo: &'a Cargo,
        state: State<'a>,
        revision: Option<Revision>,
        (from_tag, affected): (Tag, Vec<bool>),
        threads: NonZeroUsize,
    ) -> Result<Self, PipelineError> {
        let keys = keys(session, cargo, state, revision.as_ref(), threads)?;
        Ok(Self {
            from_tag,
            keys,
            affected,
            cargo,
            state,
            revision,
        })
    }

    /// The key of a service, by its place in the plan; `None` where some input cannot be known.
    pub(super) fn key(&self, index: usize) -> Option<Digest> {
        match self.keys.get(index) {
            Some(Keyed::Known(key)) => Some(key.digest()),
            _ => None,
        }
    }
}

impl Work<'_> {
    /// Looks for the images of services that the change does not reach. A service whose image stands at
    /// every destination, made from the inputs it has now, is not built.
    pub(super) fn find_standing(&self) {
        let Some(reuse) = self.reuse else {
            return;
        };
        let indices: Vec<usize> = self.ledger.indices().collect();
        in_parallel(&indices, self.options.conversations(), |&index| {
            let unaffected = reuse.affected.get(index) == Some(&false);
            if !unaffected || self.session.interrupt.received().is_some() {
                return;
            }
            let service = &self.plan.services[index].service;
            let mut places = self.destinations.iter();
            if let Some(place) = places.find(|place| place.takes_all_at_once()) {
                let name = place.name();
                return self.say(format!(
                    "`{service}` is built, though the change does not reach it: `{name}` takes nothing over"
                ));
            }
            let key = match reuse.keys.get(index) {
                Some(Keyed::Known(key)) => key.digest(),
                Some(Keyed::Unknown { reason }) => {
                    return self.say(format!("`{service}` is built: {reason}"));
                }
                None => return,
            };
            match self.standing_everywhere(index, key, &reuse.from_tag) {
                Ok(Some(found)) => self.take_over(index, found),
                Ok(None) => self.say(format!(
                    "`{service}` is built, though the change does not reach it: no image tagged `{}` \
                     is known to be of its inputs (runs with `--since` write that down)",
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

    /// The key to write down beside an image that was just built: none where the inputs are others now
    /// than before it was compiled, or where its build read a file that the key does not know of. Nobody
    /// can tell then what the executable was made from.
    pub(super) fn key_of_built(&self, index: usize) -> Option<Digest> {
        let reuse = self.reuse?;
        let before = reuse.key(index)?;
        let service = &self.plan.services[index];
        let now = keys_of(
            self.session,
            reuse.cargo,
            reuse.state,
            &[service],
            reuse.revision.as_ref(),
            NonZeroUsize::MIN,
        );
        let why = match now.map(|mut keys| keys.pop()) {
            Ok(Some(Keyed::Known(now))) if now.digest() == before => return Some(before),
            Ok(Some(Keyed::Unknown { reason })) => reason,
            Ok(_) => "its inputs changed while it was built".to_owned(),
            Err(error) => crate::report::with_causes(&error).join(": "),
        };
        let text = format!(
            "the image of `{}` will not be kept for later runs: {why}",
            service.service
        );
        self.session.reporter.report(Event::Warning(text));
        None
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

//! From an executable to blobs and manifests at every destination, for one service after another.

use std::sync::mpsc::Receiver;
use std::sync::{Mutex, PoisonError};

use super::assemble::{Assembled, assemble};
use super::ledger::{Delivered, Ledger};
use super::names::image_name;
use super::permits::Permits;
use super::shared_layers::SharedLayers;
use super::{Checked, Options, PipelineError, Reuse, Session};
use crate::compile::Artifact;
use crate::destination::{DeliverableImage, Destination, LayerTar};
use crate::digest::Digest;
use crate::layer::Layer;
use crate::plan::{Plan, TagValues};
use crate::report::{Event, Meter, Step};

/// Everything the threads of a run share.
pub(super) struct Work<'a> {
    pub(super) session: &'a Session<'a>,
    pub(super) plan: &'a Plan,
    pub(super) checked: &'a Checked,
    pub(super) destinations: &'a [Box<dyn Destination>],
    pub(super) options: Options,
    pub(super) reuse: Option<&'a Reuse<'a>>,
    pub(super) layers: SharedLayers<'a>,
    /// Held while a service is assembled, which keeps a processor busy; delivery does not.
    pub(super) assembling: Permits,
    pub(super) ledger: &'a Ledger<'a>,
}

fn tar(layer: &Layer) -> LayerTar {
    LayerTar {
        diff_id: layer.diff_id,
        size: layer.uncompressed_size,
        blob: layer.blob.clone(),
    }
}

impl Work<'_> {
    /// Takes executables as they are compiled, until there are no more.
    pub(super) fn process(&self, artifacts: &Mutex<Receiver<(usize, Artifact)>>) {
        loop {
            let next = artifacts
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .recv();
            let Ok((index, artifact)) = next else { return };
            if self.must_stop() {
                continue;
            }
            self.process_one(index, &artifact);
        }
    }

    fn process_one(&self, index: usize, artifact: &Artifact) {
        let assembled = self.assemble(artifact, index);
        // Its bytes are in a layer now, or in none. What cannot be removed goes with the run.
        let _ = fs_err::remove_file(&artifact.executable);
        match assembled {
            Ok(assembled) => {
                self.ledger.record(index).assembled = Some((&assembled).into());
                let key = self.key_of_built(index);
                for destination in 0..self.destinations.len() {
                    self.store(index, destination, &assembled, key);
                }
            }
            Err(PipelineError::Interrupted) => {}
            Err(error) => self
                .ledger
                .fail(index, Step::Assemble, &error, self.session.reporter),
        }
        self.layers.settle(index);
    }

    fn assemble(&self, artifact: &Artifact, index: usize) -> Result<Assembled, PipelineError> {
        let _permit = self.assembling.take();
        let service = &self.plan.services[index];
        let reporter = self.session.reporter;
        reporter.report(Event::Started {
            service: service.service.clone(),
            step: Step::Assemble,
            detail: String::new(),
        });
        let watch = self.session.clock.start();
        let assembled = assemble(self.plan, index, artifact, self.checked, &self.layers)?;
        for warning in &assembled.warnings {
            reporter.report(Event::Warning(format!(
                "service `{}`: {warning}",
                service.service
            )));
        }
        let seconds = watch.seconds();
        self.ledger.record(index).seconds.assemble = seconds;
        let bytes = assembled
            .layers
            .iter()
            .map(|layer| layer.descriptor.size)
            .sum();
        reporter.report(Event::Finished {
            service: service.service.clone(),
            step: Step::Assemble,
            detail: format!("{} layers", assembled.layers.len()),
            seconds,
            bytes: Some(bytes),
        });
        Ok(assembled)
    }

    /// First phase at one destination.
    fn store(&self, index: usize, destination: usize, assembled: &Assembled, key: Option<Digest>) {
        let place = &self.destinations[destination];
        if matches!(
            self.ledger.record(index).deliveries[destination],
            Delivered::Failed(_)
        ) {
            return;
        }
        if self.must_stop() {
            return;
        }
        let service = &self.plan.services[index];
        let watch = self.session.clock.start();
        let result = self
            .deliverable(index, place.as_ref(), assembled, key)
            .and_then(|image| {
                self.session.reporter.report(Event::Moving {
                    service: service.service.clone(),
                    meter: image.meter.clone(),
                });
                let stored = place
                    .store(&image)
                    .map_err(|source| PipelineError::deliver(place.name(), source))?;
                // A run of many services must not keep the layers of all.
                Ok((image.without_files(), stored))
            });
        let seconds = watch.seconds();
        self.ledger.record(index).seconds.deliver += seconds;
        match result {
            Ok((image, stored)) => {
                // What goes in one piece has gone nowhere yet.
                if !place.takes_all_at_once() {
                    self.session.reporter.report(Event::Finished {
                        service: service.service.clone(),
                        step: Step::Deliver,
                        detail: format!("to {}", place.name()),
                        seconds,
                        bytes: Some(stored.uploaded_bytes),
                    });
                }
                self.ledger.record(index).deliveries[destination] =
                    Delivered::Stored(Box::new((image, stored)));
            }
            Err(_) if self.session.interrupt.received().is_some() => {}
            Err(error) => {
                self.ledger.record(index).deliveries[destination] = Delivered::Failed(None);
                self.ledger
                    .fail(index, Step::Deliver, &error, self.session.reporter);
            }
        }
    }

    fn deliverable(
        &self,
        index: usize,
        destination: &dyn Destination,
        assembled: &Assembled,
        key: Option<Digest>,
    ) -> Result<DeliverableImage, PipelineError> {
        let service = &self.plan.services[index];
        let digest = Some(assembled.image.manifest.digest().hex());
        let tags = service.tags(&TagValues {
            digest,
            ..self.checked.tag_values()
        })?;
        let layers = assembled
            .layers
            .iter()
            .map(|layer| (layer.descriptor.clone(), layer.blob.path().to_owned()));
        Ok(DeliverableImage {
            service: service.service.clone(),
            name: image_name(service, destination)?,
            tags,
            platform: service.platform.clone(),
            layers: layers.collect(),
            tars: assembled.layers.iter().map(tar).collect(),
            config: assembled.image.config.clone(),
            manifest: assembled.image.manifest.clone(),
            key,
            meter: Meter::default(),
        })
    }

    /// Whether nothing more should be begun: somebody said stop, or no tag will move anywhere.
    pub(super) fn must_stop(&self) -> bool {
        self.session.interrupt.received().is_some()
            || (!self.options.keep_going && self.ledger.any_failed())
    }
}

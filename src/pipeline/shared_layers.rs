//! Layers that several services have in common are made once a run.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::PipelineError;
use crate::fs::Tree;
use crate::layer::{self, Compression, Layer, LayerError};
use crate::process::Interrupt;
use crate::store::Blobs;

/// Seconds since 1970 that every file of every layer bears. One value for ever: layers would else
/// change with each `SOURCE_DATE_EPOCH`, though nothing in them did.
const MODIFIED: u64 = 0;

type Slot = Arc<OnceLock<Result<Layer, Arc<LayerError>>>>;

/// Makes layers, each distinct one once.
#[derive(Debug)]
pub(super) struct SharedLayers<'a> {
    blobs: &'a Blobs,
    interrupt: &'a Interrupt,
    threads: NonZeroUsize,
    slots: Mutex<Vec<(Tree, Compression, Slot)>>,
}

impl<'a> SharedLayers<'a> {
    /// Layers go to `blobs`, each compressed by `threads` threads.
    pub(super) fn new(blobs: &'a Blobs, interrupt: &'a Interrupt, threads: NonZeroUsize) -> Self {
        Self {
            blobs,
            interrupt,
            threads,
            slots: Mutex::default(),
        }
    }

    /// The layer of `tree`. Whoever comes second waits for the first and gets the same.
    pub(super) fn make(
        &self,
        tree: &Tree,
        purpose: &str,
        compression: Compression,
    ) -> Result<Layer, PipelineError> {
        let slot = self.slot(tree, compression);
        let made = slot.get_or_init(|| {
            layer::build(
                tree,
                purpose,
                compression,
                MODIFIED,
                self.threads,
                self.blobs,
                self.interrupt,
            )
            .map_err(Arc::new)
        });
        match made {
            Ok(layer) => Ok(layer.clone()),
            Err(error) if matches!(**error, LayerError::Interrupted) => {
                Err(PipelineError::Interrupted)
            }
            Err(error) => Err(PipelineError::Layer(Arc::clone(error))),
        }
    }

    fn slot(&self, tree: &Tree, compression: Compression) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let known = slots
            .iter()
            .find(|(known, method, _)| known == tree && *method == compression);
        if let Some((_, _, slot)) = known {
            return Arc::clone(slot);
        }
        let slot = Slot::default();
        slots.push((tree.clone(), compression, Arc::clone(&slot)));
        slot
    }
}

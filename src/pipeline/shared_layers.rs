//! Layers that several services have in common are made once a run.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::PipelineError;
use crate::config::{Asset, ServiceConfig, Source};
use crate::fs::Tree;
use crate::layer::{self, Compression, Layer, LayerError};
use crate::plan::Plan;
use crate::process::Interrupt;
use crate::store::Blobs;

/// Seconds since 1970 that every file of every layer bears. One value for ever: layers would else
/// change with each `SOURCE_DATE_EPOCH`, though nothing in them did.
const MODIFIED: u64 = 0;

/// What an image adds for itself alone.
pub(super) const APPLICATION: &str = "application";
/// What a service's configuration names.
pub(super) const ASSETS: &str = "assets";

type Slot = Arc<OnceLock<Result<Layer, Arc<LayerError>>>>;

/// Makes layers, each distinct one once, and keeps each while a service may still need it.
#[derive(Debug)]
pub(super) struct SharedLayers<'a> {
    plan: &'a Plan,
    blobs: &'a Blobs,
    interrupt: &'a Interrupt,
    threads: NonZeroUsize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    kept: Vec<Kept>,
    /// Services that are stored everywhere, or failed.
    settled: BTreeSet<usize>,
}

/// A layer that may be needed again.
#[derive(Debug)]
struct Kept {
    tree: Tree,
    compression: Compression,
    purpose: String,
    /// The services that asked for it.
    users: BTreeSet<usize>,
    slot: Slot,
}

impl<'a> SharedLayers<'a> {
    /// Layers for the services of `plan` go to `blobs`, each compressed by `threads` threads.
    pub(super) fn new(
        plan: &'a Plan,
        blobs: &'a Blobs,
        interrupt: &'a Interrupt,
        threads: NonZeroUsize,
    ) -> Self {
        Self {
            plan,
            blobs,
            interrupt,
            threads,
            state: Mutex::default(),
        }
    }

    /// The layer of `tree` for the service at this place of the plan. Whoever comes second waits for
    /// the first and gets the same.
    pub(super) fn make(
        &self,
        service: usize,
        tree: &Tree,
        purpose: &str,
        compression: Compression,
    ) -> Result<Layer, PipelineError> {
        let slot = self.slot(service, tree, purpose, compression);
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

    /// Nothing more will be asked for this service: layers that no other may need are let go.
    pub(super) fn settle(&self, service: usize) {
        let mut state = self.state();
        state.settled.insert(service);
        let waiting: Vec<usize> = (0..self.plan.services.len())
            .filter(|other| !state.settled.contains(other))
            .collect();
        let needed = |kept: &Kept| waiting.iter().any(|other| self.may_need(kept, *other));
        let (kept, gone): (Vec<Kept>, Vec<Kept>) = state.kept.drain(..).partition(needed);
        state.kept = kept;
        drop(state);
        // Removing large files takes its time; nobody has to wait for it.
        drop(gone);
    }

    /// Whether a service that is not settled may ask for a layer. Libraries are known only when an
    /// executable is there, so that those layers stay until the last service.
    fn may_need(&self, kept: &Kept, other: usize) -> bool {
        match kept.purpose.as_str() {
            APPLICATION => kept.users.contains(&other),
            ASSETS => kept
                .users
                .iter()
                .any(|user| same_assets(self.config(*user), self.config(other))),
            _ => true,
        }
    }

    fn config(&self, service: usize) -> &ServiceConfig {
        &self.plan.services[service].config
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, service: usize, tree: &Tree, purpose: &str, compression: Compression) -> Slot {
        let mut state = self.state();
        let known = state
            .kept
            .iter_mut()
            .find(|kept| kept.tree == *tree && kept.compression == compression);
        if let Some(kept) = known {
            kept.users.insert(service);
            return Arc::clone(&kept.slot);
        }
        let slot = Slot::default();
        state.kept.push(Kept {
            tree: tree.clone(),
            compression,
            purpose: purpose.to_owned(),
            users: BTreeSet::from([service]),
            slot: Arc::clone(&slot),
        });
        slot
    }
}

/// Whether two services name the same files, so that they may have one layer of them.
fn same_assets(one: &ServiceConfig, other: &ServiceConfig) -> bool {
    let files = |asset: &Asset| {
        let Source { path, glob, .. } = asset.from.clone();
        (path, glob, asset.to.clone(), asset.mode)
    };
    let (one, other) = (&one.assets.value, &other.assets.value);
    one.iter().map(files).eq(other.iter().map(files))
}

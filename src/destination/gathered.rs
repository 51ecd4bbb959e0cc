//! Images that wait until they can go together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{DeliverableImage, Stored};
use crate::digest::Digest;
use crate::medium::PackedLayer;

/// Images by name, whose layers' files stay for as long as they are here.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    images: BTreeMap<String, DeliverableImage>,
    blobs: BTreeSet<Digest>,
}

impl Gathered {
    /// Keeps an image, and counts what no other image brought.
    pub(super) fn add(&self, image: &DeliverableImage) -> Stored {
        let mut waiting = self.lock();
        let mut stored = Stored::nothing();
        let layers = image.layers.iter().map(|(descriptor, _)| descriptor);
        let documents = [image.config.descriptor(), image.manifest.descriptor()];
        for descriptor in layers.chain(documents) {
            if waiting.blobs.insert(descriptor.digest) {
                stored.uploaded_bytes += descriptor.size;
            } else {
                stored.existing_blobs += 1;
            }
        }
        waiting.images.insert(image.name.clone(), image.clone());
        stored
    }

    /// The images of these names, in this order; nothing is kept any more.
    pub(super) fn take(&self, names: &[String]) -> Vec<DeliverableImage> {
        let mut images = std::mem::take(&mut *self.lock()).images;
        names
            .iter()
            .filter_map(|name| images.remove(name))
            .collect()
    }

    /// Keeps nothing any more.
    pub(super) fn clear(&self) {
        drop(std::mem::take(&mut *self.lock()));
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The layers of an image that was gathered, for an archive.
pub(super) fn packed_layers(image: &DeliverableImage) -> Vec<PackedLayer> {
    let layers = image.layers.iter().zip(&image.tars);
    let layers = layers.map(|((blob, file), tar)| PackedLayer {
        blob: blob.clone(),
        diff_id: tar.diff_id,
        tar_size: tar.size,
        file: file.clone(),
    });
    layers.collect()
}

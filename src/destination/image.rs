//! An image on its way.

use std::path::PathBuf;
use std::sync::Arc;

use super::DestinationError;
use crate::digest::Digest;
use crate::medium::Put;
use crate::oci::{Descriptor, Document, Platform};
use crate::reference::Tag;
use crate::registry::ImageOutcome;
use crate::report::{DeliveryStatus, DeliverySummary, Meter};
use crate::store::Blob;

/// Everything a destination needs of one image.
#[derive(Debug, Clone)]
pub struct DeliverableImage {
    /// The service it was made from.
    pub service: String,
    /// The image's name at this destination, without tag: `HOST/PREFIX/NAME` or `NAME`.
    pub name: String,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// Where it runs.
    pub platform: Platform,
    /// Its layers, lowest first, each with the file that holds it.
    pub layers: Vec<(Descriptor, PathBuf)>,
    /// The tars that the layers are made of, as long as the layers' files must stay.
    pub tars: Vec<LayerTar>,
    /// Its configuration.
    pub config: Document,
    /// Its manifest.
    pub manifest: Document,
    /// The key of the inputs it was made from, where one is known. It is written down beside the image,
    /// never in it: an image must not change with what is known about it.
    pub key: Option<Digest>,
    /// Counts the bytes that move.
    pub meter: Meter,
}

/// The tar that a layer is made of.
#[derive(Debug, Clone)]
pub struct LayerTar {
    /// Its digest.
    pub diff_id: Digest,
    /// Its size.
    pub size: u64,
    /// Keeps the layer's file.
    pub blob: Blob,
}

/// How an image is run where it was delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunCommand {
    /// The program, which has a command `run`.
    pub program: &'static str,
    /// What it calls the image.
    pub image: String,
}

/// An image that is looked for at a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its name, as in [`DeliverableImage::name`].
    pub name: String,
    /// The tag that it should have.
    pub tag: Tag,
    /// The key of the inputs that it should be made from.
    pub key: Digest,
}

/// An image that stands at a destination, made from the inputs that were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its name, as in [`DeliverableImage::name`].
    pub name: String,
    /// Its manifest, with the media type.
    pub manifest: Descriptor,
    /// The manifest's exact bytes.
    pub bytes: Arc<[u8]>,
    /// The key.
    pub key: Digest,
    /// HTTP requests made to find it.
    pub requests: u64,
}

impl DeliverableImage {
    /// The digest that identifies the image.
    pub fn digest(&self) -> Digest {
        self.manifest.digest()
    }

    /// `NAME:TAG` for each tag.
    pub fn full_names(&self) -> Vec<String> {
        let tags = self.tags.iter();
        tags.map(|tag| format!("{}:{tag}", self.name)).collect()
    }

    /// The same without a hold on the files of its layers.
    #[must_use]
    pub fn without_files(mut self) -> Self {
        self.tars.clear();
        self
    }
}

/// What the first phase of a delivery did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Whether the manifest was there already.
    pub status: DeliveryStatus,
    /// Bytes that moved.
    pub uploaded_bytes: u64,
    /// Blobs taken over from another repository.
    pub mounted_blobs: u64,
    /// Blobs that were there.
    pub existing_blobs: u64,
    /// HTTP requests made.
    pub requests: u64,
    /// The tag that leads to the image already, if that is known.
    pub tagged: Option<Tag>,
}

impl Stored {
    /// Nothing moved yet, and the manifest is new.
    pub(super) fn nothing() -> Self {
        Self {
            status: DeliveryStatus::Pushed,
            uploaded_bytes: 0,
            mounted_blobs: 0,
            existing_blobs: 0,
            requests: 0,
            tagged: None,
        }
    }

    /// All of the image was there.
    pub(super) fn whole(image: &DeliverableImage) -> Self {
        Self {
            status: DeliveryStatus::Exists,
            // The layers and the configuration.
            existing_blobs: image.layers.len() as u64 + 1,
            ..Self::nothing()
        }
    }

    /// Counts a blob of a layout.
    pub(super) fn count(&mut self, put: Put) {
        match put {
            Put::Stored { bytes } => self.uploaded_bytes += bytes,
            Put::Existed => self.existing_blobs += 1,
        }
    }

    /// What became of an image in a registry; `tag` is the one that was looked at.
    pub(super) fn of_push(outcome: ImageOutcome, tag: Option<&Tag>) -> Self {
        Self {
            status: if outcome.existed {
                DeliveryStatus::Exists
            } else {
                DeliveryStatus::Pushed
            },
            uploaded_bytes: outcome.uploaded_bytes,
            mounted_blobs: outcome.mounted_blobs,
            existing_blobs: outcome.existing_blobs,
            requests: outcome.requests,
            tagged: tag.filter(|_| outcome.tagged).cloned(),
        }
    }
}

/// What the second phase of a delivery did.
#[derive(Debug)]
pub struct Tagged {
    /// The delivery's line in the summary. It lists the tags that moved, also where others did not.
    pub summary: DeliverySummary,
    /// Why not every tag moved.
    pub error: Option<DestinationError>,
}

impl Tagged {
    /// `reference` names the tags that moved, the first ones of `tags`; `error` is why these are
    /// not all.
    pub(super) fn new(
        destination: &str,
        (digest, tags): (Digest, &[Tag]),
        stored: &Stored,
        reference: Vec<String>,
        error: Option<DestinationError>,
    ) -> Self {
        let moved = tags.iter().take(reference.len());
        let summary = DeliverySummary {
            destination: destination.to_owned(),
            tags: moved.map(ToString::to_string).collect(),
            reference,
            digest,
            status: match error {
                Some(_) => DeliveryStatus::Failed,
                None => stored.status,
            },
            uploaded_bytes: stored.uploaded_bytes,
            mounted_blobs: stored.mounted_blobs,
            existing_blobs: stored.existing_blobs,
            requests: stored.requests,
        };
        Self { summary, error }
    }
}

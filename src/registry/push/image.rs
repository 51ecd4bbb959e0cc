//! Whole images: the manifest is looked for first, then every blob is brought, then the manifest is
//! put under its digest. Tags come later, when all images of a run are there.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bytes::Bytes;
use futures_util::future::try_join_all;

use super::blob::Arrival;
use super::course::Foreknowledge;
use super::manifest::{Answered, MAX_ROUNDS, ManifestReference, put_action};
use crate::digest::Digest;
use crate::oci::{Descriptor, Document};
use crate::reference::Tag;
use crate::registry::call::sending::Call;
use crate::registry::errors::error::RegistryError;
use crate::registry::wire::content::Content;
use crate::report::Meter;

/// Manifests of an image that are put at most because blobs were lost with the one before.
const MAX_REPAIRS: u32 = 3;

/// What is pushed as one image.
#[derive(Debug, Clone, Copy)]
pub struct ImagePush<'a> {
    /// The layers, each with the file that holds it.
    pub layers: &'a [(Descriptor, PathBuf)],
    /// The configuration.
    pub config: &'a Document,
    /// The manifest that names them.
    pub manifest: &'a Document,
    /// The tag that will lead to it: if it does so already, nothing else is asked.
    pub tag: Option<&'a Tag>,
    /// Counts the bytes of its blobs.
    pub meter: &'a Meter,
}

/// What pushing an image came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ImageOutcome {
    /// Whether the manifest was there.
    pub existed: bool,
    /// Whether the tag led to it.
    pub tagged: bool,
    /// Bytes of blobs that were sent.
    pub uploaded_bytes: u64,
    /// Blobs that the registry took over from others of its repositories.
    pub mounted_blobs: u64,
    /// Blobs that were there.
    pub existing_blobs: u64,
    /// Requests sent, including those for tokens.
    pub requests: u64,
}

/// A blob of the image with its content.
type Part<'a> = (&'a Descriptor, Content);

impl ImageOutcome {
    fn count(&mut self, blob: &Descriptor, arrival: Arrival) {
        match arrival {
            Arrival::Existed => self.existing_blobs += 1,
            Arrival::Mounted => self.mounted_blobs += 1,
            Arrival::Uploaded => self.uploaded_bytes += blob.size,
        }
    }

    /// A blob that arrived so before did not stay. What was sent was sent all the same.
    fn take_back(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Existed => self.existing_blobs -= 1,
            Arrival::Mounted => self.mounted_blobs -= 1,
            Arrival::Uploaded => {}
        }
    }
}

/// An image on its way, with what came of its blobs by now.
struct Underway<'p, 'i> {
    image: &'p ImagePush<'i>,
    parts: &'p [Part<'p>],
    arrived: BTreeMap<Digest, Arrival>,
    outcome: ImageOutcome,
}

impl Underway<'_, '_> {
    /// A blob arrived, perhaps once more, in this way.
    fn count(&mut self, blob: &Descriptor, arrival: Arrival) {
        if let Some(before) = self.arrived.insert(blob.digest, arrival) {
            self.outcome.take_back(before);
        }
        self.outcome.count(blob, arrival);
    }
}

impl Call<'_> {
    /// Makes sure that the registry has an image.
    pub(in crate::registry) async fn push_image(
        &self,
        image: &ImagePush<'_>,
    ) -> Result<ImageOutcome, RegistryError> {
        let mut outcome = self.push_parts(image).await?;
        outcome.requests = self.requests();
        Ok(outcome)
    }

    async fn push_parts(&self, image: &ImagePush<'_>) -> Result<ImageOutcome, RegistryError> {
        let digest = image.manifest.digest();
        let by_digest = ManifestReference::Digest(digest);
        let parts = self.parts(image);
        let first = image.tag.map_or_else(
            || by_digest.clone(),
            |tag| ManifestReference::Tag(tag.clone()),
        );
        let found = self.leads_to(&first, &digest).await?;
        // A tag moves only once all that it leads to was looked for.
        if found && image.tag.is_some() {
            return Ok(self.existing(&parts));
        }
        let config = image.config.descriptor();
        let mut of_config = Foreknowledge::Nothing;
        let mut stands = found;
        // A configuration belongs to one image, so that without it there can be no manifest.
        if image.tag.is_some() {
            of_config = Foreknowledge::NotFound;
            stands = self.has_blob(config).await? && self.leads_to(&by_digest, &digest).await?;
        }
        let arrivals = try_join_all(parts.iter().map(|(blob, content)| async move {
            let foreknowledge = if blob.digest == config.digest {
                of_config
            } else {
                Foreknowledge::Nothing
            };
            let arrival = self.push_blob(blob, content, foreknowledge, image.meter);
            Ok::<_, RegistryError>((*blob, arrival.await?))
        }));
        let arrivals = arrivals.await?;
        let mut underway = Underway {
            image,
            parts: &parts,
            arrived: BTreeMap::new(),
            outcome: ImageOutcome::default(),
        };
        for (blob, arrival) in arrivals {
            underway.count(blob, arrival);
        }
        // A manifest without a tag may be what a push left that failed: its blobs had to be looked for.
        if stands
            && underway
                .arrived
                .values()
                .all(|arrival| *arrival == Arrival::Existed)
        {
            let is_lost = self.core.confirm && self.repair(&mut underway).await?;
            if !is_lost {
                underway.outcome.existed = true;
                return Ok(underway.outcome);
            }
        }
        self.put_last(&mut underway).await?;
        Ok(underway.outcome)
    }

    /// Every distinct blob of an image.
    fn parts<'i>(&self, image: &ImagePush<'i>) -> Vec<Part<'i>> {
        let mut parts: BTreeMap<Digest, Part<'i>> = BTreeMap::new();
        for (blob, path) in image.layers {
            let path = self.core.environment.resolve(path);
            parts.insert(blob.digest, (blob, Content::file(path, blob.size)));
        }
        let config = Bytes::copy_from_slice(image.config.bytes());
        let descriptor = image.config.descriptor();
        parts.insert(descriptor.digest, (descriptor, Content::Bytes(config)));
        parts.into_values().collect()
    }

    /// Whether a name leads to our manifest. Who may not read may be allowed to push all the same.
    async fn leads_to(
        &self,
        reference: &ManifestReference,
        digest: &Digest,
    ) -> Result<bool, RegistryError> {
        match self.look_for_manifest(reference).await {
            Ok(found) => Ok(found == Some(*digest)),
            Err(error) if error.hides() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// An image to which its tag leads. A registry takes none without its blobs; whether it lost one since
    /// is not asked, since that would take a request for each.
    fn existing(&self, parts: &[Part<'_>]) -> ImageOutcome {
        let path = self.path();
        for (blob, _) in parts {
            self.access.known.note(&blob.digest, &path);
        }
        ImageOutcome {
            existed: true,
            tagged: true,
            existing_blobs: parts.len() as u64,
            ..ImageOutcome::default()
        }
    }

    /// Puts the manifest, and makes sure that all that was brought is there afterwards. Where something was lost
    /// it is brought again, and then the manifest, too.
    async fn put_last(&self, underway: &mut Underway<'_, '_>) -> Result<(), RegistryError> {
        for _ in 0..MAX_REPAIRS {
            self.put_manifest(underway).await?;
            if !self.core.confirm || !self.repair(underway).await? {
                return Ok(());
            }
        }
        let reference = ManifestReference::Digest(underway.image.manifest.digest());
        Err(RegistryError::NotStored {
            attempt: Box::new(self.attempt(&put_action(&reference))),
        })
    }

    /// Looks for every blob that the registry acknowledged, and sends those that are not there; gives whether
    /// there were any.
    async fn repair(&self, underway: &mut Underway<'_, '_>) -> Result<bool, RegistryError> {
        let (image, parts) = (underway.image, underway.parts);
        let confirmed = try_join_all(parts.iter().map(|(blob, content)| async move {
            let sent = self.confirm_arrival(blob, content, image.meter).await?;
            Ok::<_, RegistryError>((*blob, sent))
        }));
        let mut any = false;
        for (blob, sent) in confirmed.await? {
            if sent {
                any = true;
                // What was lost is not counted as sent.
                if underway.arrived.get(&blob.digest) == Some(&Arrival::Uploaded) {
                    underway.outcome.uploaded_bytes -= blob.size;
                }
                underway.count(blob, Arrival::Uploaded);
            }
        }
        if any {
            // The manifest that is put now may be what loses them.
            for (blob, arrival) in &underway.arrived {
                self.note_arrival(blob, *arrival);
            }
        }
        Ok(any)
    }

    /// Puts the manifest. Where the registry does not know a blob of it, that blob is brought again:
    /// at first if it is really missing, later without believing that it is not.
    async fn put_manifest(&self, underway: &mut Underway<'_, '_>) -> Result<(), RegistryError> {
        let (image, parts) = (underway.image, underway.parts);
        let descriptor = image.manifest.descriptor();
        let reference = ManifestReference::Digest(descriptor.digest);
        let bytes = image.manifest.bytes();
        let mut round = 0;
        loop {
            let sent = self
                .send_manifest(&reference, &descriptor.media_type, bytes)
                .await?;
            let reply = match sent {
                Answered::BlobUnknown(reply) if round < MAX_ROUNDS => reply,
                sent => {
                    let kind = &descriptor.media_type;
                    return self.settle(&reference, kind, bytes, sent).await;
                }
            };
            round += 1;
            self.core.patience.pause(self.settling(round)).await;
            let body = String::from_utf8_lossy(&reply.body).into_owned();
            let named = |(blob, _): &&Part<'_>| body.contains(&blob.digest.hex());
            let any = parts.iter().any(|part| named(&part));
            for (blob, content) in parts.iter().filter(|part| !any || named(part)) {
                if round == 1 && self.is_there(blob).await? {
                    continue;
                }
                let lost = Foreknowledge::Lost;
                let arrival = self.push_blob(blob, content, lost, image.meter).await?;
                underway.count(blob, arrival);
            }
        }
    }
}

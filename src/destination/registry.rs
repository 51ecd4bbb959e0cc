//! `docker://HOST/PREFIX`: a registry, one repository a service.

use std::sync::Arc;

use serde::Deserialize;

use super::{
    DeliverableImage, Destination, DestinationError, Prefix, Standing, Stored, Tagged, Wanted,
};
use crate::digest::Digest;
use crate::oci::Descriptor;
use crate::reference::{InvalidName, Repository, Tag};
use crate::registry::{ImagePush, ManifestReference, Registry};
use crate::report::DeliveryStatus;

/// Repositories of registries.
#[derive(Debug)]
pub struct RegistryDestination {
    name: String,
    prefix: Option<String>,
    registry: Arc<Registry>,
}

impl RegistryDestination {
    /// Repositories below `prefix` (`HOST/PATH`), else below the `repo` of each service. The user
    /// wrote it as `name`.
    pub fn new(name: impl Into<String>, prefix: Option<String>, registry: Arc<Registry>) -> Self {
        Self {
            name: name.into(),
            prefix,
            registry,
        }
    }
}

impl Destination for RegistryDestination {
    fn name(&self) -> &str {
        &self.name
    }

    fn prefix(&self) -> Prefix<'_> {
        self.prefix
            .as_deref()
            .map_or(Prefix::Configured, Prefix::Fixed)
    }

    fn expect(&self, images: &[String]) -> Result<(), DestinationError> {
        let repositories: Result<Vec<Repository>, InvalidName> = images
            .iter()
            .map(|image| Repository::parse(image))
            .collect();
        Ok(self.registry.expect(&repositories?)?)
    }

    fn preflight(&self, image: &str, tag: Option<&Tag>) -> Result<(), DestinationError> {
        let repository = Repository::parse(image)?;
        Ok(self.registry.prepare_push(&repository, tag)?)
    }

    fn store(&self, image: &DeliverableImage) -> Result<Stored, DestinationError> {
        let repository = Repository::parse(&image.name)?;
        let tag = image.tags.first();
        let push = ImagePush {
            layers: &image.layers,
            config: &image.config,
            manifest: &image.manifest,
            tag,
            meter: &image.meter,
        };
        let outcome = self.registry.push_image(&repository, &push)?;
        Ok(Stored::of_push(outcome, tag))
    }

    fn tag(&self, image: &DeliverableImage, mut stored: Stored) -> Tagged {
        let mut moved = Vec::new();
        let put = Put {
            name: &image.name,
            descriptor: image.manifest.descriptor(),
            bytes: image.manifest.bytes(),
        };
        let mut result = self.move_tags(&put, &image.tags, &mut stored, &mut moved);
        if let (Ok(()), Some(key)) = (&result, &image.key) {
            result = self.write_key(&put, key, &mut stored);
        }
        let tags = (image.digest(), image.tags.as_slice());
        Tagged::new(self.name(), tags, &stored, moved, result.err())
    }

    fn warnings(&self) -> Vec<String> {
        self.registry.warnings()
    }

    fn details(&self) -> Vec<String> {
        self.registry.notes()
    }

    fn find(&self, wanted: &Wanted) -> Result<Option<Standing>, DestinationError> {
        let repository = Repository::parse(&wanted.name)?;
        let tag = ManifestReference::Tag(wanted.tag.clone());
        let key = ManifestReference::Tag(key_tag(&wanted.key)?);
        let found = self.registry.manifest_exists(&repository, &key)?;
        let Some(digest) = found.digest else {
            return Ok(None);
        };
        let read = self.registry.read_manifest(&repository, &tag)?;
        let Some(bytes) = read.bytes.filter(|bytes| Digest::of(bytes) == digest) else {
            return Ok(None);
        };
        let Ok(Kind { media_type }) = serde_json::from_slice(&bytes) else {
            return Ok(None);
        };
        Ok(Some(Standing {
            name: wanted.name.clone(),
            manifest: Descriptor::new(media_type, digest, bytes.len() as u64),
            bytes: bytes.into(),
            key: wanted.key,
            requests: found.requests + read.requests,
        }))
    }

    fn retag(&self, standing: &Standing, tags: &[Tag]) -> Tagged {
        let mut stored = Stored::nothing();
        stored.status = DeliveryStatus::Exists;
        stored.requests = standing.requests;
        let put = Put {
            name: &standing.name,
            descriptor: &standing.manifest,
            bytes: &standing.bytes,
        };
        let mut moved = Vec::new();
        let result = self.move_tags(&put, tags, &mut stored, &mut moved);
        let tags = (standing.manifest.digest, tags);
        Tagged::new(self.name(), tags, &stored, moved, result.err())
    }
}

/// A manifest to be put under names.
struct Put<'a> {
    name: &'a str,
    descriptor: &'a Descriptor,
    bytes: &'a [u8],
}

/// What a manifest says it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kind {
    media_type: String,
}

/// The tag that leads from a key to its image. A registry has no other place for a fact about an image
/// that all of them keep, and that does not change the image.
fn key_tag(key: &Digest) -> Result<Tag, InvalidName> {
    Tag::parse(&format!("key-{}", key.hex()))
}

impl RegistryDestination {
    /// Moves one tag after the other, and notes each that `moved`. Where the image stood before, its
    /// tags may, too.
    fn move_tags(
        &self,
        put: &Put<'_>,
        tags: &[Tag],
        stored: &mut Stored,
        moved: &mut Vec<String>,
    ) -> Result<(), DestinationError> {
        let repository = Repository::parse(put.name)?;
        let digest = put.descriptor.digest;
        for tag in tags {
            let reference = ManifestReference::Tag(tag.clone());
            let mut stands = stored.tagged.as_ref() == Some(tag);
            if !stands && stored.status == DeliveryStatus::Exists {
                let found = self.registry.manifest_exists(&repository, &reference)?;
                stored.requests += found.requests;
                stands = found.digest == Some(digest);
            }
            if !stands {
                stored.requests += self.put(put, &repository, &reference)?;
            }
            moved.push(format!("{repository}:{tag}@{digest}"));
        }
        Ok(())
    }

    /// Writes down what inputs an image was made from, unless that is there already.
    fn write_key(
        &self,
        put: &Put<'_>,
        key: &Digest,
        stored: &mut Stored,
    ) -> Result<(), DestinationError> {
        let repository = Repository::parse(put.name)?;
        let reference = ManifestReference::Tag(key_tag(key)?);
        let found = self.registry.manifest_exists(&repository, &reference)?;
        stored.requests += found.requests;
        if found.digest != Some(put.descriptor.digest) {
            stored.requests += self.put(put, &repository, &reference)?;
        }
        Ok(())
    }

    /// Stores a manifest under a name, and gives the number of requests.
    fn put(
        &self,
        put: &Put<'_>,
        repository: &Repository,
        reference: &ManifestReference,
    ) -> Result<u64, DestinationError> {
        let media_type = &put.descriptor.media_type;
        let outcome = self
            .registry
            .push_manifest(repository, reference, media_type, put.bytes)?;
        Ok(outcome.requests)
    }
}

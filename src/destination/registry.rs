//! `docker://HOST/PREFIX`: a registry, one repository a service.

use std::sync::Arc;

use super::{DeliverableImage, Destination, DestinationError, Prefix, Stored, Tagged};
use crate::reference::Repository;
use crate::registry::{ManifestReference, Registry};
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

    fn preflight(&self, images: &[String]) -> Result<(), DestinationError> {
        for image in images {
            self.registry.check_push(&Repository::parse(image)?)?;
        }
        Ok(())
    }

    fn store(&self, image: &DeliverableImage) -> Result<Stored, DestinationError> {
        let repository = Repository::parse(&image.name)?;
        let mut stored = Stored::nothing();
        let manifest = ManifestReference::Digest(image.digest());
        let found = self.registry.manifest_exists(&repository, &manifest)?;
        stored.requests += found.requests;
        let present = found.digest == Some(image.digest());
        if present {
            stored.status = DeliveryStatus::Exists;
        }
        // Asked even where the manifest is there: a registry can lose a blob and keep its manifest.
        for (descriptor, path) in &image.layers {
            stored.count_push(self.registry.push_blob(&repository, descriptor, path)?);
        }
        let config = image.config.descriptor();
        stored.count_push(self.registry.push_blob_bytes(
            &repository,
            config,
            image.config.bytes(),
        )?);
        if !present || stored.uploaded_bytes > 0 {
            stored.requests += self.put(image, &repository, &manifest)?;
        }
        Ok(stored)
    }

    fn tag(&self, image: &DeliverableImage, mut stored: Stored) -> Tagged {
        let mut moved = Vec::new();
        let result = self.move_tags(image, &mut stored, &mut moved);
        Tagged::new(self.name(), image, &stored, moved, result.err())
    }
}

impl RegistryDestination {
    /// Moves one tag after the other, and notes each that `moved`.
    fn move_tags(
        &self,
        image: &DeliverableImage,
        stored: &mut Stored,
        moved: &mut Vec<String>,
    ) -> Result<(), DestinationError> {
        let repository = Repository::parse(&image.name)?;
        let digest = image.digest();
        for tag in &image.tags {
            let reference = ManifestReference::Tag(tag.clone());
            stored.requests += self.put(image, &repository, &reference)?;
            moved.push(format!("{repository}:{tag}@{digest}"));
        }
        Ok(())
    }

    /// Stores the manifest under a name, and gives the number of requests.
    fn put(
        &self,
        image: &DeliverableImage,
        repository: &Repository,
        reference: &ManifestReference,
    ) -> Result<u64, DestinationError> {
        let media_type = &image.manifest.descriptor().media_type;
        let outcome = self.registry.push_manifest(
            repository,
            reference,
            media_type,
            image.manifest.bytes(),
        )?;
        Ok(outcome.requests)
    }
}

//! `oci:DIR`: an image layout on disk, shared by all services of all runs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::{DeliverableImage, Destination, DestinationError, Prefix, Stored, Tagged};
use crate::medium::{LayoutWriter, Put, collect_garbage};
use crate::oci::Descriptor;
use crate::report::DeliveryStatus;

/// A layout that is opened when it is first checked.
#[derive(Debug)]
pub struct OciLayout {
    name: String,
    directory: PathBuf,
    writer: Mutex<Option<Arc<LayoutWriter>>>,
}

impl OciLayout {
    /// The layout at `directory`, which the user wrote as `name`. Nothing is opened yet.
    pub fn new(name: impl Into<String>, directory: &Path) -> Self {
        Self {
            name: name.into(),
            directory: directory.to_owned(),
            writer: Mutex::default(),
        }
    }

    fn writer(&self) -> Result<Arc<LayoutWriter>, DestinationError> {
        let mut slot = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(writer) = slot.as_ref() {
            return Ok(Arc::clone(writer));
        }
        let writer = Arc::new(LayoutWriter::open(&self.directory)?);
        *slot = Some(Arc::clone(&writer));
        Ok(writer)
    }
}

impl Destination for OciLayout {
    fn name(&self) -> &str {
        &self.name
    }

    fn prefix(&self) -> Prefix<'_> {
        Prefix::None
    }

    fn preflight(&self, _images: &[String]) -> Result<(), DestinationError> {
        self.writer().map(drop)
    }

    fn store(&self, image: &DeliverableImage) -> Result<Stored, DestinationError> {
        let writer = self.writer()?;
        let mut stored = Stored::nothing();
        for (descriptor, path) in &image.layers {
            stored.count(writer.put_blob_file(descriptor, path)?);
        }
        stored.count(writer.put_blob_bytes(image.config.descriptor(), image.config.bytes())?);
        let manifest =
            writer.put_blob_bytes(image.manifest.descriptor(), image.manifest.bytes())?;
        if manifest == Put::Existed {
            stored.status = DeliveryStatus::Exists;
        }
        Ok(stored)
    }

    fn tag(&self, image: &DeliverableImage, stored: Stored) -> Tagged {
        let (moved, error) = match self.move_tags(image) {
            Ok(moved) => (moved, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        Tagged::new(self.name(), image, &stored, moved, error)
    }

    fn finish(&self) -> Result<(), DestinationError> {
        // Collecting needs to be alone; our own writer would be in its way.
        drop(
            self.writer
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        if self.directory.is_dir() {
            collect_garbage(&self.directory)?;
        }
        Ok(())
    }
}

impl OciLayout {
    /// Moves all tags in one step, and gives their references.
    fn move_tags(&self, image: &DeliverableImage) -> Result<Vec<String>, DestinationError> {
        let names: Vec<String> = image
            .tags
            .iter()
            .map(|tag| format!("{}:{tag}", image.name))
            .collect();
        let descriptor = Descriptor {
            platform: Some(image.platform.clone()),
            ..image.manifest.descriptor().clone()
        };
        let entries: Vec<(String, Descriptor)> = names
            .iter()
            .map(|name| (name.clone(), descriptor.clone()))
            .collect();
        self.writer()?.tag(&entries)?;
        let digest = image.digest();
        let directory = self.directory_as_written();
        Ok(names
            .iter()
            .map(|name| format!("oci:{directory}:{name}@{digest}"))
            .collect())
    }

    fn directory_as_written(&self) -> &str {
        self.name.strip_prefix("oci:").unwrap_or(&self.name)
    }
}

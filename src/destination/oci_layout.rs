//! `oci:DIR`: an image layout on disk, shared by all services of all runs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::{
    DeliverableImage, Destination, DestinationError, Prefix, Standing, Stored, Tagged, Wanted,
};
use crate::digest::Digest;
use crate::medium::{LayoutReader, LayoutWriter, Put, collect_garbage};
use crate::oci::{Descriptor, Manifest};
use crate::reference::Tag;
use crate::report::DeliveryStatus;

/// The annotation of an entry that holds the key of its image's inputs.
const INPUT_KEY: &str = "dev.cargo-lighter.input-key";

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

    fn preflight(&self, _image: &str, _tag: Option<&Tag>) -> Result<(), DestinationError> {
        self.writer().map(drop)
    }

    fn store(&self, image: &DeliverableImage) -> Result<Stored, DestinationError> {
        let writer = self.writer()?;
        let mut stored = Stored::nothing();
        for (descriptor, path) in &image.layers {
            image.meter.expect(descriptor.size);
            stored.count(writer.put_blob_file(descriptor, path)?);
            image.meter.advance(descriptor.size);
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
        let descriptor = Descriptor {
            platform: Some(image.platform.clone()),
            ..image.manifest.descriptor().clone()
        };
        self.tagged(
            &image.name,
            &with_key(descriptor, image.key),
            &image.tags,
            &stored,
        )
    }

    fn find(&self, wanted: &Wanted) -> Result<Option<Standing>, DestinationError> {
        if !self.directory.is_dir() {
            return Ok(None);
        }
        let reader = LayoutReader::open(&self.directory)?;
        let name = format!("{}:{}", wanted.name, wanted.tag);
        if !reader.index()?.names().contains(&name) {
            return Ok(None);
        }
        let descriptor = reader.resolve(Some(&name))?;
        let key = descriptor.annotations.get(INPUT_KEY);
        if key.map(String::as_str) != Some(wanted.key.to_string().as_str()) {
            return Ok(None);
        }
        // What is damaged is no image to be taken over, but one to be built again.
        let Ok(bytes) = reader.read_document(&descriptor) else {
            return Ok(None);
        };
        if !self.is_whole(&bytes)? {
            return Ok(None);
        }
        Ok(Some(Standing {
            name: wanted.name.clone(),
            manifest: descriptor,
            bytes: bytes.into(),
            key: wanted.key,
            requests: 0,
        }))
    }

    fn retag(&self, standing: &Standing, tags: &[Tag]) -> Tagged {
        let mut stored = Stored::nothing();
        stored.status = DeliveryStatus::Exists;
        let descriptor = with_key(standing.manifest.clone(), Some(standing.key));
        self.tagged(&standing.name, &descriptor, tags, &stored)
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
    fn tagged(&self, name: &str, descriptor: &Descriptor, tags: &[Tag], stored: &Stored) -> Tagged {
        let digest = descriptor.digest;
        let (moved, error) = match self.move_tags(name, descriptor, tags) {
            Ok(moved) => (moved, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        Tagged::new(self.name(), (digest, tags), stored, moved, error)
    }

    /// Moves all tags in one step, and gives their references.
    fn move_tags(
        &self,
        name: &str,
        descriptor: &Descriptor,
        tags: &[Tag],
    ) -> Result<Vec<String>, DestinationError> {
        let names: Vec<String> = tags.iter().map(|tag| format!("{name}:{tag}")).collect();
        let digest = descriptor.digest;
        let entries: Vec<(String, Descriptor)> = names
            .iter()
            .map(|name| (name.clone(), descriptor.clone()))
            .collect();
        self.writer()?.tag(&entries)?;
        let directory = self.directory_as_written();
        Ok(names
            .iter()
            .map(|name| format!("oci:{directory}:{name}@{digest}"))
            .collect())
    }

    /// Whether all blobs of a manifest are there, and are what the manifest says.
    fn is_whole(&self, manifest: &[u8]) -> Result<bool, DestinationError> {
        let Ok(manifest) = serde_json::from_slice::<Manifest>(manifest) else {
            return Ok(false);
        };
        let reader = LayoutReader::open(&self.directory)?;
        let mut blobs = manifest.layers.iter().chain([&manifest.config]);
        Ok(blobs.all(|blob| {
            let file = fs_err::File::open(reader.blob_path(&blob.digest));
            let found = file.and_then(|mut file| Digest::of_reader(&mut file));
            found.is_ok_and(|(digest, size)| (digest, size) == (blob.digest, blob.size))
        }))
    }

    fn directory_as_written(&self) -> &str {
        self.name.strip_prefix("oci:").unwrap_or(&self.name)
    }
}

/// A descriptor for the index that says what inputs its image was made from, if that is known.
fn with_key(mut descriptor: Descriptor, key: Option<Digest>) -> Descriptor {
    descriptor.annotations.remove(INPUT_KEY);
    if let Some(key) = key {
        let annotations = &mut descriptor.annotations;
        annotations.insert(INPUT_KEY.to_owned(), key.to_string());
    }
    descriptor
}

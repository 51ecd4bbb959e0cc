//! `oci-archive:FILE` and `docker-archive:FILE`: all images of a run in one file.

use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::gathered::{Gathered, packed_layers};
use super::{
    DeliverableImage, Destination, DestinationError, Prefix, Standing, Stored, Tagged, Wanted,
};
use crate::fs::AtomicFile;
use crate::medium::{ArchiveError, ArchiveForm, ArchiveReader, PackedImage, pack};
use crate::process::Interrupt;
use crate::reference::Tag;

const BUFFER: usize = 1 << 20;

/// A file that is replaced whole when all images of the run are there.
#[derive(Debug)]
pub struct Archive {
    name: String,
    path: PathBuf,
    form: ArchiveForm,
    interrupt: Interrupt,
    checked: OnceLock<()>,
    gathered: Gathered,
    /// Written, and not yet in its place.
    written: Mutex<Option<AtomicFile>>,
}

impl Archive {
    /// The archive at `path`, which the user wrote as `name`.
    pub fn new(
        name: impl Into<String>,
        path: &Path,
        form: ArchiveForm,
        interrupt: &Interrupt,
    ) -> Self {
        Self {
            name: name.into(),
            path: path.to_owned(),
            form,
            interrupt: interrupt.clone(),
            checked: OnceLock::new(),
            gathered: Gathered::default(),
            written: Mutex::default(),
        }
    }

    /// Whether the file can be written, and stands where nothing else does.
    fn check(&self) -> Result<(), ArchiveError> {
        self.check_way()?;
        // Creating the temporary file is the question; dropping it leaves nothing.
        let created = AtomicFile::create(&self.path);
        created.map(drop).map_err(|source| self.unwritable(source))
    }

    /// Whether what stands at the path may go: an earlier archive, and an empty file, if they may be written. What a rename would
    /// replace may be a device, or the only copy of something else.
    fn check_way(&self) -> Result<(), ArchiveError> {
        let is_link = self.path.is_symlink();
        let what = match std::fs::metadata(&self.path) {
            Ok(metadata) if metadata.is_dir() => Some("a directory"),
            Ok(metadata) if !metadata.is_file() => Some("no regular file"),
            // A rename would replace the link, and leave what it leads to as it is.
            _ if is_link => Some("a link"),
            // A rename would not ask for the right that its owner took away.
            Ok(metadata) if metadata.permissions().readonly() => Some("a read-only file"),
            Ok(metadata) if metadata.len() > 0 => {
                let is_archive = ArchiveReader::is_archive(&self.path);
                let is_archive = is_archive.map_err(|source| self.unwritable(source))?;
                (!is_archive).then_some("a file of something else than images")
            }
            _ => None,
        };
        match what {
            None => Ok(()),
            Some(what) => Err(ArchiveError::InTheWay {
                path: self.path.clone(),
                what,
            }),
        }
    }

    /// Writes the archive beside the place where it will stand.
    fn write(&self, names: &[String]) -> Result<(), ArchiveError> {
        let images = self.gathered.take(names);
        let layers: Vec<_> = images.iter().map(packed_layers).collect();
        let packed: Vec<PackedImage<'_>> = images
            .iter()
            .zip(&layers)
            .map(|(image, layers)| PackedImage {
                names: image.full_names(),
                platform: &image.platform,
                config: &image.config,
                manifest: &image.manifest,
                layers,
            })
            .collect();
        // It may have come while the images were made; a long file would be written in vain.
        self.check_way()?;
        let file = AtomicFile::create(&self.path).map_err(|source| self.unwritable(source))?;
        let mut output = BufWriter::with_capacity(BUFFER, file);
        pack(&packed, self.form, &self.interrupt, &mut output)
            .and_then(|()| output.flush().map_err(ArchiveError::Output))
            .map_err(|error| match error {
                ArchiveError::Output(source) => self.unwritable(source),
                other => other,
            })?;
        let (file, _) = output.into_parts();
        file.sync().map_err(|source| self.unwritable(source))?;
        *self.written() = Some(file);
        Ok(())
    }

    /// Puts what was written in its place.
    fn replace(&self) -> Result<(), ArchiveError> {
        let Some(file) = self.written().take() else {
            return Ok(());
        };
        self.check_way()?;
        // What is told to stop now leaves the archive as it was.
        if self.interrupt.received().is_some() {
            return Err(ArchiveError::Interrupted);
        }
        file.commit().map_err(|source| self.unwritable(source))
    }

    fn written(&self) -> MutexGuard<'_, Option<AtomicFile>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unwritable(&self, source: std::io::Error) -> ArchiveError {
        ArchiveError::Write {
            path: self.path.clone(),
            source,
        }
    }
}

impl Destination for Archive {
    fn name(&self) -> &str {
        &self.name
    }

    fn prefix(&self) -> Prefix<'_> {
        Prefix::None
    }

    fn takes_all_at_once(&self) -> bool {
        true
    }

    fn preflight(&self, _image: &str, _tag: Option<&Tag>) -> Result<(), DestinationError> {
        if self.checked.get().is_none() {
            self.check()?;
            self.checked.get_or_init(|| ());
        }
        Ok(())
    }

    fn store(&self, image: &DeliverableImage) -> Result<Stored, DestinationError> {
        Ok(self.gathered.add(image))
    }

    fn prepare(&self, images: &[String]) -> Result<bool, DestinationError> {
        self.write(images)?;
        Ok(true)
    }

    fn complete(&self, _images: &[String]) -> Result<(), DestinationError> {
        Ok(self.replace()?)
    }

    fn tag(&self, image: &DeliverableImage, stored: Stored) -> Tagged {
        let digest = match self.form {
            ArchiveForm::Layout => image.digest(),
            // There is no manifest in it, and readers make different ones.
            ArchiveForm::Docker => image.config.digest(),
        };
        let references = image.full_names();
        let references = references
            .iter()
            .map(|full| format!("{}:{full}@{digest}", self.name))
            .collect();
        Tagged::new(&self.name, (digest, &image.tags), &stored, references, None)
    }

    /// An archive holds what its run built, and nothing of earlier ones.
    fn find(&self, _wanted: &Wanted) -> Result<Option<Standing>, DestinationError> {
        Ok(None)
    }

    fn retag(&self, standing: &Standing, tags: &[Tag]) -> Tagged {
        let stored = Stored::nothing();
        let tags = (standing.manifest.digest, tags);
        Tagged::new(&self.name, tags, &stored, Vec::new(), None)
    }

    fn finish(&self) -> Result<(), DestinationError> {
        self.gathered.clear();
        drop(self.written().take());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::destination::LayerTar;
    use crate::digest::Digest;
    use crate::oci::{Descriptor, Document, Manifest, Platform, media_type};
    use crate::process::Signal;
    use crate::report::Meter;
    use crate::store::Blobs;

    /// An image whose only layer is `content`, said to have the digest of `claimed`.
    fn image(blobs: &Blobs, content: &[u8], claimed: &[u8]) -> DeliverableImage {
        let mut writer = blobs.writer().expect("a file");
        writer.write_all(content).expect("written");
        let blob = writer.finish(&Digest::of(content)).expect("stored");
        let (digest, size) = (Digest::of(claimed), claimed.len() as u64);
        let layer = Descriptor::new(media_type::LAYER, digest, size);
        let config = Document::new(media_type::CONFIG, &()).expect("serializable");
        let layers = vec![layer.clone()];
        let manifest = Manifest::new(config.descriptor().clone(), layers, BTreeMap::new());
        DeliverableImage {
            service: "orders".to_owned(),
            name: "orders".to_owned(),
            tags: vec![Tag::parse("1").expect("legal")],
            platform: Platform::linux("amd64"),
            layers: vec![(layer, blob.path().to_owned())],
            tars: vec![LayerTar {
                diff_id: digest,
                size,
                blob,
            }],
            config,
            manifest: Document::new(media_type::MANIFEST, &manifest).expect("serializable"),
            meter: Meter::default(),
            key: None,
        }
    }

    /// An archive of no image.
    fn old_archive() -> Vec<u8> {
        let mut bytes = Vec::new();
        let packed = pack(&[], ArchiveForm::Docker, &Interrupt::new(), &mut bytes);
        packed.expect("packed");
        bytes
    }

    fn delivered(claimed: &[u8], form: ArchiveForm, interrupt: &Interrupt) -> Vec<u8> {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let place = directory.path().join("archives");
        fs_err::create_dir(&place).expect("created");
        let path = place.join("images.tar");
        fs_err::write(&path, old_archive()).expect("written");
        let blobs = Blobs::create(directory.path()).expect("created");
        let archive = Archive::new("oci-archive:images.tar", &path, form, interrupt);
        archive.preflight("orders", None).expect("writable");
        archive
            .store(&image(&blobs, b"layer", claimed))
            .expect("kept");
        // The archive alone keeps the layer now.
        let names = ["orders".to_owned()];
        let result = archive.prepare(&names);
        assert_eq!(fs_err::read(&path).expect("readable"), old_archive());
        let result = result.and_then(|_| archive.complete(&names));
        let fine = claimed == b"layer" && interrupt.received().is_none();
        assert_eq!(result.is_ok(), fine, "{result:?}");
        assert_eq!(fs_err::read_dir(&place).expect("listed").count(), 1);
        fs_err::read(path).expect("readable")
    }

    #[test]
    fn only_what_is_an_archive_or_empty_is_replaced() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("images.tar");
        let check = || {
            let interrupt = Interrupt::new();
            let form = ArchiveForm::Layout;
            let archive = Archive::new("oci-archive:images.tar", &path, form, &interrupt);
            archive.preflight("orders", None)
        };
        check().expect("nothing is there");
        let other_tar = {
            let mut tar = tar::Builder::new(Vec::new());
            let mut header = tar::Header::new_ustar();
            header.set_size(2);
            tar.append_data(&mut header, "a", &b"ab"[..])
                .expect("written");
            tar.into_inner().expect("written")
        };
        let cut = old_archive()[..512].to_vec();
        for (content, is_replaced) in [
            (Vec::new(), true),
            (old_archive(), true),
            (b"root:x:0:0::/root:/bin/sh\n".to_vec(), false),
            (vec![0; 4096], false),
            (other_tar, false),
            (cut, false),
        ] {
            fs_err::write(&path, &content).expect("written");
            let found = check();
            assert_eq!(found.is_ok(), is_replaced, "{found:?}");
            assert_eq!(fs_err::read(&path).expect("there"), content);
        }
    }

    #[test]
    fn a_failed_or_interrupted_archive_leaves_the_old_one_and_no_temporary() {
        for form in [ArchiveForm::Layout, ArchiveForm::Docker] {
            let running = Interrupt::new();
            assert!(delivered(b"layer", form, &running) != old_archive());
            assert_eq!(delivered(b"lay3r", form, &running), old_archive());
            assert_eq!(delivered(b"longer layer", form, &running), old_archive());
            let stopped = Interrupt::new();
            stopped.send(Signal::Terminate);
            assert_eq!(delivered(b"layer", form, &stopped), old_archive());
        }
    }
}

//! Reading an archive: names, documents and blobs, each checked and limited.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use fs_err::File;
use serde::de::DeserializeOwned;

use super::docker::{DockerImage, full_name};
use super::entries::{Entries, Place, Region};
use super::{ArchiveError, ArchiveForm, BlobReader};
use crate::digest::Digest;
use crate::medium::{HEADER_LIMIT, INDEX_LIMIT, MANIFEST_LIMIT, StoredIndex};
use crate::oci::{
    Descriptor, Document, ImageConfig, LAYOUT_FILE, LayoutHeader, Manifest, media_type,
};
use crate::report::printable;

/// Layers of an image: more than any runtime can stack.
const MAX_LAYERS: usize = 1000;

/// An archive to read from. Its headers were walked over once; content is read where it stands.
#[derive(Debug)]
pub struct ArchiveReader {
    path: PathBuf,
    file: File,
    entries: Entries,
    list: List,
    /// What docker's form has no digests for, found when an image was asked for.
    found: Mutex<BTreeMap<Digest, Source>>,
}

/// The images as they are told.
#[derive(Debug)]
enum List {
    Layout(StoredIndex),
    Docker(Vec<DockerImage>),
}

#[derive(Debug, Clone)]
enum Source {
    Entry(Place),
    Bytes(Vec<u8>),
}

impl ArchiveReader {
    /// Opens the archive at `path` and reads its list of images. One that has both forms is read in the
    /// one that is asked for; `None` takes what is there, the layout first, as containerd does.
    ///
    /// # Errors
    /// [`ArchiveError`] when the file is no such archive, is compressed, ends too early, or has entries
    /// that cannot be meant well.
    pub fn open(path: &Path, form: Option<ArchiveForm>) -> Result<Self, ArchiveError> {
        if !fs_err::metadata(path)?.is_file() {
            return Err(ArchiveError::InTheWay {
                path: path.to_owned(),
                what: "no regular file",
            });
        }
        let file = File::open(path)?;
        let entries = Entries::scan(path, &file)?;
        let form = form.unwrap_or(match entries.find(LAYOUT_FILE) {
            Some(_) => ArchiveForm::Layout,
            None => ArchiveForm::Docker,
        });
        let mut reader = Self {
            path: path.to_owned(),
            file,
            entries,
            list: List::Docker(Vec::new()),
            found: Mutex::default(),
        };
        reader.list = match form {
            ArchiveForm::Layout => List::Layout(reader.layout()?),
            ArchiveForm::Docker => List::Docker(reader.docker()?),
        };
        Ok(reader)
    }

    /// Whether the file at `path` is an archive of images by what is in it, so that another one may take its
    /// place. What cannot be read to its end is none.
    ///
    /// # Errors
    /// When the file cannot be opened or read.
    pub fn is_archive(path: &Path) -> io::Result<bool> {
        let file = File::open(path)?;
        match Entries::scan(path, &file) {
            Ok(entries) => {
                let has = |name: &str| entries.find(name).is_some();
                Ok(has("manifest.json") || has(LAYOUT_FILE) && has("index.json"))
            }
            Err(ArchiveError::Io(error)) => Err(error),
            Err(_) => Ok(false),
        }
    }

    /// The archive's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The form it is read in.
    pub fn form(&self) -> ArchiveForm {
        match self.list {
            List::Layout(_) => ArchiveForm::Layout,
            List::Docker(_) => ArchiveForm::Docker,
        }
    }

    /// The names of all images that have one, in order.
    pub fn names(&self) -> Vec<String> {
        match &self.list {
            List::Layout(index) => index.names(),
            List::Docker(images) => {
                let names = images
                    .iter()
                    .flat_map(|image| image.repo_tags.iter().flatten());
                names.cloned().collect()
            }
        }
    }

    /// The manifest or index of the image named `NAME:TAG`; without a name, of the only one. docker's form
    /// has no manifest: one is made of what it has, whose digest no registry knows.
    ///
    /// # Errors
    /// [`ArchiveError`] when there is none, several and no name, or it has a part that cannot be read.
    pub fn resolve(&self, name: Option<&str>) -> Result<Descriptor, ArchiveError> {
        let found = match &self.list {
            List::Layout(index) => {
                let found = match name {
                    Some(name) => index.find(name),
                    None => index.only(),
                };
                found.map_err(|source| self.json_error("index.json", source))?
            }
            List::Docker(images) => {
                let image = match (name, images.as_slice()) {
                    // As `docker load` takes a name that two images have.
                    (Some(name), images) => images.iter().rfind(|image| image.is_named(name)),
                    (None, [only]) => Some(only),
                    (None, _) => None,
                };
                image.map(|image| self.manifest_of(image)).transpose()?
            }
        };
        found.ok_or_else(|| ArchiveError::NoImage {
            path: self.path.clone(),
            name: printable(name.unwrap_or_default()),
            known: self.names().iter().map(|name| printable(name)).collect(),
        })
    }

    /// The bytes of a manifest, index or configuration, after its size and digest were checked.
    ///
    /// # Errors
    /// [`ArchiveError`] when it is missing, damaged, or larger than [`MANIFEST_LIMIT`].
    pub fn read_document(&self, descriptor: &Descriptor) -> Result<Vec<u8>, ArchiveError> {
        let bytes = match self.source(&descriptor.digest)? {
            Source::Bytes(bytes) => bytes,
            Source::Entry(place) => self.read_capped(place, MANIFEST_LIMIT)?,
        };
        let (found, found_size) = (Digest::of(&bytes), bytes.len() as u64);
        if (found, found_size) != (descriptor.digest, descriptor.size) {
            return Err(damaged(descriptor, found, found_size));
        }
        Ok(bytes)
    }

    /// A document read as `T`.
    ///
    /// # Errors
    /// As [`ArchiveReader::read_document`], and when it is not of the shape of `T`.
    pub fn read_json<T: DeserializeOwned>(
        &self,
        descriptor: &Descriptor,
    ) -> Result<T, ArchiveError> {
        let bytes = self.read_document(descriptor)?;
        let json = serde_json::from_slice(&bytes);
        json.map_err(|source| self.json_error(&descriptor.digest.to_string(), source))
    }

    /// A blob of any size, to be read once from its start.
    ///
    /// # Errors
    /// [`ArchiveError`] when it is missing or of another size.
    pub fn open_blob(&self, descriptor: &Descriptor) -> Result<BlobReader<'_>, ArchiveError> {
        let place = match self.source(&descriptor.digest)? {
            Source::Entry(place) => place,
            Source::Bytes(_) => return Err(self.no_blob(&descriptor.digest)),
        };
        if place.size != descriptor.size {
            let (found, size) = Digest::of_reader(&mut Region::new(&self.file, place))?;
            return Err(damaged(descriptor, found, size));
        }
        Ok(BlobReader::new(Region::new(&self.file, place), descriptor))
    }

    fn layout(&self) -> Result<StoredIndex, ArchiveError> {
        let header: LayoutHeader = self.entry_json(LAYOUT_FILE, HEADER_LIMIT)?;
        if header != LayoutHeader::default() {
            return Err(ArchiveError::NoArchive {
                path: self.path.clone(),
                why: "its layout is of another version than 1.0.0",
            });
        }
        self.entry_json("index.json", INDEX_LIMIT)
    }

    fn docker(&self) -> Result<Vec<DockerImage>, ArchiveError> {
        self.entry_json("manifest.json", INDEX_LIMIT)
    }

    fn entry_json<T: DeserializeOwned>(
        &self,
        name: &'static str,
        limit: u64,
    ) -> Result<T, ArchiveError> {
        let place = self.entries.find(name);
        let place = place.ok_or_else(|| ArchiveError::NoArchive {
            path: self.path.clone(),
            why: match name {
                LAYOUT_FILE => "it has no `oci-layout`",
                "index.json" => "it has no `index.json`",
                _ => "it has no `manifest.json`",
            },
        })?;
        let bytes = self.read_capped(place, limit)?;
        serde_json::from_slice(&bytes).map_err(|source| self.json_error(name, source))
    }

    /// A manifest for an image of docker's form. Its parts are read whole for their digests.
    fn manifest_of(&self, image: &DockerImage) -> Result<Descriptor, ArchiveError> {
        let place = self.entry(&image.config)?;
        let bytes = self.read_capped(place, MANIFEST_LIMIT)?;
        let config: ImageConfig = serde_json::from_slice(&bytes)
            .map_err(|source| self.json_error(&image.config, source))?;
        let digest = Digest::of(&bytes);
        let mut found = BTreeMap::from([(digest, Source::Entry(place))]);
        let config_descriptor = Descriptor::new(media_type::CONFIG, digest, bytes.len() as u64);
        let names = image.layers.as_deref().unwrap_or_default();
        if names.len() > MAX_LAYERS {
            return Err(ArchiveError::TooMany {
                path: self.path.clone(),
                what: "layers in an image",
                limit: MAX_LAYERS as u64,
            });
        }
        if names.len() != config.rootfs.diff_ids.len() {
            return Err(self.bad(&image.config, "has another number of layers than its image"));
        }
        let mut layers = Vec::new();
        for name in names {
            let place = self.entry(name)?;
            let (digest, size) = Digest::of_reader(&mut Region::new(&self.file, place))?;
            layers.push(Descriptor::new(self.media_type(place)?, digest, size));
            found.insert(digest, Source::Entry(place));
        }
        let manifest = Manifest::new(config_descriptor, layers, BTreeMap::new());
        let document = Document::new(media_type::MANIFEST, &manifest);
        let document = document.map_err(|source| self.json_error(&image.config, source))?;
        found.insert(
            document.digest(),
            Source::Bytes(document.bytes().to_owned()),
        );
        let mut all = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend(found);
        Ok(document.descriptor().clone())
    }

    fn media_type(&self, place: Place) -> Result<&'static str, ArchiveError> {
        let mut start = Vec::new();
        Region::new(&self.file, place)
            .take(4)
            .read_to_end(&mut start)?;
        Ok(match start.as_slice() {
            [0x1f, 0x8b, ..] => media_type::LAYER_GZIP,
            [0x28, 0xb5, 0x2f, 0xfd] => media_type::LAYER_ZSTD,
            _ => media_type::LAYER,
        })
    }

    fn source(&self, digest: &Digest) -> Result<Source, ArchiveError> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(source) = found.get(digest) {
            return Ok(source.clone());
        }
        let name = format!("blobs/sha256/{}", digest.hex());
        let place = self.entries.find(&name);
        place.map(Source::Entry).ok_or_else(|| self.no_blob(digest))
    }

    fn entry(&self, name: &str) -> Result<Place, ArchiveError> {
        let place = self.entries.find(name);
        place.ok_or_else(|| self.bad(name, "is named by `manifest.json`, and is not there"))
    }

    fn read_capped(&self, place: Place, limit: u64) -> Result<Vec<u8>, ArchiveError> {
        if place.size > limit {
            return Err(ArchiveError::TooMany {
                path: self.path.clone(),
                what: "bytes in a document",
                limit,
            });
        }
        let mut bytes = Vec::new();
        Region::new(&self.file, place).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn bad(&self, name: &str, why: &'static str) -> ArchiveError {
        ArchiveError::Entry {
            path: self.path.clone(),
            name: printable(name),
            why,
        }
    }

    fn no_blob(&self, digest: &Digest) -> ArchiveError {
        ArchiveError::NoBlob {
            path: self.path.clone(),
            digest: *digest,
        }
    }

    fn json_error(&self, name: &str, source: serde_json::Error) -> ArchiveError {
        ArchiveError::Json {
            path: self.path.clone(),
            name: printable(name),
            source,
        }
    }
}

impl DockerImage {
    fn is_named(&self, name: &str) -> bool {
        let mut names = self.repo_tags.iter().flatten();
        names.any(|known| known == name || full_name(known) == full_name(name))
    }
}

fn damaged(descriptor: &Descriptor, found: Digest, found_size: u64) -> ArchiveError {
    ArchiveError::Content {
        name: format!("blobs/sha256/{}", descriptor.digest.hex()),
        expected: descriptor.digest,
        expected_size: descriptor.size,
        found,
        found_size,
    }
}

//! Writing an archive, in one pass and without holding a layer in memory.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read, Write};

use serde::Serialize;

use super::docker::{DockerImage, full_name};
use super::{ArchiveError, ArchiveForm, PackedImage, PackedLayer};
use crate::digest::{Digest, HashingWriter};
use crate::layer::{directory_header, file_header, padding};
use crate::medium::REF_NAME;
use crate::oci::{Descriptor, Index, LAYOUT_FILE, LayoutHeader, media_type};
use crate::process::Interrupt;

/// Where containerd, and docker with containerd's store, look for an image's full name.
const CONTAINERD_NAME: &str = "io.containerd.image.name";
/// Two blocks of zeros (POSIX pax, "ustar Interchange Format").
const END: [u8; 1024] = [0; 1024];
const CHUNK: usize = 256 * 1024;

/// What an entry holds.
enum Content<'a> {
    Directory,
    Bytes(Vec<u8>),
    /// A layer as it is stored.
    Blob(&'a PackedLayer),
    /// The tar that a layer is made of.
    Tar(&'a PackedLayer),
}

/// Writes `images` as one archive, what they share once. The same images give the same bytes; those of
/// docker's form do not even depend on how layers are compressed.
///
/// # Errors
/// [`ArchiveError`] when a layer is not what its digest says, `output` takes no more, or `interrupt` was
/// raised.
pub fn pack(
    images: &[PackedImage<'_>],
    form: ArchiveForm,
    interrupt: &Interrupt,
    output: &mut impl Write,
) -> Result<(), ArchiveError> {
    let entries = match form {
        ArchiveForm::Layout => layout(images),
        ArchiveForm::Docker => docker(images),
    }
    .map_err(io::Error::other)?;
    let mut packer = Packer {
        output,
        interrupt,
        buffer: vec![0; CHUNK],
    };
    for (name, content) in &entries {
        packer.entry(name, content)?;
    }
    packer.put(&END)?;
    packer.output.flush().map_err(ArchiveError::Output)
}

type Entries<'a> = BTreeMap<String, Content<'a>>;

fn layout<'a>(images: &'a [PackedImage<'a>]) -> Result<Entries<'a>, serde_json::Error> {
    let mut entries = Entries::new();
    entries.insert("blobs/".to_owned(), Content::Directory);
    entries.insert("blobs/sha256/".to_owned(), Content::Directory);
    for image in images {
        for document in [image.config, image.manifest] {
            let bytes = document.bytes().to_owned();
            entries.insert(blob_name(&document.digest()), Content::Bytes(bytes));
        }
        for layer in image.layers {
            entries.insert(blob_name(&layer.blob.digest), Content::Blob(layer));
        }
    }
    let index = Index::new(images.iter().flat_map(named).collect());
    let list = docker_list(images, blob_name, |layer| blob_name(&layer.blob.digest));
    entries.insert("index.json".to_owned(), json(&index)?);
    entries.insert("manifest.json".to_owned(), json(&list)?);
    entries.insert(LAYOUT_FILE.to_owned(), json(&LayoutHeader::default())?);
    Ok(entries)
}

fn docker<'a>(images: &'a [PackedImage<'a>]) -> Result<Entries<'a>, serde_json::Error> {
    let config_name = |digest: &Digest| format!("{}.json", digest.hex());
    let tar_name = |layer: &PackedLayer| format!("{}.tar", layer.diff_id.hex());
    let mut entries = Entries::new();
    for image in images {
        let config = image.config;
        let bytes = Content::Bytes(config.bytes().to_owned());
        entries.insert(config_name(&config.digest()), bytes);
        for layer in image.layers {
            entries.insert(tar_name(layer), Content::Tar(layer));
        }
    }
    let list = docker_list(images, config_name, tar_name);
    entries.insert("manifest.json".to_owned(), json(&list)?);
    Ok(entries)
}

/// One descriptor for each name of an image.
fn named<'a>(image: &'a PackedImage<'a>) -> impl Iterator<Item = Descriptor> + 'a {
    image.names.iter().map(|name| {
        let mut descriptor = image.manifest.descriptor().clone();
        descriptor.platform = Some(image.platform.clone());
        let annotations = &mut descriptor.annotations;
        annotations.insert(REF_NAME.to_owned(), name.clone());
        annotations.insert(CONTAINERD_NAME.to_owned(), full_name(name));
        descriptor
    })
}

fn docker_list(
    images: &[PackedImage<'_>],
    config_name: impl Fn(&Digest) -> String,
    layer_name: impl Fn(&PackedLayer) -> String,
) -> Vec<DockerImage> {
    let images = images.iter().map(|image| DockerImage {
        config: config_name(&image.config.digest()),
        repo_tags: Some(image.names.clone()),
        layers: Some(image.layers.iter().map(&layer_name).collect()),
    });
    images.collect()
}

fn blob_name(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

fn json(value: &impl Serialize) -> Result<Content<'static>, serde_json::Error> {
    serde_json::to_vec(value).map(Content::Bytes)
}

struct Packer<'a, W> {
    output: &'a mut W,
    interrupt: &'a Interrupt,
    buffer: Vec<u8>,
}

impl<W: Write> Packer<'_, W> {
    fn entry(&mut self, name: &str, content: &Content<'_>) -> Result<(), ArchiveError> {
        match content {
            Content::Directory => self.put(&directory_header(name)),
            Content::Bytes(bytes) => {
                let size = bytes.len() as u64;
                self.put(&file_header(name, size))?;
                self.put(bytes)?;
                self.put(&END[..padding(size)])
            }
            Content::Blob(layer) => {
                let mut file = fs_err::File::open(&layer.file)?;
                let (digest, size) = (layer.blob.digest, layer.blob.size);
                self.stream(name, layer, &mut file, (digest, size))
            }
            Content::Tar(layer) => {
                let mut tar = decompressed(layer)?;
                self.stream(name, layer, &mut tar, (layer.diff_id, layer.tar_size))
            }
        }
    }

    /// Copies what must be exactly of this digest and size.
    fn stream(
        &mut self,
        name: &str,
        layer: &PackedLayer,
        source: &mut dyn Read,
        (expected, expected_size): (Digest, u64),
    ) -> Result<(), ArchiveError> {
        self.put(&file_header(name, expected_size))?;
        // One byte more than there may be shows that there are more.
        let mut source = source.take(expected_size.saturating_add(1));
        let mut seen = HashingWriter::new(&mut *self.output);
        loop {
            if self.interrupt.received().is_some() {
                return Err(ArchiveError::Interrupted);
            }
            let read = source.read(&mut self.buffer)?;
            if read == 0 {
                break;
            }
            let written = seen.write_all(&self.buffer[..read]);
            written.map_err(ArchiveError::Output)?;
        }
        let (_, found, found_size) = seen.finish();
        if (found, found_size) != (expected, expected_size) {
            return Err(ArchiveError::Content {
                name: layer.file.display().to_string(),
                expected,
                expected_size,
                found,
                found_size,
            });
        }
        self.put(&END[..padding(found_size)])
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        let written = self.output.write_all(bytes);
        written.map_err(ArchiveError::Output)
    }
}

/// The tar that a layer is made of.
fn decompressed(layer: &PackedLayer) -> io::Result<Box<dyn Read>> {
    let file = BufReader::with_capacity(CHUNK, fs_err::File::open(&layer.file)?);
    Ok(match layer.blob.media_type.as_str() {
        media_type::LAYER_GZIP => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
        media_type::LAYER_ZSTD => Box::new(zstd::stream::read::Decoder::with_buffer(file)?),
        _ => Box::new(file),
    })
}

//! Archives as they should be, and as nobody means well who writes them.

mod foreign;
mod packing;

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use proptest::prelude::*;
use tar::{EntryType, Header};

use super::*;
use crate::digest::Digest;
use crate::hint::Hint as _;
use crate::layer::{file_header, padding};
use crate::oci::{Descriptor, Document, ImageConfig, Manifest, Platform, RootFs, media_type};
use crate::process::{Interrupt, Signal};

/// An image of two layers, of which the first is gzip and the second zstd.
struct Sample {
    directory: tempfile::TempDir,
    platform: Platform,
    config: Document,
    manifest: Document,
    layers: Vec<PackedLayer>,
}

impl Sample {
    fn new() -> Self {
        Self::of(&[b"a tar that is shared", b"another tar"])
    }

    fn of(tars: &[&[u8]]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let layers: Vec<PackedLayer> = (tars.iter().enumerate())
            .map(|(index, tar)| layer(directory.path(), index, tar))
            .collect();
        let config = ImageConfig {
            created: None,
            architecture: "amd64".to_owned(),
            variant: None,
            os: "linux".to_owned(),
            config: crate::oci::Execution::default(),
            rootfs: RootFs {
                kind: "layers".to_owned(),
                diff_ids: layers.iter().map(|layer| layer.diff_id).collect(),
            },
            history: Vec::new(),
        };
        let config = Document::new(media_type::CONFIG, &config).expect("serializable");
        let manifest = Manifest::new(
            config.descriptor().clone(),
            layers.iter().map(|layer| layer.blob.clone()).collect(),
            BTreeMap::new(),
        );
        Self {
            directory,
            platform: Platform::linux("amd64"),
            manifest: Document::new(media_type::MANIFEST, &manifest).expect("serializable"),
            config,
            layers,
        }
    }

    fn named(&self, names: &[&str]) -> PackedImage<'_> {
        PackedImage {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            platform: &self.platform,
            config: &self.config,
            manifest: &self.manifest,
            layers: &self.layers,
        }
    }

    fn packed(&self, form: ArchiveForm) -> Vec<u8> {
        packed(&[self.named(&["orders:1", "orders:latest"])], form)
    }
}

fn layer(directory: &Path, index: usize, tar: &[u8]) -> PackedLayer {
    let (kind, bytes) = if index.is_multiple_of(2) {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(tar).expect("in memory");
        (media_type::LAYER_GZIP, gzip.finish().expect("in memory"))
    } else {
        let bytes = zstd::encode_all(tar, 3).expect("in memory");
        (media_type::LAYER_ZSTD, bytes)
    };
    let file = directory.join(format!("layer-{index}"));
    fs_err::write(&file, &bytes).expect("written");
    PackedLayer {
        blob: Descriptor::new(kind, Digest::of(&bytes), bytes.len() as u64),
        diff_id: Digest::of(tar),
        tar_size: tar.len() as u64,
        file,
    }
}

fn packed(images: &[PackedImage<'_>], form: ArchiveForm) -> Vec<u8> {
    let mut bytes = Vec::new();
    pack(images, form, &Interrupt::new(), &mut bytes).expect("packed");
    bytes
}

/// A file with these bytes, and what keeps it.
fn file(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("images.tar");
    fs_err::write(&path, bytes).expect("written");
    (directory, path)
}

fn open(bytes: &[u8]) -> Result<ArchiveReader, ArchiveError> {
    let (_keep, path) = file(bytes);
    ArchiveReader::open(&path, None)
}

/// Reads everything that an archive says it has.
fn read_all(reader: &ArchiveReader) -> Result<(), ArchiveError> {
    for name in reader.names() {
        let manifest: Manifest = reader.read_json(&reader.resolve(Some(&name))?)?;
        reader.read_json::<ImageConfig>(&manifest.config)?;
        for layer in &manifest.layers {
            std::io::copy(&mut reader.open_blob(layer)?, &mut std::io::sink())?;
        }
    }
    Ok(())
}

fn names_in(bytes: &[u8]) -> Vec<String> {
    let mut archive = tar::Archive::new(bytes);
    let entries = archive.entries().expect("a tar");
    let name = |entry: std::io::Result<tar::Entry<'_, _>>| {
        String::from_utf8_lossy(&entry.expect("an entry").path_bytes()).into_owned()
    };
    entries.map(name).collect()
}

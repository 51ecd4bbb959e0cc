//! Layouts with one image, made right and then changed.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use proptest::prelude::ProptestConfig;
use serde_json::Value;
use tar::{EntryType, Header};
use tempfile::TempDir;

use crate::digest::Digest;
use crate::image::{LayerEntry, Problem, Settings, assemble, check_layout, rfc3339};
use crate::medium::{LayoutReader, LayoutWriter};
use crate::oci::{Descriptor, Platform, media_type};

pub(super) const NAME: &str = "orders:latest";

/// One entry of a tar, with the header to change.
pub(super) fn entry(path: &str, kind: EntryType) -> Header {
    let mut header = Header::new_ustar();
    header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(0o755);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(0);
    header
}

pub(super) fn directory(path: &str) -> Header {
    entry(path, EntryType::Directory)
}

pub(super) fn file(path: &str) -> Header {
    entry(path, EntryType::Regular)
}

/// A tar of the headers, each with its checksum, and no content.
pub(super) fn tar_of(headers: &[Header]) -> Vec<u8> {
    let mut tar = Vec::new();
    for header in headers {
        let mut header = header.clone();
        header.set_cksum();
        tar.extend_from_slice(header.as_bytes());
    }
    tar.extend([0; 1024]);
    tar
}

pub(super) fn good_tar() -> Vec<u8> {
    tar_of(&[directory("app/"), file("app/orders"), directory("tmp")])
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("compressed");
    encoder.finish().expect("compressed")
}

/// An image, and how its parts are to be changed before they are stored under their right digests.
pub(super) struct Fixture {
    pub(super) media_type: &'static str,
    pub(super) blob: Vec<u8>,
    pub(super) tar: Vec<u8>,
    pub(super) config: fn(&mut Value),
    pub(super) manifest: fn(&mut Value),
    pub(super) descriptor: fn(&mut Descriptor),
}

impl Default for Fixture {
    fn default() -> Self {
        Self::of_tar(good_tar())
    }
}

impl Fixture {
    /// An image of one gzip-compressed layer.
    pub(super) fn of_tar(tar: Vec<u8>) -> Self {
        Self {
            media_type: media_type::LAYER_GZIP,
            blob: gzip(&tar),
            tar,
            config: |_| {},
            manifest: |_| {},
            descriptor: |_| {},
        }
    }

    pub(super) fn write(self) -> Layout {
        let keep = tempfile::tempdir().expect("a temporary directory");
        let path = keep.path().join("layout");
        let writer = LayoutWriter::open(&path).expect("opened");
        let layer = put(&writer, self.media_type, &self.blob);
        let settings = settings();
        let entry = LayerEntry {
            descriptor: layer.clone(),
            diff_id: Digest::of(&self.tar),
            purpose: "app".to_owned(),
        };
        let image = assemble(&settings, &[entry]).expect("an image");
        let config = edited(image.config.bytes(), self.config);
        let config = put(&writer, media_type::CONFIG, &config);
        let manifest = edited(image.manifest.bytes(), |value| {
            value["config"]["digest"] = config.digest.to_string().into();
            value["config"]["size"] = config.size.into();
            (self.manifest)(value);
        });
        let mut manifest = put(&writer, media_type::MANIFEST, &manifest);
        manifest.platform = Some(settings.platform);
        (self.descriptor)(&mut manifest);
        writer
            .tag(&[(NAME.to_owned(), manifest.clone())])
            .expect("tagged");
        Layout {
            _keep: keep,
            path,
            config,
            manifest,
            layer,
        }
    }

    pub(super) fn problems(self) -> Vec<Problem> {
        self.write().problems()
    }
}

pub(super) fn settings() -> Settings {
    Settings {
        platform: Platform::linux("amd64"),
        created: rfc3339(0).expect("in range"),
        user: "65532:65532".to_owned(),
        workdir: "/".to_owned(),
        entrypoint: vec!["/app/orders".to_owned()],
        args: Vec::new(),
        env: Vec::new(),
        ports: [].into(),
        volumes: [].into(),
        stop_signal: None,
        healthcheck: None,
        labels: [].into(),
        annotations: [].into(),
    }
}

pub(super) fn put(writer: &LayoutWriter, media_type: &str, bytes: &[u8]) -> Descriptor {
    let descriptor = Descriptor::new(media_type, Digest::of(bytes), bytes.len() as u64);
    writer.put_blob_bytes(&descriptor, bytes).expect("stored");
    descriptor
}

fn edited(bytes: &[u8], edit: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut value = serde_json::from_slice(bytes).expect("JSON");
    edit(&mut value);
    serde_json::to_vec(&value).expect("serializable")
}

/// A layout on the disk.
pub(super) struct Layout {
    _keep: TempDir,
    pub(super) path: PathBuf,
    pub(super) config: Descriptor,
    pub(super) manifest: Descriptor,
    pub(super) layer: Descriptor,
}

impl Layout {
    pub(super) fn problems(&self) -> Vec<Problem> {
        check_layout(&self.path).expect("checked")
    }

    pub(super) fn blob(&self, descriptor: &Descriptor) -> PathBuf {
        let reader = LayoutReader::open(&self.path).expect("a layout");
        reader.blob_path(&descriptor.digest)
    }

    /// Changes a file by its text.
    pub(super) fn replace(&self, name: impl AsRef<Path>, from: &str, to: &str) {
        let path = self.path.join(name);
        let text = fs_err::read_to_string(&path).expect("text");
        assert!(text.contains(from), "{text}");
        fs_err::write(&path, text.replace(from, to)).expect("written");
    }
}

/// A few, since each writes a layout, unless the environment says how many.
pub(super) fn cases() -> ProptestConfig {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default(),
        None => ProptestConfig::with_cases(32),
    }
}

//! Images made by hand, right in everything but what a test changes.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use cargo_lighter::digest::Digest;
use cargo_lighter::medium::REF_NAME;
use cargo_lighter::oci::media_type;
use serde_json::{Value, json};
use tar::{EntryType, Header};
use tempfile::TempDir;

/// One entry of a layer.
#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) path: String,
    pub(super) kind: EntryType,
    pub(super) mode: u32,
    pub(super) owner: (u64, u64),
    pub(super) content: Vec<u8>,
    /// Where a link leads.
    pub(super) target: String,
}

/// A regular file.
pub(super) fn file(path: &str, content: &str) -> File {
    File {
        path: path.to_owned(),
        kind: EntryType::Regular,
        mode: 0o644,
        owner: (0, 0),
        content: content.as_bytes().to_vec(),
        target: String::new(),
    }
}

/// A directory.
pub(super) fn directory(path: &str) -> File {
    File {
        kind: EntryType::Directory,
        mode: 0o755,
        ..file(path, "")
    }
}

/// A symbolic link.
pub(super) fn link(path: &str, target: &str) -> File {
    File {
        kind: EntryType::Symlink,
        mode: 0o777,
        target: target.to_owned(),
        ..file(path, "")
    }
}

/// A tar of files.
pub(super) fn tar_of(files: &[File]) -> Vec<u8> {
    let mut tar = Vec::new();
    for file in files {
        tar.extend(entry(file));
    }
    tar.extend([0; 1024]);
    tar
}

/// One entry with its content.
fn entry(file: &File) -> Vec<u8> {
    let mut header = header(file);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend(&file.content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

/// An entry's header, without its checksum.
pub(super) fn header(file: &File) -> Header {
    let mut header = Header::new_ustar();
    let path = file.path.as_bytes();
    header.as_old_mut().name[..path.len()].copy_from_slice(path);
    let target = file.target.as_bytes();
    header.as_old_mut().linkname[..target.len()].copy_from_slice(target);
    header.set_entry_type(file.kind);
    header.set_mode(file.mode);
    header.set_uid(file.owner.0);
    header.set_gid(file.owner.1);
    header.set_mtime(0);
    header.set_size(file.content.len() as u64);
    header
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("compressed");
    encoder.finish().expect("compressed")
}

/// A layer to be.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    pub(super) media_type: &'static str,
    pub(super) blob: Vec<u8>,
    /// What the configuration says of it.
    pub(super) tar: Vec<u8>,
}

impl Layer {
    /// One in gzip.
    pub(super) fn of(files: &[File]) -> Self {
        Self::of_tar(tar_of(files))
    }

    pub(super) fn of_tar(tar: Vec<u8>) -> Self {
        Self {
            media_type: media_type::LAYER_GZIP,
            blob: gzip(&tar),
            tar,
        }
    }
}

/// How a document is changed before it is stored.
type Edit = fn(&mut Value);

/// An image to be.
#[derive(Clone)]
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) layers: Vec<Layer>,
    /// What a runtime does with it.
    pub(super) execution: Value,
    pub(super) header: Value,
    pub(super) config: Edit,
    pub(super) manifest: Edit,
    pub(super) index: Edit,
    /// Values that are set last: in which document, at which JSON pointer. `None` removes what is there.
    pub(super) set: Option<(Part, &'static str, Option<Value>)>,
}

/// A document of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Config,
    Manifest,
    Index,
}

impl Default for Draft {
    fn default() -> Self {
        let files = [
            directory("app/"),
            file("app/orders", "#!"),
            directory("tmp/"),
        ];
        Self {
            name: "orders:latest".to_owned(),
            layers: vec![Layer::of(&files)],
            execution: json!({
                "User": "65532:65532",
                "Entrypoint": ["/app/orders"],
                "Env": ["PATH=/app"],
                "WorkingDir": "/",
            }),
            header: json!({ "imageLayoutVersion": "1.0.0" }),
            config: |_| {},
            manifest: |_| {},
            index: |_| {},
            set: None,
        }
    }
}

/// An image on disk.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) config: Digest,
    pub(super) layers: Vec<Digest>,
    pub(super) manifest: Digest,
}

impl Draft {
    /// Adds the image to the layout in `directory`, which is made if it is not there.
    pub(super) fn write(&self, directory: &Path) -> Written {
        let blobs = directory.join("blobs/sha256");
        fs_err::create_dir_all(&blobs).expect("made");
        let put = |media_type: &str, bytes: &[u8]| {
            let digest = Digest::of(bytes);
            fs_err::write(blobs.join(digest.hex()), bytes).expect("written");
            json!({ "mediaType": media_type, "digest": digest, "size": bytes.len() })
        };
        let layers: Vec<Value> = self
            .layers
            .iter()
            .map(|layer| put(layer.media_type, &layer.blob))
            .collect();
        let diff_ids: Vec<Digest> = self
            .layers
            .iter()
            .map(|layer| Digest::of(&layer.tar))
            .collect();
        let history: Vec<Value> = (1..=self.layers.len())
            .map(|number| json!({ "created_by": "a test", "comment": format!("part {number}") }))
            .collect();
        let mut config = json!({
            "architecture": "amd64",
            "os": "linux",
            "config": self.execution,
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
            "history": history,
        });
        (self.config)(&mut config);
        self.set(Part::Config, &mut config);
        let config = put(media_type::CONFIG, config.to_string().as_bytes());
        let mut manifest = json!({
            "schemaVersion": 2,
            "mediaType": media_type::MANIFEST,
            "config": config,
            "layers": layers,
        });
        (self.manifest)(&mut manifest);
        self.set(Part::Manifest, &mut manifest);
        let manifest = put(media_type::MANIFEST, manifest.to_string().as_bytes());
        self.add(directory, &manifest);
        let header = self.header.to_string();
        fs_err::write(directory.join("oci-layout"), header).expect("written");
        let digest = |value: &Value| {
            let text = value["digest"].as_str().expect("text");
            text.parse().expect("a digest")
        };
        Written {
            config: digest(&config),
            layers: layers.iter().map(digest).collect(),
            manifest: digest(&manifest),
        }
    }

    fn set(&self, part: Part, document: &mut Value) {
        let Some((_, pointer, value)) = self.set.as_ref().filter(|(at, ..)| *at == part) else {
            return;
        };
        let (parent, field) = pointer.rsplit_once('/').expect("a pointer");
        let parent = document.pointer_mut(parent).expect("what the field is in");
        match (parent, value) {
            (Value::Array(list), Some(value)) => {
                list[field.parse::<usize>().expect("a number")] = value.clone();
            }
            (Value::Object(object), Some(value)) => {
                object.insert(field.to_owned(), value.clone());
            }
            (Value::Object(object), None) => {
                object.remove(field).expect("there");
            }
            (other, _) => panic!("{other}"),
        }
    }

    fn add(&self, directory: &Path, manifest: &Value) {
        let path = directory.join("index.json");
        let mut index = match fs_err::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).expect("JSON"),
            Err(_) => json!({ "schemaVersion": 2, "manifests": [] }),
        };
        let mut entry = manifest.clone();
        entry["platform"] = json!({ "architecture": "amd64", "os": "linux" });
        entry["annotations"] = json!({ REF_NAME: self.name });
        index["manifests"]
            .as_array_mut()
            .expect("a list")
            .push(entry);
        (self.index)(&mut index);
        self.set(Part::Index, &mut index);
        fs_err::write(path, index.to_string()).expect("written");
    }
}

/// A directory with the layout `layout` of one image.
pub(super) struct Laid {
    pub(super) directory: TempDir,
    pub(super) written: Written,
}

impl Laid {
    pub(super) fn of(draft: &Draft) -> Self {
        let directory = TempDir::new().expect("a directory");
        let written = draft.write(&directory.path().join("layout"));
        Self { directory, written }
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(super) fn blob(&self, digest: &Digest) -> PathBuf {
        self.path().join("layout/blobs/sha256").join(digest.hex())
    }

    /// The layout in a tar, as `oci-archive:` has it.
    pub(super) fn archive(&self, name: &str) -> PathBuf {
        let path = self.path().join(name);
        let layout = self.path().join("layout");
        let mut tar = tar::Builder::new(fs_err::File::create(&path).expect("made"));
        tar.append_dir_all(".", layout).expect("written");
        tar.finish().expect("written");
        path
    }
}

/// A tar of files by their names.
pub(super) fn write_tar(path: &Path, files: &[(&str, &[u8])]) {
    let files: Vec<File> = files
        .iter()
        .map(|(name, content)| File {
            content: content.to_vec(),
            ..file(name, "")
        })
        .collect();
    fs_err::write(path, tar_of(&files)).expect("written");
}

/// The image in a tar as `docker save` writes it.
pub(super) fn docker_archive(draft: &Draft, path: &Path) {
    let diff_ids: Vec<Digest> = draft
        .layers
        .iter()
        .map(|layer| Digest::of(&layer.tar))
        .collect();
    let mut config = json!({
        "architecture": "amd64",
        "os": "linux",
        "config": draft.execution,
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
        "history": [{ "created_by": "/bin/sh -c #(nop) COPY file:1 in /app " }],
    });
    (draft.config)(&mut config);
    let config = config.to_string();
    let names: Vec<String> = (0..draft.layers.len())
        .map(|number| format!("{number}/layer.tar"))
        .collect();
    let list = json!([{ "Config": "config.json", "RepoTags": [draft.name], "Layers": names }]);
    let list = list.to_string();
    let mut files: Vec<(&str, &[u8])> = names
        .iter()
        .zip(&draft.layers)
        .map(|(name, layer)| (name.as_str(), layer.tar.as_slice()))
        .collect();
    files.push(("config.json", config.as_bytes()));
    files.push(("manifest.json", list.as_bytes()));
    write_tar(path, &files);
}

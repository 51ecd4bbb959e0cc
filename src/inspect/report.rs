//! What an image is made of, as data.

use std::collections::BTreeSet;

use serde::Serialize;

use super::InspectError;
use super::config::{Document, Execution};
use super::files::FileSystem;
use super::layer::{EntryKind, LayerContents, Layers, OddName};
use super::libraries::{Library, Package, Packages, shown};
use crate::digest::Digest;
use crate::oci::{Kind, classify, may_not_be_handed_on};
use crate::process::Interrupt;
use crate::report::printable;
use crate::source::{Descriptor, ImageSource, SourceError, other_algorithm};

/// All about one image.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// How it is called.
    pub reference: String,
    /// The digest of its manifest, or of the index that has it for several platforms; nothing for images
    /// of Docker archives, which have no manifest.
    pub digest: Option<Digest>,
    /// The digest of the manifest for the platform, where an index was asked for.
    pub manifest: Option<Digest>,
    /// The digest of its configuration, by which docker and podman know it.
    pub image_id: Digest,
    /// The manifest's media type.
    pub media_type: String,
    /// What it runs on.
    pub platform: String,
    /// The version of the system that it needs, where that is told.
    pub os_version: Option<String>,
    /// What the system must be able to, sorted.
    pub os_features: Vec<String>,
    /// All platforms of the index, if there is one.
    pub platforms: Vec<String>,
    /// When it was made, as it says.
    pub created: Option<String>,
    /// Bytes as stored and sent: layers and configuration.
    pub compressed: u64,
    /// Bytes of all layers, unpacked.
    pub unpacked: u64,
    /// Files, directories and links that a container sees.
    pub files: usize,
    /// How it runs.
    pub config: Execution,
    /// Lowest first.
    pub layers: Vec<LayerReport>,
    /// Shared libraries that a container sees.
    pub libraries: Vec<Library>,
    /// Packages that records in the image speak of.
    pub packages: Vec<Package>,
}

/// One layer.
#[derive(Debug, Clone, Serialize)]
pub struct LayerReport {
    /// The digest of the blob.
    pub digest: Digest,
    /// The digest of its tar.
    pub diff_id: Digest,
    /// Its media type.
    pub media_type: String,
    /// Bytes as stored and sent.
    pub compressed: u64,
    /// Bytes of the tar.
    pub unpacked: u64,
    /// Entries of the tar.
    pub entries: usize,
    /// What is in it, or the command that made it, as far as the image says.
    pub made_by: String,
    /// Its largest files.
    pub biggest: Vec<BigFile>,
    /// Other images that have it, too.
    pub shared_with: Vec<String>,
}

/// A file of a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BigFile {
    /// Its path, absolute.
    pub path: String,
    /// Bytes.
    pub size: u64,
}

/// An image that was looked into.
#[derive(Debug)]
pub struct Inspected {
    /// What it is made of.
    pub report: Report,
    /// What is odd about it, and no error.
    pub warnings: Vec<String>,
    pub(super) files: FileSystem,
    /// What its name led to.
    root: Digest,
}

/// Looks into images; layers that they share are read once.
#[derive(Debug)]
pub struct Inspector<'a> {
    layers: Layers,
    interrupt: &'a Interrupt,
    biggest: usize,
}

impl<'a> Inspector<'a> {
    /// Tells of each layer the `biggest` files, and stops soon after `interrupt` is raised.
    pub fn new(interrupt: &'a Interrupt, biggest: usize) -> Self {
        Self {
            layers: Layers::default(),
            interrupt,
            biggest,
        }
    }

    /// Reads all of an image.
    ///
    /// # Errors
    /// [`InspectError`] when a part of it is missing, or not what it should be.
    pub fn inspect(&mut self, source: &ImageSource) -> Result<Inspected, InspectError> {
        let manifest = &source.manifest;
        if !matches!(
            classify(&manifest.config.media_type),
            Some((_, Kind::Config))
        ) {
            return Err(InspectError::Artifact {
                image: source.reference.clone(),
                media_type: printable(&manifest.config.media_type),
            });
        }
        let mut document = read_config(source)?;
        let diff_ids = document.diff_ids().to_vec();
        let makers = document.makers(manifest.layers.len());
        let mut files = FileSystem::default();
        let mut layers = Vec::new();
        let notes = source.place.notes();
        let notes = notes
            .violations(Some(source.root.digest))
            .chain(notes.warnings());
        let mut warnings: Vec<String> = notes.map(str::to_owned).collect();
        for (position, layer) in manifest.layers.iter().enumerate() {
            let broken = |why: &str| InspectError::Layer {
                image: source.reference.clone(),
                layer: layer.digest,
                why: printable(why),
            };
            let contents = self.read_layer(source, layer)?;
            if diff_ids.get(position) != Some(&contents.diff_id) {
                return Err(broken(
                    "the configuration says something else of its content",
                ));
            }
            files.apply(&contents).map_err(|why| InspectError::Stack {
                image: source.reference.clone(),
                layer: layer.digest,
                why: printable(&why),
            })?;
            warnings.extend(warnings_of(&layer.digest, &contents));
            layers.push(self.describe(layer, &contents, &makers[position]));
        }
        let packages = Packages::of(&files);
        let is_index = source.root.digest != source.descriptor.digest;
        let platforms = source.platforms.iter();
        let report = Report {
            reference: source.reference.clone(),
            digest: source.has_digest.then_some(source.root.digest),
            manifest: is_index.then_some(source.descriptor.digest),
            image_id: manifest.config.digest,
            media_type: printable(&source.descriptor.media_type),
            platform: printable(&document.platform().to_string()),
            os_version: document.os_version().as_deref().map(printable),
            os_features: document
                .os_features()
                .iter()
                .map(|feature| printable(feature))
                .collect(),
            platforms: platforms
                .map(|platform| printable(&platform.to_string()))
                .collect(),
            created: document.created.as_deref().map(printable),
            compressed: manifest.config.size
                + layers.iter().map(|layer| layer.compressed).sum::<u64>(),
            unpacked: layers.iter().map(|layer| layer.unpacked).sum(),
            files: files.iter().count(),
            config: document.execution(),
            layers,
            libraries: packages.libraries(&files),
            packages: packages.list(),
        };
        Ok(Inspected {
            report,
            warnings,
            files,
            root: source.root.digest,
        })
    }

    fn read_layer(
        &mut self,
        source: &ImageSource,
        layer: &Descriptor,
    ) -> Result<std::rc::Rc<LayerContents>, InspectError> {
        let strict = layer.strict();
        let elsewhere = || InspectError::Elsewhere {
            image: source.reference.clone(),
            layer: layer.digest,
            url: printable(
                layer
                    .urls
                    .iter()
                    .flatten()
                    .next()
                    .map_or("", String::as_str),
            ),
        };
        let may_be_elsewhere = may_not_be_handed_on(&layer.media_type)
            && layer.urls.as_ref().is_some_and(|urls| !urls.is_empty());
        let path = match source.place.blob(&strict) {
            Err(SourceError::Lost(_)) if may_be_elsewhere => {
                return Err(elsewhere());
            }
            other => other?,
        };
        if may_be_elsewhere && !fs_err::exists(&path)? {
            return Err(elsewhere());
        }
        let contents = self.layers.read(&path, &strict, self.interrupt);
        if self.interrupt.received().is_some() {
            return Err(InspectError::Interrupted);
        }
        contents.map_err(|error| InspectError::Layer {
            image: source.reference.clone(),
            layer: layer.digest,
            why: printable(&error.to_string()),
        })
    }

    fn describe(&self, layer: &Descriptor, contents: &LayerContents, maker: &str) -> LayerReport {
        let mut sizes: Vec<(u64, &[u8])> = contents
            .entries
            .iter()
            .filter_map(|entry| match &entry.kind {
                EntryKind::File(file) if file.size > 0 => Some((file.size, entry.path.as_slice())),
                _ => None,
            })
            .collect();
        sizes.sort_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(other.1)));
        let biggest = sizes.iter().take(self.biggest);
        LayerReport {
            digest: layer.digest,
            diff_id: contents.diff_id,
            media_type: printable(&layer.media_type),
            compressed: layer.size,
            unpacked: contents.unpacked,
            entries: contents.entries.len(),
            made_by: printable(maker),
            biggest: biggest
                .map(|(size, path)| BigFile {
                    path: shown(path),
                    size: *size,
                })
                .collect(),
            shared_with: Vec::new(),
        }
    }
}

/// What there is to say of a layer that is read otherwise than a runtime unpacks it.
fn warnings_of(layer: &Digest, contents: &LayerContents) -> impl Iterator<Item = String> {
    let odd = contents.odd.as_ref().map(|odd| warning(layer, odd));
    let sparse = contents.sparse.as_ref().map(|path| {
        let path = shown(path);
        format!(
            "layer {layer} has sparse files, such as `{path}`: a runtime fills in their holes, and what is told \
             and compared here is how they are stored"
        )
    });
    let unread = contents.unread.as_ref().map(|path| {
        let path = shown(path);
        format!(
            "layer {layer} has records of files that cannot be read, such as of `{path}`: extended attributes of \
             these files are not compared"
        )
    });
    odd.into_iter().chain(sparse).chain(unread)
}

fn warning(layer: &Digest, odd: &OddName) -> String {
    let text = |bytes: &[u8]| printable(&String::from_utf8_lossy(bytes));
    let taken = match odd.path.as_slice() {
        b"" => "the root".to_owned(),
        path => format!("`{}`", text(path)),
    };
    let raw = text(&odd.raw);
    format!(
        "layer {layer} has entries whose names no image should have, such as `{raw}`: runtimes take it as \
         {taken}"
    )
}

fn read_config(source: &ImageSource) -> Result<Document, InspectError> {
    let bytes = source.place.document(&source.manifest.config.strict())?;
    serde_json::from_slice(&bytes).map_err(|error| match other_algorithm(&bytes) {
        Some(algorithm) => InspectError::Source(SourceError::OtherAlgorithm {
            at: format!("the configuration of `{}`", source.reference),
            algorithm,
        }),
        None => InspectError::Config {
            image: source.reference.clone(),
            why: printable(&error.to_string()),
        },
    })
}

/// Finds out which layers the images share with each other, and with their neighbours.
pub fn share(images: &mut [Inspected], sources: &[ImageSource]) {
    let known: Vec<(String, Digest, BTreeSet<Digest>)> = images
        .iter()
        .map(|image| {
            let layers = image.report.layers.iter().map(|layer| layer.digest);
            (image.report.reference.clone(), image.root, layers.collect())
        })
        .collect();
    for (image, source) in images.iter_mut().zip(sources) {
        let own = image.root;
        let names = short_names(source);
        for layer in &mut image.report.layers {
            let given = known.iter();
            let given = given.filter(|(name, root, layers)| {
                let in_place = source.neighbours.iter();
                // Those in the same place are told by their short names.
                *root != own
                    && layers.contains(&layer.digest)
                    && !in_place
                        .into_iter()
                        .any(|other| name.ends_with(&format!(":{}", other.name)))
            });
            let given = given.map(|(name, ..)| name.clone());
            let beside = source.neighbours.iter().zip(&names);
            let beside = beside.filter(|(other, _)| other.layers.contains(&layer.digest));
            let beside = beside.map(|(_, name)| name.clone());
            let all: BTreeSet<String> = given.chain(beside).collect();
            layer.shared_with = all.into_iter().collect();
        }
    }
}

/// Names of neighbours without their tags, where that is enough to tell them apart.
fn short_names(source: &ImageSource) -> Vec<String> {
    let short = |name: &str| match name.rsplit_once(':') {
        Some((short, tag)) if !tag.contains('/') && !short.is_empty() => short.to_owned(),
        _ => name.to_owned(),
    };
    let own = source
        .reference
        .rsplit_once(':')
        .map_or("", |(name, _)| name);
    let all: Vec<String> = source
        .neighbours
        .iter()
        .map(|other| short(&other.name))
        .collect();
    let is_unique = |name: &str| all.iter().filter(|other| *other == name).count() == 1;
    let names = source.neighbours.iter().zip(&all);
    names
        .map(|(other, short)| {
            if is_unique(short) && !own.ends_with(&format!(":{short}")) {
                short.clone()
            } else {
                other.name.clone()
            }
        })
        .collect()
}

//! Opening what a user calls an image.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tempfile::TempDir;

use super::documents::{Index, Manifest};
use super::place::Place;
use super::spec::{Engine, ImageSpec, StoredName};
use super::{SourceError, docker_archive, oci_archive};
use crate::digest::Digest;
use crate::medium::LayoutWriter;
use crate::oci::{Descriptor, Kind, Platform, classify};
use crate::process::{Environment, Interrupt, Program, ProgramError, temporary_directory};
use crate::reference::Repository;
use crate::registry::{ManifestReference, Options, Registry, RegistryError};
use crate::report::{Clock, printable};

/// What an engine may take to write an image.
const SAVE_LIMIT: Duration = Duration::from_hours(1);
/// Runtimes stack some hundred.
const MAX_LAYERS: usize = 1000;
/// Bytes of all layers of an image.
const MAX_IMAGE: u64 = 128 << 30;
/// Images of a layout whose layers are compared.
const MAX_NEIGHBOURS: usize = 1000;
const MAX_DEPTH: usize = 4;

/// Which image of an index.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The platform; without one, the only one, else Linux on this machine's processor.
    pub platform: Option<Platform>,
}

/// All images of a run: registries are asked by one client, and what is brought here goes with the value.
pub struct Sources {
    environment: Environment,
    clock: Clock,
    interrupt: Interrupt,
    options: Options,
    registry: Option<Arc<Registry>>,
    temporary: Option<Arc<TempDir>>,
    /// Layouts that were made, by what they were made of.
    made: BTreeMap<String, PathBuf>,
}

/// Where an image is, and which: found, and not yet read.
#[derive(Debug, Clone)]
pub struct ImageSource {
    /// How it is called, as its user may type it again.
    pub reference: String,
    /// The layout that it is read from.
    pub place: Place,
    /// What its name leads to: a manifest, or an index of several.
    pub root: Descriptor,
    /// The manifest for the platform.
    pub descriptor: Descriptor,
    /// That manifest.
    pub manifest: Manifest,
    /// The platforms of the index, if there is one.
    pub platforms: Vec<Platform>,
    /// Whether digests of manifests are the image's own; those of Docker archives are made here.
    pub has_digest: bool,
    /// Other images in the same place.
    pub neighbours: Vec<Neighbour>,
}

/// Another image in the same place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbour {
    /// Its name.
    pub name: String,
    /// Its layers.
    pub layers: Vec<Digest>,
}

impl Sources {
    /// Nothing is opened yet. Registries are dealt with as `options` say.
    pub fn new(
        environment: &Environment,
        clock: Clock,
        interrupt: &Interrupt,
        options: Options,
    ) -> Self {
        Self {
            environment: environment.clone(),
            clock,
            interrupt: interrupt.clone(),
            options,
            registry: None,
            temporary: None,
            made: BTreeMap::new(),
        }
    }

    /// Finds an image, and reads its manifest.
    ///
    /// # Errors
    /// [`SourceError`] when there is none, or none for the platform.
    pub fn open(&mut self, spec: &ImageSpec, wanted: &Wanted) -> Result<ImageSource, SourceError> {
        let place = self.place(spec)?;
        let (name, root) = self.root(spec, &place)?;
        let reference = match spec {
            ImageSpec::Registry { repository, .. } => format!("{repository}{name}"),
            _ => format!("{}{name}", spec.place()),
        };
        let mut chosen = Chosen {
            reference,
            place,
            platforms: Vec::new(),
        };
        let (descriptor, manifest) = chosen.choose(&root, wanted, 0)?;
        if manifest.layers.len() > MAX_LAYERS {
            return Err(SourceError::TooMuch {
                at: format!("image `{}`", chosen.reference),
                found: manifest.layers.len() as u64,
                unit: "layers",
                limit: MAX_LAYERS as u64,
            });
        }
        let bytes = manifest.layers.iter().map(|layer| layer.size);
        let bytes = bytes.fold(0, u64::saturating_add);
        if bytes > MAX_IMAGE {
            return Err(SourceError::TooMuch {
                at: format!("image `{}`", chosen.reference),
                found: bytes,
                unit: "bytes",
                limit: MAX_IMAGE,
            });
        }
        let neighbours = neighbours(&chosen.place, &root, descriptor.platform.as_ref());
        Ok(ImageSource {
            reference: chosen.reference,
            place: chosen.place,
            root,
            descriptor,
            manifest,
            platforms: chosen.platforms,
            has_digest: !matches!(
                spec,
                ImageSpec::DockerArchive { .. } | ImageSpec::Daemon { .. }
            ),
            neighbours,
        })
    }

    /// The layout that an image is read from; of a registry's image nothing is there yet.
    ///
    /// # Errors
    /// [`SourceError`] when there is no such place, or an archive cannot be read.
    pub fn place(&mut self, spec: &ImageSpec) -> Result<Place, SourceError> {
        match spec {
            ImageSpec::Registry { repository, .. } => {
                let (directory, keep) = self.room("registry")?;
                LayoutWriter::open(&directory)?;
                let registry = self.registry()?;
                let repository = repository.clone();
                Ok(Place::of_registry(directory, &keep, registry, repository))
            }
            ImageSpec::Layout { directory, .. } => {
                Ok(Place::standing(self.environment.resolve(directory)))
            }
            ImageSpec::OciArchive { file, .. } => {
                let interrupt = self.interrupt.clone();
                let file = self.environment.resolve(file);
                self.made(spec, |directory| {
                    oci_archive::unpack(&file, directory, &interrupt)
                })
            }
            ImageSpec::DockerArchive { file, .. } => {
                let interrupt = self.interrupt.clone();
                let file = self.environment.resolve(file);
                self.made(spec, |directory| {
                    docker_archive::convert(&file, directory, &interrupt)
                })
            }
            ImageSpec::Daemon { engine, name, .. } => {
                let (environment, interrupt) = (self.environment.clone(), self.interrupt.clone());
                self.made(spec, |directory| {
                    let file = directory.with_extension("tar");
                    save(*engine, name, &file, &environment, &interrupt)?;
                    docker_archive::convert(&file, directory, &interrupt)?;
                    Ok(fs_err::remove_file(&file)?)
                })
            }
        }
    }

    /// What a name leads to, and the name as it is shown behind its place.
    ///
    /// # Errors
    /// [`SourceError`] when it leads to nothing.
    pub fn root(
        &mut self,
        spec: &ImageSpec,
        place: &Place,
    ) -> Result<(String, Descriptor), SourceError> {
        match spec {
            ImageSpec::Registry {
                repository,
                reference,
            } => self.pull_root(repository, reference, place),
            ImageSpec::Layout { name, .. }
            | ImageSpec::OciArchive { name, .. }
            | ImageSpec::DockerArchive { name, .. } => find(spec, place, name),
            // The archive has this image alone.
            ImageSpec::Daemon { digest, .. } => {
                let only = StoredName {
                    name: None,
                    digest: *digest,
                };
                let (_, descriptor) = find(spec, place, &only)?;
                Ok((String::new(), descriptor))
            }
        }
    }

    fn pull_root(
        &mut self,
        repository: &Repository,
        reference: &ManifestReference,
        place: &Place,
    ) -> Result<(String, Descriptor), SourceError> {
        let pulled = self.registry()?.pull_manifest(repository, reference)?;
        let mut descriptor = pulled.descriptor;
        // The document's own word, where it has one: some registries say something general.
        let own: Option<Own> = serde_json::from_slice(&pulled.bytes).ok();
        if let Some(media_type) = own.and_then(|own| own.media_type) {
            descriptor.media_type = printable(&media_type);
        }
        let path = place.reader()?.blob_path(&descriptor.digest);
        fs_err::write(path, &pulled.bytes)?;
        let name = match reference {
            ManifestReference::Tag(tag) => format!(":{tag}"),
            ManifestReference::Digest(digest) => format!("@{digest}"),
        };
        Ok((name, descriptor))
    }

    fn registry(&mut self) -> Result<Arc<Registry>, SourceError> {
        if let Some(registry) = &self.registry {
            return Ok(Arc::clone(registry));
        }
        let registry = Registry::with(
            &self.environment,
            self.clock.clone(),
            &self.interrupt,
            self.options.clone(),
        );
        let registry = Arc::new(registry?);
        self.registry = Some(Arc::clone(&registry));
        Ok(registry)
    }

    /// What registries warned of since this was asked last.
    pub fn warnings(&self) -> Vec<String> {
        let registry = self.registry.as_ref();
        registry
            .map(|registry| registry.warnings())
            .unwrap_or_default()
    }

    /// A layout that is made once of what `spec` names.
    fn made(
        &mut self,
        spec: &ImageSpec,
        make: impl FnOnce(&Path) -> Result<(), SourceError>,
    ) -> Result<Place, SourceError> {
        let key = spec.place();
        let name = self.made.len().to_string();
        let (fresh, keep) = self.room(&name)?;
        if let Some(known) = self.made.get(&key) {
            return Ok(Place::temporary(known.clone(), &keep));
        }
        make(&fresh)?;
        self.made.insert(key, fresh.clone());
        Ok(Place::temporary(fresh, &keep))
    }

    /// A path in the temporary directory of the run.
    fn room(&mut self, name: &str) -> Result<(PathBuf, Arc<TempDir>), SourceError> {
        let keep = if let Some(keep) = &self.temporary {
            Arc::clone(keep)
        } else {
            let around = temporary_directory(&self.environment)?;
            let made = tempfile::Builder::new()
                .prefix("cargo-lighter-")
                .tempdir_in(around)?;
            Arc::clone(self.temporary.insert(Arc::new(made)))
        };
        Ok((keep.path().join(name), keep))
    }
}

/// What a document says of itself.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Own {
    media_type: Option<String>,
}

impl ImageSpec {
    /// The place without the image's name in it, as it can be typed again.
    pub fn place(&self) -> String {
        match self {
            Self::Registry { repository, .. } => repository.to_string(),
            Self::Layout { directory, .. } => format!("oci:{}", directory.display()),
            Self::OciArchive { file, .. } => format!("oci-archive:{}", file.display()),
            Self::DockerArchive { file, .. } => format!("docker-archive:{}", file.display()),
            Self::Daemon { engine, name, .. } => match engine {
                Engine::Docker => format!("docker-daemon:{name}"),
                Engine::Podman => format!("containers-storage:{name}"),
            },
        }
    }

    /// Whether all images of a place are meant, because none was named.
    pub fn is_whole_place(&self) -> bool {
        match self {
            Self::Layout { name, .. }
            | Self::OciArchive { name, .. }
            | Self::DockerArchive { name, .. } => *name == StoredName::default(),
            Self::Registry { .. } => false,
            Self::Daemon { .. } => true,
        }
    }
}

/// Finds an image of a layout.
fn find(
    spec: &ImageSpec,
    place: &Place,
    wanted: &StoredName,
) -> Result<(String, Descriptor), SourceError> {
    let reader = place.reader()?;
    let index = reader.index()?;
    let names = index.names();
    let known = || names.iter().map(|name| printable(name)).collect();
    let missing = |name: Option<&str>| SourceError::NoImage {
        place: spec.place(),
        name: name.map(printable),
        known: known(),
    };
    let Some(name) = &wanted.name else {
        if let Some(digest) = wanted.digest {
            let by_digest = named_images(place);
            let found = by_digest
                .into_iter()
                .find(|(_, found)| known_by(spec, place, found) == digest);
            let found = found.or_else(|| {
                let only = reader.resolve(None).ok()?;
                (known_by(spec, place, &only) == digest).then_some((String::new(), only))
            });
            let (_, found) = found.ok_or_else(|| missing(Some(&digest.to_string())))?;
            return Ok((format!("@{digest}"), found));
        }
        if let Ok(only) = reader.resolve(None) {
            let name = names.first().map(|name| format!(":{}", printable(name)));
            return Ok((name.unwrap_or_default(), only));
        }
        // Several tags of one image are no question.
        let mut images = named_images(place);
        let first = images.first().map(|(_, found)| found.digest);
        if images.len() == names.len()
            && images.iter().all(|(_, found)| Some(found.digest) == first)
        {
            let (name, found) = images.swap_remove(0);
            return Ok((format!(":{}", printable(&name)), found));
        }
        return Err(missing(None));
    };
    let candidates = [
        name.clone(),
        format!("{name}:latest"),
        format!("localhost/{name}"),
        format!("localhost/{name}:latest"),
        format!("docker.io/library/{name}"),
        format!("docker.io/library/{name}:latest"),
    ];
    let name = candidates.iter().find(|name| names.contains(name));
    let name = name.ok_or_else(|| missing(wanted.name.as_deref()))?;
    let found = reader.resolve(Some(name))?;
    let digest = known_by(spec, place, &found);
    if let Some(expected) = wanted.digest.filter(|expected| *expected != digest) {
        return Err(SourceError::Moved {
            name: printable(name),
            expected,
            found: digest,
        });
    }
    Ok((format!(":{}", printable(name)), found))
}

/// The digest that an image is known by: where there are no manifests, that of its configuration.
fn known_by(spec: &ImageSpec, place: &Place, descriptor: &Descriptor) -> Digest {
    let is_docker = matches!(
        spec,
        ImageSpec::DockerArchive { .. } | ImageSpec::Daemon { .. }
    );
    let config = || {
        let bytes = place.manifest(descriptor).ok()?;
        let manifest: Manifest = serde_json::from_slice(&bytes).ok()?;
        Some(manifest.config.digest)
    };
    let config = if is_docker { config() } else { None };
    config.unwrap_or(descriptor.digest)
}

/// The images of a layout that have names, those aside that cannot be found.
fn named_images(place: &Place) -> Vec<(String, Descriptor)> {
    let Ok(index) = place.reader().and_then(|reader| Ok(reader.index()?)) else {
        return Vec::new();
    };
    let names = index.names().into_iter().take(MAX_NEIGHBOURS);
    let found = names.filter_map(|name| {
        let found = index.find(&name).ok()??;
        Some((name, found))
    });
    found.collect()
}

/// The other images of a layout, each once however many names it has. What cannot be read is passed over:
/// it is not what was asked for.
fn neighbours(place: &Place, root: &Descriptor, platform: Option<&Platform>) -> Vec<Neighbour> {
    if place.is_remote() {
        return Vec::new();
    }
    let mut seen = std::collections::BTreeSet::from([root.digest]);
    let mut neighbours = Vec::new();
    for (name, descriptor) in named_images(place) {
        if !seen.insert(descriptor.digest) {
            continue;
        }
        let mut chosen = Chosen {
            reference: String::new(),
            place: place.clone(),
            platforms: Vec::new(),
        };
        let wanted = Wanted {
            platform: platform.cloned(),
        };
        if let Ok((_, manifest)) = chosen.choose(&descriptor, &wanted, 0) {
            let layers = manifest.layers.iter().take(MAX_LAYERS);
            neighbours.push(Neighbour {
                name: printable(&name),
                layers: layers.map(|layer| layer.digest).collect(),
            });
        }
    }
    neighbours
}

/// The way from a name's document to an image.
struct Chosen {
    reference: String,
    place: Place,
    platforms: Vec<Platform>,
}

impl Chosen {
    fn choose(
        &mut self,
        descriptor: &Descriptor,
        wanted: &Wanted,
        depth: usize,
    ) -> Result<(Descriptor, Manifest), SourceError> {
        let bytes = self.place.manifest(descriptor)?;
        match classify(&descriptor.media_type) {
            Some((_, Kind::Manifest)) => {
                let manifest: Manifest = self.read("manifest", descriptor, &bytes)?;
                Ok((descriptor.clone(), manifest))
            }
            Some((_, Kind::Index)) if depth < MAX_DEPTH => {
                let index: Index = self.read("index", descriptor, &bytes)?;
                let child = self.of_platform(&index, wanted)?;
                self.choose(&child, wanted, depth + 1)
            }
            _ => Err(SourceError::Document {
                at: format!("`{}`", self.reference),
                why: format!("its media type is `{}`", printable(&descriptor.media_type)),
            }),
        }
    }

    /// The first that fits, as readers have to take it (image-spec, image-index.md).
    fn of_platform(&mut self, index: &Index, wanted: &Wanted) -> Result<Descriptor, SourceError> {
        let is_image = |media_type: &str| {
            matches!(
                classify(media_type),
                Some((_, Kind::Manifest | Kind::Index))
            )
        };
        // Attestations stand among images, for no platform.
        let images: Vec<Descriptor> = index
            .manifests
            .iter()
            .filter(|entry| is_image(&entry.media_type))
            .filter(|entry| entry.platform.is_none() || entry.platform().is_some())
            .map(super::documents::Descriptor::strict)
            .collect();
        self.platforms = images
            .iter()
            .filter_map(|image| image.platform.clone())
            .collect();
        let chosen = match &wanted.platform {
            Some(platform) => images.iter().find(|image| fits(image, platform)),
            None if images.len() == 1 => images.first(),
            None => {
                let here = Platform::linux(go_architecture(std::env::consts::ARCH));
                images.iter().find(|image| fits(image, &here))
            }
        };
        chosen.cloned().ok_or_else(|| SourceError::NoPlatform {
            image: self.reference.clone(),
            wanted: wanted.platform.as_ref().map_or_else(
                || "the platform of this machine".to_owned(),
                ToString::to_string,
            ),
            known: self
                .platforms
                .iter()
                .map(|platform| printable(&platform.to_string()))
                .collect(),
        })
    }

    fn read<T: DeserializeOwned>(
        &self,
        what: &str,
        descriptor: &Descriptor,
        bytes: &[u8],
    ) -> Result<T, SourceError> {
        serde_json::from_slice(bytes).map_err(|error| SourceError::Document {
            at: format!("{what} {} of `{}`", descriptor.digest, self.reference),
            why: printable(&error.to_string()),
        })
    }
}

/// Whether an image runs on a platform: a variant that only one of them names is the usual one.
fn fits(image: &Descriptor, platform: &Platform) -> bool {
    image.platform.as_ref().is_some_and(|found| {
        let both = found.variant.is_some() && platform.variant.is_some();
        found.os == platform.os
            && found.architecture == platform.architecture
            && (!both || found.variant == platform.variant)
    })
}

/// A processor's name as images have it.
fn go_architecture(rust: &str) -> &str {
    match rust {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    }
}

/// Lets an engine write an image to a file.
fn save(
    engine: Engine,
    name: &str,
    file: &Path,
    environment: &Environment,
    interrupt: &Interrupt,
) -> Result<(), SourceError> {
    let program = engine.program();
    let saving = Program::new(program, environment)
        .args(["save", "--output"])
        .arg(file)
        .arg(name)
        .time_limit(SAVE_LIMIT)
        .interrupted_by(interrupt);
    let captured = saving.capture(b"").map_err(|error| match error {
        ProgramError::Interrupted => SourceError::Registry(RegistryError::Interrupted),
        other => other.into(),
    })?;
    if captured.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&captured.stderr);
    let last = said.lines().rev().find(|line| !line.trim().is_empty());
    let last = last.map(|line| line.strip_prefix("Error: ").unwrap_or(line));
    Err(SourceError::Save {
        program,
        name: name.to_owned(),
        words: printable(last.unwrap_or_default()),
    })
}

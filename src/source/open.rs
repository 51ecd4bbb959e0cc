//! Opening what a user calls an image.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use super::archive::Given;
use super::choose::Chosen;
use super::documents::Manifest;
use super::find::{find, named_images};
use super::notes::Notes;
use super::place::Place;
use super::spec::{ImageSpec, StoredName};
use super::{SourceError, docker_archive, documents, engine, oci_archive};
use crate::digest::Digest;
use crate::hint::near_names;
use crate::medium::{ArchiveForm, LayoutWriter};
use crate::oci::{Descriptor, Platform};
use crate::process::{Environment, Interrupt, temporary_directory};
use crate::reference::Repository;
use crate::registry::{ManifestReference, Options, Registry};
use crate::report::{Clock, Meter, printable};

/// Runtimes stack some hundred.
const MAX_LAYERS: usize = 1000;
/// Names that are looked at for one that was meant.
const MAX_BESIDE: usize = 1000;
/// Bytes of all layers of an image.
const MAX_IMAGE: u64 = 128 << 30;

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
    meter: Meter,
    temporary: Option<Arc<TempDir>>,
    /// Layouts that were made, by what they were made of.
    made: BTreeMap<String, (PathBuf, Arc<Notes>)>,
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
            meter: Meter::default(),
            temporary: None,
            made: BTreeMap::new(),
        }
    }

    /// Counts the bytes of layers that registries give for images that are opened from now on.
    pub fn count_anew(&mut self) -> Meter {
        self.meter = Meter::default();
        self.meter.clone()
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
        // An index was asked for its image; nobody asked an image alone.
        if let Some(platform) = wanted
            .platform
            .as_ref()
            .filter(|_| descriptor.digest == root.digest)
        {
            chosen.check_platform(&manifest, platform)?;
        }
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
        let layers = manifest.layers.iter();
        chosen
            .place
            .expect(layers.map(documents::Descriptor::strict))?;
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
        let place = self.place_of(spec);
        place.map_err(|error| error.while_unpacking(&spec.to_string()))
    }

    fn place_of(&mut self, spec: &ImageSpec) -> Result<Place, SourceError> {
        match spec {
            ImageSpec::Registry { repository, .. } => {
                let (directory, keep) = self.room(&spec.to_string(), "registry")?;
                LayoutWriter::open(&directory)?;
                let registry = self.registry()?;
                let repository = repository.clone();
                Ok(Place::of_registry(
                    directory,
                    &keep,
                    registry,
                    repository,
                    &self.meter,
                ))
            }
            ImageSpec::Layout { directory, .. } => {
                let path = self.environment.resolve(directory);
                stands(spec, directory, &path)?;
                Ok(Place::standing(path, spec.place()))
            }
            ImageSpec::OciArchive { file, .. } | ImageSpec::DockerArchive { file, .. } => {
                let interrupt = self.interrupt.clone();
                let path = self.environment.resolve(file);
                stands(spec, file, &path)?;
                let (typed, shown) = (spec.behind_scheme(), file.display().to_string());
                let form = match spec {
                    ImageSpec::OciArchive { .. } => ArchiveForm::Layout,
                    _ => ArchiveForm::Docker,
                };
                let given = Given {
                    path: &path,
                    form,
                    typed: Some(&typed),
                    shown: &shown,
                };
                self.made(spec, |directory| match form {
                    ArchiveForm::Layout => oci_archive::unpack(&given, directory, &interrupt),
                    ArchiveForm::Docker => docker_archive::convert(&given, directory, &interrupt),
                })
            }
            ImageSpec::Daemon {
                engine: keeper,
                name,
                ..
            } => {
                let (environment, interrupt) = (self.environment.clone(), self.interrupt.clone());
                self.made(spec, |directory| {
                    let file = directory.with_extension("tar");
                    engine::save(*keeper, name, &file, &environment, &interrupt)?;
                    let given = Given {
                        path: &file,
                        form: ArchiveForm::Docker,
                        typed: None,
                        shown: &spec.place(),
                    };
                    let notes = docker_archive::convert(&given, directory, &interrupt)?;
                    fs_err::remove_file(&file)?;
                    Ok(notes)
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
        fs_err::write(path, &pulled.bytes)
            .map_err(|error| SourceError::from(error).while_unpacking(&repository.to_string()))?;
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
        make: impl FnOnce(&Path) -> Result<Notes, SourceError>,
    ) -> Result<Place, SourceError> {
        let key = spec.place();
        let name = self.made.len().to_string();
        let (fresh, keep) = self.room(&spec.to_string(), &name)?;
        if let Some((known, notes)) = self.made.get(&key) {
            return Ok(Place::temporary(known.clone(), key, notes, &keep));
        }
        let notes = Arc::new(make(&fresh)?);
        let known = (fresh.clone(), Arc::clone(&notes));
        self.made.insert(key.clone(), known);
        Ok(Place::temporary(fresh, key, &notes, &keep))
    }

    /// A path in the temporary directory of the run, for what is read of `image`.
    fn room(&mut self, image: &str, name: &str) -> Result<(PathBuf, Arc<TempDir>), SourceError> {
        let keep = if let Some(keep) = &self.temporary {
            Arc::clone(keep)
        } else {
            let around = temporary_directory(&self.environment)?;
            let made = tempfile::Builder::new()
                .prefix("cargo-lighter-")
                .tempdir_in(around)
                .map_err(|source| SourceError::NoRoom {
                    image: image.to_owned(),
                    source,
                })?;
            Arc::clone(self.temporary.insert(Arc::new(made)))
        };
        Ok((keep.path().join(name), keep))
    }
}

/// Refuses a path at which nothing is, or a file where a layout should be. `typed` is the path as in `spec`.
fn stands(spec: &ImageSpec, typed: &Path, path: &Path) -> Result<(), SourceError> {
    let wants_directory = matches!(spec, ImageSpec::Layout { .. });
    match std::fs::metadata(path) {
        Ok(found) if wants_directory && !found.is_dir() => Err(SourceError::FileNotLayout {
            path: typed.display().to_string(),
            typed: spec.behind_scheme(),
        }),
        Ok(_) => Ok(()),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Err(SourceError::Missing {
                what: if wants_directory { "directory" } else { "file" },
                path: typed.display().to_string(),
                scheme: spec.scheme(),
                near: near(typed, path, wants_directory),
            })
        }
        Err(error) => {
            let typed = printable(&typed.display().to_string());
            let words = format!("cannot look at `{typed}`: {error}");
            Err(io::Error::new(error.kind(), words).into())
        }
    }
}

/// What stands beside `path` and is called almost so, as it would be typed.
fn near(typed: &Path, path: &Path, directories: bool) -> Vec<String> {
    let Some((around, name)) = path.parent().zip(path.file_name()) else {
        return Vec::new();
    };
    let beside = fs_err::read_dir(around).into_iter().flatten().flatten();
    let beside = beside.take(MAX_BESIDE);
    let alike = beside.filter(|entry| entry.path().is_dir() == directories);
    let mut names: Vec<String> = alike
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    let names = near_names(&name.to_string_lossy(), names.iter().map(String::as_str));
    let typed = |name: &&str| printable(&typed.with_file_name(name).display().to_string());
    names.iter().map(typed).collect()
}

/// What a document says of itself.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Own {
    media_type: Option<String>,
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::oci::LAYOUT_FILE;
    use crate::source::parse;

    /// Opens what is in the layout `layout`, each name and none, for a platform and for none.
    fn open_all(around: &Path) {
        let environment = Environment::new(around, []);
        let interrupt = Interrupt::new();
        let clock = Clock::by_hand();
        let mut sources = Sources::new(&environment, clock, &interrupt, Options::default());
        for image in ["oci:layout", "oci:layout:a:1", "oci:layout:b"] {
            let spec = parse(image).expect("a layout");
            for platform in [None, Some(Platform::linux("arm64"))] {
                let _ = sources.open(&spec, &Wanted { platform });
            }
        }
    }

    /// Writes a blob, and gives a descriptor of it.
    fn put(layout: &Path, media_type: &str, bytes: &str, more: &str) -> String {
        let digest = Digest::of(bytes.as_bytes());
        let blobs = layout.join("blobs/sha256");
        fs_err::create_dir_all(&blobs).expect("made");
        fs_err::write(blobs.join(digest.hex()), bytes).expect("written");
        let size = bytes.len();
        format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{size}{more}}}"#)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_header_and_index_are_opened_or_refused_without_a_panic(
            header in prop_oneof![
                Just(br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()),
                prop::collection::vec(any::<u8>(), 0..60),
            ],
            index in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let around = tempfile::tempdir().expect("a directory");
            let layout = around.path().join("layout");
            fs_err::create_dir(&layout).expect("made");
            fs_err::write(layout.join(LAYOUT_FILE), header).expect("written");
            fs_err::write(layout.join("index.json"), index).expect("written");
            open_all(around.path());
        }

        #[test]
        fn near_documents_are_opened_or_refused_without_a_panic(
            config in r#"(\{"os":"linux","architecture":("arm64"|null|7)\}|\{\}|\[\]|)"#,
            config_type in "(application/vnd\\.oci\\.image\\.config\\.v1\\+json|text/plain)",
            layers in r"(\[\]|null|\[\{\}\]|7)",
            kind in "(manifest|index|config)",
            platform in r#"(,"platform":(null|\{\}|\{"os":"linux","architecture":"arm64"\}))?"#,
            depth in 0_usize..7,
            name in "(a:1|b| |)",
        ) {
            let around = tempfile::tempdir().expect("a directory");
            let layout = around.path().join("layout");
            let config = put(&layout, &config_type, &config, "");
            let manifest = format!(r#"{{"schemaVersion":2,"config":{config},"layers":{layers}}}"#);
            let oci = |kind: &str| format!("application/vnd.oci.image.{kind}.v1+json");
            let mut root = put(&layout, &oci(&kind), &manifest, &platform);
            for _ in 0..depth {
                let index = format!(r#"{{"schemaVersion":2,"manifests":[{root}]}}"#);
                root = put(&layout, &oci("index"), &index, &platform);
            }
            let annotations = format!(r#","annotations":{{"org.opencontainers.image.ref.name":"{name}"}}}}"#);
            let root = root.strip_suffix('}').expect("an object").to_owned() + &annotations;
            let index = format!(r#"{{"schemaVersion":2,"manifests":[{root},{root}]}}"#);
            fs_err::write(layout.join("index.json"), index).expect("written");
            fs_err::write(layout.join(LAYOUT_FILE), r#"{"imageLayoutVersion":"1.0.0"}"#).expect("written");
            open_all(around.path());
        }
    }
}

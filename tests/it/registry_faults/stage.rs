//! A registry, a client of it whose clock the test moves, and images to push.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use cargo_lighter::destination::{
    DeliverableImage, Destination as _, DestinationError, RegistryDestination, Stored,
};
use cargo_lighter::digest::Digest;
use cargo_lighter::oci::{Descriptor, Document, Manifest, media_type};
use cargo_lighter::process::{Environment, Interrupt};
use cargo_lighter::reference::Tag;
use cargo_lighter::registry::{Limits, Options, Registry};
use cargo_lighter::report::{Clock, DeliverySummary, Meter};
use tempfile::TempDir;

use super::told::Told;
use crate::fault_registry::{Echo, FaultRegistry, Settings};

/// Large enough to be on its way for a while.
const LARGE: usize = 3 * 1024 * 1024;

/// An image, and the bytes of its blobs.
#[derive(Debug, Clone)]
pub(super) struct Image {
    pub(super) layers: Vec<(Descriptor, PathBuf)>,
    config: Document,
    pub(super) manifest: Document,
}

/// Everything around a push.
pub(super) struct Stage {
    pub(super) server: FaultRegistry,
    pub(super) clock: Clock,
    pub(super) home: TempDir,
    environment: Environment,
    limits: Limits,
    pub(super) told: Arc<Told>,
}

impl Stage {
    /// A registry with `settings`, and a home where `login` is `user:password` for it.
    pub(super) fn new(settings: Settings, login: Option<&str>) -> Self {
        let clock = Clock::by_hand();
        let told = clock.clone();
        let server = FaultRegistry::start(Settings {
            now: Arc::new(move || told.now()),
            echoes: match settings.echoes {
                Echo::Everything => Echo::Everything,
                _ => Echo::Request,
            },
            ..settings
        });
        let home = tempfile::tempdir().expect("a directory");
        if let Some(login) = login {
            use base64::Engine as _;
            let pair = base64::engine::general_purpose::STANDARD.encode(login);
            let host = server.host();
            let config = format!(r#"{{"auths":{{"{host}":{{"auth":"{pair}"}}}}}}"#);
            let file = home.path().join("config.json");
            fs_err::write(&file, config).expect("written");
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            fs_err::set_permissions(&file, mode).expect("set");
        }
        let variables = [("DOCKER_CONFIG".into(), home.path().into())];
        Self {
            environment: Environment::new(home.path(), variables),
            server,
            clock,
            home,
            // Nothing of a test ends well only because a machine is slow.
            limits: Limits::default(),
            told: Arc::new(Told::new(login)),
        }
    }

    /// The same, giving a server little time.
    pub(super) fn impatient(mut self) -> Self {
        let short = Duration::from_millis(400);
        self.limits = Limits {
            answer: short,
            commit: short,
            idle: short,
            ..Limits::default()
        };
        self
    }

    /// An image that differs from others of another `seed` in everything but its first layer.
    pub(super) fn image(&self, seed: u8) -> Image {
        static SHARED: LazyLock<Vec<u8>> = LazyLock::new(|| bytes(LARGE, 0));
        let own = bytes(70_000, seed);
        self.image_of(&[&SHARED, &own], u64::from(seed))
    }

    /// An image of a few kilobytes that shares nothing with others but its first layer.
    pub(super) fn small_image(&self, seed: u64) -> Image {
        let own = [bytes(20_000, 1), seed.to_be_bytes().to_vec()].concat();
        self.image_of(&[&bytes(3000, 0), &own], seed)
    }

    fn image_of(&self, layers: &[&[u8]], seed: u64) -> Image {
        let layers: Vec<_> = layers.iter().map(|content| self.blob(content)).collect();
        let config = serde_json::json!({ "architecture": "amd64", "os": "linux", "seed": seed });
        let config = Document::new(media_type::CONFIG, &config).expect("JSON");
        let descriptors = layers.iter().map(|(layer, _)| layer.clone()).collect();
        let manifest = Manifest::new(
            config.descriptor().clone(),
            descriptors,
            std::collections::BTreeMap::new(),
        );
        Image {
            layers,
            config,
            manifest: Document::new(media_type::MANIFEST, &manifest).expect("JSON"),
        }
    }

    fn blob(&self, content: &[u8]) -> (Descriptor, PathBuf) {
        let digest = Digest::of(content);
        let path = self.home.path().join(digest.hex());
        fs_err::write(&path, content).expect("written");
        let size = content.len() as u64;
        (Descriptor::new(media_type::LAYER, digest, size), path)
    }

    /// A client that knows nothing yet.
    pub(super) fn client(&self) -> Client {
        self.client_with(true)
    }

    /// The same, which confirms what it sent or not.
    pub(super) fn client_with(&self, confirm: bool) -> Client {
        self.client_of(self.options(confirm), &Interrupt::new())
    }

    /// How clients go about their work here.
    pub(super) fn options(&self, confirm: bool) -> Options {
        Options {
            limits: self.limits,
            confirm,
            seed: Some(7),
            ..Options::default()
        }
    }

    /// A client that does it in its own way, and can be interrupted.
    pub(super) fn client_of(&self, options: Options, interrupt: &Interrupt) -> Client {
        let clock = self.clock.clone();
        let registry = Registry::with(&self.environment, clock, interrupt, options);
        let registry = Arc::new(registry.expect("a client"));
        let prefix = format!("{}/shop", self.server.host());
        Client {
            destination: RegistryDestination::new(
                "the registry",
                Some(prefix),
                Arc::clone(&registry),
            ),
            registry,
            host: self.server.host(),
            told: Arc::clone(&self.told),
        }
    }

    /// Stores the blobs of an image without a push, except for the first layer, which is the largest.
    pub(super) fn store_all_but_one(&self, service: &str, image: &Image) {
        let config = (image.config.digest(), image.config.bytes().to_vec());
        let layers = image.layers.iter().skip(1);
        let layers = layers.map(|(layer, path)| (layer.digest, read(path)));
        for (digest, bytes) in layers.chain([config]) {
            let repository = format!("shop/{service}");
            self.server
                .store_blob(&repository, &digest.to_string(), &bytes);
        }
    }

    /// Whether the registry has all of an image under its digest and its tag, byte for byte.
    pub(super) fn has(&self, service: &str, image: &Image, tag: &str) -> bool {
        let repository = format!("shop/{service}");
        let stored = |digest: &Digest| self.server.blob(&repository, &digest.to_string());
        let layers = image
            .layers
            .iter()
            .all(|(layer, path)| stored(&layer.digest).as_deref() == Some(&read(path)[..]));
        let manifest = |reference: &str| {
            let found = self.server.manifest(&repository, reference);
            found.as_deref() == Some(image.manifest.bytes())
        };
        layers
            && stored(&image.config.digest()).as_deref() == Some(image.config.bytes())
            && manifest(&image.manifest.digest().to_string())
            && manifest(tag)
    }
}

/// So many bytes, which repeat themselves rarely enough for a missing part to be noticed.
fn bytes(count: usize, seed: u8) -> Vec<u8> {
    let mut state = u32::from(seed) + 1;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(count).collect()
}

fn read(path: &Path) -> Vec<u8> {
    fs_err::read(path).expect("readable")
}

/// A client of the registry, and the destination that uses it.
pub(super) struct Client {
    pub(super) destination: RegistryDestination,
    pub(super) registry: Arc<Registry>,
    host: String,
    told: Arc<Told>,
}

impl Client {
    /// The same for the registry under another name.
    pub(super) fn at(self, host: &str) -> Self {
        let prefix = Some(format!("{host}/shop"));
        let registry = Arc::clone(&self.registry);
        Self {
            destination: RegistryDestination::new("the registry", prefix, registry),
            host: host.to_owned(),
            ..self
        }
    }

    /// First phase of a delivery.
    pub(super) fn store(
        &self,
        service: &str,
        image: &Image,
        tags: &[&str],
    ) -> Result<(DeliverableImage, Stored), DestinationError> {
        let tags = tags.iter().map(|tag| Tag::parse(tag).expect("legal"));
        let image = DeliverableImage {
            service: service.to_owned(),
            name: format!("{}/shop/{service}", self.host),
            tags: tags.collect(),
            platform: "linux/amd64".parse().expect("a platform"),
            layers: image.layers.clone(),
            tars: Vec::new(),
            config: image.config.clone(),
            manifest: image.manifest.clone(),
            key: None,
            meter: Meter::default(),
        };
        let stored = self.heard(service, self.destination.store(&image))?;
        // However often bytes had to be sent, they count once.
        let (moved, expected) = (image.meter.moved(), image.meter.expected());
        assert_eq!(
            (moved, expected),
            (stored.uploaded_bytes, stored.uploaded_bytes)
        );
        Ok((image, stored))
    }

    /// Both phases.
    pub(super) fn push(
        &self,
        service: &str,
        image: &Image,
        tags: &[&str],
    ) -> Result<DeliverySummary, DestinationError> {
        let (image, stored) = self.store(service, image, tags)?;
        let tagged = self.destination.tag(&image, stored);
        self.told.delivery(service, &tagged.summary);
        let result = tagged.error.map_or(Ok(()), Err);
        self.heard(service, result).map(|()| tagged.summary)
    }

    /// Tells what came of something, as a run does.
    fn heard<T>(
        &self,
        service: &str,
        result: Result<T, DestinationError>,
    ) -> Result<T, DestinationError> {
        self.told.warnings(self.destination.warnings());
        self.told.notes(self.registry.notes());
        if let Err(error) = &result {
            self.told.error(service, error);
        }
        result
    }

    /// What is done before the first compile.
    pub(super) fn prepare(&self, service: &str, tag: &str) -> Result<(), DestinationError> {
        let name = format!("{}/shop/{service}", self.host);
        let tag = Tag::parse(tag).expect("legal");
        self.heard(service, self.destination.preflight(&name, Some(&tag)))
    }

    /// Tells the names of all services before the first is pushed.
    pub(super) fn expect(&self, services: &[&str]) {
        let names: Vec<String> = services
            .iter()
            .map(|service| format!("{}/shop/{service}", self.host))
            .collect();
        self.destination.expect(&names).expect("legal names");
    }
}

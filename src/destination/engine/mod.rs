//! `docker-daemon:`, `containers-storage:` and `--load`: container engines of this machine, spoken to by
//! their own programs.
//!
//! Images that an engine has by all of their names stay as they are. The others are piped into the program's
//! `load`, as an archive that is nowhere on the disk, and looked for afterwards. By which digest an engine knows an image is the engine's own matter: docker's classic store
//! forgets manifests, so that only the digest of the configuration is left, which is docker's "image ID".
//! What is reported is what the engine can be asked for.

mod error;
mod known;
mod program;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, OnceLock, PoisonError};

pub use error::EngineError;
pub use program::EngineChoice;

use self::known::{Before, before, known_digests};
use self::program::{Engine, Speaker, said};
use super::gathered::{Gathered, packed_layers};
use super::{
    DeliverableImage, Destination, DestinationError, Prefix, RunCommand, Standing, Stored, Tagged,
    Wanted,
};
use crate::digest::Digest;
use crate::medium::{ArchiveError, ArchiveForm, PackedImage, pack};
use crate::process::{Environment, Interrupt};
use crate::reference::Tag;

/// The engine that images are loaded into.
#[derive(Debug)]
pub struct ContainerEngine {
    name: String,
    choice: EngineChoice,
    environment: Environment,
    interrupt: Interrupt,
    chosen: OnceLock<Speaker>,
    gathered: Gathered,
    /// By image name.
    loaded: Mutex<BTreeMap<String, Loaded>>,
}

/// What became of an image.
#[derive(Debug, Clone, Copy)]
struct Loaded {
    /// What the engine knows it by.
    digest: Digest,
    /// Whether the engine had it before.
    was_there: bool,
}

impl ContainerEngine {
    /// An engine of `choice`, which the user wrote as `name`. Nothing is run yet.
    pub fn new(
        name: impl Into<String>,
        choice: EngineChoice,
        environment: &Environment,
        interrupt: &Interrupt,
    ) -> Self {
        Self {
            name: name.into(),
            choice,
            environment: environment.clone(),
            interrupt: interrupt.clone(),
            chosen: OnceLock::new(),
            gathered: Gathered::default(),
            loaded: Mutex::default(),
        }
    }

    /// The first engine that answers.
    fn speaker(&self) -> Result<Speaker, EngineError> {
        if let Some(speaker) = self.chosen.get() {
            return Ok(speaker.clone());
        }
        let mut problems = Vec::new();
        for engine in self.choice.engines() {
            let speaker = Speaker::new(*engine, &self.environment, &self.interrupt);
            match speaker.answers() {
                Ok(()) => return Ok(self.chosen.get_or_init(|| speaker).clone()),
                Err(error) => problems.push(error),
            }
        }
        if problems.len() == 1
            && let Some(only) = problems.pop()
        {
            return Err(only);
        }
        Err(EngineError::None {
            problems: problems.iter().map(ToString::to_string).collect(),
        })
    }

    fn load(&self, names: &[String]) -> Result<(), EngineError> {
        let speaker = self.speaker()?;
        let mut loaded = BTreeMap::new();
        let mut known = BTreeSet::new();
        let mut images = Vec::new();
        for image in self.gathered.take(names) {
            match before(&speaker, &image)? {
                Before::All(digest) => {
                    let was_there = true;
                    loaded.insert(image.name, Loaded { digest, was_there });
                    continue;
                }
                Before::Image => {
                    known.insert(image.name.clone());
                }
                Before::Nothing => {}
            }
            images.push(image);
        }
        if !images.is_empty() {
            self.bring(&speaker, &images)?;
        }
        for (name, digest) in known_digests(&speaker, &images)? {
            let was_there = known.contains(&name);
            loaded.insert(name, Loaded { digest, was_there });
        }
        *self.loaded.lock().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(())
    }

    fn bring(&self, speaker: &Speaker, images: &[DeliverableImage]) -> Result<(), EngineError> {
        match speaker.engine {
            // Of an archive with one name, podman keeps the manifest, and with it the digest that the
            // image has everywhere; of one with several it makes another.
            Engine::Podman => {
                for image in images {
                    let names = full_names(Engine::Podman, image);
                    let Some((first, others)) = names.split_first() else {
                        continue;
                    };
                    self.pipe(speaker, &[(image, vec![first.clone()])])?;
                    for other in others {
                        tag(speaker, first, other)?;
                    }
                }
            }
            Engine::Docker | Engine::Nerdctl => {
                let together = images.iter();
                let together = together.map(|image| (image, full_names(speaker.engine, image)));
                self.pipe(speaker, &together.collect::<Vec<_>>())?;
            }
        }
        Ok(())
    }

    /// Pipes one archive into the engine.
    fn pipe(
        &self,
        speaker: &Speaker,
        images: &[(&DeliverableImage, Vec<String>)],
    ) -> Result<(), EngineError> {
        let layers: Vec<_> = images
            .iter()
            .map(|(image, _)| packed_layers(image))
            .collect();
        let packed: Vec<PackedImage<'_>> = images
            .iter()
            .zip(&layers)
            .map(|((image, names), layers)| PackedImage {
                names: names.clone(),
                platform: &image.platform,
                config: &image.config,
                manifest: &image.manifest,
                layers,
            })
            .collect();
        let (captured, packed) = speaker
            .loading()
            .feed(|input| pack(&packed, ArchiveForm::Layout, &self.interrupt, input))?;
        match packed {
            // Whoever ends early has said why.
            Ok(()) | Err(ArchiveError::Output(_)) => {}
            Err(error) => return Err(error.into()),
        }
        if captured.status.success() {
            return Ok(());
        }
        Err(EngineError::Refused {
            program: speaker.engine.program(),
            said: said(&captured),
        })
    }
}

/// What the engine calls an image, by each of its tags.
fn full_names(engine: Engine, image: &DeliverableImage) -> Vec<String> {
    let names = image.full_names();
    names.iter().map(|name| engine.full_name(name)).collect()
}

fn tag(speaker: &Speaker, from: &str, to: &str) -> Result<(), EngineError> {
    let captured = speaker.ask(&["tag", from, to])?;
    if captured.status.success() {
        return Ok(());
    }
    Err(EngineError::Refused {
        program: speaker.engine.program(),
        said: said(&captured),
    })
}

impl Destination for ContainerEngine {
    /// The program, where it was chosen for the user; else what the user wrote.
    fn name(&self) -> &str {
        match (self.choice, self.chosen.get()) {
            (EngineChoice::Any, Some(speaker)) => speaker.engine.program(),
            _ => &self.name,
        }
    }

    fn prefix(&self) -> Prefix<'_> {
        Prefix::None
    }

    fn takes_all_at_once(&self) -> bool {
        true
    }

    fn preflight(&self, _image: &str, _tag: Option<&Tag>) -> Result<(), DestinationError> {
        Ok(self.speaker().map(drop)?)
    }

    fn store(&self, image: &DeliverableImage) -> Result<Stored, DestinationError> {
        Ok(self.gathered.add(image))
    }

    fn complete(&self, images: &[String]) -> Result<(), DestinationError> {
        Ok(self.load(images)?)
    }

    fn tag(&self, image: &DeliverableImage, stored: Stored) -> Tagged {
        let loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let known = loaded.get(&image.name).copied();
        let stored = match known {
            Some(Loaded { was_there, .. }) if was_there => Stored::whole(image),
            _ => stored,
        };
        let known = known.map(|loaded| loaded.digest);
        let found = known.ok_or_else(|| EngineError::Other {
            program: "the engine",
            image: image.name.clone(),
        });
        match (found, self.speaker()) {
            (Ok(digest), Ok(speaker)) => {
                let scheme = speaker.engine.scheme();
                let references = full_names(speaker.engine, image);
                let references = references.iter();
                let references = references.map(|full| format!("{scheme}{full}@{digest}"));
                let tags = (digest, image.tags.as_slice());
                Tagged::new(self.name(), tags, &stored, references.collect(), None)
            }
            (Err(error), _) | (_, Err(error)) => {
                let tags = (image.digest(), image.tags.as_slice());
                Tagged::new(self.name(), tags, &stored, Vec::new(), Some(error.into()))
            }
        }
    }

    /// An engine does not say what its images were made from.
    fn find(&self, _wanted: &Wanted) -> Result<Option<Standing>, DestinationError> {
        Ok(None)
    }

    fn retag(&self, standing: &Standing, tags: &[Tag]) -> Tagged {
        let stored = Stored::nothing();
        let tags = (standing.manifest.digest, tags);
        Tagged::new(self.name(), tags, &stored, Vec::new(), None)
    }

    fn run_command(&self, image: &DeliverableImage) -> Option<RunCommand> {
        let engine = self.speaker().ok()?.engine;
        Some(RunCommand {
            program: engine.program(),
            image: full_names(engine, image).into_iter().next()?,
        })
    }

    fn finish(&self) -> Result<(), DestinationError> {
        self.gathered.clear();
        Ok(())
    }
}

//! From what a name leads to, to the manifest for a platform.

use serde::de::DeserializeOwned;

use super::SourceError;
use super::documents::{self, Index, LoosePlatform, Manifest};
use super::open::Wanted;
use super::place::Place;
use crate::oci::{Descriptor, Kind, Platform, classify};
use crate::report::printable;

/// Indexes in indexes.
const MAX_DEPTH: usize = 8;

/// The way from a name's document to an image.
pub(super) struct Chosen {
    pub(super) reference: String,
    pub(super) place: Place,
    pub(super) platforms: Vec<Platform>,
}

impl Chosen {
    /// The manifest that `descriptor` leads to, by way of at most a few indexes.
    pub(super) fn choose(
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
            Some((_, Kind::Index)) => Err(SourceError::TooDeep {
                image: self.reference.clone(),
                limit: MAX_DEPTH,
            }),
            _ => Err(SourceError::Document {
                image: None,
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
            .map(documents::Descriptor::strict)
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

    /// Refuses an image that was not chosen for its platform, and is for another one than `wanted`.
    pub(super) fn check_platform(
        &self,
        manifest: &Manifest,
        wanted: &Platform,
    ) -> Result<(), SourceError> {
        // What else has a manifest has no platform.
        if !matches!(
            classify(&manifest.config.media_type),
            Some((_, Kind::Config))
        ) {
            return Ok(());
        }
        let config = manifest.config.strict();
        let bytes = self.place.document(&config)?;
        let own: LoosePlatform = self.read("configuration", &config, &bytes)?;
        let own = own.known();
        if own.as_ref().is_some_and(|own| runs_on(own, wanted)) {
            return Ok(());
        }
        Err(SourceError::OtherPlatform {
            image: self.reference.clone(),
            wanted: wanted.to_string(),
            found: own.map(|own| printable(&own.to_string())),
        })
    }

    fn read<T: DeserializeOwned>(
        &self,
        what: &str,
        descriptor: &Descriptor,
        bytes: &[u8],
    ) -> Result<T, SourceError> {
        serde_json::from_slice(bytes).map_err(|error| {
            let at = format!("{what} {} of `{}`", descriptor.digest, self.reference);
            match documents::other_algorithm(bytes) {
                Some(algorithm) => SourceError::OtherAlgorithm { at, algorithm },
                None => SourceError::Document {
                    image: Some(self.reference.clone()),
                    at,
                    why: printable(&error.to_string()),
                },
            }
        })
    }
}

/// Whether an image runs on a platform, as far as its descriptor says.
fn fits(image: &Descriptor, platform: &Platform) -> bool {
    let own = image.platform.as_ref();
    own.is_some_and(|own| runs_on(own, platform))
}

/// Whether an image for `own` runs on a platform: a variant that only one of them names is the usual one.
fn runs_on(own: &Platform, platform: &Platform) -> bool {
    let both = own.variant.is_some() && platform.variant.is_some();
    own.os == platform.os
        && own.architecture == platform.architecture
        && (!both || own.variant == platform.variant)
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

//! What an engine says it has.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::full_names;
use super::program::{Engine, Speaker, said};
use super::{DeliverableImage, EngineError};
use crate::digest::Digest;
use crate::process::Captured;

/// What `image inspect` says of an image, as far as engines agree.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Inspected {
    /// Digest of the configuration, or of the manifest; docker writes `sha256:` before it.
    id: Option<String>,
    /// podman's digest of the manifest.
    digest: Option<String>,
    /// `NAME@DIGEST` of the manifest.
    repo_digests: Option<Vec<String>>,
}

impl Inspected {
    /// The digest that the engine knows `image` by, if this is the image.
    fn digest_of(&self, image: &DeliverableImage) -> Option<Digest> {
        let id = self
            .id
            .as_deref()
            .map(|id| match id.strip_prefix("sha256:") {
                Some(hex) => hex,
                None => id,
            });
        let repo = self.repo_digests.iter().flatten();
        let repo = repo.filter_map(|name| name.rsplit_once('@').map(|(_, digest)| digest));
        let mut manifests = repo.chain(self.digest.as_deref());
        let (manifest, config) = (image.digest(), image.config.digest());
        let is_id = |digest: &Digest| id == Some(digest.hex().as_str());
        // A name may have digests of other images, too, that it once meant; the ID is the image's own.
        let kept = manifests.any(|known| known == manifest.to_string());
        if is_id(&manifest) || (kept && is_id(&config)) {
            Some(manifest)
        } else {
            is_id(&config).then_some(config)
        }
    }
}

/// What an engine has of an image before the image goes there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// Nothing that it tells of.
    Nothing,
    /// The image, but not by all of its names: nothing of it is new.
    Image,
    /// The image by all of its names, by this digest.
    All(Digest),
}

/// Asks whether an image is there. Who does not answer, or answers something else, has nothing.
pub(super) fn before(speaker: &Speaker, image: &DeliverableImage) -> Result<Before, EngineError> {
    let names = full_names(speaker.engine, image);
    let captured = inspect(speaker, &names)?;
    // What it finds it tells of, also where it does not find all.
    let inspected: Vec<Inspected> = serde_json::from_slice(&captured.stdout).unwrap_or_default();
    let known: Vec<Digest> = inspected
        .iter()
        .filter_map(|found| found.digest_of(image))
        .collect();
    let Some(first) = known.first() else {
        return Ok(Before::Nothing);
    };
    // podman may have made a manifest of its own, where it got the image in another way.
    let is_usual = *first == image.digest() || speaker.engine == Engine::Docker;
    let is_whole = captured.status.success() && known.len() == names.len() && is_usual;
    let is_one = known.iter().all(|digest| digest == first);
    Ok(if is_whole && is_one {
        Before::All(*first)
    } else {
        Before::Image
    })
}

fn inspect(speaker: &Speaker, names: &[String]) -> Result<Captured, EngineError> {
    let mut words = vec!["image", "inspect"];
    words.extend(names.iter().map(String::as_str));
    speaker.ask(&words)
}

/// Looks for every name of every image, and gives by image name what the engine knows it by.
pub(super) fn known_digests(
    speaker: &Speaker,
    images: &[DeliverableImage],
) -> Result<BTreeMap<String, Digest>, EngineError> {
    let program = speaker.engine.program();
    let mut found = BTreeMap::new();
    for image in images {
        let names = full_names(speaker.engine, image);
        let captured = inspect(speaker, &names)?;
        if !captured.status.success() {
            return Err(EngineError::Refused {
                program,
                said: said(&captured),
            });
        }
        let inspected: Vec<Inspected> =
            serde_json::from_slice(&captured.stdout).unwrap_or_default();
        for (index, name) in names.iter().enumerate() {
            let digest = inspected
                .get(index)
                .and_then(|found| found.digest_of(image));
            let digest = digest.ok_or_else(|| EngineError::Other {
                program,
                image: name.clone(),
            })?;
            found.insert(image.name.clone(), digest);
        }
    }
    Ok(found)
}

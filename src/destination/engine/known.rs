//! What an engine says it has.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::full_names;
use super::program::{Speaker, said};
use super::{DeliverableImage, EngineError};
use crate::digest::Digest;

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

/// Looks for every name of every image, and gives by image name what the engine knows it by.
pub(super) fn known_digests(
    speaker: &Speaker,
    images: &[DeliverableImage],
) -> Result<BTreeMap<String, Digest>, EngineError> {
    let program = speaker.engine.program();
    let mut found = BTreeMap::new();
    for image in images {
        let names = full_names(speaker.engine, image);
        let mut words = vec!["image", "inspect"];
        words.extend(names.iter().map(String::as_str));
        let captured = speaker.ask(&words)?;
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

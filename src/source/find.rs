//! Finding an image of a layout by the name that a user gave it.

use super::SourceError;
use super::documents::Manifest;
use super::place::Place;
use super::spec::{ImageSpec, StoredName};
use crate::digest::Digest;
use crate::medium::LayoutError;
use crate::oci::Descriptor;
use crate::report::printable;

/// Names of a layout that are looked at.
const MAX_NAMES: usize = 1000;

/// Finds an image of a layout.
pub(super) fn find(
    spec: &ImageSpec,
    place: &Place,
    wanted: &StoredName,
) -> Result<(String, Descriptor), SourceError> {
    place.check_images()?;
    let index = place.index()?;
    let names = index.names();
    // What has no name can be meant by its digest.
    let known = || {
        let names: Vec<String> = names.iter().map(|name| printable(name)).collect();
        let entries = index.descriptors().into_iter().take(MAX_NAMES);
        let digests = entries.map(|entry| format!("@{}", known_by(spec, place, &entry)));
        if names.is_empty() {
            digests.collect()
        } else {
            names
        }
    };
    let missing = |name: Option<&str>| SourceError::NoImage {
        place: spec.place(),
        name: name.map(printable),
        known: known(),
    };
    let Some(name) = &wanted.name else {
        if let Some(digest) = wanted.digest {
            let mut entries = index.descriptors().into_iter().take(MAX_NAMES);
            let found = entries.find(|entry| known_by(spec, place, entry) == digest);
            let found = found.ok_or_else(|| missing(Some(&digest.to_string())))?;
            return Ok((format!("@{digest}"), found));
        }
        match place.resolve(None) {
            Ok(only) => {
                let name = names.first().map(|name| format!(":{}", printable(name)));
                return Ok((name.unwrap_or_default(), only));
            }
            // There are several, or none.
            Err(SourceError::Layout(LayoutError::NoImage { .. })) => {}
            Err(other) => return Err(other),
        }
        // Several tags of one image are no question.
        let images = named_images(place);
        if let Some((name, first)) = images.first()
            && images.len() == names.len()
            && images.iter().all(|(_, found)| found.digest == first.digest)
        {
            return Ok((format!(":{}", printable(name)), first.clone()));
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
    let found = place.resolve(Some(name))?;
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
pub(super) fn named_images(place: &Place) -> Vec<(String, Descriptor)> {
    let Ok(index) = place.index() else {
        return Vec::new();
    };
    let names = index.names().into_iter().take(MAX_NAMES);
    let found = names.filter_map(|name| {
        let found = index.find(&name).ok()??;
        Some((name, found))
    });
    found.collect()
}

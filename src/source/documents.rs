//! Manifests and indexes as somebody may have written them: only what is needed to find an image's parts
//! has to be there, and `null` is missing.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::digest::Digest;
use crate::oci::{self, Platform};

/// A descriptor of some content.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What the content is.
    #[serde(default)]
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
    /// Its bytes.
    pub size: u64,
    /// Where the content runs.
    pub platform: Option<LoosePlatform>,
    /// Further facts.
    pub annotations: Option<BTreeMap<String, String>>,
}

/// A platform of which any part may be missing.
#[derive(Debug, Clone, Deserialize)]
pub struct LoosePlatform {
    architecture: Option<String>,
    os: Option<String>,
    variant: Option<String>,
}

/// An index of manifests.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Its own word on what it is.
    pub media_type: Option<String>,
    /// In the order of preference.
    pub manifests: Vec<Descriptor>,
}

/// A manifest of an image.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Its own word on what it is.
    pub media_type: Option<String>,
    /// The image's configuration.
    pub config: Descriptor,
    /// Lowest first.
    #[serde(default)]
    pub layers: Vec<Descriptor>,
}

impl Descriptor {
    /// The same for whoever stores and checks contents.
    pub fn strict(&self) -> oci::Descriptor {
        oci::Descriptor {
            platform: self.platform(),
            ..oci::Descriptor::new(self.media_type.clone(), self.digest, self.size)
        }
    }

    /// Where the content runs, if that is somewhere.
    pub fn platform(&self) -> Option<Platform> {
        let LoosePlatform {
            architecture,
            os,
            variant,
        } = self.platform.clone()?;
        let known =
            |text: Option<String>| text.filter(|text| !text.is_empty() && text != "unknown");
        Some(Platform {
            architecture: known(architecture)?,
            os: known(os)?,
            variant,
        })
    }
}

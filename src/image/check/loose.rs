//! Documents as somebody may have written them: any field may be missing, and `null` is missing.
//!
//! The types in [`crate::oci`] are not used here, so that a mistake in them cannot hide itself.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use crate::oci;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Header {
    pub(super) image_layout_version: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    pub(super) media_type: Option<String>,
    pub(super) digest: Option<String>,
    pub(super) size: Option<u64>,
    pub(super) platform: Option<Platform>,
    pub(super) annotations: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Platform {
    pub(super) architecture: Option<String>,
    pub(super) os: Option<String>,
    pub(super) variant: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Index {
    pub(super) schema_version: Option<u64>,
    pub(super) media_type: Option<String>,
    pub(super) manifests: Option<Vec<Descriptor>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Manifest {
    pub(super) schema_version: Option<u64>,
    pub(super) media_type: Option<String>,
    pub(super) artifact_type: Option<String>,
    pub(super) config: Option<Descriptor>,
    pub(super) layers: Option<Vec<Descriptor>>,
    pub(super) subject: Option<Descriptor>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Config {
    pub(super) architecture: Option<String>,
    pub(super) os: Option<String>,
    pub(super) variant: Option<String>,
    pub(super) rootfs: Option<RootFs>,
    pub(super) history: Option<Vec<History>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RootFs {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) diff_ids: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct History {
    pub(super) empty_layer: Option<bool>,
}

impl Platform {
    /// Whether both are the same; a variant that only one of them has is the architecture's usual.
    pub(super) fn fits(&self, other: &Self) -> bool {
        let have_variants = self.variant.is_some() && other.variant.is_some();
        self.os == other.os
            && self.architecture == other.architecture
            && (!have_variants || self.variant == other.variant)
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [&self.os, &self.architecture, &self.variant];
        let known: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        formatter.write_str(&known.join("/"))
    }
}

impl From<&oci::Descriptor> for Descriptor {
    fn from(strict: &oci::Descriptor) -> Self {
        Self {
            media_type: Some(strict.media_type.clone()),
            digest: Some(strict.digest.to_string()),
            size: Some(strict.size),
            platform: strict.platform.as_ref().map(|platform| Platform {
                architecture: Some(platform.architecture.clone()),
                os: Some(platform.os.clone()),
                variant: platform.variant.clone(),
            }),
            annotations: Some(strict.annotations.clone()),
        }
    }
}

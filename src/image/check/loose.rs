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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::DeserializeOwned;

    use super::*;
    use crate::digest::Digest;

    /// Values that are nearly what each field should hold.
    fn any_json() -> impl Strategy<Value = String> {
        let field = r#""(schemaVersion|mediaType|artifactType|manifests|config|layers|subject|digest|size|platform|os|rootfs|type|diff_ids|history|empty_layer|annotations)":"#;
        let value = r#"(2|-1|1e99|true|null|""|\[\]|\[null\]|\{\}|"sha256:"|\[\{"size":18446744073709551616\}\])"#;
        let leaf = (field, value).prop_map(|(field, value)| format!("{field}{value}"));
        let tree = leaf.prop_recursive(3, 12, 4, move |inner| {
            let inside = prop::collection::vec(inner, 0..4);
            (field, inside, any::<bool>()).prop_map(|(field, inside, listed)| {
                let object = format!("{{{}}}", inside.join(","));
                let value = if listed {
                    format!("[{object}]")
                } else {
                    object
                };
                format!("{field}{value}")
            })
        });
        prop::collection::vec(tree, 0..5).prop_map(|fields| format!("{{{}}}", fields.join(",")))
    }

    fn read<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
        serde_json::from_slice(bytes).ok()
    }

    fn read_all(bytes: &[u8]) {
        let _ = read::<Header>(bytes);
        let _ = read::<Config>(bytes);
        let indexes = read::<Index>(bytes).and_then(|index| index.manifests);
        let manifest = read::<Manifest>(bytes);
        let layers = manifest.and_then(|manifest| manifest.layers);
        for descriptor in [indexes, layers].into_iter().flatten().flatten() {
            if let Some(platform) = descriptor.platform {
                assert!(platform.fits(&platform), "{platform}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            read_all(&bytes);
        }

        #[test]
        fn near_documents_are_read_without_a_panic(text in any_json()) {
            prop_assert!(read::<serde_json::Value>(text.as_bytes()).is_some() || text.contains("18446744073709551616") || text.contains("1e99"));
            read_all(text.as_bytes());
        }

        #[test]
        fn what_this_program_writes_is_read_as_it_was_meant(
            content in prop::collection::vec(any::<u8>(), 0..20),
            size in any::<u64>(),
            layers in 0_usize..4,
        ) {
            let layer = oci::Descriptor::new(oci::media_type::LAYER, Digest::of(&content), size);
            let config = oci::Descriptor::new(oci::media_type::CONFIG, Digest::of(b""), 0);
            let written = oci::Manifest::new(config, vec![layer.clone(); layers], BTreeMap::new());
            let bytes = serde_json::to_vec(&written).expect("JSON");
            let manifest = read::<Manifest>(&bytes).expect("a manifest");
            let found = manifest.layers.expect("layers");
            prop_assert_eq!(found.len(), layers);
            for descriptor in found {
                prop_assert_eq!(descriptor.size, Some(size));
                prop_assert_eq!(descriptor.digest, Some(layer.digest.to_string()));
            }
        }
    }
}

//! Documents as somebody may have written them: any field may be missing, or of another type.
//!
//! The types in [`crate::oci`] are not used here, so that a mistake in them cannot hide itself.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use super::json::{Field, Object, Shape};
use crate::oci;

pub(super) type Map<T> = BTreeMap<String, Field<T>>;
pub(super) type List<T> = Vec<Field<T>>;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Header {
    pub(super) image_layout_version: Field<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Descriptor {
    pub(super) media_type: Field<String>,
    pub(super) digest: Field<String>,
    pub(super) size: Field<u64>,
    pub(super) urls: Field<List<String>>,
    pub(super) data: Field<String>,
    pub(super) artifact_type: Field<String>,
    pub(super) platform: Field<Platform>,
    pub(super) annotations: Field<Map<String>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Platform {
    pub(super) architecture: Field<String>,
    pub(super) os: Field<String>,
    pub(super) variant: Field<String>,
    #[serde(rename = "os.version")]
    pub(super) os_version: Field<String>,
    #[serde(rename = "os.features")]
    pub(super) os_features: Field<List<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Index {
    pub(super) schema_version: Field<u64>,
    pub(super) media_type: Field<String>,
    pub(super) artifact_type: Field<String>,
    pub(super) manifests: Field<List<Descriptor>>,
    pub(super) subject: Field<Descriptor>,
    pub(super) annotations: Field<Map<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Manifest {
    pub(super) schema_version: Field<u64>,
    pub(super) media_type: Field<String>,
    pub(super) artifact_type: Field<String>,
    pub(super) config: Field<Descriptor>,
    pub(super) layers: Field<List<Descriptor>>,
    pub(super) subject: Field<Descriptor>,
    pub(super) annotations: Field<Map<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Config {
    pub(super) created: Field<String>,
    pub(super) author: Field<String>,
    pub(super) architecture: Field<String>,
    pub(super) os: Field<String>,
    pub(super) variant: Field<String>,
    #[serde(rename = "os.version")]
    pub(super) os_version: Field<String>,
    #[serde(rename = "os.features")]
    pub(super) os_features: Field<List<String>>,
    #[serde(rename = "config")]
    pub(super) execution: Field<Execution>,
    pub(super) rootfs: Field<RootFs>,
    pub(super) history: Field<List<History>>,
}

/// What a runtime does with the image; a health check is docker's, and the name is reserved for it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Execution {
    pub(super) user: Field<String>,
    pub(super) exposed_ports: Field<Map<Object>>,
    pub(super) env: Field<List<String>>,
    pub(super) entrypoint: Field<List<String>>,
    pub(super) cmd: Field<List<String>>,
    pub(super) volumes: Field<Map<Object>>,
    pub(super) working_dir: Field<String>,
    pub(super) labels: Field<Map<String>>,
    pub(super) stop_signal: Field<String>,
    pub(super) args_escaped: Field<bool>,
    pub(super) healthcheck: Field<Healthcheck>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Healthcheck {
    pub(super) test: Field<List<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RootFs {
    #[serde(rename = "type")]
    pub(super) kind: Field<String>,
    pub(super) diff_ids: Field<List<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct History {
    pub(super) created: Field<String>,
    pub(super) created_by: Field<String>,
    pub(super) author: Field<String>,
    pub(super) comment: Field<String>,
    pub(super) empty_layer: Field<bool>,
}

macro_rules! objects {
    ($($object:ty),+) => {
        $(impl Shape for $object {
            const EXPECTED: &'static str = "an object";
            const BEGINS: &'static [u8] = b"{";
        })+
    };
}

objects!(
    Header,
    Descriptor,
    Platform,
    Index,
    Manifest,
    Config,
    Execution,
    Healthcheck,
    RootFs,
    History
);

impl Config {
    /// The fields that a descriptor has in an object of their own.
    pub(super) fn take_platform(&mut self) -> Platform {
        Platform {
            architecture: std::mem::take(&mut self.architecture),
            os: std::mem::take(&mut self.os),
            variant: std::mem::take(&mut self.variant),
            os_version: std::mem::take(&mut self.os_version),
            os_features: std::mem::take(&mut self.os_features),
        }
    }
}

/// A platform as far as it is told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) architecture: Option<String>,
    pub(super) os: Option<String>,
    pub(super) variant: Option<String>,
}

impl Told {
    /// Whether it says all that makes a platform.
    pub(super) fn is_whole(&self) -> bool {
        self.architecture.is_some() && self.os.is_some()
    }

    /// Whether both are the same; a variant that only one of them has is the architecture's usual.
    pub(super) fn fits(&self, other: &Self) -> bool {
        let have_variants = self.variant.is_some() && other.variant.is_some();
        self.os == other.os
            && self.architecture == other.architecture
            && (!have_variants || self.variant == other.variant)
    }
}

impl fmt::Display for Told {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [&self.os, &self.architecture, &self.variant];
        let known: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        formatter.write_str(&known.join("/"))
    }
}

impl From<&oci::Descriptor> for Descriptor {
    fn from(strict: &oci::Descriptor) -> Self {
        let platform = strict.platform.as_ref().map(|platform| Platform {
            architecture: Field::Read(platform.architecture.clone()),
            os: Field::Read(platform.os.clone()),
            variant: platform.variant.clone().map_or(Field::Missing, Field::Read),
            ..Platform::default()
        });
        Self {
            media_type: Field::Read(strict.media_type.clone()),
            digest: Field::Read(strict.digest.to_string()),
            size: Field::Read(strict.size),
            platform: platform.map_or(Field::Missing, Field::Read),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    fn read<T: Shape>(bytes: &[u8]) -> Option<T> {
        Field::document(bytes).ok()
    }

    fn read_all(bytes: &[u8]) {
        let _ = read::<Header>(bytes);
        let _ = read::<Config>(bytes);
        let _ = read::<Index>(bytes);
        let _ = read::<Manifest>(bytes);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            read_all(&bytes);
        }

        #[test]
        fn near_documents_are_read_without_a_panic(text in any_json()) {
            // What keeps a field from being read keeps no other.
            let is_whole = !text.contains("1e99") && Field::<Map<Object>>::document(text.as_bytes()).is_ok();
            prop_assert!(!is_whole || read::<Manifest>(text.as_bytes()).is_some());
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
            let Field::Read(found) = manifest.layers else {
                return Err(TestCaseError::fail(format!("{:?}", manifest.layers)));
            };
            prop_assert_eq!(found.len(), layers);
            for descriptor in found {
                let Field::Read(descriptor) = descriptor else {
                    return Err(TestCaseError::fail(format!("{descriptor:?}")));
                };
                prop_assert_eq!(descriptor.size, Field::Read(size));
                prop_assert_eq!(descriptor.digest, Field::Read(layer.digest.to_string()));
            }
        }
    }
}

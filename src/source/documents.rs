//! Manifests and indexes as somebody may have written them: only what is needed to find an image's parts
//! has to be there, and `null` is missing.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::digest::Digest;
use crate::oci::{self, Platform};

/// A descriptor of some content.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
pub struct Descriptor {
    /// What the content is.
    #[serde(default)]
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
    /// Its bytes.
    pub size: u64,
    /// Where it is, if not with the image.
    pub urls: Option<Vec<String>>,
    /// Where the content runs.
    pub platform: Option<LoosePlatform>,
    /// Further facts.
    pub annotations: Option<BTreeMap<String, String>>,
}

/// A platform of which any part may be missing.
#[derive(Debug, Clone, Deserialize)]
#[serde(expecting = "an object")]
pub struct LoosePlatform {
    architecture: Option<String>,
    os: Option<String>,
    variant: Option<String>,
}

/// An index of manifests.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
pub struct Index {
    /// Its own word on what it is.
    pub media_type: Option<String>,
    /// In the order of preference.
    pub manifests: Vec<Descriptor>,
}

/// A manifest of an image.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
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
        self.platform.clone()?.known()
    }
}

impl LoosePlatform {
    /// The platform, if it says all that makes one.
    pub(super) fn known(self) -> Option<Platform> {
        let known =
            |text: Option<String>| text.filter(|text| !text.is_empty() && text != "unknown");
        Some(Platform {
            architecture: known(self.architecture)?,
            os: known(self.os)?,
            variant: self.variant.filter(|text| !text.is_empty()),
        })
    }
}

/// The algorithm of a digest in a document, where it is another than SHA-256: readers need know no other, and
/// what is not known is no mistake (image-spec, descriptor.md, "Registered algorithms").
pub fn other_algorithm(document: &[u8]) -> Option<String> {
    fn within(value: &Value, is_digest: bool) -> Option<&str> {
        match value {
            Value::Object(fields) => fields
                .iter()
                .find_map(|(name, value)| within(value, matches!(&**name, "digest" | "diff_ids"))),
            Value::Array(values) => values.iter().find_map(|value| within(value, is_digest)),
            Value::String(text) if is_digest => {
                let (algorithm, digits) = text.split_once(':')?;
                let legal = |byte: u8| {
                    byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+._-".contains(&byte)
                };
                let is_other = algorithm != "sha256" && !algorithm.is_empty() && !digits.is_empty();
                (is_other && algorithm.bytes().all(legal)).then_some(algorithm)
            }
            _ => None,
        }
    }
    let value: Value = serde_json::from_slice(document).ok()?;
    within(&value, false).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_null_or_unknown_is_missing() {
        let read = |text: &str| -> Index { serde_json::from_str(text).expect("an index") };
        let digest = Digest::of(b"");
        let entry = |platform: &str| {
            let text = format!(
                r#"{{"manifests":[{{"digest":"{digest}","size":1,"platform":{platform},"annotations":null}}]}}"#
            );
            read(&text).manifests[0].platform()
        };
        assert_eq!(entry("null"), None);
        let unknown = r#"{"os":"unknown","architecture":"unknown"}"#;
        assert_eq!(entry(unknown), None);
        let amd = r#"{"os":"linux","architecture":"amd64","variant":""}"#;
        assert_eq!(entry(amd), Some(Platform::linux("amd64")));
    }

    #[test]
    fn digests_of_other_algorithms_are_told_from_mistakes() {
        for (document, algorithm) in [
            (r#"{"config":{"digest":"sha512:00"}}"#, Some("sha512")),
            (
                r#"{"rootfs":{"diff_ids":["sha256:1","blake3:0"]}}"#,
                Some("blake3"),
            ),
            (r#"{"config":{"digest":"sha256:00"}}"#, None),
            (r#"{"digest":"SHA512:00"}"#, None),
            (r#"{"digest":"sha512:"}"#, None),
            (r#"{"name":"sha512:00"}"#, None),
            ("{", None),
        ] {
            let found = other_algorithm(document.as_bytes());
            assert_eq!(found.as_deref(), algorithm, "{document}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = serde_json::from_slice::<Index>(&bytes);
            let _ = serde_json::from_slice::<Manifest>(&bytes);
            let _ = serde_json::from_slice::<LoosePlatform>(&bytes);
            let _ = other_algorithm(&bytes);
        }

        #[test]
        fn near_documents_are_read_without_a_panic(
            field in "(manifests|config|layers|mediaType)",
            digest in "(sha256:[0-9a-f]{64}|sha256:|)",
            size in "(0|-1|1e3|99999999999999999999|null)",
            platform in r#"(null|7|\{\}|\{"os":("linux"|null),"architecture":("arm"|""),"variant":"v7"\})"#,
        ) {
            let descriptor = format!(r#"{{"digest":"{digest}","size":{size},"platform":{platform}}}"#);
            for value in [descriptor.clone(), format!("[{descriptor}]")] {
                let text = format!(r#"{{"{field}":{value}}}"#);
                if let Ok(index) = serde_json::from_str::<Index>(&text) {
                    let all: Vec<_> = index.manifests.iter().map(Descriptor::strict).collect();
                    prop_assert_eq!(all.len(), index.manifests.len());
                }
                let _ = serde_json::from_str::<Manifest>(&text);
            }
        }
    }
}

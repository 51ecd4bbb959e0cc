//! `index.json` as it stands: read, changed in one place, written without touching the rest.
//!
//! Other tools keep entries and fields here that this program knows nothing of. Re-serializing them
//! could lose a field or change a number, so every foreign part is kept as the text it was.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use crate::oci::{Descriptor, media_type};

/// The annotation that names an entry (image-spec, annotations.md).
pub const REF_NAME: &str = "org.opencontainers.image.ref.name";

const MANIFESTS: &str = "manifests";
const SCHEMA_VERSION: &str = "schemaVersion";

/// A layout's index with all that others wrote into it.
#[derive(Debug, Clone)]
pub struct StoredIndex {
    /// In the order of the file; the value of `manifests` is in `manifests` instead.
    fields: Vec<(String, Option<Box<RawValue>>)>,
    manifests: Vec<Box<RawValue>>,
}

impl StoredIndex {
    /// Reads an index.
    ///
    /// # Errors
    /// When the bytes are not an object with schema version 2, or name a field twice.
    pub fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// The index as it is written to the disk.
    ///
    /// # Errors
    /// None that the fields of this type could cause.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    /// Whether it has no entries at all.
    pub fn is_empty(&self) -> bool {
        self.manifests.is_empty()
    }

    /// The names of all entries that have one, in order, twice where two entries share it.
    pub fn names(&self) -> Vec<String> {
        self.manifests
            .iter()
            .filter_map(|raw| name_of(raw))
            .collect()
    }

    /// The entries that are descriptors with a sha256 digest, in order.
    pub fn descriptors(&self) -> Vec<Descriptor> {
        self.manifests
            .iter()
            .filter_map(|raw| serde_json::from_str(raw.get()).ok())
            .collect()
    }

    /// The first entry named `name`.
    ///
    /// # Errors
    /// When that entry is no descriptor with a sha256 digest.
    pub fn find(&self, name: &str) -> Result<Option<Descriptor>, serde_json::Error> {
        self.manifests
            .iter()
            .find(|raw| name_of(raw).as_deref() == Some(name))
            .map(|raw| serde_json::from_str(raw.get()))
            .transpose()
    }

    /// The only entry, where there is exactly one.
    ///
    /// # Errors
    /// When that entry is no descriptor with a sha256 digest.
    pub fn only(&self) -> Result<Option<Descriptor>, serde_json::Error> {
        match self.manifests.as_slice() {
            [raw] => serde_json::from_str(raw.get()).map(Some),
            _ => Ok(None),
        }
    }

    /// Lets `name` mean `descriptor`: the first entry of that name is replaced where it stands,
    /// further ones go, and a new name comes last. Everything else stays as it is.
    ///
    /// # Errors
    /// None that a descriptor could cause.
    pub fn tag(&mut self, name: &str, descriptor: &Descriptor) -> Result<(), serde_json::Error> {
        let mut named = descriptor.clone();
        named
            .annotations
            .insert(REF_NAME.to_owned(), name.to_owned());
        let entry = to_raw_value(&named)?;
        let is_same = |raw: &RawValue| name_of(raw).as_deref() == Some(name);
        let position = self.manifests.iter().position(|raw| is_same(raw));
        self.manifests.retain(|raw| !is_same(raw));
        // Nothing before the first of the name was removed, so its place is still the same.
        self.manifests
            .insert(position.unwrap_or(self.manifests.len()), entry);
        Ok(())
    }
}

impl Default for StoredIndex {
    fn default() -> Self {
        let raw = |text: &str| RawValue::from_string(text.to_owned()).ok();
        Self {
            fields: vec![
                (SCHEMA_VERSION.to_owned(), raw("2")),
                (
                    "mediaType".to_owned(),
                    raw(&format!("\"{}\"", media_type::INDEX)),
                ),
                (MANIFESTS.to_owned(), None),
            ],
            manifests: Vec::new(),
        }
    }
}

/// The name an entry has, if it is an object with one.
fn name_of(raw: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        annotations: Option<BTreeMap<String, serde_json::Value>>,
    }
    let named: Named = serde_json::from_str(raw.get()).ok()?;
    let name = named.annotations?.remove(REF_NAME)?;
    name.as_str().map(str::to_owned)
}

impl Serialize for StoredIndex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields.len()))?;
        for (name, value) in &self.fields {
            match value {
                Some(value) => map.serialize_entry(name, value)?,
                None => map.serialize_entry(name, &self.manifests)?,
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for StoredIndex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(IndexVisitor)
    }
}

struct IndexVisitor;

impl<'de> Visitor<'de> for IndexVisitor {
    type Value = StoredIndex;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an image index")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<StoredIndex, A::Error> {
        let mut fields: Vec<(String, Option<Box<RawValue>>)> = Vec::new();
        let mut manifests = None;
        while let Some(name) = map.next_key::<String>()? {
            if fields.iter().any(|(known, _)| *known == name) {
                map.next_value::<IgnoredAny>()?;
                return Err(A::Error::custom(format!("duplicate field `{name}`")));
            }
            if name == MANIFESTS {
                // Go writes an empty list as `null`.
                manifests = map.next_value::<Option<Vec<Box<RawValue>>>>()?;
                fields.push((name, None));
            } else {
                let value: Box<RawValue> = map.next_value()?;
                if name == SCHEMA_VERSION && value.get() != "2" {
                    return Err(A::Error::custom("`schemaVersion` is not 2"));
                }
                fields.push((name, Some(value)));
            }
        }
        for needed in [SCHEMA_VERSION, MANIFESTS] {
            if !fields.iter().any(|(known, _)| known == needed) {
                return Err(A::Error::custom(format!("missing field `{needed}`")));
            }
        }
        Ok(StoredIndex {
            fields,
            manifests: manifests.unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::digest::Digest;

    fn descriptor(content: &str) -> Descriptor {
        Descriptor::new(media_type::MANIFEST, Digest::of(content.as_bytes()), 7)
    }

    #[test]
    fn a_new_index_is_valid_and_empty() {
        let bytes = StoredIndex::default().to_bytes().expect("serializable");
        assert_eq!(
            String::from_utf8_lossy(&bytes),
            r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#
        );
    }

    #[test]
    fn foreign_entries_and_fields_survive_byte_for_byte() {
        let foreign = r#"{"z":1.50e2,"mediaType":"x/y", "digest":"sha512:00","a":[1,{"deep":null}],"annotations":{"k":"v"}}"#;
        let text = format!(
            r#"{{"x-first":{{"b":1,"a":2.0}},"manifests":[{foreign}],"schemaVersion":2,"annotations":{{"n":"1"}}}}"#
        );
        let mut index = StoredIndex::parse(text.as_bytes()).expect("an index");
        index
            .tag("orders:latest", &descriptor("a"))
            .expect("tagged");
        let bytes = String::from_utf8(index.to_bytes().expect("serializable")).expect("text");
        let ours = serde_json::to_string(
            &StoredIndex::parse(bytes.as_bytes())
                .expect("an index")
                .find("orders:latest")
                .expect("a descriptor"),
        )
        .expect("serializable");
        assert_eq!(bytes, text.replace(foreign, &format!("{foreign},{ours}")));
    }

    #[test]
    fn a_name_is_replaced_where_it_stands_and_only_once() {
        let mut index = StoredIndex::default();
        for name in ["a:1", "b:1", "c:1"] {
            index.tag(name, &descriptor(name)).expect("tagged");
        }
        index.manifests.push(index.manifests[1].clone());
        index.tag("b:1", &descriptor("new")).expect("tagged");
        assert_eq!(index.names(), ["a:1", "b:1", "c:1"]);
        let found = index.find("b:1").expect("a descriptor").expect("present");
        assert_eq!(found.digest, Digest::of(b"new"));
    }

    #[test]
    fn a_list_that_go_left_out_is_empty() {
        let index =
            StoredIndex::parse(br#"{"schemaVersion":2,"manifests":null}"#).expect("an index");
        assert!(index.names().is_empty());
    }

    #[test]
    fn other_schemas_and_repeated_fields_are_refused() {
        for text in [
            r#"{"schemaVersion":1,"manifests":[]}"#,
            r#"{"manifests":[]}"#,
            r#"{"schemaVersion":2}"#,
            r#"{"schemaVersion":2,"manifests":[],"manifests":[]}"#,
            "[]",
            "",
        ] {
            assert!(StoredIndex::parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_parse_or_fail_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = StoredIndex::parse(&bytes);
        }

        #[test]
        fn any_entries_survive_a_tag(
            entries in prop::collection::vec(r#"(null|-?[1-9][0-9]{0,30}|"[a-z ]{0,9}"|\{"digest":[0-9],"annotations":(null|\{"k":[0-9]\})\})"#, 0..6),
        ) {
            let text = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries.join(","));
            let mut index = StoredIndex::parse(text.as_bytes()).expect("an index");
            index.tag("a:b", &descriptor("a")).expect("tagged");
            let bytes = String::from_utf8(index.to_bytes().expect("serializable")).expect("text");
            let kept = bytes.strip_prefix(text.trim_end_matches("]}"));
            prop_assert!(kept.is_some(), "{}", bytes);
            prop_assert_eq!(index.names(), vec!["a:b".to_owned()]);
        }
    }
}

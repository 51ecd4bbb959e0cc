//! A JSON document serialized once.

use serde::Serialize;

use super::Descriptor;
use crate::digest::Digest;

/// The bytes of a manifest, index or configuration, and what points at them.
///
/// Whoever stores or pushes it uses [`Document::bytes`]; serializing a second time could change the
/// digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    descriptor: Descriptor,
    bytes: Vec<u8>,
}

impl Document {
    /// Serializes `value` compactly.
    ///
    /// # Errors
    /// When `value` holds a map whose keys are not strings; the types of this module never do.
    pub fn new(media_type: &str, value: &impl Serialize) -> Result<Self, serde_json::Error> {
        let bytes = serde_json::to_vec(value)?;
        let descriptor = Descriptor::new(media_type, Digest::of(&bytes), bytes.len() as u64);
        Ok(Self { descriptor, bytes })
    }

    /// The serialized form.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What points at the document.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// The digest of [`Document::bytes`].
    pub fn digest(&self) -> Digest {
        self.descriptor.digest
    }
}

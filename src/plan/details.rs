//! What is found out about a plan by asking others: destinations, library roots, sources, git.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Images;
use crate::digest::Digest;
use crate::report::LibrarySummary;

/// Everything that a printed plan says beside the plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Details {
    /// Names at all destinations.
    pub images: Images,
    /// Libraries that every dynamic service gets.
    pub libraries: Vec<LibrarySummary>,
    /// Input keys by service, where they were asked for.
    pub keys: BTreeMap<String, KeyRow>,
    /// Services that a change does not reach, where that was asked for.
    pub unaffected: Option<Vec<String>>,
}

/// An input key as it is printed, and read again to be compared.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KeyRow {
    /// The key; absent where some input cannot be known.
    #[serde(rename = "key", default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unkeyed: Option<String>,
    /// What went in, where that was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<InputRow>,
}

/// One input of a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct InputRow {
    /// What it is: `file`, `dependency`, `build` and so on.
    pub kind: String,
    /// Its name among its kind.
    pub name: String,
    /// Its value, or the digest of it.
    pub value: String,
}

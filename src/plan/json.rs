//! A plan as JSON, by a versioned schema.

use serde::Serialize;

use super::{Details, KeyRow, Plan};
use crate::report::LibrarySummary;

const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    services: Vec<ServiceRow<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unaffected: Option<&'a [String]>,
    libraries: &'a [LibrarySummary],
}

#[derive(Serialize)]
struct ServiceRow<'a> {
    service: &'a str,
    package: &'a str,
    bin: &'a str,
    #[serde(flatten)]
    key: Option<&'a KeyRow>,
    target: &'a str,
    platform: String,
    profile: &'a str,
    features: &'a [String],
    linkage: String,
    tags: Vec<String>,
    images: &'a [String],
    reasons: &'a [String],
}

impl Plan {
    /// The plan as one JSON document.
    ///
    /// # Errors
    /// Never for plans that [`super::make`] made; serializing is fallible by its type.
    pub fn to_json(&self, details: &Details) -> Result<String, serde_json::Error> {
        let services = self.services.iter().map(|service| ServiceRow {
            service: &service.service,
            package: &service.package,
            bin: &service.binary,
            key: details.keys.get(&service.service),
            target: &service.target,
            platform: service.platform.to_string(),
            profile: &service.config.profile.value,
            features: &service.selection.features,
            linkage: service.config.linkage.value.to_string(),
            tags: service.tags_for_print(),
            images: details
                .images
                .get(&service.service)
                .map(Vec::as_slice)
                .unwrap_or_default(),
            reasons: &service.reasons,
        });
        let document = Document {
            version: VERSION,
            services: services.collect(),
            unaffected: details.unaffected.as_deref(),
            libraries: &details.libraries,
        };
        serde_json::to_string(&document)
    }
}

//! A plan as JSON, by a versioned schema.

use serde::Serialize;

use super::{Images, Plan};
use crate::report::LibrarySummary;

const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    services: Vec<ServiceRow<'a>>,
    libraries: &'a [LibrarySummary],
}

#[derive(Serialize)]
struct ServiceRow<'a> {
    service: &'a str,
    package: &'a str,
    bin: &'a str,
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
    /// The plan as one JSON document; `images` are the names at all destinations, `libraries` those that every dynamic service gets.
    ///
    /// # Errors
    /// Never for plans that [`super::make`] made; serializing is fallible by its type.
    pub fn to_json(
        &self,
        images: &Images,
        libraries: &[LibrarySummary],
    ) -> Result<String, serde_json::Error> {
        let services = self.services.iter().map(|service| ServiceRow {
            service: &service.service,
            package: &service.package,
            bin: &service.binary,
            target: &service.target,
            platform: service.platform.to_string(),
            profile: &service.config.profile.value,
            features: &service.selection.features,
            linkage: service.config.linkage.value.to_string(),
            tags: service.tags_for_print(),
            images: images
                .get(&service.service)
                .map(Vec::as_slice)
                .unwrap_or_default(),
            reasons: &service.reasons,
        });
        let document = Document {
            version: VERSION,
            services: services.collect(),
            libraries,
        };
        serde_json::to_string(&document)
    }
}

//! A plan as JSON, by a versioned schema.

use serde::Serialize;

use super::Plan;
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
    tags: Vec<String>,
    destinations: &'a [String],
    reasons: &'a [String],
}

impl Plan {
    /// The plan as one JSON document; `libraries` are those that every dynamic service gets.
    ///
    /// # Errors
    /// Never for plans that [`super::make`] made; serializing is fallible by its type.
    pub fn to_json(&self, libraries: &[LibrarySummary]) -> Result<String, serde_json::Error> {
        let services = self.services.iter().map(|service| ServiceRow {
            service: &service.service,
            package: &service.package,
            bin: &service.binary,
            target: &service.target,
            platform: service.platform.to_string(),
            profile: &service.config.profile.value,
            tags: Self::tags_for_print(service),
            destinations: &self.destinations,
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

//! What other programs are told of a service.

use super::{Images, PlannedService};

/// One service, as pipelines and comments show it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Row {
    /// Its name.
    pub service: String,
    /// Its package's name.
    pub package: String,
    /// The binary target.
    pub bin: String,
    /// The Rust target.
    pub target: String,
    /// The platform of the image, `linux/amd64`.
    pub platform: String,
    /// Names of the image, one for each destination.
    pub images: Vec<String>,
    /// Why it is there, for people.
    pub reasons: Vec<String>,
}

impl Row {
    /// The row of a planned service.
    pub fn of(service: &PlannedService, images: &Images) -> Self {
        Self {
            service: service.service.clone(),
            package: service.package.clone(),
            bin: service.binary.clone(),
            target: service.target.clone(),
            platform: service.platform.to_string(),
            images: images.get(&service.service).cloned().unwrap_or_default(),
            reasons: service.reasons.clone(),
        }
    }

    /// A row to test with.
    #[cfg(test)]
    pub(super) fn named(service: &str) -> Self {
        Self {
            service: service.to_owned(),
            package: format!("shop-{service}"),
            bin: service.to_owned(),
            platform: "linux/amd64".to_owned(),
            reasons: vec!["src/a.rs changed".to_owned()],
            ..Self::default()
        }
    }
}

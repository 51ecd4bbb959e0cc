//! What images are called at each destination.

use std::collections::BTreeMap;

use super::PipelineError;
use crate::destination::{Destination, Prefix};
use crate::plan::{Plan, PlanError, PlannedService};

/// What a service's image is called at a destination, without tag.
///
/// # Errors
/// [`PipelineError`] where no registry is configured for the service.
pub(super) fn image_name(
    service: &PlannedService,
    destination: &dyn Destination,
) -> Result<String, PipelineError> {
    let repo = match destination.prefix() {
        Prefix::None => None,
        Prefix::Fixed(prefix) => Some(prefix),
        Prefix::Configured => {
            let configured = service.config.repo.value.as_deref();
            Some(configured.ok_or_else(|| PipelineError::NoRepository(service.service.clone()))?)
        }
    };
    Ok(service.image_name(repo)?)
}

/// The names of all services' images at a destination, in plan order.
///
/// # Errors
/// As a single name's, and when two services would be one image.
pub fn image_names(
    plan: &Plan,
    destination: &dyn Destination,
) -> Result<Vec<String>, PipelineError> {
    let mut owners: BTreeMap<String, &str> = BTreeMap::new();
    let mut names = Vec::new();
    for service in &plan.services {
        let name = image_name(service, destination)?;
        if let Some(first) = owners.insert(name.clone(), &service.service) {
            let (first, second) = (first.to_owned(), service.service.clone());
            return Err(PlanError::ImageClash {
                name,
                first,
                second,
            }
            .into());
        }
        names.push(name);
    }
    Ok(names)
}

//! Making a plan.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::facts::image_facts;
use super::{PlanError, PlannedService, TargetChoice, choose_target};
use crate::cargo::Selection;
use crate::config::Config;
use crate::workspace::{Service, Workspace};

/// What `build` does.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Directory of the root manifest.
    pub workspace_root: PathBuf,
    /// The repository around it.
    pub repository_root: PathBuf,
    /// cargo's target directory.
    pub target_directory: PathBuf,
    /// Whether the user named that directory, rather than leaving it to cargo.
    pub target_directory_named: bool,
    /// `SOURCE_DATE_EPOCH`, in seconds.
    pub source_date_epoch: Option<u64>,
    /// In the workspace's order.
    pub services: Vec<PlannedService>,
}

/// Names of each service's image, one for each destination, without tags.
pub type Images = BTreeMap<String, Vec<String>>;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The services.
    pub selected: Vec<&'a Service>,
    /// Whether the user named them, rather than meaning all.
    pub named: bool,
    /// For which target.
    pub target: TargetChoice,
    /// Whether the user named the target directory.
    pub target_directory_named: bool,
    /// `SOURCE_DATE_EPOCH`, in seconds.
    pub source_date_epoch: Option<u64>,
}

/// Decides everything that can be decided without running anything.
///
/// # Errors
/// [`PlanError`] for targets that are not Linux, and names that are illegal or clash.
pub fn make(
    workspace: &Workspace,
    config: &Config,
    request: Request<'_>,
) -> Result<Plan, PlanError> {
    let (target, platform) = choose_target(&request.target)?;
    let reason = if request.named {
        "named on the command line"
    } else {
        "all services are meant"
    };
    let mut services = Vec::new();
    for service in request.selected {
        let Some(settings) = config.service(&service.name) else {
            continue;
        };
        let package = workspace.package_of(service);
        let facts = image_facts(package, service);
        let merged = |own: &BTreeMap<String, String>| {
            let mut all = facts.clone();
            all.extend(own.clone());
            all
        };
        let planned = PlannedService {
            service: service.name.clone(),
            package: package.name.clone(),
            version: package.version.clone(),
            package_id: package.id.clone(),
            binary: service.binary.clone(),
            target: target.clone(),
            platform: platform.clone(),
            selection: Selection {
                features: settings.features.value.clone(),
                all_features: settings.all_features.value,
                no_default_features: settings.no_default_features.value,
            },
            labels: merged(&settings.labels.value),
            annotations: merged(&settings.annotations.value),
            config: settings.clone(),
            reasons: vec![reason.to_owned()],
        };
        services.push(planned);
    }
    Ok(Plan {
        workspace_root: workspace.root.clone(),
        repository_root: workspace.repository_root.clone(),
        target_directory: workspace.target_directory.clone(),
        target_directory_named: request.target_directory_named,
        source_date_epoch: request.source_date_epoch,
        services,
    })
}

//! Which binaries can be deployed with the features that are configured for them.

use std::collections::BTreeSet;

use crate::config::{Config, ServiceConfig};
use crate::workspace::{LeftOut, Package, Service, Workspace};

/// The workspace without the services whose required features stay off: cargo refuses to build them.
/// They keep their part in naming, so that a flag never renames a service.
pub fn deployable(mut workspace: Workspace, config: &Config) -> Workspace {
    let services = std::mem::take(&mut workspace.services);
    for service in services {
        let package = workspace.package_of(&service);
        let missing = config
            .service(&service.name)
            .map(|settings| missing_features(package, &service, settings))
            .unwrap_or_default();
        if missing.is_empty() {
            workspace.services.push(service);
        } else {
            workspace.left_out.push(LeftOut {
                package: package.name.clone(),
                binary: service.binary.clone(),
                reason: reason(&missing),
            });
        }
    }
    workspace.left_out.sort();
    workspace
}

fn reason(missing: &[&String]) -> String {
    let names: Vec<String> = missing.iter().map(|name| format!("`{name}`")).collect();
    let noun = if names.len() == 1 {
        "feature"
    } else {
        "features"
    };
    format!(
        "it requires the {noun} {}, which neither defaults nor `features` turn on",
        names.join(", ")
    )
}

fn missing_features<'a>(
    package: &Package,
    service: &'a Service,
    settings: &ServiceConfig,
) -> Vec<&'a String> {
    if settings.all_features.value {
        return Vec::new();
    }
    let own = |name: &String| {
        let rest = name
            .strip_prefix(package.name.as_str())
            .and_then(|rest| rest.strip_prefix('/'));
        rest.unwrap_or(name).to_owned()
    };
    let mut asked: Vec<String> = settings.features.value.iter().map(own).collect();
    if !settings.no_default_features.value {
        asked.push("default".to_owned());
    }
    let enabled = with_implied(package, asked);
    service
        .required_features
        .iter()
        .filter(|name| !enabled.contains(*name))
        .collect()
}

/// The features and all that they turn on inside the package.
fn with_implied(package: &Package, mut pending: Vec<String>) -> BTreeSet<String> {
    let mut enabled = BTreeSet::new();
    while let Some(name) = pending.pop() {
        if let Some(implied) = package.features.get(&name) {
            pending.extend(
                implied
                    .iter()
                    .filter(|implied| !enabled.contains(*implied))
                    .cloned(),
            );
        }
        enabled.insert(name);
    }
    enabled
}

//! Whether the features a binary requires are turned on.

use std::collections::BTreeSet;

use cargo_metadata::{Package, Target};
use serde_json::Value;

/// The required features of `target` that stay off: neither default, nor on the command line, nor in
/// the `features` of the nearest configuration layer that has any.
pub(super) fn missing_features(
    package: &Package,
    target: &Target,
    on_command_line: &[String],
    layers: &[&Value],
) -> Vec<String> {
    if target.required_features.is_empty() {
        return Vec::new();
    }
    let without_default = layers
        .iter()
        .find_map(|layer| layer["no-default-features"].as_bool())
        .unwrap_or(false);
    let configured = layers.iter().find_map(|layer| layer["features"].as_array());
    let mut enabled: Vec<String> = configured
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .chain(on_command_line.iter().map(String::as_str))
        .map(|name| {
            let own = name
                .strip_prefix(package.name.as_str())
                .and_then(|rest| rest.strip_prefix('/'));
            own.unwrap_or(name).to_owned()
        })
        .collect();
    if !without_default {
        enabled.push("default".to_owned());
    }
    let enabled = with_implied(package, enabled);
    target
        .required_features
        .iter()
        .filter(|name| !enabled.contains(*name))
        .cloned()
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

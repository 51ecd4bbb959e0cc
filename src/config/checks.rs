//! What must hold between values: of one service, and of several.

use std::collections::BTreeMap;

use super::mistake::Mistakes;
use super::names::{SAMPLE_REPO, check_name};
use super::origin::Origin;
use super::service::ServiceConfig;
use super::values::Compression;
use crate::hint::{Hint as _, near_names};
use crate::reference::image_component;
use crate::report::printable;
use crate::workspace::{Package, Workspace};

/// Checks the configurations of all services, and settles what one key decides for another.
pub(super) fn check(
    workspace: &Workspace,
    services: &mut BTreeMap<String, ServiceConfig>,
    mistakes: &mut Mistakes,
) {
    let known = SharedFeatures::of(workspace);
    for service in &workspace.services {
        let Some(config) = services.get_mut(&service.name) else {
            continue;
        };
        settle_compression(config, mistakes);
        check_links(config, mistakes);
        if let Some(package) = workspace.packages.get(service.package) {
            settle_features(config, package, &known, mistakes);
        }
    }
    check_names(services, mistakes);
}

/// A level belongs to the compression of its own layer or an earlier one: `--compression zstd` must
/// not inherit what a manifest says about gzip.
fn settle_compression(config: &mut ServiceConfig, mistakes: &mut Mistakes) {
    let level = &config.compression_level;
    let Some(number) = level.value else { return };
    if level.origin.layer() < config.compression.origin.layer() {
        config.forget_compression_level();
        return;
    }
    let (legal, hint) = match config.compression.value {
        Compression::Gzip => (0..=9, "use 0 to 9, or `compression = \"zstd\"`"),
        Compression::Zstd => (1..=19, "use 1 to 19"),
        Compression::None => {
            let message = "`compression-level` says nothing where `compression` is `none`";
            let hint = "leave it out, or choose a compression";
            mistakes.add(&level.origin, message.to_owned(), Some(hint.to_owned()));
            return;
        }
    };
    if !legal.contains(&number) {
        let message = format!("`compression-level` {number} is out of range");
        mistakes.add(&level.origin, message, Some(hint.to_owned()));
    }
}

fn check_links(config: &ServiceConfig, mistakes: &mut Mistakes) {
    if config.links.value.contains(&config.path.value) {
        let message = format!("link `{}` is the executable itself", config.path.value);
        let hint = "leave the link out, or change `path`";
        mistakes.add(&config.links.origin, message, Some(hint.to_owned()));
    }
}

/// Features of all packages that have a service.
struct SharedFeatures<'a>(Vec<&'a str>);

impl<'a> SharedFeatures<'a> {
    fn of(workspace: &'a Workspace) -> Self {
        let features = workspace
            .services
            .iter()
            .filter_map(|service| workspace.packages.get(service.package))
            .flat_map(|package| package.features.keys().map(String::as_str));
        Self(features.collect())
    }
}

/// Features that are meant for one package must be its own. What is said for all services alike
/// applies to those that have the feature, as cargo does when it builds several packages at once.
fn settle_features(
    config: &mut ServiceConfig,
    package: &Package,
    shared: &SharedFeatures,
    mistakes: &mut Mistakes,
) {
    let origin = config.features.origin.clone();
    let own: Vec<&str> = package.features.keys().map(String::as_str).collect();
    config.features.value.retain(|feature| {
        if feature.starts_with("dep:") {
            let message = format!("`{}` is no feature", printable(feature));
            let hint = "leave out `dep:`, or define a feature that activates the dependency";
            mistakes.add(&origin, message, Some(hint.to_owned()));
            return false;
        }
        if feature.contains('/') || own.contains(&feature.as_str()) {
            return true;
        }
        if origin.is_shared() {
            if !shared.0.contains(&feature.as_str()) {
                unknown_feature("no service", feature, &shared.0, &origin, mistakes);
            }
        } else {
            let who = format!("package `{}`", package.name);
            unknown_feature(&who, feature, &own, &origin, mistakes);
        }
        false
    });
}

fn unknown_feature(
    who: &str,
    feature: &str,
    known: &[&str],
    origin: &Origin,
    mistakes: &mut Mistakes,
) {
    let feature = printable(feature);
    let message = match who {
        "no service" => format!("no service has a feature `{feature}`"),
        who => format!("{who} has no feature `{feature}`"),
    };
    let hint = near_names(&feature, known.iter().copied())
        .first()
        .map(|near| format!("did you mean `{near}`?"));
    mistakes.add(origin, message, hint);
}

/// Every name must be legal, and no two services may share one.
fn check_names(services: &BTreeMap<String, ServiceConfig>, mistakes: &mut Mistakes) {
    let mut taken: BTreeMap<String, &str> = BTreeMap::new();
    for (service, config) in services {
        let repo = config.repo.value.as_deref().unwrap_or(SAMPLE_REPO);
        let rendered = match config.image_name(repo) {
            Ok(rendered) => rendered,
            Err(missing) => {
                let (message, hint) = match image_component(service) {
                    Err(error) => (error.to_string(), error.hint()),
                    Ok(_) => (missing.to_string(), missing.hint()),
                };
                mistakes.add(&config.name.origin, message, hint);
                continue;
            }
        };
        if let Err(error) = check_name(&rendered) {
            mistakes.add(&config.name.origin, error.to_string(), error.hint());
        }
        if let Some(other) = taken.insert(rendered, service) {
            let short = config.short_name().unwrap_or_default();
            let message = format!(
                "services `{other}` and `{service}` would both be the image `{}`",
                printable(&short)
            );
            let hint = "set `name` for one of them, or put `{service}` into the pattern";
            mistakes.add(&config.name.origin, message, Some(hint.to_owned()));
        }
    }
}

//! From `--to` and `--repo` to destinations.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Failure;
use super::context::Context;
use crate::destination::{Destination, OciLayout, RegistryDestination, Spec, parse};
use crate::plan::Plan;
use crate::registry::{Options, Registry};

/// Where a command sends images that no `--to` names a place for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aim {
    /// Into a layout in the target directory, unless another place is named.
    Layout,
    /// To the registry that is configured, besides all places that are named.
    Registry,
}

impl Aim {
    /// The destinations of `plan`, of which `named` were typed. Nothing is opened.
    pub(super) fn destinations(
        self,
        context: &Context,
        plan: &Plan,
        named: &[String],
    ) -> Result<Vec<Spec>, Failure> {
        let mut texts = named.to_vec();
        match self {
            Self::Registry => texts.insert(0, format!("docker://{}", common_repository(plan))),
            Self::Layout if texts.is_empty() => texts.push(layout_in(plan, context)),
            Self::Layout => {}
        }
        let parsed: Result<Vec<Spec>, _> = texts.iter().map(|text| parse(text)).collect();
        parsed.map_err(Failure::usage)
    }
}

/// `oci:` and a directory in the target directory, as seen from where the user stands.
fn layout_in(plan: &Plan, context: &Context) -> String {
    let directory = plan.target_directory.join("lighter").join("oci");
    let here = context.environment.directory();
    format!(
        "oci:{}",
        directory.strip_prefix(here).unwrap_or(&directory).display()
    )
}

/// The repository prefix of all services; nothing where each has its own, or none has any.
fn common_repository(plan: &Plan) -> &str {
    let repos: BTreeSet<Option<&str>> = plan
        .services
        .iter()
        .map(|service| service.config.repo.value.as_deref())
        .collect();
    match (repos.first(), repos.len()) {
        (Some(Some(only)), 1) => only,
        _ => "",
    }
}

/// The destinations, ready to be checked.
pub(super) fn open(
    context: &Context,
    specs: &[Spec],
) -> Result<Vec<Box<dyn Destination>>, Failure> {
    open_with(context, specs, &Options::default())
}

/// The same with a client of registries that goes about its work in another way.
pub(super) fn open_with(
    context: &Context,
    specs: &[Spec],
    options: &Options,
) -> Result<Vec<Box<dyn Destination>>, Failure> {
    let mut registry: Option<Arc<Registry>> = None;
    let mut destinations: Vec<Box<dyn Destination>> = Vec::new();
    for spec in specs {
        destinations.push(match spec {
            Spec::OciLayout { text, directory } => Box::new(OciLayout::new(
                text,
                &context.environment.resolve(directory),
            )),
            Spec::Registry { text, prefix } => {
                let client = shared_registry(&mut registry, context, options)?;
                Box::new(RegistryDestination::new(text, Some(prefix.clone()), client))
            }
            Spec::ConfiguredRegistry { text } => {
                let client = shared_registry(&mut registry, context, options)?;
                Box::new(RegistryDestination::new(text, None, client))
            }
        });
    }
    Ok(destinations)
}

/// One client a run: its tokens and its limit on transfers hold for all destinations.
fn shared_registry(
    slot: &mut Option<Arc<Registry>>,
    context: &Context,
    options: &Options,
) -> Result<Arc<Registry>, Failure> {
    if let Some(client) = slot {
        return Ok(Arc::clone(client));
    }
    let client = Registry::with(
        &context.environment,
        context.clock.clone(),
        &context.interrupt,
        options.clone(),
    );
    let client = Arc::new(client.map_err(Failure::failed)?);
    *slot = Some(Arc::clone(&client));
    Ok(client)
}

//! From `--to` and `--repo` to destinations.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Failure;
use super::context::Context;
use crate::destination::{
    Archive, ContainerEngine, Destination, EngineChoice, OciLayout, RegistryDestination, Spec,
    parse,
};
use crate::hint::Hint;
use crate::plan::Plan;
use crate::registry::{Options, Registry};
use crate::source::Stands;

/// Where a command sends images that no `--to` names a place for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aim {
    /// Into a layout in the target directory, unless another place is named.
    Layout,
    /// Into the container engine of this machine, besides all places that are named.
    Engine,
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
            Self::Layout | Self::Engine => {}
        }
        let stands = |path: &Path| Stands::at(&context.environment.resolve(path));
        let parse = |text: &String| parse(text).map_err(|error| error.on_disk(stands));
        let parsed: Result<Vec<Spec>, _> = texts.iter().map(parse).collect();
        let mut specs = parsed.map_err(Failure::usage)?;
        let is_named = specs
            .iter()
            .any(|spec| matches!(spec, Spec::Registry { .. }));
        let is_missing = |spec: &Spec| matches!(spec, Spec::ConfiguredRegistry { .. });
        let repos = plan
            .services
            .iter()
            .map(|service| &service.config.repo.value);
        if self == Self::Registry
            && is_named
            && specs.first().is_some_and(is_missing)
            && repos.flatten().next().is_none()
        {
            return Err(Failure::usage(OnlyNamed));
        }
        if self == Self::Engine {
            specs.push(Spec::engine("--load", EngineChoice::Any));
        }
        Ok(specs)
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

/// Registries are named, but not the one that `push` is about.
#[derive(Debug, thiserror::Error)]
#[error(
    "`push` sends images to your own registry besides those that `--to` names, and nothing says which that is"
)]
struct OnlyNamed;

impl Hint for OnlyNamed {
    fn hint(&self) -> Option<String> {
        Some(
            "type `cargo lighter build --to …` to push to those alone, or give the other with `--repo HOST/PREFIX`"
                .to_owned(),
        )
    }
}

/// Two things to be written to one path.
#[derive(Debug, thiserror::Error)]
#[error("`{first}` and `{second}` are the same file")]
struct OneFile {
    first: String,
    second: String,
}

impl Hint for OneFile {
    fn hint(&self) -> Option<String> {
        Some("give each a file of its own".to_owned())
    }
}

/// Refuses archives in the place of one another, of a layout, or of a file that a flag names: the one that
/// is written last would be the only one.
pub(super) fn refuse_clashes(
    context: &Context,
    specs: &[Spec],
    flags: &[(&str, &Option<PathBuf>)],
) -> Result<(), Failure> {
    let mut archives: BTreeMap<PathBuf, String> = BTreeMap::new();
    let place = |path: &Path| canonical(&context.environment.resolve(path));
    for spec in specs {
        if let Spec::Archive { text, file, .. } = spec
            && let Some(first) = archives.insert(place(file), text.clone())
        {
            let second = text.clone();
            return Err(Failure::usage(OneFile { first, second }));
        }
    }
    let layouts = specs.iter().filter_map(|spec| match spec {
        Spec::OciLayout { text, directory } => Some((text.clone(), place(directory))),
        _ => None,
    });
    let named = flags.iter().filter_map(|(flag, path)| {
        let path = path.as_ref()?;
        Some((format!("{flag} {}", path.display()), place(path)))
    });
    for (second, path) in layouts.chain(named) {
        if let Some(first) = archives.get(&path) {
            let first = first.clone();
            return Err(Failure::usage(OneFile { first, second }));
        }
    }
    Ok(())
}

/// The same path for all ways to write it, as far as what is there can tell.
fn canonical(path: &Path) -> PathBuf {
    let whole = fs_err::canonicalize(path);
    whole.unwrap_or_else(|_| match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => canonical(parent).join(name),
        _ => path.to_owned(),
    })
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
            Spec::Archive { text, form, file } => Box::new(Archive::new(
                text,
                &context.environment.resolve(file),
                *form,
                &context.interrupt,
            )),
            Spec::Engine { text, choice } => Box::new(ContainerEngine::new(
                text,
                *choice,
                &context.environment,
                &context.interrupt,
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

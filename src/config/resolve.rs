//! From manifests, environment and flags to the configuration of every service.

use std::collections::BTreeMap;
use std::path::Path;

use semver::Version;

use super::checks;
use super::keys;
use super::layers::{self, ManifestLayers};
use super::manifest::{self, Manifests, start_of};
use super::mistake::{ConfigErrors, Mistakes};
use super::origin::{Origin, Value};
use super::outside::{self, Overrides};
use super::raw::{Data, Node};
use super::reader::{Layer, Reader, Roots};
use super::service::ServiceConfig;
use crate::fs::ImagePath;
use crate::hint::Hint as _;
use crate::process::Environment;
use crate::reference::image_component;
use crate::workspace::{Package, Service, Workspace};

/// The configuration of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The configuration of each service of the workspace, by name.
    pub services: BTreeMap<String, ServiceConfig>,
    /// The highest `min-version` that a manifest states; this program is not older.
    pub min_version: Option<Value<Version>>,
}

impl Config {
    /// The configuration of the service of that name.
    pub fn service(&self, name: &str) -> Option<&ServiceConfig> {
        self.services.get(name)
    }
}

/// Reads the manifests of `workspace`, each once, and resolves the configuration of its services.
///
/// Layers, later ones winning key by key: built-in defaults, `[workspace.metadata.lighter]`,
/// `[package.metadata.lighter]`, `[package.metadata.lighter.bin.NAME]`, variables `LIGHTER_*`,
/// flags. A list replaces the list of an earlier layer; the tables `env`, `labels` and `annotations`
/// are merged entry by entry.
///
/// # Errors
/// All mistakes of all members' manifests, of the environment and of the flags at once. Where a
/// manifest asks for a newer version of this program, that alone is reported, since the rest may
/// be right for it.
pub fn resolve(
    workspace: &Workspace,
    environment: &Environment,
    overrides: &Overrides,
) -> Result<Config, ConfigErrors> {
    resolve_edited(workspace, environment, overrides, None)
}

/// The same as if one manifest had another text: what [`resolve`] would say after it was written.
///
/// # Errors
/// As [`resolve`].
pub fn resolve_edited(
    workspace: &Workspace,
    environment: &Environment,
    overrides: &Overrides,
    edited: Option<(&Path, &str)>,
) -> Result<Config, ConfigErrors> {
    let mut mistakes = Mistakes::default();
    let running = running_version();
    let manifests = Manifests::read(workspace, edited, &mut mistakes);

    let mut too_old = Mistakes::default();
    let min_version = layers::min_version(&manifests, &running, &mut too_old);
    if min_version
        .as_ref()
        .is_some_and(|stated| stated.value > running)
    {
        too_old.finish()?;
    } else {
        mistakes.append(too_old);
    }

    let resolving = Resolving {
        workspace,
        built_in: layers::built_in(&mut mistakes),
        manifests: layers::of_manifests(
            workspace,
            &manifests,
            min_version.is_some(),
            &mut mistakes,
        ),
        environment: outside::environment(environment, &mut mistakes),
        flags: overrides.layer(),
    };
    resolving.check_tables_without_service(&mut mistakes);
    let mut services = resolving.services(&mut mistakes);
    checks::check(workspace, &mut services, &mut mistakes);
    mistakes.finish()?;
    Ok(Config {
        services,
        min_version,
    })
}

/// Whether `text` could be the table `[package.metadata.lighter]` of a package: known keys with legal
/// values, each for itself.
///
/// # Errors
/// All mistakes at once.
pub fn check(workspace: &Workspace, package: &Package, text: &str) -> Result<(), ConfigErrors> {
    let mut mistakes = Mistakes::default();
    let entries = manifest::table(text, Origin::Package, &mut mistakes);
    let layer = layers::of_package(&entries, &mut mistakes);
    if let Ok(path) = ImagePath::new("/app") {
        let roots = roots(workspace, package);
        let reader = Reader::new(vec![&layer], roots, &mut mistakes);
        ServiceConfig::read(reader, path, BTreeMap::new());
    }
    mistakes.finish()
}

fn roots<'a>(workspace: &'a Workspace, package: &'a Package) -> Roots<'a> {
    Roots {
        package: &package.directory,
        workspace: &workspace.root,
        repository: &workspace.repository_root,
    }
}

fn running_version() -> Version {
    // The build refuses a version that is none, so the fallback only keeps the types honest.
    Version::parse(env!("CARGO_PKG_VERSION")).unwrap_or(Version::new(0, 0, 0))
}

/// All layers.
struct Resolving<'a> {
    workspace: &'a Workspace,
    built_in: Layer,
    manifests: ManifestLayers,
    environment: Layer,
    flags: Layer,
}

impl Resolving<'_> {
    fn services(&self, mistakes: &mut Mistakes) -> BTreeMap<String, ServiceConfig> {
        self.workspace
            .services
            .iter()
            .filter_map(|service| {
                let config = self.service(service, mistakes)?;
                Some((service.name.clone(), config))
            })
            .collect()
    }

    fn service(&self, service: &Service, mistakes: &mut Mistakes) -> Option<ServiceConfig> {
        let package = self.workspace.packages.get(service.package)?;
        let path = self.default_path(&service.name, package, mistakes)?;
        let mut built_in = self.built_in.clone();
        let node = Node {
            origin: Origin::Default,
            data: Data::Text(path.absolute()),
        };
        built_in.set(keys::PATH, node);
        let stack = self.stack(&built_in, service.package, Some(&service.binary));
        let reader = Reader::new(stack, roots(self.workspace, package), mistakes);
        Some(ServiceConfig::read(reader, path, words(service, package)))
    }

    fn stack<'a>(
        &'a self,
        built_in: &'a Layer,
        package: usize,
        binary: Option<&str>,
    ) -> Vec<&'a Layer> {
        let layers = self.manifests.packages.get(package);
        let bin = layers
            .zip(binary)
            .and_then(|(layers, binary)| layers.bins.get(binary));
        [
            Some(built_in),
            Some(&self.manifests.workspace),
            layers.map(|layers| &layers.package),
            bin,
            Some(&self.environment),
            Some(&self.flags),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn default_path(
        &self,
        service: &str,
        package: &Package,
        mistakes: &mut Mistakes,
    ) -> Option<ImagePath> {
        let path = ImagePath::new(&format!("/app/{service}"));
        if let Err(error) = &path {
            let place = Origin::Package(start_of(&package.manifest, &self.workspace.root));
            mistakes.add(&place, error.to_string(), error.hint());
        }
        path.ok()
    }

    /// Values in tables that configure no service may be wrong too, and are found before the table
    /// begins to matter.
    fn check_tables_without_service(&self, mistakes: &mut Mistakes) {
        for (index, package) in self.workspace.packages.iter().enumerate() {
            let Some(layers) = self.manifests.packages.get(index) else {
                continue;
            };
            for layer in layers.bins.values().chain([&layers.package]) {
                let Ok(path) = ImagePath::new("/app") else {
                    continue;
                };
                let stack = vec![&self.manifests.workspace, layer];
                let reader = Reader::new(stack, roots(self.workspace, package), mistakes);
                ServiceConfig::read(reader, path, BTreeMap::new());
            }
        }
    }
}

/// The values of `name`'s placeholders but for `repo`. One that has no legal form is left out, which
/// only matters to a name that holds it.
fn words(service: &Service, package: &Package) -> BTreeMap<&'static str, String> {
    [
        ("service", &service.name),
        ("package", &package.name),
        ("version", &package.version),
    ]
    .into_iter()
    .filter_map(|(placeholder, text)| Some((placeholder, image_component(text).ok()?)))
    .collect()
}

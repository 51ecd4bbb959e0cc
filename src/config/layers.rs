//! The layers of a workspace: read from every manifest, the environment and the flags.

use std::collections::BTreeMap;

use semver::Version;

use super::keys::{self, KEYS, Key, Scope};
use super::manifest::{Manifest, Manifests};
use super::mistake::Mistakes;
use super::origin::{Origin, Value};
use super::raw::{Data, Entry};
use super::reader::{Context, Layer, Part, Roots};
use crate::hint::{near_names, quoted_list};
use crate::report::printable;
use crate::workspace::{Package, Workspace};

/// The layers that manifests hold.
#[derive(Debug, Default)]
pub(super) struct ManifestLayers {
    pub(super) workspace: Layer,
    /// One for each of [`Workspace::packages`].
    pub(super) packages: Vec<PackageLayers>,
}

/// The layers of one package.
#[derive(Debug, Default)]
pub(super) struct PackageLayers {
    pub(super) package: Layer,
    /// By name of the binary.
    pub(super) bins: BTreeMap<String, Layer>,
}

/// Which table a key stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Table {
    Workspace,
    Package,
    Bin,
}

impl Table {
    fn holds(self, scope: Scope) -> bool {
        match scope {
            Scope::Everywhere => true,
            Scope::PackageAndBin => self != Self::Workspace,
            Scope::WorkspaceAndPackage => self != Self::Bin,
            Scope::Package => self == Self::Package,
            Scope::Flag | Scope::Later => false,
        }
    }
}

/// The highest `min-version` that a manifest states; one above `running` is a mistake.
pub(super) fn min_version(
    manifests: &Manifests,
    running: &Version,
    mistakes: &mut Mistakes,
) -> Option<Value<Version>> {
    let mut highest: Option<Value<Version>> = None;
    let tables = manifests
        .all()
        .flat_map(|manifest| [&manifest.workspace, &manifest.package]);
    for entry in tables.flatten() {
        if entry.name != keys::MIN_VERSION.name {
            continue;
        }
        let Some(version) = stated_version(entry, mistakes) else {
            continue;
        };
        if version > *running {
            let message = format!("cargo-lighter {version} or newer is needed, this is {running}");
            let hint = "run `cargo install cargo-lighter --locked` to get the newest version";
            mistakes.add(&entry.node.origin, message, Some(hint.to_owned()));
        }
        if highest.as_ref().is_none_or(|found| found.value < version) {
            highest = Some(Value {
                value: version,
                origin: entry.node.origin.clone(),
            });
        }
    }
    highest
}

fn stated_version(entry: &Entry, mistakes: &mut Mistakes) -> Option<Version> {
    let place = &entry.node.origin;
    let Data::Text(text) = &entry.node.data else {
        let shape = entry.node.data.shape();
        let message = format!("`min-version` must be a string, not {shape}");
        let hint = format!("write for example `{}`", keys::MIN_VERSION.written());
        mistakes.add(place, message, Some(hint));
        return None;
    };
    let version = Version::parse(text);
    if version.is_err() {
        let message = format!("`min-version` `{}` is no version", printable(text));
        let hint = format!("write for example `{}`", keys::MIN_VERSION.written());
        mistakes.add(place, message, Some(hint));
    }
    version.ok()
}

/// The layers of all manifests. Keys are checked here, values where they are read.
pub(super) fn of_manifests(
    workspace: &Workspace,
    manifests: &Manifests,
    is_versioned: bool,
    mistakes: &mut Mistakes,
) -> ManifestLayers {
    let mut tables = Tables {
        is_versioned,
        mistakes,
    };
    let root = manifests.get(&workspace.manifest);
    ManifestLayers {
        workspace: root.map_or_else(Layer::default, |manifest| {
            tables.layer(&manifest.workspace, Table::Workspace)
        }),
        packages: workspace
            .packages
            .iter()
            .map(|package| {
                manifests
                    .get(&package.manifest)
                    .map_or_else(PackageLayers::default, |manifest| {
                        tables.package(manifest, package)
                    })
            })
            .collect(),
    }
}

/// The layer of a package's table that stands alone.
pub(super) fn of_package(entries: &[Entry], mistakes: &mut Mistakes) -> Layer {
    let mut tables = Tables {
        is_versioned: true,
        mistakes,
    };
    tables.layer(entries, Table::Package)
}

/// Tables on their way to layers.
struct Tables<'a> {
    /// Whether a manifest says which version of this program it needs.
    is_versioned: bool,
    mistakes: &'a mut Mistakes,
}

impl Tables<'_> {
    fn package(&mut self, manifest: &Manifest, package: &Package) -> PackageLayers {
        let mut bins = BTreeMap::new();
        let table = |entry: &&Entry| entry.name == keys::BIN.name;
        if let Some(bin) = manifest.package.iter().find(table) {
            let entries = self.table(bin, "`bin` must be a table of tables");
            for entry in entries {
                if !package.binaries.contains(&entry.name) {
                    self.unknown_binary(entry, package);
                }
                let what = format!("`bin.{}` must be a table", printable(&entry.name));
                let entries: Vec<Entry> =
                    self.table(entry, &what).iter().map(Entry::of_bin).collect();
                bins.insert(entry.name.clone(), self.layer(&entries, Table::Bin));
            }
        }
        PackageLayers {
            package: self.layer(&manifest.package, Table::Package),
            bins,
        }
    }

    fn table<'e>(&mut self, entry: &'e Entry, what: &str) -> &'e [Entry] {
        if let Data::Table(entries) = &entry.node.data {
            return entries;
        }
        let message = format!("{what}, not {}", entry.node.data.shape());
        let hint = "write for example `[package.metadata.lighter.bin.orders]`";
        self.mistakes
            .add(&entry.node.origin, message, Some(hint.to_owned()));
        &[]
    }

    fn unknown_binary(&mut self, entry: &Entry, package: &Package) {
        let message = format!(
            "package `{}` has no binary `{}`",
            package.name,
            printable(&entry.name)
        );
        let binaries = || package.binaries.iter().map(String::as_str);
        let hint = match near_names(&entry.name, binaries()).as_slice() {
            [] if package.binaries.is_empty() => None,
            [] => {
                let all: Vec<&str> = binaries().collect();
                Some(format!("its binaries are {}", quoted_list(&all)))
            }
            near => Some(format!("did you mean {}?", quoted_list(near))),
        };
        self.mistakes.add(&entry.origin, message, hint);
    }

    fn layer(&mut self, entries: &[Entry], table: Table) -> Layer {
        let mut layer = Layer::default();
        for entry in entries {
            match keys::find(&entry.name) {
                None => self.unknown_key(entry, table),
                Some(key) if !table.holds(key.scope) => self.misplaced(key, entry),
                Some(key) => {
                    if key == keys::SKIP {
                        self.check_skip(entry);
                    }
                    layer.set(key, entry.node.clone());
                }
            }
        }
        layer
    }

    /// The workspace room reads `skip` from cargo; here only its type matters.
    fn check_skip(&mut self, entry: &Entry) {
        let nowhere = std::path::Path::new("");
        let mut context = Context {
            key: keys::SKIP,
            roots: Roots {
                package: nowhere,
                workspace: nowhere,
                repository: nowhere,
            },
            mistakes: self.mistakes,
            part: Part::Whole,
        };
        context.boolean(&entry.node);
    }

    fn misplaced(&mut self, key: &Key, entry: &Entry) {
        let name = key.name;
        let (message, hint) = match key.scope {
            Scope::Later => (
                format!("`{name}` is not supported by this version"),
                "leave it out, or use a newer version of cargo-lighter",
            ),
            Scope::Flag => (
                format!("`{name}` can only be given on the command line"),
                "list the features in `features`",
            ),
            Scope::WorkspaceAndPackage => (
                format!("`{name}` does not belong to a binary"),
                "put it into `[package.metadata.lighter]` or `[workspace.metadata.lighter]`",
            ),
            Scope::Everywhere | Scope::PackageAndBin | Scope::Package => (
                format!("`{name}` does not belong here"),
                "put it into `[package.metadata.lighter]`",
            ),
        };
        self.mistakes
            .add(&entry.origin, message, Some(hint.to_owned()));
    }

    fn unknown_key(&mut self, entry: &Entry, table: Table) {
        let message = format!("unknown key `{}`", printable(&entry.name));
        let kebab = entry.name.to_lowercase().replace('_', "-");
        let known = || {
            KEYS.iter()
                .filter(|key| table.holds(key.scope))
                .map(|key| key.name)
        };
        let hint = if known().any(|name| name == kebab) {
            Some(format!(
                "write `{kebab}`: keys are lower-case, with hyphens"
            ))
        } else {
            let near = near_names(&kebab, known());
            let near = near.first().map(|near| format!("did you mean `{near}`?"));
            let newer = (!self.is_versioned)
                .then(|| "if a newer cargo-lighter knows it, say so with `min-version`".to_owned());
            match (near, newer) {
                (Some(near), Some(newer)) => Some(format!("{near} {newer}")),
                (near, newer) => near.or(newer),
            }
        };
        self.mistakes.add(&entry.origin, message, hint);
    }
}

/// The built-in layer, from the table of keys.
pub(super) fn built_in(mistakes: &mut Mistakes) -> Layer {
    let lines: Vec<String> = KEYS
        .iter()
        .filter_map(|key| Some(format!("{} = {}\n", key.name, key.default?)))
        .collect();
    let mut layer = Layer::default();
    let entries = super::manifest::table(&lines.concat(), |_| Origin::Default, mistakes);
    for entry in entries {
        if let Some(key) = keys::find(&entry.name) {
            layer.set(key, entry.node);
        }
    }
    layer
}

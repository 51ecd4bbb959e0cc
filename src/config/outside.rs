//! The layers from outside the workspace: variables of the environment, and flags.

use super::keys::{self, KEYS, Key, Scope, Shape, VARIABLE_PREFIX};
use super::mistake::Mistakes;
use super::origin::Origin;
use super::raw::{Data, Node};
use super::reader::Layer;
use crate::process::Environment;
use crate::report::printable;

/// What the command line says about every service; empty and `false` mean that it says nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overrides {
    /// `--repo`.
    pub repo: Option<String>,
    /// `--tag`, each once.
    pub tags: Vec<String>,
    /// `--profile`, or `release` for `--release`.
    pub profile: Option<String>,
    /// `--features`, each as typed: cargo takes several, separated by commas or spaces.
    pub features: Vec<String>,
    /// `--all-features`.
    pub all_features: bool,
    /// `--no-default-features`.
    pub no_default_features: bool,
    /// `--builder`.
    pub builder: Option<String>,
    /// `--linkage`.
    pub linkage: Option<String>,
    /// `--compression`.
    pub compression: Option<String>,
    /// `--compression-level`.
    pub compression_level: Option<i64>,
}

impl Overrides {
    pub(super) fn layer(&self) -> Layer {
        let mut layer = Layer::default();
        let mut set = |key, flag: &str, data: Option<Data>| {
            if let Some(data) = data {
                let name = flag.to_owned();
                layer.set(key, with_origin(data, &Origin::Flag { name }));
            }
        };
        let text = |text: &Option<String>| text.clone().map(Data::Text);
        let yes = |flag: bool| flag.then_some(Data::Boolean(true));
        let features: Vec<&str> = self
            .features
            .iter()
            .flat_map(|typed| typed.split([',', ' ']))
            .filter(|feature| !feature.is_empty())
            .collect();
        let tags: Vec<&str> = self.tags.iter().map(String::as_str).collect();
        set(keys::REPO, "--repo", text(&self.repo));
        set(keys::TAGS, "--tag", texts(&tags));
        set(keys::PROFILE, "--profile", text(&self.profile));
        set(keys::FEATURES, "--features", texts(&features));
        set(keys::ALL_FEATURES, "--all-features", yes(self.all_features));
        set(
            keys::NO_DEFAULT_FEATURES,
            "--no-default-features",
            yes(self.no_default_features),
        );
        set(keys::BUILDER, "--builder", text(&self.builder));
        set(keys::LINKAGE, "--linkage", text(&self.linkage));
        set(keys::COMPRESSION, "--compression", text(&self.compression));
        set(
            keys::COMPRESSION_LEVEL,
            "--compression-level",
            self.compression_level.map(Data::Integer),
        );
        layer
    }
}

fn texts(texts: &[&str]) -> Option<Data> {
    let node = |&text: &&str| Node {
        origin: Origin::Default,
        data: Data::Text(text.to_owned()),
    };
    (!texts.is_empty()).then(|| Data::List(texts.iter().map(node).collect()))
}

fn with_origin(data: Data, origin: &Origin) -> Node {
    let data = match data {
        Data::List(nodes) => Data::List(
            nodes
                .into_iter()
                .map(|node| with_origin(node.data, origin))
                .collect(),
        ),
        other => other,
    };
    Node {
        origin: origin.clone(),
        data,
    }
}

/// The layer that variables such as `LIGHTER_TAGS` make.
///
/// Variables that are no key belong to somebody else and are left alone, unless they look like a
/// slip of the pen.
pub(super) fn environment(environment: &Environment, mistakes: &mut Mistakes) -> Layer {
    let mut layer = Layer::default();
    for (variable, value) in environment.variables() {
        let Some(variable) = variable.to_str() else {
            continue;
        };
        if !variable.starts_with(VARIABLE_PREFIX) || value.is_empty() {
            continue;
        }
        let origin = Origin::Environment {
            variable: variable.to_owned(),
        };
        match (key_of(variable), value.to_str()) {
            (Some(key), Some(text)) if key.variable().is_some() => {
                layer.set(key, with_origin(parse(key.shape, text), &origin));
            }
            (Some(key), None) if key.variable().is_some() => {
                mistakes.add(&origin, "the value is not UTF-8".to_owned(), None);
            }
            (Some(key), _) => not_settable(key, &origin, mistakes),
            (None, _) => near_miss(variable, &origin, mistakes),
        }
    }
    layer
}

fn key_of(variable: &str) -> Option<&'static Key> {
    KEYS.iter()
        .copied()
        .find(|key| keys::variable_name(key.name) == variable)
}

/// Text that is not of the key's shape is kept as text, so that reading it says what is wrong.
fn parse(shape: Shape, text: &str) -> Data {
    let as_text = || Data::Text(text.to_owned());
    match shape {
        Shape::Text | Shape::Table => as_text(),
        Shape::Boolean => text.parse().map_or_else(|_| as_text(), Data::Boolean),
        Shape::Integer => text.parse().map_or_else(|_| as_text(), Data::Integer),
        Shape::List => {
            let items: Vec<&str> = text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .collect();
            texts(&items).unwrap_or_else(|| Data::List(Vec::new()))
        }
    }
}

fn not_settable(key: &Key, origin: &Origin, mistakes: &mut Mistakes) {
    let name = key.name;
    let (message, hint) = match key.scope {
        // Nothing speaks for these being meant as keys: `LIGHTER_BIN` may name our own executable.
        Scope::Package | Scope::WorkspaceAndPackage => return,
        Scope::Later => (
            format!("`{name}` is not supported by this version"),
            format!("unset `{origin}`"),
        ),
        Scope::Flag => (
            format!("`{name}` can only be given on the command line"),
            format!("use `--{name}`"),
        ),
        Scope::Everywhere | Scope::PackageAndBin => (
            format!("`{name}` cannot be set by a variable"),
            format!("put it into a manifest and unset `{origin}`"),
        ),
    };
    mistakes.add(origin, message, Some(hint));
}

fn near_miss(variable: &str, origin: &Origin, mistakes: &mut Mistakes) {
    let meant = KEYS
        .iter()
        .filter_map(|key| key.variable())
        .find(|known| strsim::osa_distance(known, variable) == 1);
    if let Some(meant) = meant {
        mistakes.add(
            origin,
            format!("there is no variable `{}`", printable(variable)),
            Some(format!("did you mean `{meant}`?")),
        );
    }
}

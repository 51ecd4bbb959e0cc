//! Local packages, as cargo describes them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cargo_metadata::{DependencyKind, TargetKind};

/// A package of the workspace, or one outside that a member reaches by path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// cargo's package id, to name the package to cargo without doubt.
    pub id: String,
    /// The package's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where its manifest is, absolute.
    pub manifest: PathBuf,
    /// The directory of the manifest, absolute.
    pub directory: PathBuf,
    /// Facts from the manifest that become labels and annotations: `description`, `license`,
    /// `repository`, `homepage`, `documentation`, `authors` (joined by `, `); empty ones are absent.
    pub facts: BTreeMap<String, String>,
    /// Names of its binary targets, sorted, whether or not they are services.
    pub binaries: Vec<String>,
    /// The features it defines, with what each turns on.
    pub features: BTreeMap<String, Vec<String>>,
    /// Whether it is a member of the workspace, rather than reached by path outside of it.
    pub member: bool,
    /// Whether its library is a procedural macro, which runs while others are compiled.
    pub procedural: bool,
    /// Everything that cargo could compile of it, as cargo lists it.
    pub targets: Vec<Target>,
    /// Packages it depends on, of every kind and for every platform, as declared.
    pub dependencies: Vec<Dependency>,
    /// The native library that it says it links: `package.links`.
    pub links: Option<String>,
}

/// Something of a package that cargo could compile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub purpose: Purpose,
    /// Its first source file, absolute.
    pub source: PathBuf,
}

/// What a target is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A library of any kind, or a procedural macro.
    Library,
    /// An executable.
    Binary,
    /// The build script.
    BuildScript,
    /// A test, bench or example: no build of an executable reads it.
    Development,
}

/// A declared dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The package's own name, whatever the manifest calls it.
    pub name: String,
    /// Whether only tests, benches and examples need it.
    pub development: bool,
    /// Whether only the build script needs it.
    pub build: bool,
    /// The package's directory, where it is named by path.
    pub path: Option<PathBuf>,
}

impl Package {
    /// What matters of cargo's description.
    pub(super) fn describe(package: &cargo_metadata::Package, member: bool) -> Self {
        let manifest = PathBuf::from(&package.manifest_path);
        let mut binaries: Vec<String> = package
            .targets
            .iter()
            .filter(|target| target.kind.contains(&TargetKind::Bin))
            .map(|target| target.name.clone())
            .collect();
        binaries.sort();
        Self {
            id: package.id.repr.clone(),
            name: package.name.to_string(),
            version: package.version.to_string(),
            directory: manifest.parent().map(PathBuf::from).unwrap_or_default(),
            manifest,
            facts: facts(package),
            binaries,
            features: package.features.clone(),
            member,
            procedural: package
                .targets
                .iter()
                .any(|target| target.kind.contains(&TargetKind::ProcMacro)),
            targets: package.targets.iter().map(Target::describe).collect(),
            dependencies: package
                .dependencies
                .iter()
                .map(Dependency::describe)
                .collect(),
            links: package.links.clone(),
        }
    }

    /// A package with nothing but a name, for tests of this room.
    #[cfg(test)]
    pub(super) fn named(name: &str) -> Self {
        Self {
            id: name.to_owned(),
            name: name.to_owned(),
            version: "0.1.0".to_owned(),
            manifest: PathBuf::from(format!("/w/{name}/Cargo.toml")),
            directory: PathBuf::from(format!("/w/{name}")),
            facts: BTreeMap::new(),
            binaries: Vec::new(),
            features: BTreeMap::new(),
            member: true,
            procedural: false,
            targets: Vec::new(),
            dependencies: Vec::new(),
            links: None,
        }
    }
}

impl Target {
    fn describe(target: &cargo_metadata::Target) -> Self {
        let is = |kind: &TargetKind| target.kind.contains(kind);
        let purpose = if is(&TargetKind::Bin) {
            Purpose::Binary
        } else if is(&TargetKind::CustomBuild) {
            Purpose::BuildScript
        } else if [TargetKind::Test, TargetKind::Bench, TargetKind::Example]
            .iter()
            .any(is)
        {
            Purpose::Development
        } else {
            Purpose::Library
        };
        Self {
            name: target.name.clone(),
            purpose,
            source: target.src_path.clone().into(),
        }
    }
}

impl Dependency {
    fn describe(dependency: &cargo_metadata::Dependency) -> Self {
        Self {
            name: dependency.name.clone(),
            development: dependency.kind == DependencyKind::Development,
            build: dependency.kind == DependencyKind::Build,
            path: dependency.path.clone().map(PathBuf::from),
        }
    }
}

/// What the manifest says about the package, under cargo's names.
fn facts(package: &cargo_metadata::Package) -> BTreeMap<String, String> {
    let one_line = |text: &String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let authors = (!package.authors.is_empty()).then(|| package.authors.join(", "));
    [
        ("description", package.description.as_ref().map(one_line)),
        ("license", package.license.clone()),
        ("repository", package.repository.clone()),
        ("homepage", package.homepage.clone()),
        ("documentation", package.documentation.clone()),
        ("authors", authors),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value.filter(|value| !value.is_empty())?)))
    .collect()
}

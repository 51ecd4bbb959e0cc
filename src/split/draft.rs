//! A split before its lock: which files it has, and what its manifests say.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml_edit::Item;
use url::Url;

use super::SplitError;
use super::binaries::forget;
use super::closure::Closure;
use super::configuration::{named_in_configuration, trim_overrides, trim_patches};
use super::embedded::{Embedded, embedded, refuse_made};
use super::governing::{foreign_root, resolver};
use super::manifest::{
    Development, RootRequest, dependency_paths, inherited_dependencies, inherits, parse,
    rewrite_foreign_root, rewrite_parsed_root, rewrite_root, strip_development, unstable,
};
use super::named::{input_of, named_files};
use super::settings::base_of;
use super::sources::{Manifest, Part, Sources, View};
use crate::cargo::LockedPackage;
use crate::config::{Input, ServiceConfig, Source};
use crate::fs::{common_ancestor, highest, normalized, relative};
use crate::workspace::{Package, Service};

/// Which service, and how much of it.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The service.
    pub service: &'a Service,
    /// Its configuration, for assets and inputs.
    pub config: &'a ServiceConfig,
    /// How much of each package.
    pub view: View,
}

/// What a file of a draft holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Drafted {
    /// The file, or link, that stands at this path in the workspace.
    From(PathBuf),
    /// Text of our own.
    Text(String),
}

/// A split whose lock is yet to be made.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    /// The directory that becomes the split's root.
    pub(super) root: PathBuf,
    /// By their absolute paths in the workspace.
    pub(super) files: BTreeMap<PathBuf, Drafted>,
    /// Directories of crates that stand in for a registry.
    pub(super) vendored: BTreeSet<PathBuf>,
    /// Local packages: indices into the workspace's.
    pub(super) packages: BTreeSet<usize>,
    /// Variables of the environment that local sources read while they are compiled.
    pub(super) variables: BTreeSet<String>,
    /// Whether a local source links native libraries.
    pub(super) links_native: bool,
    /// Packages whose build asks git, so that their inputs are not all in files.
    pub(super) asking_git: BTreeSet<String>,
    /// Files that programs take in as they are, and that a split or a key has in another form.
    pub(super) embedded: Embedded,
    /// Patches that have a part: what they patch, and their keys.
    pub(super) patches: BTreeSet<(String, String)>,
}

/// Packages of a lock that a split needs: those that are reachable, or after cargo was asked, exactly
/// those that are left.
pub(super) type Needed<'a> = [&'a LockedPackage];

/// Drafts the split of a service that needs `closure` and the packages `needed` of the lock.
pub(super) fn draft(
    sources: &Sources<'_>,
    request: &Request<'_>,
    closure: &Closure,
    needed: &Needed<'_>,
) -> Result<Draft, SplitError> {
    let mut drafting = Drafting {
        sources,
        request,
        closure,
        needed,
        files: BTreeMap::new(),
        variables: BTreeSet::new(),
        links_native: false,
        asking_git: BTreeSet::new(),
        patches: RefCell::default(),
    };
    drafting.add_packages()?;
    drafting.add_manifests()?;
    drafting.add_named_files()?;
    drafting.refuse_secrets()?;
    refuse_made(sources, request, closure, &drafting.files)?;
    drafting.add_settings();
    let embedded = embedded(sources, request, closure, &drafting.files)?;
    let vendored = drafting.vendored();
    let workspace = sources.workspace;
    let places = drafting.files.keys().map(PathBuf::as_path);
    let places = places.chain([workspace.root.as_path()]);
    let climbs = drafting.climbs()?;
    let places = places.chain(climbs.iter().map(PathBuf::as_path));
    let root = common_ancestor(places.chain(vendored.iter().map(PathBuf::as_path)));
    Ok(Draft {
        root: root.unwrap_or_else(|| workspace.root.clone()),
        files: drafting.files,
        vendored,
        packages: closure.packages.clone(),
        variables: drafting.variables,
        links_native: drafting.links_native,
        embedded,
        asking_git: drafting.asking_git,
        patches: drafting.patches.into_inner(),
    })
}

struct Drafting<'a> {
    sources: &'a Sources<'a>,
    request: &'a Request<'a>,
    closure: &'a Closure,
    needed: &'a Needed<'a>,
    files: BTreeMap<PathBuf, Drafted>,
    variables: BTreeSet<String>,
    links_native: bool,
    asking_git: BTreeSet<String>,
    patches: RefCell<BTreeSet<(String, String)>>,
}

impl Drafting<'_> {
    /// The packages of the closure.
    fn packages(&self) -> impl Iterator<Item = (usize, &Package)> {
        let packages = self.closure.packages.iter();
        packages.map(|index| (*index, self.sources.package(*index)))
    }

    /// The highest directories that paths in manifests and sources lead over: in the split, too, they
    /// must come back to where they began.
    fn climbs(&self) -> Result<BTreeSet<PathBuf>, SplitError> {
        let mut climbs = BTreeSet::new();
        for index in &self.closure.packages {
            let contents = self.sources.contents(*index, &self.part(*index))?;
            climbs.extend(contents.climbs.iter().cloned());
        }
        for (path, drafted) in &self.files {
            let Drafted::Text(text) = drafted else {
                continue;
            };
            if path.ends_with("Cargo.toml") && text.contains("..") {
                let directory = path.parent().unwrap_or(Path::new("/"));
                let paths = self.sources.paths.ask(text.as_str(), || {
                    Ok::<_, SplitError>(Arc::new(dependency_paths(&parse(path, text)?)))
                })?;
                let paths = paths.iter().map(Path::new);
                let paths = paths.filter(|path| path.is_relative());
                climbs.extend(paths.map(|path| highest(path, directory)));
            }
        }
        Ok(climbs)
    }

    fn add_packages(&mut self) -> Result<(), SplitError> {
        for index in &self.closure.packages {
            if let Some(what) = unstable(&self.sources.manifests[*index].document) {
                return Err(SplitError::Unstable {
                    package: self.sources.package(*index).name.clone(),
                    what,
                });
            }
            let part = self.part(*index);
            let contents = self.sources.contents(*index, &part)?;
            for (path, real) in &contents.files {
                let drafted = Drafted::From(real.clone());
                self.files.entry(path.clone()).or_insert(drafted);
            }
            self.variables.extend(contents.variables.iter().cloned());
            self.links_native |= contents.links_native;
            if contents.asks_git {
                self.asking_git
                    .insert(self.sources.package(*index).name.clone());
            }
        }
        Ok(())
    }

    /// The manifests of packages, of the workspace, and of other workspaces that packages inherit from.
    fn add_manifests(&mut self) -> Result<(), SplitError> {
        let workspace = self.sources.workspace;
        for (index, package) in self
            .packages()
            .map(|(i, p)| (i, p.clone()))
            .collect::<Vec<_>>()
        {
            if package.manifest == workspace.manifest {
                continue;
            }
            let manifest = &self.sources.manifests[index];
            let mut text = self.package_text(index, manifest)?;
            if manifest.document.contains_key("workspace") {
                let members = self.members_of(&package.directory, &package.manifest);
                text = rewrite_foreign_root(&manifest.path, &text, &members, true)?;
            } else if !package.member && inherits(&manifest.document) {
                self.add_foreign_root(&package, manifest)?;
            }
            self.files
                .insert(package.manifest.clone(), Drafted::Text(text));
        }
        let text = self.root_text()?;
        self.files
            .insert(workspace.manifest.clone(), Drafted::Text(text));
        Ok(())
    }

    fn part(&self, package: usize) -> Part {
        let Request { service, view, .. } = self.request;
        Part::of(package, service, *view)
    }

    fn package_text(&self, index: usize, manifest: &Manifest) -> Result<String, SplitError> {
        let directory = manifest.path.parent().unwrap_or(Path::new("/"));
        let has = |name: &str| {
            let place = directory.join(name);
            let from = (Bound::Included(place.as_path()), Bound::Unbounded);
            let first = self.files.range::<Path, _>(from).next();
            first.is_some_and(|(path, _)| path.starts_with(&place))
        };
        let left = Development {
            tests: has("tests"),
            benches: has("benches"),
            examples: has("examples"),
        };
        let part = self.part(index);
        let texts = &self.sources.package_texts;
        texts.ask(&(index, part.clone(), left), || {
            self.written_text(index, manifest, &part, left)
        })
    }

    fn written_text(
        &self,
        index: usize,
        manifest: &Manifest,
        part: &Part,
        left: Development,
    ) -> Result<String, SplitError> {
        let left_out = part.left_out(self.sources.package(index));
        let text = if left_out.is_empty() {
            manifest.text.clone()
        } else {
            let mut document = manifest.document.clone();
            forget(&mut document, &left_out);
            document.to_string()
        };
        if self.sources.has_development(self.request.view) {
            return Ok(text);
        }
        Ok(strip_development(&manifest.path, &text, left)?)
    }

    fn root_text(&self) -> Result<String, SplitError> {
        let workspace = self.sources.workspace;
        let root = &self.sources.root;
        let own = self
            .packages()
            .find(|(_, package)| package.manifest == workspace.manifest);
        let keep_package = own.is_some();
        let own = match own {
            Some((index, _)) => Some(self.package_text(index, root)?),
            None => None,
        };
        let members = self.members_of(&workspace.root, &workspace.manifest);
        let directory = sources_directory(self.sources, self.request.service);
        let default_members = match relative(&directory, &workspace.root) {
            _ if members.is_empty() => Vec::new(),
            directory => vec![slashed(&directory)],
        };
        let excludes = self.excludes();
        let dependencies = self.inherited();
        let base = &workspace.root;
        let request = RootRequest {
            members: &members,
            default_members: &default_members,
            excludes: &excludes,
            keep_package,
            resolver: resolver(&root.document),
            workspace_dependencies: &dependencies,
            patches: &|source, key, item| self.uses_patch(base, source, key, item),
            replacements: &|key, item| self.uses_patch(base, "replace", key, item),
            profile_packages: &|spec| self.needs_package(spec),
        };
        match own.filter(|text| *text != root.text) {
            Some(text) => Ok(rewrite_root(&root.path, &text, &request)?),
            None => Ok(rewrite_parsed_root(
                root.document.clone(),
                &root.text,
                &request,
            )),
        }
    }

    /// Members of the workspace at `root` that are in the closure, without its root package.
    fn members_of(&self, root: &Path, manifest: &Path) -> Vec<String> {
        let ours = root == self.sources.workspace.root;
        let members = self.packages().map(|(_, package)| package);
        let members = members
            .filter(|package| package.manifest != manifest)
            .filter(|package| package.member == ours)
            .filter(|package| ours || package.directory.starts_with(root));
        let mut members: Vec<String> = members
            .map(|package| slashed(&relative(&package.directory, root)))
            .collect();
        members.sort();
        members
    }

    /// Entries of `exclude` that keep a package of the closure out of the workspace.
    fn excludes(&self) -> Vec<String> {
        let workspace = self.sources.workspace;
        let Some(entries) = self.sources.root.document.get("workspace") else {
            return self.others_below_root();
        };
        let entries = entries.get("exclude");
        let entries = entries.and_then(Item::as_array).into_iter().flatten();
        entries
            .filter_map(|entry| entry.as_str())
            .filter(|entry| {
                let excluded = normalized(&workspace.root.join(entry));
                self.packages()
                    .any(|(_, package)| !package.member && package.directory.starts_with(&excluded))
            })
            .map(str::to_owned)
            .collect()
    }

    /// Path dependencies below a lone package, which the `[workspace]` that it gets must not adopt.
    fn others_below_root(&self) -> Vec<String> {
        let root = &self.sources.workspace.root;
        let others = self.packages().map(|(_, package)| package);
        let others = others.filter(|package| !package.member);
        others
            .filter_map(|package| package.directory.strip_prefix(root).ok())
            .map(slashed)
            .collect()
    }

    /// Keys of `[workspace.dependencies]` that members of the closure inherit.
    fn inherited(&self) -> BTreeSet<String> {
        let with_development = self.sources.has_development(self.request.view);
        self.packages()
            .filter(|(_, package)| package.member)
            .flat_map(|(index, _)| {
                let document = &self.sources.manifests[index].document;
                inherited_dependencies(document, with_development)
            })
            .collect()
    }

    /// The root manifest of another workspace that `package` inherits from.
    fn add_foreign_root(
        &mut self,
        package: &Package,
        manifest: &Manifest,
    ) -> Result<(), SplitError> {
        let Some(root) = foreign_root(&package.directory, &manifest.document)? else {
            return Ok(());
        };
        if root.path == self.sources.workspace.manifest || self.files.contains_key(&root.path) {
            return Ok(());
        }
        let directory = root.path.parent().unwrap_or(Path::new("/"));
        let members = self.members_of(directory, &root.path);
        let text = rewrite_foreign_root(&root.path, &root.text, &members, false)?;
        self.files.insert(root.path, Drafted::Text(text));
        Ok(())
    }

    /// Whether `[patch.SOURCE] KEY = ITEM`, written in a file whose paths are relative to `base`, has a
    /// part in the split.
    fn uses_patch(&self, base: &Path, source: &str, key: &str, item: &Item) -> bool {
        let used = self.is_patch_needed(base, key, item);
        if used {
            let name = (source.to_owned(), key.to_owned());
            self.patches.borrow_mut().insert(name);
        }
        used
    }

    fn is_patch_needed(&self, base: &Path, key: &str, item: &Item) -> bool {
        let field = |name: &str| item.get(name).and_then(Item::as_str);
        let name = field("package").unwrap_or(key);
        // `[replace]` names a package and its version.
        let name = name.split([':', '@']).next().unwrap_or(name);
        if let Some(path) = field("path") {
            let directory = normalized(&base.join(path));
            return self
                .packages()
                .any(|(_, package)| package.directory == directory)
                && self.needs(name, |source| source.is_none());
        }
        match field("git") {
            Some(address) => self.needs(name, |source| {
                let from = source.and_then(|source| source.strip_prefix("git+"));
                from.is_some_and(|from| repository(from) == repository(address))
            }),
            None => self.needs(name, |source| {
                source.is_some_and(|source| !source.starts_with("git+"))
            }),
        }
    }

    fn needs(&self, name: &str, of: impl Fn(Option<&str>) -> bool) -> bool {
        self.needed
            .iter()
            .any(|package| package.name == name && of(package.source.as_deref()))
    }

    /// Whether a specification of packages in a profile, `NAME`, `NAME@VERSION` or an address with
    /// `#NAME`, fits anything in the split.
    fn needs_package(&self, spec: &str) -> bool {
        let name = spec.rsplit(['#', '/']).next().unwrap_or(spec);
        let name = name.split(['@', ':']).next().unwrap_or(name);
        self.needs(name, |_| true)
    }

    /// Assets and declared inputs.
    fn add_named_files(&mut self) -> Result<(), SplitError> {
        let config = self.request.config;
        let service = &self.request.service.name;
        for asset in &config.assets.value {
            // The build itself says what is wrong with an asset.
            for path in self.named(&asset.from, |_| false)? {
                self.add_file(path);
            }
        }
        for input in &config.inputs.value {
            let source = match input {
                Input::Env(name) => {
                    self.variables.insert(name.clone());
                    continue;
                }
                Input::Glob(source) => source,
            };
            // Assets leave secrets out also where git has them; what a build reads of git stays.
            let found = self.named(source, |path| self.sources.kind(path).is_some())?;
            if found.is_empty() {
                return Err(SplitError::NoSuchInput {
                    service: service.clone(),
                    pattern: source.text.clone(),
                });
            }
            for path in found {
                self.add_file(path);
            }
        }
        Ok(())
    }

    /// A build reads what its sources name. What looks like a secret is only taken from git, or from whoever
    /// names it in the configuration.
    fn refuse_secrets(&self) -> Result<(), SplitError> {
        for index in &self.closure.packages {
            let contents = self.sources.contents(*index, &self.part(*index))?;
            let mut secrets = contents.secrets.iter();
            if let Some(path) = secrets.find(|path| !self.files.contains_key(*path)) {
                let root = &self.sources.workspace.root;
                let service = self.sources.workspace.package_of(self.request.service);
                return Err(SplitError::Secret {
                    package: self.sources.package(*index).name.clone(),
                    path: relative(path, root),
                    input: input_of(path, &service.directory, root),
                });
            }
        }
        Ok(())
    }

    fn named(
        &self,
        source: &Source,
        keeps: impl Fn(&Path) -> bool,
    ) -> Result<Vec<PathBuf>, SplitError> {
        named_files(self.sources.workspace, &self.sources.home, source, keeps)
    }

    fn add_file(&mut self, path: PathBuf) {
        let drafted = Drafted::From(path.clone());
        self.files.entry(path).or_insert(drafted);
    }

    /// cargo's configuration without patches that have no part, files it names, and the toolchain file.
    fn add_settings(&mut self) {
        let settings = &self.sources.settings;
        for file in &settings.configuration {
            let base = base_of(&file.path).unwrap_or(Path::new("/")).to_owned();
            let mut trimmed = file.document.clone();
            trim_patches(&mut trimmed, |source, key, item| {
                self.uses_patch(&base, source, key, item)
            });
            trim_overrides(&mut trimmed, |path| {
                let place = normalized(&base.join(path));
                self.packages()
                    .any(|(_, package)| package.directory.starts_with(&place))
            });
            let trimmed = trimmed.to_string();
            let text = if trimmed == file.document.to_string() {
                Drafted::From(file.path.clone())
            } else {
                Drafted::Text(trimmed)
            };
            self.files.insert(file.path.clone(), text);
            for path in named_in_configuration(&file.document, &base) {
                if self.sources.kind(&path).is_some() {
                    self.add_file(path);
                }
            }
        }
        if let Some(path) = &settings.toolchain {
            self.add_file(path.clone());
        }
    }

    /// Directories of vendored crates, inside the repository, that the configuration names.
    fn vendored(&self) -> BTreeSet<PathBuf> {
        let mut directories = BTreeSet::new();
        for file in &self.sources.settings.configuration {
            let base = base_of(&file.path).unwrap_or(Path::new("/"));
            let sources = file.document.get("source").and_then(Item::as_table_like);
            for (_, source) in sources.into_iter().flat_map(|table| table.iter()) {
                for key in ["directory", "local-registry"] {
                    let named = source.get(key).and_then(Item::as_str);
                    directories.extend(named.map(|named| normalized(&base.join(named))));
                }
            }
        }
        directories.retain(|directory| self.sources.is_inside(directory) && directory.is_dir());
        directories
    }
}

fn sources_directory(sources: &Sources<'_>, service: &Service) -> PathBuf {
    sources.workspace.package_of(service).directory.clone()
}

/// The address of a git repository without what cargo, too, takes for no difference.
fn repository(address: &str) -> String {
    let plain = Url::parse(address).map_or_else(
        |_| address.to_owned(),
        |mut url| {
            url.set_query(None);
            url.set_fragment(None);
            url.to_string()
        },
    );
    let plain = plain.trim_end_matches('/');
    let plain = plain.strip_suffix(".git").unwrap_or(plain);
    if plain.contains("://github.com/") {
        plain.to_lowercase()
    } else {
        plain.to_owned()
    }
}

/// A relative path as manifests write it.
fn slashed(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

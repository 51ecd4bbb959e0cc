//! A workspace as it stands in its repository: what every split of it is taken from.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::thread;

use toml_edit::DocumentMut;

use super::SplitError;
use super::binaries::others;
use super::contents::PackageContents;
use super::governing::resolver;
use super::listing::{FileKind, Listing};
use super::manifest::{Development, parse};
use super::memo::Memo;
use super::runs::Said;
use super::settings::Settings;
use crate::cargo::{Cargo, Configuration, HomeInside, Lockfile, version};
use crate::fs::normalized;
use crate::workspace::{Package, Service, Target, Workspace};

const MAX_MANIFEST: u64 = 16 * 1024 * 1024;

/// How much of a package a split has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum View {
    /// Everything that the package owns.
    Whole,
    /// What a build of its executables can read: no tests, benches, examples and dev-dependencies, and
    /// none of the files that are for people, unless a source refers to them.
    Production,
}

/// How much of one package a split has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Part {
    /// Everything that it owns.
    Whole,
    /// What a build of this executable can read, or where there is none, of its library.
    Production { binary: Option<String> },
}

impl Part {
    /// How much of a package the split of a service has.
    pub(super) fn of(package: usize, service: &Service, view: View) -> Self {
        match view {
            View::Whole => Self::Whole,
            View::Production => Self::Production {
                binary: (package == service.package).then(|| service.binary.clone()),
            },
        }
    }

    /// The view that it is of.
    pub(super) fn view(&self) -> View {
        match self {
            Self::Whole => View::Whole,
            Self::Production { .. } => View::Production,
        }
    }

    /// Executables that are not in it.
    pub(super) fn left_out<'a>(&self, package: &'a Package) -> Vec<&'a Target> {
        match self {
            Self::Whole => Vec::new(),
            Self::Production { binary } => others(package, binary.as_deref()),
        }
    }
}

/// A manifest as it was read.
#[derive(Debug, Clone)]
pub(super) struct Manifest {
    pub(super) path: PathBuf,
    pub(super) text: String,
    pub(super) document: DocumentMut,
}

/// Where files come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A checkout: what git knows or would not ignore.
    Checkout,
    /// A tree of tracked files only, such as that of a commit.
    Tree,
}

/// A workspace, its lock, its manifests and the files around it. Reads, and changes nothing.
#[derive(Debug)]
pub struct Sources<'a> {
    pub(super) workspace: &'a Workspace,
    /// cargo as it runs in the workspace root.
    pub(super) cargo: Cargo,
    pub(super) root: Manifest,
    pub(super) lock_text: String,
    pub(super) lock: Lockfile,
    pub(super) settings: Settings,
    /// Of [`Workspace::packages`], in their order.
    pub(super) manifests: Vec<Manifest>,
    /// Packages by their directories, as texts: paths are compared component by component, which takes
    /// long in a workspace of hundreds (measured).
    by_directory: HashMap<OsString, usize>,
    pub(super) origin: Origin,
    /// Deepest root first.
    listings: Vec<Listing>,
    /// cargo's home, where it lies in the repository.
    pub(super) home: HomeInside,
    /// Where what was found out is kept for later runs.
    pub(super) cache: Option<PathBuf>,
    /// What beside the files decides how cargo resolves.
    resolver: OnceLock<String>,
    contents: Memo<(usize, Part), Arc<PackageContents>>,
    /// What libraries say that run while others are compiled.
    pub(super) said: Memo<usize, Said>,
    /// Manifests of packages as splits have them.
    pub(super) package_texts: Memo<(usize, Part, Development), String>,
    /// Paths in manifests, by their texts.
    pub(super) paths: Memo<String, Arc<BTreeSet<String>>>,
}

impl<'a> Sources<'a> {
    /// Reads the workspace's manifests and lock, and lists the files of its repository and of those
    /// that path dependencies lie in. `cache` is a directory for what is true for ever.
    ///
    /// # Errors
    /// [`SplitError`] naming the file that cannot be read.
    pub fn read(
        workspace: &'a Workspace,
        cargo: &Cargo,
        origin: Origin,
        cache: Option<PathBuf>,
    ) -> Result<Self, SplitError> {
        let cargo = cargo.at(&workspace.root);
        let root = Manifest::read(&workspace.manifest)?;
        let lock_text = read_text(&workspace.root.join("Cargo.lock"))?;
        let lock = Lockfile::parse(&lock_text)?;
        let (manifests, listings) = thread::scope(|scope| {
            // git is waited for meanwhile.
            let listings = scope.spawn(|| listings(workspace, &cargo, origin));
            let packages = workspace.packages.iter();
            let manifests: Result<Vec<Manifest>, SplitError> = packages
                .map(|package| Manifest::read(&package.manifest))
                .collect();
            let listings = listings.join();
            (
                manifests,
                listings.unwrap_or_else(|panic| resume_unwind(panic)),
            )
        });
        let (manifests, listings) = (manifests?, listings?);
        let directories = workspace.packages.iter().enumerate();
        let by_directory = directories
            .map(|(index, package)| (package.directory.clone().into_os_string(), index))
            .collect();
        let is_listed = |path: &Path| listed_in(&listings, path).is_some();
        let settings = Settings::read(workspace, cargo.environment(), &is_listed)?;
        let home = HomeInside::of(cargo.environment(), &workspace.repository_root);
        Ok(Self {
            workspace,
            cargo,
            root,
            lock_text,
            lock,
            settings,
            manifests,
            by_directory,
            origin,
            listings,
            home,
            cache,
            resolver: OnceLock::new(),
            contents: Memo::default(),
            said: Memo::default(),
            package_texts: Memo::default(),
            paths: Memo::default(),
        })
    }

    /// What the package of that index gives to a split.
    pub(super) fn contents(
        &self,
        package: usize,
        part: &Part,
    ) -> Result<Arc<PackageContents>, SplitError> {
        self.contents.ask(&(package, part.clone()), || {
            Ok(Arc::new(PackageContents::find(self, package, part)?))
        })
    }

    /// The workspace.
    pub fn workspace(&self) -> &'a Workspace {
        self.workspace
    }

    /// Whether dev-dependencies belong to a split: in the production view only where the first resolver
    /// lets them turn features of the program on.
    pub(super) fn has_development(&self, view: View) -> bool {
        view == View::Whole || resolver(&self.root.document) == "1"
    }

    /// Refuses to leave dev-dependencies out where that would change programs: under cargo's first
    /// resolver their features are turned on in ordinary builds too (measured).
    ///
    /// # Errors
    /// [`SplitError::ResolverOne`].
    pub fn allow_without_development(&self) -> Result<(), SplitError> {
        if self.has_development(View::Production) {
            return Err(SplitError::ResolverOne);
        }
        Ok(())
    }

    /// Files of cargo's configuration that rule the workspace from above its repository. No split has
    /// them.
    pub fn foreign_configuration(&self) -> &[PathBuf] {
        &self.settings.foreign
    }

    /// The package of that index.
    pub(super) fn package(&self, index: usize) -> &Package {
        &self.workspace.packages[index]
    }

    /// The package in `directory`.
    pub(super) fn package_in(&self, directory: &Path) -> Option<usize> {
        let known = self.by_directory.get(directory.as_os_str());
        known.copied().or_else(|| {
            let mut packages = self.workspace.packages.iter();
            packages.position(|package| package.directory == directory)
        })
    }

    /// The first package of that name and version.
    pub(super) fn package_named(&self, name: &str, version: &str) -> Option<usize> {
        let packages = &self.workspace.packages;
        let first = packages.partition_point(|package| *package.name < *name);
        let named = packages.iter().enumerate().skip(first);
        let mut named = named.take_while(|(_, package)| package.name == name);
        let found = named.find(|(_, package)| package.version == version);
        found.map(|(index, _)| index)
    }

    /// Asks early what the lock of every split depends on; that takes a moment.
    pub fn prepare_locks(&self) {
        let _ = self.resolver();
    }

    /// cargo's version, and where its configuration outside of the repository says that sources are.
    pub(super) fn resolver(&self) -> &str {
        self.resolver.get_or_init(|| {
            let mut told = version(&self.cargo).unwrap_or_default();
            let configuration = Configuration::read(self.cargo.environment()).unwrap_or_default();
            for table in [
                "source",
                "registries",
                "registry",
                "patch",
                "paths",
                "resolver",
            ] {
                for (file, item) in configuration.items(&[table]) {
                    // Those of the repository are in every split.
                    let inside = file.starts_with(&self.workspace.repository_root);
                    if !inside || self.home.holds(file) {
                        // Writing to a text cannot fail.
                        let _ = writeln!(told, "[{table}] {item}");
                    }
                }
            }
            told
        })
    }

    /// What stands at `path`, if it is one of the repository's files.
    pub(super) fn kind(&self, path: &Path) -> Option<FileKind> {
        listed_in(&self.listings, path)
    }

    /// The repository's files below `directory`, sorted.
    pub(super) fn below(&self, directory: &Path) -> Vec<PathBuf> {
        match self.listing_of(directory) {
            Some(listing) => listing
                .below(directory)
                .map(|(path, _)| path.to_owned())
                .collect(),
            None => Vec::new(),
        }
    }

    /// Whether `path` lies in the repository, or in one that a path dependency lies in.
    pub(super) fn is_inside(&self, path: &Path) -> bool {
        self.listing_of(path).is_some()
    }

    fn listing_of(&self, path: &Path) -> Option<&Listing> {
        listing_around(&self.listings, path)
    }
}

impl Manifest {
    pub(super) fn read(path: &Path) -> Result<Self, SplitError> {
        let text = read_text(path)?;
        let document = parse(path, &text)?;
        let path = path.to_owned();
        Ok(Self {
            path,
            text,
            document,
        })
    }
}

fn listing_around<'a>(listings: &'a [Listing], path: &Path) -> Option<&'a Listing> {
    listings
        .iter()
        .find(|listing| path.starts_with(listing.root()))
}

fn listed_in(listings: &[Listing], path: &Path) -> Option<FileKind> {
    listing_around(listings, path)?.kind(path)
}

/// A text file of bounded size.
pub(super) fn read_text(path: &Path) -> Result<String, SplitError> {
    if fs_err::metadata(path)?.len() > MAX_MANIFEST {
        return Err(SplitError::TooLarge {
            path: path.to_owned(),
            limit: MAX_MANIFEST / 1024 / 1024,
        });
    }
    Ok(fs_err::read_to_string(path)?)
}

/// One listing for the repository, and one for each place outside of it that holds a package.
fn listings(
    workspace: &Workspace,
    cargo: &Cargo,
    origin: Origin,
) -> Result<Vec<Listing>, SplitError> {
    let mut roots = vec![workspace.repository_root.clone()];
    for package in &workspace.packages {
        if !roots.iter().any(|root| package.directory.starts_with(root)) {
            roots.push(repository_around(&package.directory));
        }
    }
    let excluded = [normalized(&workspace.target_directory)];
    let mut listings = roots
        .iter()
        .map(|root| match origin {
            Origin::Checkout => {
                Listing::read(root, &excluded, cargo.environment(), cargo.interrupt())
            }
            Origin::Tree => Listing::of_tree(root),
        })
        .collect::<Result<Vec<_>, _>>()?;
    listings.sort_by_key(|listing| std::cmp::Reverse(listing.root().components().count()));
    Ok(listings)
}

/// The repository that a directory lies in, or the directory.
fn repository_around(directory: &Path) -> PathBuf {
    directory
        .ancestors()
        .find(|above| above.join(".git").exists())
        .unwrap_or(directory)
        .to_owned()
}

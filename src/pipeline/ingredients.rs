//! What every room knows of a service's inputs, put together.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::assemble::{created, settings};
use super::check::{compression, needs_glibc};
use super::{PipelineError, Session};
use crate::cargo::{Cargo, Configuration, cargo_home};
use crate::compile::{self, Identity};
use crate::config::{Builder, Linkage, ServiceConfig};
use crate::digest::Digest;
use crate::fs::{Content, Node, Tree};
use crate::image;
use crate::layer::collect_assets;
use crate::plan::{Plan, PlannedService};
use crate::runtime::{self, LibraryRoot, fixed_files, loadable_libraries, packages_digest};
use crate::since::Revision;
use crate::split::{FileDigests, Ingredient, IngredientKind, Split, UNSET};
use crate::workspace::Workspace;

/// Variables that C compilers and the build scripts of native libraries read, by how their names begin:
/// alone, or with more after a line below. `HOST_` and `TARGET_` may stand before them.
const NATIVE_VARIABLES: [&str; 25] = [
    "AR",
    "ARFLAGS",
    "BINDGEN_EXTRA_CLANG_ARGS",
    "CC",
    "CFLAGS",
    "CMAKE",
    "CPATH",
    "CPLUS_INCLUDE_PATH",
    "CPP",
    "CPPFLAGS",
    "CRATE_CC",
    "CXX",
    "CXXFLAGS",
    "CXXSTDLIB",
    "C_INCLUDE_PATH",
    "LDFLAGS",
    "LIBCLANG_PATH",
    "LIBRARY_PATH",
    "NM",
    "OPENSSL",
    "PKG_CONFIG",
    "PROTOC",
    "RANLIB",
    "SQLX_OFFLINE",
    "SYSROOT",
];
/// How the names of those end that tell where one library is, and how it is linked.
const LIBRARY_VARIABLES: [&str; 6] = [
    "_INCLUDE_DIR",
    "_LIB_DIR",
    "_NO_PKG_CONFIG",
    "_NO_VENDOR",
    "_STATIC",
    "_USE_PKG_CONFIG",
];
/// Variables of cargo and rustc that change what they make, and stand in no flag.
const COMPILER_VARIABLES: [&str; 3] = [
    "CARGO_BUILD_INCREMENTAL",
    "CARGO_INCREMENTAL",
    "RUSTC_BOOTSTRAP",
];

/// A library root, a platform, and whether certificates, time zones and glibc are taken from it.
type Surroundings = (PathBuf, String, [bool; 3]);

/// What is the same for all services of a run, asked once.
#[derive(Debug)]
pub(super) struct KeyWorld {
    /// By target.
    identities: BTreeMap<String, Identity>,
    /// Tables of cargo's configuration outside of the repository that decide an executable.
    configuration: Vec<OuterTable>,
    /// Contents of library roots that were asked for already.
    roots: BTreeMap<PathBuf, LibraryRoot>,
    /// What was taken from them: by root, platform, and what an image asks for.
    fixed: Mutex<BTreeMap<Surroundings, Vec<Ingredient>>>,
    /// Digests of files that did not change since an earlier run.
    pub(super) digests: FileDigests,
}

impl KeyWorld {
    /// Asks compiler and configuration about the services of `plan`.
    ///
    /// # Errors
    /// [`PipelineError`] when there is no compiler, or a library root cannot be opened.
    pub(super) fn ask(
        cargo: &Cargo,
        plan: &Plan,
        digests: FileDigests,
    ) -> Result<Self, PipelineError> {
        let mut identities = BTreeMap::new();
        let mut roots = BTreeMap::new();
        for service in &plan.services {
            if !identities.contains_key(&service.target) {
                let identity = compile::identify(cargo, plan, &service.target)?;
                identities.insert(service.target.clone(), identity);
            }
            let root = &service.config.library_root.value;
            if !roots.contains_key(root) {
                roots.insert(root.clone(), LibraryRoot::open(root)?);
            }
        }
        Ok(Self {
            identities,
            configuration: outer_configuration(cargo, plan)?,
            roots,
            fixed: Mutex::default(),
            digests,
        })
    }
}

impl KeyWorld {
    /// What every image of a service like this gets from `root`.
    fn fixed_files(
        &self,
        root: &LibraryRoot,
        service: &PlannedService,
    ) -> Result<Vec<Ingredient>, PipelineError> {
        let config = &service.config;
        let (certificates, zones) = (config.ca_certificates.value, config.tzdata.value);
        let needs_glibc = needs_glibc(service);
        let place = (
            root.given().to_owned(),
            service.platform.to_string(),
            [certificates, zones, needs_glibc],
        );
        let known = self.fixed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(&place) {
            return Ok(known.clone());
        }
        drop(known);
        let fixed = fixed_files(
            &runtime::Request {
                service: &service.service,
                executable: Path::new(""),
                platform: &service.platform,
                library_root: root,
                extra_libraries: &[],
                ca_certificates: certificates,
                tzdata: zones,
            },
            needs_glibc,
        )?;
        let mut all = Vec::new();
        add_tree(&mut all, &self.digests, &fixed.base)?;
        add_tree(&mut all, &self.digests, &fixed.glibc)?;
        let mut known = self.fixed.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(place, all.clone());
        Ok(all)
    }
}

/// One service at one state of its workspace.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keying<'a> {
    /// The workspace.
    pub(super) workspace: &'a Workspace,
    /// Its plan.
    pub(super) plan: &'a Plan,
    /// The service in it.
    pub(super) service: &'a PlannedService,
    /// Its split, in the production view.
    pub(super) split: &'a Split,
    /// The commit that the workspace stands on.
    pub(super) revision: Option<&'a Revision>,
    /// Digests of its files.
    pub(super) digests: &'a FileDigests,
}

/// Everything that can change the image of a service.
///
/// # Errors
/// [`PipelineError`] naming what cannot be read.
pub(super) fn ingredients(
    session: &Session<'_>,
    world: &KeyWorld,
    keying: &Keying<'_>,
) -> Result<Vec<Ingredient>, PipelineError> {
    let mut all = keying.split.ingredients(keying.digests)?;
    all.extend(configuration_beside(world, keying));
    all.extend(build_ingredients(session, world, keying)?);
    all.extend(variables(session, keying));
    all.extend(image_files(world, keying)?);
    all.extend(image_settings(keying)?);
    Ok(all)
}

fn build(name: &str, value: impl Into<String>) -> Ingredient {
    Ingredient::new(IngredientKind::Build, name, value)
}

fn build_ingredients(
    session: &Session<'_>,
    world: &KeyWorld,
    keying: &Keying<'_>,
) -> Result<Vec<Ingredient>, PipelineError> {
    let service = keying.service;
    let config = &service.config;
    let selection = &service.selection;
    // cargo cares neither for their order nor for repetitions.
    let features: BTreeSet<&str> = selection.features.iter().map(String::as_str).collect();
    let features: Vec<&str> = features.into_iter().collect();
    let mut all = vec![
        build("target", &service.target),
        build("package", &service.package),
        build("binary", &service.binary),
        build("profile", &config.profile.value),
        build("features", features.join(",")),
        build("all-features", selection.all_features.to_string()),
        build(
            "no-default-features",
            selection.no_default_features.to_string(),
        ),
        build("builder", config.builder.value.to_string()),
        build("linkage", config.linkage.value.to_string()),
        build("remap-paths", config.remap_paths.value.to_string()),
    ];
    if let Some(identity) = world.identities.get(&service.target) {
        all.push(build("rustc", &identity.compiler));
        all.push(build("rustflags", identity.flags.join(" ")));
        let zig = ["cargo-zigbuild", "zig"].map(|name| session.environment.find_program(name));
        let linkers: Vec<&PathBuf> = match config.builder.value {
            Builder::Cargo => identity.linkers.iter().collect(),
            Builder::Zigbuild => zig.iter().flatten().collect(),
        };
        for (index, linker) in linkers.into_iter().enumerate() {
            // The linker's name may hold the machine's own paths; its content tells more.
            let digest = world.digests.of(linker).map_err(PipelineError::Input)?;
            all.push(build(&format!("linker {index}"), digest.to_string()));
        }
    }
    Ok(all)
}

/// A table of a configuration file that may be outside of every split.
#[derive(Debug)]
struct OuterTable {
    /// The file, relative to the repository if it is in it.
    file: PathBuf,
    table: &'static str,
    digest: Digest,
}

/// Tables of configuration files that are not the repository's, or are in cargo's home.
fn outer_configuration(cargo: &Cargo, plan: &Plan) -> Result<Vec<OuterTable>, PipelineError> {
    let at = cargo.at(&plan.workspace_root);
    let configuration =
        Configuration::read(at.environment()).map_err(compile::CompileError::from)?;
    let home = cargo_home(at.environment());
    let mut all = Vec::new();
    for table in ["env", "profile", "patch", "paths"] {
        for (file, item) in configuration.items(&[table]) {
            let is_of_home = home.as_ref().is_some_and(|home| file.starts_with(home));
            if is_of_home || !file.starts_with(&plan.repository_root) {
                let inside = file.strip_prefix(&plan.repository_root);
                all.push(OuterTable {
                    file: inside.unwrap_or(file).to_owned(),
                    table,
                    digest: Digest::of(item.to_string().trim().as_bytes()),
                });
            }
        }
    }
    Ok(all)
}

/// Those that are in no file of the split: a home inside of the repository may hold files that are.
fn configuration_beside(world: &KeyWorld, keying: &Keying<'_>) -> Vec<Ingredient> {
    let split = keying.split;
    let in_split = |file: &Path| {
        let file = keying.plan.repository_root.join(file);
        let inside = file.strip_prefix(&split.origin);
        inside.is_ok_and(|inside| split.settings.contains(inside))
    };
    let outer = world.configuration.iter();
    let outer = outer.filter(|outer| !in_split(&outer.file));
    // The winning file comes first.
    let outer = outer.enumerate();
    outer
        .map(|(index, OuterTable { table, digest, .. })| {
            let name = format!("cargo configuration `{table}` {index}");
            build(&name, digest.to_string())
        })
        .collect()
}

/// Variables that sources, build scripts, C compilers and cargo's profiles read.
fn variables(session: &Session<'_>, keying: &Keying<'_>) -> Vec<Ingredient> {
    let set = session.environment.variables();
    let set = set.filter_map(|(name, _)| name.to_str());
    let mut names: BTreeSet<&str> = set.filter(|name| decides_executables(name)).collect();
    names.extend(keying.split.variables.iter().map(String::as_str));
    names
        .into_iter()
        .map(|name| {
            let value = match session.environment.raw(name) {
                // Values may be secrets; a digest shows only that they changed.
                Some(value) => Digest::of(value.as_encoded_bytes()).to_string(),
                None => UNSET.to_owned(),
            };
            Ingredient::new(IngredientKind::Variable, name, value)
        })
        .collect()
}

/// Whether a variable may decide an executable though no source of the workspace names it.
fn decides_executables(name: &str) -> bool {
    let bare = ["HOST_", "TARGET_"]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .unwrap_or(name);
    let begins = |prefix: &&str| {
        let rest = bare.strip_prefix(*prefix);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    };
    NATIVE_VARIABLES.iter().any(begins)
        || LIBRARY_VARIABLES.iter().any(|end| name.ends_with(end))
        || COMPILER_VARIABLES.contains(&name)
        || name.starts_with("CARGO_PROFILE_")
}

/// Everything in the image beside the executable, as far as it is known before there is one.
fn image_files(world: &KeyWorld, keying: &Keying<'_>) -> Result<Vec<Ingredient>, PipelineError> {
    let (plan, service) = (keying.plan, keying.service);
    let config = &service.config;
    let mut all = Vec::new();
    let assets = collect_assets(
        &config.assets.value,
        &plan.repository_root,
        &plan.target_directory,
    )
    .map_err(|source| PipelineError::Assets {
        service: service.service.clone(),
        source,
    })?;
    add_tree(&mut all, keying.digests, &assets.tree)?;
    let path = &config.library_root.value;
    let opened;
    let root = if let Some(root) = world.roots.get(path) {
        root
    } else {
        opened = LibraryRoot::open(path)?;
        &opened
    };
    all.extend(world.fixed_files(root, service)?);
    if config.linkage.value == Linkage::Dynamic && may_need_libraries(keying) {
        // Which ones is known only after linking; all that could be are those of the root's packages,
        // or where it has none all that the loader would find.
        let packages = packages_digest(root)?;
        if let Some(digest) = packages {
            let name = "packages of the library root";
            all.push(Ingredient::new(
                IngredientKind::ImageFile,
                name,
                digest.to_string(),
            ));
        }
        let is_wanted = |path: &str| packages.is_none() || is_extra(path, config);
        for (path, host) in loadable_libraries(root, &service.platform, &config.extra_libs.value)? {
            if is_wanted(&path) {
                let digest = world.digests.of(&host).map_err(PipelineError::Input)?;
                let value = format!("library {digest}");
                all.push(Ingredient::new(IngredientKind::ImageFile, path, value));
            }
        }
    }
    Ok(all)
}

/// Whether `extra-libs` names a library by its path or its file name.
fn is_extra(path: &str, config: &ServiceConfig) -> bool {
    let name = path.rsplit('/').next();
    let mut extra = config.extra_libs.value.iter();
    extra.any(|extra| extra == path || Some(extra.as_str()) == name)
}

/// Whether the executable could need more than the C library.
fn may_need_libraries(keying: &Keying<'_>) -> bool {
    let linking = &keying.workspace.linking;
    let mut locked = keying.split.lock.packages.iter();
    keying.split.links_native
        || !keying.service.config.extra_libs.value.is_empty()
        || locked.any(|package| linking.contains(&(package.name.clone(), package.version.clone())))
}

fn add_tree(
    all: &mut Vec<Ingredient>,
    digests: &FileDigests,
    tree: &Tree,
) -> Result<(), PipelineError> {
    for (path, node) in tree.iter() {
        let value = match node {
            Node::Directory { mode, owner } => {
                format!("directory {mode:o} {}:{}", owner.uid, owner.gid)
            }
            Node::Symlink { target } => format!("link to {target}"),
            Node::File { mode, content } => {
                let digest = match content {
                    Content::Bytes(bytes) => Digest::of(bytes),
                    Content::File(path) => digests.of(path).map_err(PipelineError::Input)?,
                };
                format!("file {mode:o} {digest}")
            }
        };
        let name = path.absolute();
        all.push(Ingredient::new(IngredientKind::ImageFile, name, value));
    }
    Ok(())
}

/// How the image runs, what it says, and how its layers are packed.
fn image_settings(keying: &Keying<'_>) -> Result<Vec<Ingredient>, PipelineError> {
    let service = keying.service;
    let config = &service.config;
    let seconds = created(keying.plan, config, keying.revision);
    let settings = settings(service, image::rfc3339(seconds)?);
    let packed = compression(service)?;
    let lists = |list: &[String]| format!("{list:?}");
    let rows = [
        ("platform", settings.platform.to_string()),
        ("created", settings.created),
        ("user", settings.user),
        ("workdir", settings.workdir),
        ("path", config.path.value.absolute()),
        ("links", format!("{:?}", config.links.value)),
        ("args", lists(&settings.args)),
        ("ports", format!("{:?}", settings.ports)),
        ("volumes", format!("{:?}", settings.volumes)),
        ("stop-signal", format!("{:?}", settings.stop_signal)),
        ("healthcheck", format!("{:?}", settings.healthcheck)),
        ("extra-libs", lists(&config.extra_libs.value)),
        ("compression", format!("{packed:?}")),
    ];
    let setting = |name: &str, value: String| Ingredient::new(IngredientKind::Setting, name, value);
    let mut all: Vec<Ingredient> = rows
        .into_iter()
        .map(|(name, value)| setting(name, value))
        .collect();
    let tables: [(&str, Vec<(String, String)>); 3] = [
        ("env", settings.env),
        ("label", settings.labels.into_iter().collect()),
        ("annotation", settings.annotations.into_iter().collect()),
    ];
    for (table, entries) in tables {
        for (name, value) in entries {
            all.push(setting(&format!("{table} {name}"), value));
        }
    }
    Ok(all)
}

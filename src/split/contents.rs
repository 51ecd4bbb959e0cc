//! What one package gives to a split: the files it owns, and those its sources name elsewhere.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::Metadata;
use std::path::{Path, PathBuf};

use super::SplitError;
use super::binaries::places;
use super::listing::FileKind;
use super::manifest::outside_paths;
use super::owned::owned_files;
use super::runs::{asks_git_through_others, running, said};
use super::scan::{Base, Reference, Scan, Submodule, What, scan_build_script, scan_source};
use super::sources::{Origin, Part, Sources, View};
use crate::fs::{highest, looks_secret, normalized, sorted_files_where};
use crate::workspace::{Package, Purpose, Target};

/// Sources are small; what is larger was generated, and includes nothing.
const MAX_SOURCE: u64 = 8 * 1024 * 1024;

/// Variables that tell where things of a user or a machine are, and how to speak to people.
const PLACES: [&str; 14] = [
    "CARGO_HOME",
    "CARGO_TARGET_DIR",
    "HOME",
    "LANG",
    "LOGNAME",
    "PATH",
    "PWD",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "SHELL",
    "TEMP",
    "TERM",
    "TMPDIR",
    "USER",
];

/// The files of one package, and what its sources say about its build.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct PackageContents {
    /// Paths in the workspace, and the files that stand there: another one only below a directory that
    /// is a link.
    pub(super) files: BTreeMap<PathBuf, PathBuf>,
    /// The highest directories that paths in its sources lead over.
    pub(super) climbs: BTreeSet<PathBuf>,
    /// Files that its sources name, that git does not track and that look like secrets.
    pub(super) secrets: BTreeSet<PathBuf>,
    /// Files that become a part of its program as they are, each with whether it is named by itself, rather
    /// than by the directory that it lies in.
    pub(super) embedded: BTreeMap<PathBuf, bool>,
    /// What its sources name in the target directory: something other than this build makes it.
    pub(super) made: BTreeSet<PathBuf>,
    /// Variables of the environment that are read while it is compiled.
    pub(super) variables: BTreeSet<String>,
    /// Whether it links native libraries by itself.
    pub(super) links_native: bool,
    /// Whether its build script asks git, or depends on a crate that does.
    pub(super) asks_git: bool,
}

impl PackageContents {
    /// Finds them without building anything.
    pub(super) fn find(
        sources: &Sources<'_>,
        index: usize,
        part: &Part,
    ) -> Result<Self, SplitError> {
        let package = sources.package(index);
        let view = part.view();
        let left_out = part.left_out(package);
        let places = places(package, &left_out);
        let mut files = owned_files(sources, package, view);
        files.retain(|path, _| !path.ancestors().any(|above| places.contains(above)));
        let mut gathering = Gathering {
            sources,
            package,
            found: Self {
                files,
                ..Self::default()
            },
            scanned: BTreeSet::new(),
            walked: BTreeSet::new(),
            pending: VecDeque::new(),
        };
        gathering.found.asks_git = asks_git_through_others(sources.workspace, package);
        gathering.begin(view, &left_out);
        for text in outside_paths(&sources.manifests[index].document) {
            let path = normalized(&package.directory.join(text));
            gathering.take(&path, What::Module, false)?;
        }
        while let Some(source) = gathering.pending.pop_front() {
            gathering.scan(&source)?;
        }
        // A procedural macro is given to itself, and is complete by now but for what it says.
        for runs in running(sources.workspace, package) {
            if runs.directory == package.directory {
                gathering.hear_itself()?;
            } else if let Some(runs) = sources.package_in(&runs.directory) {
                gathering.hear(&said(sources, runs)?)?;
            }
        }
        Ok(gathering.found)
    }
}

/// How a source file came into the package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    /// It stands among the package's files, and so do its modules.
    Owned,
    /// It is run before the package is compiled, and names files in texts of its own.
    BuildScript,
    /// It was named from elsewhere: its modules have to be found.
    Foreign,
}

/// A source to be scanned.
#[derive(Debug, Clone)]
struct Pending {
    path: PathBuf,
    role: Role,
    /// Whether its modules stand beside it rather than in a directory of its name.
    is_root: bool,
}

impl Pending {
    fn new(path: &Path, role: Role, is_root: bool) -> Self {
        Self {
            path: path.to_owned(),
            role,
            is_root: is_root || path.ends_with("mod.rs"),
        }
    }

    fn directory(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }

    fn modules(&self) -> PathBuf {
        if self.is_root {
            self.directory().to_owned()
        } else {
            self.path.with_extension("")
        }
    }
}

struct Gathering<'a> {
    sources: &'a Sources<'a>,
    package: &'a Package,
    found: PackageContents,
    scanned: BTreeSet<PathBuf>,
    /// Directories in which files were looked for that git ignores.
    walked: BTreeSet<PathBuf>,
    pending: VecDeque<Pending>,
}

impl Gathering<'_> {
    /// Lines up the package's own sources.
    fn begin(&mut self, view: View, left_out: &[&Target]) {
        let targets = &self.package.targets;
        let scripts: BTreeSet<&Path> = targets
            .iter()
            .filter(|target| target.purpose == Purpose::BuildScript)
            .map(|target| target.source.as_path())
            .collect();
        // A build script in a directory of its own has its modules there.
        let script_directories: Vec<&Path> = scripts
            .iter()
            .filter_map(|script| script.parent())
            .filter(|directory| *directory != self.package.directory)
            .collect();
        let owned = self.found.files.keys();
        for path in owned.filter(|path| is_source(path)) {
            let is_script = scripts.contains(path.as_path())
                || script_directories
                    .iter()
                    .any(|directory| path.starts_with(directory) && !path.ends_with("lib.rs"));
            // Modules of a target at the top of a package that holds others are owned by none of its
            // directories.
            let is_at_top = path.parent() == Some(&self.package.directory);
            let role = match (is_script, is_at_top) {
                (true, _) => Role::BuildScript,
                (false, true) => Role::Foreign,
                (false, false) => Role::Owned,
            };
            let is_root = targets.iter().any(|target| target.source == *path);
            self.pending.push_back(Pending::new(path, role, is_root));
        }
        // Targets may lie outside of the package, or where it owns nothing.
        for target in targets {
            let wanted = view == View::Whole || target.purpose != Purpose::Development;
            if wanted
                && !left_out.contains(&target)
                && !self.found.files.contains_key(&target.source)
            {
                let role = match target.purpose {
                    Purpose::BuildScript => Role::BuildScript,
                    _ => Role::Foreign,
                };
                self.add(&target.source);
                self.pending
                    .push_back(Pending::new(&target.source, role, true));
            }
        }
    }

    fn scan(&mut self, source: &Pending) -> Result<(), SplitError> {
        let path = &source.path;
        if !self.scanned.insert(path.clone()) {
            return Ok(());
        }
        let real = self.found.files.get(path).unwrap_or(path);
        let Some(text) = source_text(real)? else {
            return Ok(());
        };
        let Scan {
            references,
            variables,
            links_native,
            asks_git,
            modules,
            certain,
        } = match source.role {
            Role::BuildScript => scan_build_script(&text),
            Role::Owned | Role::Foreign => scan_source(&text),
        };
        let variables = variables.into_iter();
        self.found.variables.extend(variables.filter(|name| {
            // A script looks there for programs and places; what is compiled in is another matter.
            source.role != Role::BuildScript || !PLACES.contains(&name.as_str())
        }));
        self.found.links_native |= links_native;
        self.found.asks_git |= asks_git;
        for (index, reference) in references.iter().enumerate() {
            self.follow(source, reference, index < certain)?;
        }
        for module in modules {
            self.add_module(source, &module);
        }
        Ok(())
    }

    /// Takes in what a library says that runs in the package's build: paths are relative to the package,
    /// where the library runs.
    fn hear(&mut self, said: &[(PathBuf, Scan)]) -> Result<(), SplitError> {
        for (path, scan) in said {
            self.found.asks_git |= scan.asks_git;
            self.found.links_native |= scan.links_native;
            let read = scan.variables.iter();
            let read = read.filter(|name| !PLACES.contains(&name.as_str()));
            self.found.variables.extend(read.cloned());
            let runs = Pending::new(path, Role::BuildScript, true);
            // Macros and attributes are the library's own, which belongs to every split that needs it.
            for reference in &scan.references[scan.certain..] {
                self.follow(&runs, reference, false)?;
            }
        }
        Ok(())
    }

    /// What the sources of a procedural macro say, whose paths are those of whoever calls it.
    fn hear_itself(&mut self) -> Result<(), SplitError> {
        let own: Vec<_> = self.found.files.clone().into_iter().collect();
        for (path, real) in own.iter().filter(|(path, _)| is_source(path)) {
            let targets = self.package.targets.iter();
            let mut others = targets.filter(|target| target.purpose != Purpose::Library);
            if others.any(|target| target.source == *path) {
                continue;
            }
            let Some(text) = source_text(real)? else {
                continue;
            };
            let mut scan = scan_build_script(&text);
            scan.references.clear();
            scan.certain = 0;
            self.hear(&[(path.clone(), scan)])?;
        }
        Ok(())
    }

    fn base(&self, source: &Pending, base: Base) -> PathBuf {
        match base {
            Base::File => source.directory().to_owned(),
            Base::Modules => source.modules(),
            Base::Package => self.package.directory.clone(),
            Base::Workspace => self.sources.workspace.root.clone(),
        }
    }

    fn follow(
        &mut self,
        source: &Pending,
        reference: &Reference,
        is_certain: bool,
    ) -> Result<(), SplitError> {
        let base = self.base(source, reference.base);
        let path = normalized(&base.join(&reference.path));
        // A text in a build script may be anything. One that names the package, or what it lies in, is
        // not about files.
        let is_guess = source.role == Role::BuildScript && reference.what == What::Any;
        if is_guess && self.package.directory.starts_with(&path) {
            return Ok(());
        }
        let before = self.found.files.len();
        self.take(&path, reference.what, is_certain)?;
        let is_there = self.found.files.len() > before || self.found.files.contains_key(&path);
        if is_there && reference.path.starts_with("..") {
            let climb = highest(Path::new(&reference.path), &base);
            self.found.climbs.insert(climb);
        }
        Ok(())
    }

    /// Adds what a reference leads to, if the repository has it. A certain one is a wish, as that of an
    /// asset is: what git ignores is taken, too.
    fn take(&mut self, path: &Path, what: What, is_certain: bool) -> Result<(), SplitError> {
        if path.starts_with(&self.sources.workspace.target_directory) {
            // Nobody can look whether a commit's tree will have it.
            if is_certain && (self.sources.origin == Origin::Tree || path.exists()) {
                self.found.made.insert(path.to_owned());
            }
            return Ok(());
        }
        if !path.starts_with(&self.package.directory) && !self.sources.is_inside(path) {
            return Ok(());
        }
        if self.sources.kind(path).is_some() {
            self.add(path);
            if is_certain {
                self.found.embedded.insert(path.to_owned(), true);
            }
            if is_source(path) && matches!(what, What::Source | What::Module) {
                self.pending
                    .push_back(Pending::new(path, Role::Foreign, true));
            }
            return Ok(());
        }
        let is_whole = matches!(what, What::Directory | What::Any);
        if is_certain && is_whole && *path == *self.package.directory {
            return self.take_package();
        }
        // Whoever names a directory that holds the package means something else.
        if self.package.directory.starts_with(path) {
            return Ok(());
        }
        if is_certain {
            self.take_ignored(path, what)?;
        }
        if matches!(what, What::File | What::Source) {
            return Ok(());
        }
        for inner in self.sources.below(path) {
            self.add(&inner);
            if is_certain {
                self.found.embedded.entry(inner).or_insert(false);
            }
        }
        Ok(())
    }

    /// Adds all that the package owns, also what is left out of the production view, and what git ignores:
    /// a macro takes it in.
    fn take_package(&mut self) -> Result<(), SplitError> {
        let directory = self.package.directory.clone();
        for (path, real) in owned_files(self.sources, self.package, View::Whole) {
            self.found.embedded.entry(path.clone()).or_insert(false);
            self.found.files.entry(path).or_insert(real);
        }
        self.take_ignored(&directory, What::Directory)
    }

    /// Adds files at or below a path that are there, though the repository does not list them.
    fn take_ignored(&mut self, path: &Path, what: What) -> Result<(), SplitError> {
        let Some(metadata) = self.unlisted(path) else {
            return Ok(());
        };
        if !metadata.is_dir() {
            if looks_secret(path, &self.sources.workspace.repository_root) {
                self.found.secrets.insert(path.to_owned());
                return Ok(());
            }
            self.add(path);
            if is_source(path) && matches!(what, What::Source | What::Module) {
                self.pending
                    .push_back(Pending::new(path, Role::Foreign, true));
            }
            return Ok(());
        }
        if matches!(what, What::File | What::Source) || !self.walked.insert(path.to_owned()) {
            return Ok(());
        }
        let is_wanted = |inner: &Path| {
            !inner.ends_with(".git")
                && *inner != *self.sources.workspace.target_directory
                && !self.sources.home.holds(inner)
        };
        for inner in sorted_files_where(path, is_wanted)? {
            let root = &self.sources.workspace.repository_root;
            if self.sources.kind(&inner.path).is_none() && !looks_secret(&inner.path, root) {
                self.add(&inner.path);
            }
        }
        Ok(())
    }

    /// What stands at a path that no build made, and that is no part of git or of cargo.
    fn unlisted(&self, path: &Path) -> Option<Metadata> {
        let sources = self.sources;
        let is_of_git = path.components().any(|part| part.as_os_str() == ".git");
        let is_made = path.starts_with(&sources.workspace.target_directory);
        // What a link leads to comes with the link.
        let mut above = path.ancestors();
        let is_linked = above.any(|above| sources.kind(above) == Some(FileKind::Symlink));
        let is_of_others = is_of_git || is_made || is_linked || sources.home.holds(path);
        if is_of_others || sources.origin == Origin::Tree {
            return None;
        }
        let metadata = path.symlink_metadata().ok()?;
        let is_any = metadata.is_file() || metadata.is_symlink() || metadata.is_dir();
        is_any.then_some(metadata)
    }

    fn add(&mut self, path: &Path) {
        self.found
            .files
            .entry(path.to_owned())
            .or_insert_with(|| path.to_owned());
    }

    /// The file of a module: most are owned, but not where the source lies outside of the package, and not
    /// where it looks like an executable of its own.
    fn add_module(&mut self, source: &Pending, module: &Submodule) {
        let base = self.base(source, module.base);
        let places = module.files().map(|file| normalized(&base.join(file)));
        let is_listed = |path: &&PathBuf| self.sources.kind(path).is_some();
        let mut found: Vec<&PathBuf> = places.iter().filter(is_listed).collect();
        if found.is_empty() {
            let inside = |path: &&PathBuf| self.sources.is_inside(path);
            let is_file = |path: &&PathBuf| self.unlisted(path).is_some_and(|it| it.is_file());
            found.extend(places.iter().filter(inside).find(is_file));
        }
        for path in found {
            self.add(path);
            self.pending
                .push_back(Pending::new(path, source.role, false));
        }
    }
}

pub(super) fn is_source(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rs")
}

/// The text of a source; nothing where it is too large, is no text, or is not there.
pub(super) fn source_text(path: &Path) -> Result<Option<String>, SplitError> {
    match fs_err::metadata(path) {
        Ok(metadata) if metadata.is_file() && metadata.len() <= MAX_SOURCE => {}
        _ => return Ok(None),
    }
    let bytes = fs_err::read(path)?;
    Ok(String::from_utf8(bytes).ok())
}

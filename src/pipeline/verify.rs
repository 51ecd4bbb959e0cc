//! The proof of splits: each is built outside of the repository, and its executable compared with that
//! of the workspace.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{PipelineError, Session};
use crate::cargo::Cargo;
use crate::compile::{self, Artifact, CompileError, Preparation, PreparedBuild};
use crate::digest::Digest;
use crate::fs::{common_ancestor, normalized, relative};
use crate::hint::Hint;
use crate::plan::{Plan, PlannedService};
use crate::report::{Event, printable};
use crate::split::{self, Split};
use crate::workspace::{self, Workspace, WorkspaceError};

/// A split that is not what it should be, or could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The workspace itself cannot be built.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// A split does not compile where the workspace does.
    #[error("the split of `{service}` does not compile by itself{}", if *.vendored { " with its vendored sources" } else { "" })]
    Compile {
        /// The service.
        service: String,
        /// Whether with its vendored sources.
        vendored: bool,
        /// Why not.
        #[source]
        source: CompileError,
    },
    /// cargo does not understand a split.
    #[error("cargo does not accept the split of `{service}`")]
    Workspace {
        /// The service.
        service: String,
        /// Why not.
        #[source]
        source: WorkspaceError,
    },
    /// A split has not the package that it is for.
    #[error("the split of `{service}` has no package `{package}` where the workspace has it")]
    NoPackage {
        /// The service.
        service: String,
        /// The package.
        package: String,
    },
    /// Splits give other executables than the workspace.
    #[error("{}", different(.0))]
    Different(Vec<Difference>),
    /// The system's directory for temporary files is a part of the repository.
    #[error("temporary files go to `{directory}`, inside the repository, where its settings hold")]
    TemporaryInside {
        /// The directory.
        directory: PathBuf,
    },
}

/// A service whose split gives another executable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The service.
    pub service: String,
    /// Packages of it that lie outside of the workspace root: cargo puts their absolute paths into the
    /// names of symbols.
    pub outside: Vec<String>,
    /// Whether the executable may hold the path of the checkout: `remap-paths = false`.
    pub holds_paths: bool,
}

fn different(all: &[Difference]) -> String {
    let names: Vec<String> = all
        .iter()
        .map(|difference| format!("`{}`", difference.service))
        .collect();
    match &names[..] {
        [one] => format!("the split of {one} gives another executable than the workspace"),
        many => format!(
            "the splits of {} give other executables than the workspace",
            many.join(", ")
        ),
    }
}

impl VerifyError {
    /// Whether a compiler said no, and has told why.
    pub fn is_compilation(&self) -> bool {
        matches!(
            self,
            Self::Compile {
                source: CompileError::Failed,
                ..
            } | Self::Pipeline(PipelineError::Compile(CompileError::Failed))
        )
    }
}

impl Hint for VerifyError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Pipeline(error) => error.hint(),
            Self::Compile {
                source: CompileError::Failed,
                vendored: false,
                ..
            } => Some(
                "a file that is missing can be named with `inputs` in `[package.metadata.lighter]`".to_owned(),
            ),
            Self::Compile { source, .. } => source.hint(),
            Self::Workspace { source, .. } => source.hint(),
            Self::NoPackage { .. } => None,
            Self::Different(all) => all.iter().find_map(Difference::hint).or_else(|| {
                Some(
                    "a build script or macro may look at git, the time, or a file that is not in the split: name files with `inputs`"
                        .to_owned(),
                )
            }),
            Self::TemporaryInside { .. } => {
                Some("set TMPDIR to a directory outside of the repository".to_owned())
            }
        }
    }
}

impl Difference {
    /// What is known to make executables differ, if it is there.
    fn hint(&self) -> Option<String> {
        if !self.outside.is_empty() {
            let names: Vec<String> = self
                .outside
                .iter()
                .map(|name| format!("`{name}`"))
                .collect();
            return Some(format!(
                "cargo puts the absolute path of {} into names of symbols, because it lies outside of the workspace root: move it inside for executables that are the same everywhere",
                names.join(", ")
            ));
        }
        self.holds_paths.then(|| {
            format!(
                "`remap-paths = false` leaves the path of the checkout in the executable of `{}`",
                self.service
            )
        })
    }
}

/// Builds every planned service in the workspace as `build` does, and its split in a directory of its
/// own, without network. `vendored` are the same splits with their dependencies, where they have them:
/// those must build with an empty cargo home, too. (Their executables are others: messages of panics
/// name the files of dependencies.)
///
/// # Errors
/// [`VerifyError::Different`] once all were compared; any other at once.
pub fn verify(
    session: &Session<'_>,
    cargo: &Cargo,
    workspace: &Workspace,
    plan: &Plan,
    splits: &[Split],
    vendored: Option<&[Split]>,
    compiling: &compile::Options,
) -> Result<(), VerifyError> {
    let directory = in_temporary(session).map_err(PipelineError::Staging)?;
    // A link on the way to it would make cargo see two names of one file.
    let top = fs_err::canonicalize(directory.path()).map_err(PipelineError::Staging)?;
    refuse_inside(&top, workspace)?;
    let preparation = compile::prepare(cargo, plan, compiling).map_err(PipelineError::from)?;
    let mut bench = Bench::new(&top.join("plain"), cargo.offline(), workspace, compiling)?;
    let home = top.join("home");
    let mut empty_home = Bench::new(
        &top.join("vendored"),
        cargo.offline().with_home(&home),
        workspace,
        compiling,
    )?;
    let originals = top.join("originals");
    fs_err::create_dir(&originals).map_err(PipelineError::Staging)?;
    let mut differences = Vec::new();
    for (planned, build) in plan.services.iter().zip(preparation.builds()) {
        let of_service = |split: &&Split| split.service == planned.service;
        let Some(split) = splits.iter().find(of_service) else {
            continue;
        };
        let original = built(session, &preparation, build, &originals)
            .map_err(|error| VerifyError::Pipeline(error.into()))?;
        let failed = |vendored| {
            move |source| VerifyError::Compile {
                service: planned.service.clone(),
                vendored,
                source,
            }
        };
        let copy = bench.build(session, planned, split, failed(false))?;
        let digest = digest_of(&original)?;
        if digest != digest_of(&copy)? {
            differences.push(Difference {
                service: planned.service.clone(),
                outside: outside(workspace, split),
                holds_paths: !planned.config.remap_paths.value,
            });
            continue;
        }
        let mut detail = format!(
            "`{}` the same executable, {digest}",
            printable(&planned.service)
        );
        if let Some(split) = vendored.and_then(|splits| splits.iter().find(of_service)) {
            empty_home.build(session, planned, split, failed(true))?;
            detail.push_str("; builds from its vendored sources");
        }
        session.reporter.report(Event::Status {
            verb: "Verified",
            subject: detail,
        });
    }
    if differences.is_empty() {
        Ok(())
    } else {
        Err(VerifyError::Different(differences))
    }
}

/// A directory where the system wants temporary files.
fn in_temporary(session: &Session<'_>) -> std::io::Result<TempDir> {
    let place = session.environment.os("TMPDIR");
    let place = place.map_or_else(
        || PathBuf::from("/tmp"),
        |path| session.environment.resolve(path),
    );
    tempfile::Builder::new()
        .prefix("cargo-lighter-")
        .tempdir_in(place)
}

/// In a directory of the repository its `.cargo/config.toml` would hold for the copies, too.
fn refuse_inside(top: &Path, workspace: &Workspace) -> Result<(), VerifyError> {
    let repository = &workspace.repository_root;
    let real = repository.canonicalize();
    if top.starts_with(real.as_ref().unwrap_or(repository)) {
        let directory = top.parent().unwrap_or(top).to_owned();
        return Err(VerifyError::TemporaryInside { directory });
    }
    Ok(())
}

/// Packages of a split outside of the workspace root.
fn outside(workspace: &Workspace, split: &Split) -> Vec<String> {
    let packages = split
        .packages
        .iter()
        .map(|index| &workspace.packages[*index]);
    packages
        .filter(|package| !package.directory.starts_with(&workspace.root))
        .map(|package| package.name.clone())
        .collect()
}

fn digest_of(artifact: &Artifact) -> Result<Digest, VerifyError> {
    let file = fs_err::File::open(&artifact.executable);
    let digest = file.and_then(|mut file| Digest::of_reader(&mut file));
    Ok(digest.map_err(PipelineError::Input)?.0)
}

fn built(
    session: &Session<'_>,
    preparation: &Preparation,
    build: &PreparedBuild,
    directory: &Path,
) -> Result<Artifact, CompileError> {
    let command = preparation.command_line(build);
    let reporter = session.reporter;
    reporter.report(Event::Verbose(format!("running {command}")));
    compile::run(preparation, build, directory, reporter)
}

/// Where splits are built one after another: always at the same path, so that what two of them share is
/// compiled once.
struct Bench<'a> {
    /// Stands for a directory that holds both the repository and the split.
    base: PathBuf,
    target_directory: PathBuf,
    executables: PathBuf,
    cargo: Cargo,
    original: &'a Workspace,
    compiling: &'a compile::Options,
    /// What the split at hand stands for.
    origin: Option<PathBuf>,
}

impl<'a> Bench<'a> {
    fn new(
        top: &Path,
        cargo: Cargo,
        original: &'a Workspace,
        compiling: &'a compile::Options,
    ) -> Result<Self, PipelineError> {
        let executables = top.join("executables");
        fs_err::create_dir_all(&executables).map_err(PipelineError::Staging)?;
        Ok(Self {
            base: top.join("base"),
            target_directory: top.join("target"),
            executables,
            cargo,
            original,
            compiling,
            origin: None,
        })
    }

    /// Writes a split and builds its service as planned for the original workspace.
    fn build(
        &mut self,
        session: &Session<'_>,
        planned: &PlannedService,
        split: &Split,
        failed: impl Fn(CompileError) -> VerifyError,
    ) -> Result<Artifact, VerifyError> {
        session.reporter.report(Event::Status {
            verb: "Verifying",
            subject: format!("`{}`", printable(&planned.service)),
        });
        let copy = self.write(split)?;
        let plan = self.plan(planned, &copy)?;
        let preparation = compile::prepare(&self.cargo, &plan, self.compiling).map_err(&failed)?;
        let [build] = preparation.builds() else {
            return Err(failed(CompileError::Failed));
        };
        built(session, &preparation, build, &self.executables).map_err(failed)
    }

    /// Puts the split where it lies to the root of the repository as its original does, because the two
    /// paths are what executables see of a checkout.
    fn write(&mut self, split: &Split) -> Result<Workspace, VerifyError> {
        if self.origin.as_ref() != Some(&split.origin) {
            // What another split left higher up or lower down would be found by cargo.
            if self.base.exists() {
                fs_err::remove_dir_all(&self.base).map_err(PipelineError::Staging)?;
            }
            self.origin = Some(split.origin.clone());
        }
        let repository = self.original.repository_root.as_path();
        let above = common_ancestor([repository, &split.origin]);
        let above = above.as_deref().unwrap_or(Path::new("/"));
        let place = |path: &Path| normalized(&self.base.join(relative(path, above)));
        let manifest = split::write(split, &place(&split.origin)).map_err(PipelineError::from)?;
        let root = manifest.parent().unwrap_or(&self.base);
        let mut copy = workspace::discover(&self.cargo.at(root), None).map_err(|source| {
            VerifyError::Workspace {
                service: split.service.clone(),
                source,
            }
        })?;
        copy.repository_root = place(repository);
        copy.target_directory.clone_from(&self.target_directory);
        Ok(copy)
    }

    /// The same plan for the package in the copy.
    fn plan(&self, planned: &PlannedService, copy: &Workspace) -> Result<Plan, VerifyError> {
        let id_there = |here: &str| {
            let here = self
                .original
                .packages
                .iter()
                .find(|package| package.id == here)?;
            let place = relative(&here.directory, &self.original.root);
            let mut packages = copy.packages.iter();
            let there =
                packages.find(|package| relative(&package.directory, &copy.root) == place)?;
            Some(there.id.clone())
        };
        let package_id = id_there(&planned.package_id).ok_or_else(|| VerifyError::NoPackage {
            service: planned.service.clone(),
            package: planned.package.clone(),
        })?;
        let service = PlannedService {
            package_id,
            ..planned.clone()
        };
        Ok(Plan {
            workspace_root: copy.root.clone(),
            repository_root: copy.repository_root.clone(),
            target_directory: copy.target_directory.clone(),
            target_directory_named: true,
            source_date_epoch: None,
            services: vec![service],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(service: &str) -> Difference {
        Difference {
            service: service.to_owned(),
            outside: Vec::new(),
            holds_paths: false,
        }
    }

    #[test]
    fn every_service_that_differs_is_named() {
        let one = VerifyError::Different(vec![difference("orders")]);
        assert_eq!(
            one.to_string(),
            "the split of `orders` gives another executable than the workspace"
        );
        let two = VerifyError::Different(vec![difference("orders"), difference("web")]);
        assert!(
            two.to_string()
                .starts_with("the splits of `orders`, `web` give")
        );
        assert!(one.hint().is_some_and(|hint| hint.contains("inputs")));
    }

    #[test]
    fn known_reasons_come_first() {
        let outside = Difference {
            outside: vec!["shared".to_owned()],
            holds_paths: true,
            ..difference("orders")
        };
        let told = VerifyError::Different(vec![difference("web"), outside.clone()]).hint();
        assert!(told.is_some_and(|hint| hint.contains("`shared`")));
        let paths = Difference {
            outside: Vec::new(),
            ..outside
        };
        let told = VerifyError::Different(vec![paths]).hint();
        assert!(told.is_some_and(|hint| hint.contains("remap-paths")));
    }
}

//! Why a service cannot be split off.

use std::io;
use std::path::PathBuf;

use super::listing::ListingError;
use super::manifest::ManifestError;
use crate::cargo::{CargoError, LockfileError};
use crate::hint::Hint;
use crate::process::NoTemporaryDirectory;

/// A split that cannot be made, or not be written.
#[derive(Debug, thiserror::Error)]
pub enum SplitError {
    /// cargo could not be asked.
    #[error(transparent)]
    Cargo(#[from] CargoError),
    /// The workspace's lock.
    #[error(transparent)]
    Lockfile(#[from] LockfileError),
    /// A manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The repository's files.
    #[error(transparent)]
    Listing(#[from] ListingError),
    /// A file that cannot be read.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// There is no place to try a lock.
    #[error(transparent)]
    Temporary(#[from] NoTemporaryDirectory),
    /// A file that is too large to be what it should be.
    #[error("`{path}` is larger than {limit} MiB")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit in MiB.
        limit: u64,
    },
    /// cargo would not make the lock smaller.
    #[error("cargo cannot make a lock for the split of `{service}`")]
    Minimise {
        /// The service.
        service: String,
        /// What cargo said.
        #[source]
        source: CargoError,
    },
    /// cargo's lock for the split holds what the workspace's does not.
    #[error("the lock of the split of `{service}` would differ from the workspace's: {}", .beyond.join("; "))]
    NotSubset {
        /// The service.
        service: String,
        /// Each thing that is not in the workspace's lock.
        beyond: Vec<String>,
    },
    /// The service's package is not in the lock.
    #[error("`Cargo.lock` has no package `{package} {version}`")]
    NotLocked {
        /// The package.
        package: String,
        /// Its version.
        version: String,
    },
    /// A link that leads nowhere.
    #[error(
        "`{link}`, which belongs to the split of `{service}`, is a link to `{target}`, where nothing is"
    )]
    DanglingLink {
        /// The service.
        service: String,
        /// The link.
        link: PathBuf,
        /// What it holds.
        target: PathBuf,
    },
    /// A link that leaves the repository.
    #[error(
        "`{link}`, which belongs to the split of `{service}`, is a link to `{target}`, outside of the repository"
    )]
    EscapingLink {
        /// The service.
        service: String,
        /// The link.
        link: PathBuf,
        /// What it holds.
        target: PathBuf,
    },
    /// Something that is to be copied, and cannot be.
    #[error("`{0}` is neither a file nor a link")]
    NotAFile(PathBuf),
    /// A configuration file takes in one that no split would have.
    #[error("`{file}` includes `{included}`, outside of the repository")]
    EscapingInclude {
        /// The configuration file.
        file: PathBuf,
        /// What it includes.
        included: PathBuf,
    },
    /// A package uses what only unstable versions of cargo know.
    #[error("package `{package}` has {what}, which only unstable versions of cargo know")]
    Unstable {
        /// The package.
        package: String,
        /// What it uses.
        what: String,
    },
    /// Two names that are one where case does not count.
    #[error("`{first}` and `{second}` differ in case only")]
    CaseClash {
        /// One.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// An input that names nothing.
    #[error("`inputs` of service `{service}` names `{pattern}`, where no file is")]
    NoSuchInput {
        /// The service.
        service: String,
        /// As written.
        pattern: String,
    },
    /// A glob that cannot be compiled, though the configuration was checked.
    #[error("`{pattern}` is not a glob")]
    Glob {
        /// As written.
        pattern: String,
        /// Why not.
        #[source]
        source: globset::Error,
    },
    /// The last build read a local file that is not in the split.
    #[error("the last build of `{service}` read `{path}`, which its split would not have")]
    Unforeseen {
        /// The service.
        service: String,
        /// The file, as seen from the workspace root.
        path: PathBuf,
        /// The entry of `inputs` that adds it.
        input: String,
    },
    /// A source names a file that git does not track, and that looks like a secret.
    #[error(
        "a source of `{package}` names `{path}`, which git does not track and which looks like a secret"
    )]
    Secret {
        /// The package.
        package: String,
        /// The file, as seen from the workspace root.
        path: PathBuf,
        /// The entry of `inputs` that adds it.
        input: String,
    },
    /// A source takes in a file that a split has in another form.
    #[error("`{package}` embeds `{path}`, which a split has in another form")]
    Altered {
        /// The package.
        package: String,
        /// The file, as seen from the workspace root.
        path: PathBuf,
    },
    /// A source names a file in the target directory, which no split has.
    #[error("a source of `{package}` names `{path}` in the target directory, which no commit has")]
    Made {
        /// The package.
        package: String,
        /// The file or directory, as seen from the workspace root.
        path: PathBuf,
        /// The entry of `inputs` that adds it.
        input: String,
    },
    /// The sources of a split's dependencies cannot be had.
    #[error("cargo cannot vendor the dependencies of the split of `{service}`")]
    Vendor {
        /// The service.
        service: String,
        /// What cargo said.
        #[source]
        source: CargoError,
    },
    /// `--no-dev-deps` where it would change the program.
    #[error(
        "the workspace has `resolver = \"1\"`, which lets dev-dependencies turn on features of the program"
    )]
    ResolverOne,
    /// `--out` lies among the sources.
    #[error("`{out}` is a place of sources, where the files of a split would become some")]
    OutInside {
        /// As resolved.
        out: PathBuf,
    },
    /// Something that was not written by us stands where a split should go.
    #[error("`{0}` exists, and is no split that this program wrote")]
    NotOurs(PathBuf),
    /// The output cannot be written.
    #[error("cannot write the split of `{service}`")]
    Write {
        /// The service.
        service: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Stopped on purpose.
    #[error("interrupted")]
    Interrupted,
}

impl SplitError {
    /// Whether inputs of a service remain unknown, though nothing is wrong with its split.
    pub fn is_blind_spot(&self) -> bool {
        matches!(
            self,
            Self::Unforeseen { .. } | Self::Secret { .. } | Self::Made { .. }
        )
    }

    /// Whether a manifest, a file or the command line must change, rather than this machine.
    pub fn is_configuration(&self) -> bool {
        !matches!(
            self,
            Self::Cargo(CargoError::Program(_) | CargoError::Answer { .. })
                | Self::Minimise { .. }
                | Self::Vendor { .. }
                | Self::Read(_)
                | Self::Write { .. }
                | Self::Interrupted
        )
    }
}

impl Hint for SplitError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Cargo(error) => error.hint(),
            Self::Lockfile(error) => error.hint(),
            Self::Manifest(error) => error.hint(),
            Self::Listing(error) => error.hint(),
            Self::Temporary(error) => error.hint(),
            Self::Minimise { .. } => Some(
                "let cargo read the registry's index once: `cargo fetch --locked` in the workspace"
                    .to_owned(),
            ),
            Self::Vendor { .. } => Some(
                "download what is missing with `cargo fetch --locked`, for every platform: without `--target`, and without `--offline` here"
                    .to_owned(),
            ),
            Self::NotSubset { .. } => Some(
                "run `cargo update --workspace` in the workspace and commit `Cargo.lock`; if this stays, it is a mistake of this program"
                    .to_owned(),
            ),
            Self::NotLocked { .. } => {
                Some("run `cargo update --workspace` and commit `Cargo.lock`".to_owned())
            }
            Self::DanglingLink { .. } => Some("mend the link, or remove it".to_owned()),
            Self::EscapingLink { .. } => {
                Some("put what it leads to into the repository, or remove the link".to_owned())
            }
            Self::NotAFile(_) => Some("remove it, or name something else".to_owned()),
            Self::EscapingInclude { .. } => Some(
                "put it into the repository: a split can be copied anywhere, and would not find it"
                    .to_owned(),
            ),
            Self::Unstable { package, .. } => Some(format!(
                "splits are proven for what a stable cargo knows: let a build script build it, or ship `{package}` without splitting"
            )),
            Self::CaseClash { .. } => {
                Some("rename one of them: file systems of macOS and Windows hold only one".to_owned())
            }
            Self::NoSuchInput { .. } => {
                Some("paths are relative to the package, a leading `/` means the workspace root".to_owned())
            }
            Self::Unforeseen { input, .. } => Some(format!(
                "add `inputs = [\"{input}\"]` to `[package.metadata.lighter]` of its package"
            )),
            Self::Secret { input, .. } => Some(format!(
                "if it is none, add `inputs = [\"{input}\"]` to `[package.metadata.lighter]` of the service's package"
            )),
            Self::Altered { path, .. } => Some(format!(
                "ship it without splitting, or embed only what it needs of `{}`, in a file of its own",
                path.display()
            )),
            Self::Made { input, .. } => Some(format!(
                "let a build script make it, keep it in the repository, or add `inputs = [\"{input}\"]` to `[package.metadata.lighter]` of the service's package"
            )),
            Self::ResolverOne => Some(
                "leave `--no-dev-deps` away, or set `resolver = \"2\"` in the root manifest".to_owned(),
            ),
            Self::OutInside { .. } => {
                Some("name a directory outside, such as `--out ../splits`, or one in the target directory".to_owned())
            }
            Self::NotOurs(_) => Some("remove it, or name another directory with `--out`".to_owned()),
            Self::Read(_)
            | Self::TooLarge { .. }
            | Self::Glob { .. }
            | Self::Write { .. }
            | Self::Interrupted => None,
        }
    }
}

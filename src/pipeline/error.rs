//! Why a run cannot begin, or a service was not delivered.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::DockerfileError;
use crate::compile::CompileError;
use crate::destination::DestinationError;
use crate::fs::TreeError;
use crate::hint::Hint;
use crate::image::ImageError;
use crate::layer::{AssetError, InvalidCompression, LayerError};
use crate::plan::PlanError;
use crate::runtime::RuntimeError;
use crate::since::GitError;
use crate::split::SplitError;

/// What stopped a run or one of its services.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// Compiling.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// Splitting a service off.
    #[error(transparent)]
    Split(#[from] SplitError),
    /// Asking git what changed.
    #[error(transparent)]
    Git(#[from] GitError),
    /// Saying in a Dockerfile how an image is made.
    #[error("cannot write a Dockerfile for `{service}`")]
    Dockerfile {
        /// The service.
        service: String,
        /// Why not.
        #[source]
        source: DockerfileError,
    },
    /// A file that is an input and cannot be read.
    #[error("cannot read an input")]
    Input(#[source] io::Error),
    /// Finding libraries and certificates.
    #[error(transparent)]
    Runtime(Box<RuntimeError>),
    /// Finding assets.
    #[error(transparent)]
    Asset(#[from] AssetError),
    /// Assets that are found wrong before the first compile.
    #[error("the assets of service `{service}` cannot be shipped")]
    Assets {
        /// The service.
        service: String,
        /// Why not.
        #[source]
        source: AssetError,
    },
    /// Files that exclude one another, found before the first compile.
    #[error("the image of service `{service}` cannot hold all its files")]
    Files {
        /// The service.
        service: String,
        /// Which, and where they come from.
        #[source]
        source: TreeError,
    },
    /// Writing a layer, which several services may share.
    #[error("cannot make a layer")]
    Layer(#[source] Arc<LayerError>),
    /// Files that exclude one another.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// Making the image.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// Names and tags.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A compression that cannot be.
    #[error(transparent)]
    Compression(#[from] InvalidCompression),
    /// A library root without glibc.
    #[error("the library root `{root}` has no glibc for {platform}")]
    NoGlibc {
        /// The root.
        root: PathBuf,
        /// What it is needed for.
        platform: String,
    },
    /// `created = "commit"` without a commit.
    #[error("`created = \"commit\"` of service `{0}` needs a git repository with a commit")]
    NoCommit(String),
    /// `linkage = "static"`, and a dynamic executable.
    #[error("the executable of `{0}` is dynamic, though `linkage = \"static\"`")]
    NotStatic(String),
    /// Nobody said where to push a service.
    #[error("nothing says which registry to push `{0}` to")]
    NoRepository(String),
    /// Delivering.
    #[error("cannot deliver to `{destination}`")]
    Deliver {
        /// The destination as the user wrote it.
        destination: String,
        /// Why not.
        #[source]
        source: Box<DestinationError>,
    },
    /// The directory for work in progress cannot be used.
    #[error("cannot prepare the working directory")]
    Staging(#[source] io::Error),
    /// Stopped on purpose.
    #[error("interrupted")]
    Interrupted,
}

impl From<RuntimeError> for PipelineError {
    fn from(error: RuntimeError) -> Self {
        Self::Runtime(Box::new(error))
    }
}

impl PipelineError {
    /// Whether the command line or a manifest must change, rather than this machine or a registry.
    pub fn is_configuration(&self) -> bool {
        match self {
            Self::Asset(error) | Self::Assets { source: error, .. } => error.is_configuration(),
            Self::Split(error) => error.is_configuration(),
            Self::Git(error) => error.is_usage(),
            Self::Runtime(error) => matches!(**error, RuntimeError::Root { .. }),
            Self::Deliver { source, .. } => match &**source {
                DestinationError::Name(_) => true,
                DestinationError::Registry(error) => error.is_configuration(),
                _ => false,
            },
            Self::Tree(_)
            | Self::Files { .. }
            | Self::Plan(_)
            | Self::Compile(CompileError::UnknownProfile { .. })
            | Self::Dockerfile { .. }
            | Self::Compression(_)
            | Self::NoCommit(_)
            | Self::NoRepository(_) => true,
            Self::Compile(_)
            | Self::Layer(_)
            | Self::Image(_)
            | Self::NoGlibc { .. }
            | Self::NotStatic(_)
            | Self::Staging(_)
            | Self::Input(_)
            | Self::Interrupted => false,
        }
    }

    /// A destination's error.
    pub(super) fn deliver(destination: &str, source: DestinationError) -> Self {
        Self::Deliver {
            destination: destination.to_owned(),
            source: Box::new(source),
        }
    }
}

impl Hint for PipelineError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Compile(error) => error.hint(),
            Self::Split(error) => error.hint(),
            Self::Git(error) => error.hint(),
            Self::Dockerfile { source, .. } => source.hint(),
            Self::Runtime(error) => error.hint(),
            Self::Asset(error) | Self::Assets { source: error, .. } => error.hint(),
            Self::Layer(error) => error.hint(),
            Self::Tree(error) | Self::Files { source: error, .. } => error.hint(),
            Self::Image(error) => error.hint(),
            Self::Plan(error) => error.hint(),
            Self::Compression(error) => error.hint(),
            Self::NoGlibc { .. } => Some(
                "name a root of that platform with `library-root`, or set `linkage = \"static\"`".to_owned(),
            ),
            Self::NoCommit(_) => {
                Some("commit first, set SOURCE_DATE_EPOCH, or leave `created` away".to_owned())
            }
            Self::NotStatic(_) => {
                Some("remove flags such as `-C target-feature=-crt-static` or `relocation-model`".to_owned())
            }
            Self::NoRepository(_) => Some(
                "type `--repo HOST/PREFIX`, set LIGHTER_REPO, or set `repo` in `[workspace.metadata.lighter]`"
                    .to_owned(),
            ),
            Self::Deliver { source, .. } => source.hint(),
            Self::Staging(_) | Self::Input(_) | Self::Interrupted => None,
        }
    }
}

//! Why no plan can be made.

use crate::hint::Hint;
use crate::oci::UnknownPlatform;
use crate::reference::InvalidName;
use crate::template::PatternError;

/// The request makes no sense for this workspace.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A target that no image can be made for.
    #[error(transparent)]
    Platform(#[from] UnknownPlatform),
    /// A name or tag that is not legal.
    #[error("service `{service}` cannot be named")]
    Name {
        /// The service.
        service: String,
        /// Why not.
        #[source]
        source: InvalidName,
    },
    /// A pattern whose placeholders have no value.
    #[error("service `{service}` cannot be named or tagged by `{pattern}`")]
    Pattern {
        /// The service.
        service: String,
        /// The pattern.
        pattern: String,
        /// Why not.
        #[source]
        source: PatternError,
    },
    /// A tag of the commit where there is no commit.
    #[error("tag `{pattern}` of service `{service}` needs {needs}")]
    NoRevision {
        /// The service.
        service: String,
        /// The pattern.
        pattern: String,
        /// What is missing.
        needs: &'static str,
    },
    /// Two services would be one image.
    #[error("the services `{first}` and `{second}` would both be the image `{name}`")]
    ImageClash {
        /// The common name.
        name: String,
        /// One.
        first: String,
        /// The other.
        second: String,
    },
}

impl Hint for PlanError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Platform(error) => error.hint(),
            Self::Name { source, .. } => source.hint(),
            Self::Pattern { source, .. } => source.hint(),
            Self::NoRevision { needs, .. } if needs.contains("branch") => Some(
                "CI often checks out a detached commit: give the branch as a tag, `-t BRANCH`"
                    .to_owned(),
            ),
            Self::NoRevision { .. } => Some("commit first, or choose other `tags`".to_owned()),
            Self::ImageClash { .. } => Some("give one of them another `name`".to_owned()),
        }
    }
}

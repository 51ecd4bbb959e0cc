//! What can be wrong with a workspace, or with a selection from it.

use std::path::PathBuf;

use crate::cargo::CargoError;
use crate::hint::{Hint, quoted_list};

/// The workspace, or the user's choice of services, makes no sense.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// cargo could not describe it.
    #[error(transparent)]
    Cargo(#[from] CargoError),
    /// Nothing to deploy.
    #[error("the workspace at `{root}` has no service{}", listed(.left_out))]
    NoService {
        /// Its root.
        root: PathBuf,
        /// Each binary that was left out, with the reason.
        left_out: Vec<String>,
    },
    /// A name on the command line fits no service.
    #[error("no service {} in this workspace", named(.name))]
    UnknownService {
        /// As typed.
        name: String,
        /// Names like it, or all.
        known: Known,
        /// Why a binary of that name is no service.
        left_out: Option<String>,
    },
    /// `--package` or `--exclude` fits no package.
    #[error("no package {} in this workspace", named(.name))]
    UnknownPackage {
        /// As typed.
        name: String,
        /// Names like it, or all.
        known: Known,
    },
    /// Everything was excluded.
    #[error("the selection leaves no service")]
    NothingSelected,
    /// A pattern that is none.
    #[error("`{pattern}` is not a glob: {why}")]
    Glob {
        /// As typed.
        pattern: String,
        /// Which rule it breaks.
        why: String,
    },
    /// Two services would have one name.
    #[error("the services {first} and {second} would both be called `{name}`{context}")]
    NameClash {
        /// The common name.
        name: String,
        /// Where it would be used.
        context: &'static str,
        /// `package` and binary of one.
        first: String,
        /// `package` and binary of the other.
        second: String,
    },
    /// A service whose name has no letter or digit.
    #[error("the service `{service}` of package `{package}` cannot be named in an image")]
    Unnameable {
        /// The service.
        service: String,
        /// Its package.
        package: String,
    },
}

fn listed(reasons: &[String]) -> String {
    let lines = reasons.iter().map(|reason| format!("\n  {reason}"));
    if reasons.is_empty() {
        String::new()
    } else {
        format!(":{}", lines.collect::<String>())
    }
}

impl Hint for WorkspaceError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Cargo(error) => error.hint(),
            Self::NoService { left_out, .. } if left_out.is_empty() => {
                Some("a service is a package's binary: add `src/main.rs` to a package".to_owned())
            }
            Self::NoService { .. } => {
                Some("remove `skip`, or turn the missing features on".to_owned())
            }
            Self::UnknownService {
                left_out: Some(reason),
                ..
            } => Some(format!("it is a binary but no service: {reason}")),
            Self::UnknownService { known, .. } | Self::UnknownPackage { known, .. } => {
                Some(known.hint())
            }
            Self::NothingSelected => Some("see the services with `cargo lighter list`".to_owned()),
            Self::Glob { .. } => {
                Some("write for example `'bill*'`, `'order?'` or `'{orders,billing}'`".to_owned())
            }
            Self::NameClash { .. } => Some(
                "rename one of the binaries, or set `skip = true` for one of the packages"
                    .to_owned(),
            ),
            Self::Unnameable { .. } => Some("rename the binary".to_owned()),
        }
    }
}

fn named(name: &str) -> String {
    if name.contains(['*', '?', '[', '{']) {
        format!("matches `{name}`")
    } else {
        format!("`{name}`")
    }
}

/// What an unknown name could have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// Names like it.
    Near(Vec<String>),
    /// None is like it, and these are all.
    All(Vec<String>),
    /// None is like it, and there are more than a sentence holds.
    Many,
}

impl Known {
    fn hint(&self) -> String {
        let list = |names: &[String]| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            quoted_list(&names)
        };
        match self {
            Self::Near(names) => format!("did you mean {}?", list(names)),
            Self::All(names) => format!("choose {}", list(names)),
            Self::Many => "see what there is with `cargo lighter list`".to_owned(),
        }
    }
}

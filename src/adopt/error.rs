//! Why no proposal can be made.

use std::path::PathBuf;

use crate::config::ConfigErrors;
use crate::hint::{Hint, quoted_list};

/// A Dockerfile that cannot be adopted.
#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    /// More than any Dockerfile has.
    #[error("the Dockerfile is larger than 128 KiB")]
    TooLarge,
    /// `ENV A=$A$A` again and again.
    #[error(
        "the Dockerfile's values are too long: one has more than 16 KiB, or all more than 1 MiB"
    )]
    TooManyValues,
    /// The parser does not understand it.
    #[error("{place}: {message}")]
    Syntax {
        /// The Dockerfile as it was named, and the line.
        place: String,
        /// What the parser says.
        message: String,
    },
    /// More than is followed.
    #[error("the Dockerfile has {count} {what}, more than {limit}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many it has.
        count: usize,
        /// How many it may have.
        limit: usize,
    },
    /// No stage has that name.
    #[error("the Dockerfile has no stage `{stage}`")]
    NoStage {
        /// What was asked for.
        stage: String,
        /// Names of its stages.
        known: Vec<String>,
    },
    /// No service has that name.
    #[error("no service `{service}` in this workspace")]
    NoSuchService {
        /// What was asked for.
        service: String,
        /// Names like it, or all.
        known: Vec<String>,
    },
    /// Nothing in the Dockerfile tells which service it builds.
    #[error("nothing in the Dockerfile tells which service it is for{}", of_executable(.executable.as_deref()))]
    UnknownService {
        /// What it starts, if it says so.
        executable: Option<String>,
        /// Names of all services.
        known: Vec<String>,
        /// Why a binary of that name is no service.
        left_out: Option<String>,
    },
    /// Several services could be meant.
    #[error("the Dockerfile could be for the services {}", quoted_list(&.services.iter().map(String::as_str).collect::<Vec<_>>()))]
    SeveralServices {
        /// Their names.
        services: Vec<String>,
    },
    /// The directory that `COPY` takes files from is none.
    #[error("`{path}`, which `COPY` would take files from, is no directory")]
    NoContext {
        /// The directory.
        path: PathBuf,
    },
    /// The manifest that the table belongs to is not as expected.
    #[error("`{path}`: {why}")]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The manifest with the table in it would be refused.
    #[error("the configuration with what the Dockerfile says would not be read")]
    Refused(#[source] ConfigErrors),
}

fn of_executable(executable: Option<&str>) -> String {
    executable.map_or_else(String::new, |name| format!(", which starts `{name}`"))
}

impl Hint for AdoptError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoStage { known, .. } if known.is_empty() => {
                Some("leave out `--stage`: its stages have no names".to_owned())
            }
            Self::NoStage { known, .. } => Some(format!("its stages are {}", listed(known))),
            Self::NoSuchService { known, .. } => Some(format!("did you mean {}?", listed(known))),
            Self::UnknownService {
                left_out: Some(why),
                ..
            } => Some(why.clone()),
            Self::UnknownService { known, .. } => Some(format!(
                "say which with `--service`: {}; values of `ARG` are given with `--build-arg`",
                listed(known)
            )),
            Self::SeveralServices { services } => services
                .first()
                .map(|first| format!("say which, such as `--service {first}`")),
            Self::NoContext { .. } => {
                Some("name the directory that `docker build` is given with `--context`".to_owned())
            }
            Self::Syntax { .. } => {
                Some("`docker build --check` says what it makes of the file".to_owned())
            }
            Self::Refused(errors) => errors.hint(),
            Self::TooLarge | Self::TooManyValues | Self::TooMany { .. } | Self::Manifest { .. } => {
                None
            }
        }
    }
}

fn listed(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let first: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    match names.len().checked_sub(SHOWN) {
        None | Some(0) => quoted_list(&first),
        Some(more) => format!("{} and {more} more", quoted_list(&first)),
    }
}

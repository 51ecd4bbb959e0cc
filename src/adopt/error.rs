//! Why no proposal can be made.

use std::path::PathBuf;

use crate::config::ConfigErrors;
use crate::hint::{Hint, quoted_list};
use crate::report::printable;

/// A Dockerfile that cannot be adopted.
#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    /// More than any Dockerfile has.
    #[error("`{file}` is larger than 128 KiB")]
    TooLarge {
        /// The Dockerfile as it was named.
        file: String,
    },
    /// `ENV A=$A$A` again and again.
    #[error("{place}: values grow too long: one has more than 16 KiB, or all more than 1 MiB")]
    TooManyValues {
        /// The Dockerfile as it was named, and the line.
        place: String,
    },
    /// The parser does not understand it.
    #[error("{place}: {message}")]
    Syntax {
        /// The Dockerfile as it was named, and the line.
        place: String,
        /// What the parser says.
        message: String,
        /// What to do.
        hint: String,
    },
    /// A quote or a brace is opened in a value, which docker refuses, too.
    #[error("{place}: `{instruction}` opens a {} ({open}) and never closes it", kind_of(*.open))]
    Unclosed {
        /// The Dockerfile as it was named, and the line.
        place: String,
        /// The instruction.
        instruction: String,
        /// What is opened.
        open: char,
        /// What makes it mean itself.
        escape: char,
    },
    /// More than is followed.
    #[error("`{file}` has {count} {what}, more than {limit}")]
    TooMany {
        /// The Dockerfile as it was named.
        file: String,
        /// Of what.
        what: &'static str,
        /// How many it has.
        count: usize,
        /// How many it may have.
        limit: usize,
    },
    /// No stage has that name or number.
    #[error("`{file}` has no stage `{stage}`")]
    NoStage {
        /// The Dockerfile as it was named.
        file: String,
        /// What was asked for.
        stage: String,
        /// Names of its stages, in their order.
        known: Vec<Option<String>>,
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
    #[error("nothing in `{file}` tells which service it is for{}", of_executable(.executable.as_deref()))]
    UnknownService {
        /// The Dockerfile as it was named.
        file: String,
        /// What it starts, if it says so.
        executable: Option<String>,
        /// Names of all services.
        known: Vec<String>,
        /// Why a binary of that name is no service.
        left_out: Option<String>,
    },
    /// Nothing tells the stage or image it is built on, and with that the service.
    #[error(
        "{place}: `FROM` needs `{name}`, which has no value: nothing else tells which service it is for"
    )]
    UnsetImage {
        /// The Dockerfile as it was named, and the line.
        place: String,
        /// The variable.
        name: String,
    },
    /// Several services could be meant.
    #[error("`{file}` could be for the services {}", quoted_list(&.services.iter().map(String::as_str).collect::<Vec<_>>()))]
    SeveralServices {
        /// The Dockerfile as it was named.
        file: String,
        /// Their names.
        services: Vec<String>,
    },
    /// It is for another service than the one that is named.
    #[error("`{file}` {does} service {}, and has no executable of service `{service}`", all(.others))]
    OtherService {
        /// The Dockerfile as it was named.
        file: String,
        /// The service that was asked for.
        service: String,
        /// What it does to others: "starts".
        does: &'static str,
        /// These.
        others: Vec<String>,
        /// The stage that is for it, by name or number.
        stage: Option<String>,
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
    #[error("the configuration with what `{file}` says would not be read")]
    Refused {
        /// The Dockerfile as it was named.
        file: String,
        /// What is wrong with it.
        #[source]
        source: ConfigErrors,
    },
}

fn of_executable(executable: Option<&str>) -> String {
    executable.map_or_else(String::new, |name| format!(": it starts `{name}`"))
}

fn all(names: &[String]) -> String {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    quoted_list(&names).replace(" or ", " and ")
}

fn kind_of(open: char) -> &'static str {
    match open {
        '{' => "brace",
        _ => "quote",
    }
}

impl Hint for AdoptError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoStage { known, .. } => Some(stages(known)),
            Self::NoSuchService { known, .. } => Some(format!("did you mean {}?", listed(known))),
            Self::UnknownService {
                left_out: Some(why),
                ..
            } => Some(why.clone()),
            Self::UnknownService { known, .. } => Some(format!(
                "say which with `--service`: {}; values of `ARG` are given with `--build-arg`",
                listed(known)
            )),
            Self::UnsetImage { name, .. } => Some(format!("give it as `--build-arg {name}=…`")),
            Self::SeveralServices { services, .. } => services
                .first()
                .map(|first| format!("say which, such as `--service {first}`")),
            Self::OtherService {
                service,
                stage: Some(stage),
                ..
            } => Some(format!(
                "a stage of its own is for `{service}`: `--stage {}`",
                printable(stage)
            )),
            Self::OtherService { service, .. } => Some(format!(
                "leave out `--service`, or name the Dockerfile of `{service}`"
            )),
            Self::NoContext { .. } => {
                Some("name the directory that `docker build` is given with `--context`".to_owned())
            }
            Self::Syntax { hint, .. } => Some(hint.clone()),
            Self::Unclosed { open, escape, .. } => Some(match open {
                '{' => format!("close it, or write `{escape}$` for a dollar sign that stays one"),
                open => format!("close it, or write `{escape}{open}` for one that stays one"),
            }),
            Self::Refused { source, .. } => source.hint(),
            Self::TooLarge { .. } => Some(
                "name the Dockerfile itself; files that it writes belong into the repository"
                    .to_owned(),
            ),
            Self::TooManyValues { .. } => {
                Some("write values out that are made of one another again and again".to_owned())
            }
            Self::TooMany { .. } => {
                Some("take out what the image of the service is not made of".to_owned())
            }
            Self::Manifest { .. } => Some("mend that in the manifest first".to_owned()),
        }
    }
}

/// How many there are, with their numbers and names.
fn stages(known: &[Option<String>]) -> String {
    const SHOWN: usize = 8;
    let named = |(at, name): (usize, &Option<String>)| match name {
        Some(name) => format!("{at} `{name}`"),
        None => at.to_string(),
    };
    let count = known.len();
    let all = known.iter().enumerate();
    if count <= 1 {
        return "it has one: leave out `--stage`".to_owned();
    }
    if count <= SHOWN {
        return format!(
            "it has {count}: {}",
            all.map(named).collect::<Vec<_>>().join(", ")
        );
    }
    let with_names = all.filter(|(_, name)| name.is_some());
    let last: Vec<String> = with_names.rev().take(SHOWN).map(named).collect();
    let last = last.into_iter().rev().collect::<Vec<_>>().join(", ");
    let range = format!("it has {count}: 0 to {}", count - 1);
    if last.is_empty() {
        range
    } else {
        format!("{range}, named are {last}")
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

//! `auth check`: which credential a push would use, where it comes from, and whether the registry takes it.

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use crate::cli::arguments::InsecureArguments;
use crate::cli::context::Context;
use crate::cli::{Exit, Failure, StreamError};
use crate::reference::{Repository, refuse_login};
use crate::report::{Event, Reporter as _};

/// What `--help` shows last.
const EXAMPLES: &str = "Examples:
  Whether you could push this image, and as whom:
    cargo lighter auth check ghcr.io/acme/orders";

/// See which credentials would be used, and whether a registry takes them
///
/// Credentials come from `LIGHTER_REGISTRY_USER` and `LIGHTER_REGISTRY_PASSWORD`, from the configuration of
/// docker and its credential helpers, and from podman's.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// What `--help` of `check` shows last.
const CHECK_EXAMPLES: &str = "Examples:
  Whether you could push this image, and as whom:
    cargo lighter auth check ghcr.io/acme/orders
  The same for a script:
    cargo lighter auth check ghcr.io/acme/orders --format json";

#[derive(Debug, Subcommand)]
enum Command {
    /// Ask a registry whether it would take a push, and say as whom
    ///
    /// Prints the user, where the credential comes from, and what the registry says. Nothing is pushed.
    #[command(after_help = CHECK_EXAMPLES)]
    Check(Check),
}

#[derive(Debug, Args)]
struct Check {
    /// A repository, such as ghcr.io/acme/orders; a tag or digest is passed over
    #[arg(value_name = "REF")]
    reference: String,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    #[command(flatten)]
    insecure: InsecureArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

#[derive(Serialize)]
struct Document {
    version: u32,
    repository: String,
    user: Option<String>,
    source: Option<String>,
    /// What a token was asked for; nothing where the registry gives none.
    scope: Option<String>,
    /// The registry's own words; nothing where it gave no answer.
    answer: Option<String>,
    push: bool,
}

pub(in crate::cli) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Failure> {
    let Command::Check(check) = &arguments.command;
    refuse_login(&check.reference).map_err(Failure::usage)?;
    let repository = Repository::parse(without_tag(&check.reference)).map_err(Failure::usage)?;
    let registry = context.registry(&check.insecure)?;
    let tell = || {
        for line in registry.notes() {
            context.console.report(Event::Verbose(line));
        }
    };
    let user = registry.user(&repository);
    tell();
    let user = user.map_err(Failure::of_registry)?;
    let answer = registry.check_push(&repository);
    tell();
    let document = Document {
        version: 1,
        repository: repository.to_string(),
        source: user
            .as_ref()
            .map(|user| user.source.to_string().trim_matches('`').to_owned()),
        user: user.map(|user| user.name),
        scope: registry.scope(&repository).map_err(Failure::of_registry)?,
        answer: match &answer {
            Ok(status) => Some(format!("status {status}")),
            Err(error) => error.answer(),
        },
        push: answer.is_ok(),
    };
    let text = match check.format {
        Format::Text => text(&document),
        Format::Json => {
            let json = serde_json::to_string(&document).map_err(std::io::Error::other);
            json.map_err(|error| Failure::failed(StreamError(error)))? + "\n"
        }
    };
    let printed = context.console.data(&text);
    printed.map_err(|error| Failure::failed(StreamError(error)))?;
    match answer {
        Ok(_) => Ok(Exit::Success),
        Err(error) => Err(Failure::of_registry(error)),
    }
}

fn text(document: &Document) -> String {
    let who = match (&document.user, &document.source) {
        (Some(user), Some(source)) => format!("`{user}`, from `{source}`"),
        _ => "nobody: no credential is configured for it".to_owned(),
    };
    let scope = match (&document.scope, &document.answer) {
        (Some(scope), _) => format!("`{scope}`"),
        (None, Some(_)) => "none: the registry did not ask for a token".to_owned(),
        (None, None) => "unknown: the registry gave no answer".to_owned(),
    };
    let answer = document.answer.as_deref().unwrap_or("none");
    let push = if document.push { "taken" } else { "not taken" };
    format!(
        "repository  {}\nas          {who}\nscope       {scope}\nanswer      {answer}\npush        {push}\n",
        document.repository
    )
}

/// A repository's name of a reference that may have a tag or digest.
fn without_tag(reference: &str) -> &str {
    let bare = reference.strip_prefix("docker://").unwrap_or(reference);
    let bare = bare.split_once('@').map_or(bare, |(name, _)| name);
    match bare.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') && name.contains('/') => name,
        _ => bare,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_digests_are_passed_over() {
        for reference in [
            "localhost:5000/a/b",
            "localhost:5000/a/b:1.0",
            "docker://localhost:5000/a/b@sha256:00",
            "localhost:5000/a/b:1.0@sha256:00",
        ] {
            assert_eq!(without_tag(reference), "localhost:5000/a/b", "{reference}");
        }
        assert_eq!(without_tag("localhost:5000"), "localhost:5000");
    }
}

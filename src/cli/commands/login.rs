//! `login`: store credentials for a registry, after the registry took them.

use clap::Args;

use crate::cli::arguments::InsecureArguments;
use crate::cli::context::Context;
use crate::cli::{Exit, Failure, StreamError};
use crate::hint::Hint;
use crate::registry::{self, Options, RegistryError, Secret};
use crate::report::{Event, Reporter as _};

/// A password or token; registries' own are far shorter.
const MAX_PASSWORD: u64 = 64 * 1024;

/// What `--help` shows last.
const EXAMPLES: &str = r#"Examples:
  A password in a variable:
    echo "$TOKEN" | cargo lighter login ghcr.io -u USER --password-stdin
  A password in a file:
    cargo lighter login ghcr.io -u USER --password-stdin < token"#;

/// Store credentials for a registry
///
/// The password is read from standard input, never from an argument that others could see. It is stored
/// only after the registry took it: in docker's configuration, in the credential helper that it names, or
/// in the file that `REGISTRY_AUTH_FILE` names.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Arguments {
    /// The registry's host, such as ghcr.io
    #[arg(value_name = "HOST")]
    registry: String,
    /// User name
    #[arg(short, long, value_name = "USER")]
    username: String,
    /// Read the password from standard input (the only way to give it)
    #[arg(long)]
    password_stdin: bool,
    #[command(flatten)]
    insecure: InsecureArguments,
}

/// The password was not given in the only safe way, or not at all.
#[derive(Debug, thiserror::Error)]
enum NoPassword {
    #[error("no password: it is read from standard input only")]
    NotAsked,
    #[error("standard input holds no password")]
    Empty,
    #[error("the password on standard input is not UTF-8")]
    NotText,
}

impl Hint for NoPassword {
    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::NotAsked => "add `--password-stdin`, and give the password there: \
                                   `echo \"$PASSWORD\" | cargo lighter login HOST --username USER --password-stdin`",
                _ => "type `echo \"$PASSWORD\" | cargo lighter login HOST --username USER --password-stdin`",
            }
            .to_owned(),
        )
    }
}

pub(in crate::cli) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Failure> {
    if !arguments.password_stdin {
        return Err(Failure::usage(NoPassword::NotAsked));
    }
    let input = context
        .console
        .input(MAX_PASSWORD, || context.interrupt.received().is_some())
        .map_err(|error| Failure::failed(StreamError(error)))?;
    let Some(input) = input else {
        return Err(Failure::failed(RegistryError::Interrupted));
    };
    let input = String::from_utf8(input).map_err(|_| Failure::usage(NoPassword::NotText))?;
    let password = input.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(Failure::usage(NoPassword::Empty));
    }
    let options = Options {
        insecure: arguments.insecure.hosts()?,
        ..Options::default()
    };
    let place = registry::login(
        &context.environment,
        &arguments.registry,
        &arguments.username,
        &Secret::new(password),
        options,
        context.clock.clone(),
        &context.interrupt,
    )
    .map_err(Failure::of_registry)?;
    let subject = format!("credentials for {} in {place}", arguments.registry);
    context.console.report(Event::Status {
        verb: "Stored",
        subject,
    });
    Ok(Exit::Success)
}

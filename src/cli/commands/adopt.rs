//! `adopt`: from a Dockerfile to the configuration of the service it builds.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::adopt::{self, AdoptError, Edited, Proposal, Remark, Weight};
use crate::cargo::{self, Configuration};
use crate::cli::arguments::WorkspaceArguments;
use crate::cli::context::Context;
use crate::cli::{Exit, Failure, StreamError};
use crate::config::{self, Overrides};
use crate::fs::{AtomicFile, normalized, relative};
use crate::hint::Hint;
use crate::report::{Event, Reporter as _, printable};

/// Larger than what the configuration is read from.
const MAX_MANIFEST: u64 = 8 * 1024 * 1024;

/// What `--help` shows last.
const EXAMPLES: &str = "Examples:
  What to put into Cargo.toml, and what cannot be carried over:
    cargo lighter adopt Dockerfile
  Put it there, for one of several services:
    cargo lighter adopt orders/Dockerfile --service orders --write";

/// Propose the configuration of a service from its Dockerfile
///
/// Reads the final stage of a Dockerfile: user, ports, variables, entry point, copied files and the like.
/// The table for Cargo.toml goes to standard output. What it cannot carry is told on standard error, with
/// what to do about it. Nothing is written without --write.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Arguments {
    /// The Dockerfile to read
    #[arg(value_name = "DOCKERFILE")]
    dockerfile: PathBuf,
    /// The service it is for, where it does not tell
    #[arg(long, value_name = "SERVICE")]
    service: Option<String>,
    /// The stage that becomes the image, by name or number; the last unless given
    #[arg(long, value_name = "STAGE")]
    stage: Option<String>,
    /// Value of an `ARG` (repeatable)
    #[arg(long = "build-arg", value_name = "NAME=VALUE", value_parser = pair)]
    build_args: Vec<(String, String)>,
    /// The directory that `docker build` is given; found out unless given
    #[arg(long, value_name = "DIR")]
    context: Option<PathBuf>,
    /// Put the settings into the package's manifest; what it says already stays
    #[arg(long)]
    write: bool,
    /// How to print the settings
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    #[command(flatten)]
    workspace: WorkspaceArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    dockerfile: String,
    context: String,
    base: String,
    service: &'a str,
    package: &'a str,
    bin: &'a str,
    manifest: String,
    table: String,
    settings: serde_json::Value,
    remarks: &'a [Remark],
    written: bool,
    added: &'a [String],
    kept: Vec<Kept<'a>>,
}

#[derive(Serialize)]
struct Kept<'a> {
    key: &'a str,
    value: &'a str,
    proposed: &'a str,
}

/// The Dockerfile cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read `{}`", printable(&.path.to_string_lossy()))]
struct Unreadable {
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl Hint for Unreadable {
    fn hint(&self) -> Option<String> {
        match self.source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                Some("name a Dockerfile that is there".to_owned())
            }
            io::ErrorKind::IsADirectory => Some(format!(
                "name the file, such as `{}`",
                self.path.join("Dockerfile").display()
            )),
            io::ErrorKind::InvalidData => Some("save it as UTF-8".to_owned()),
            io::ErrorKind::InvalidInput => {
                Some("save what it gives in a file, and name that".to_owned())
            }
            _ => None,
        }
    }
}

/// The manifest cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write `{}`", printable(&.path.to_string_lossy()))]
struct Unwritable {
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl Hint for Unwritable {
    fn hint(&self) -> Option<String> {
        (self.source.kind() == io::ErrorKind::PermissionDenied).then(|| {
            "let the file and its directory be written, or leave out `--write` and put the table there by hand"
                .to_owned()
        })
    }
}

pub(in crate::cli) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Failure> {
    let path = context.environment.resolve(&arguments.dockerfile);
    let text = read(&path, adopt::MAX_DOCKERFILE).map_err(|source| {
        let kind = source.kind();
        let error = Unreadable {
            path: arguments.dockerfile.clone(),
            source: plain(source),
        };
        match kind {
            io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::InvalidData
            | io::ErrorKind::InvalidInput => Failure::usage(error),
            _ => Failure::failed(error),
        }
    })?;
    let cargo = context.cargo(&arguments.workspace);
    let (workspace, config) =
        context.workspace(&cargo, &arguments.workspace, &Overrides::default())?;
    let file = printable(&arguments.dockerfile.to_string_lossy());
    let named = arguments.context.as_ref();
    let named = named.map(|directory| normalized(&context.environment.resolve(directory)));
    let given: BTreeMap<String, String> = arguments.build_args.iter().cloned().collect();
    let configuration = Configuration::read(cargo.environment()).unwrap_or_default();
    let profiles = cargo::profiles(&workspace.root, &configuration);
    let request = adopt::Request {
        text: &text,
        file: &file,
        directory: path.parent().unwrap_or(&path),
        context: named.as_deref(),
        service: arguments.service.as_deref(),
        stage: arguments.stage.as_deref(),
        arguments: &given,
        profiles: profiles.as_ref(),
    };
    let proposal = adopt::propose(&workspace, &config, &request).map_err(Failure::usage)?;
    let manifest = read(&proposal.manifest, MAX_MANIFEST)
        .map_err(|error| Failure::failed(StreamError(error)))?;
    let edited = adopt::edit(&proposal, &manifest).map_err(Failure::usage)?;
    config::resolve_edited(
        &workspace,
        &context.environment,
        &Overrides::default(),
        Some((&proposal.manifest, &edited.text)),
    )
    .map_err(|source| {
        let file = file.clone();
        Failure::usage(AdoptError::Refused { file, source })
    })?;
    let written = arguments.write && edited.text != manifest;
    if written {
        write(&proposal.manifest, &edited.text).map_err(|source| {
            let path = relative(&proposal.manifest, context.environment.directory());
            Failure::failed(Unwritable { path, source })
        })?;
    }
    let telling = Telling {
        context,
        arguments,
        file: &file,
        proposal: &proposal,
        edited: &edited,
        written,
    };
    telling.remarks();
    telling.data()?;
    Ok(Exit::Success)
}

/// What the system calls no file, in words.
fn plain(error: io::Error) -> io::Error {
    match error.kind() {
        kind @ (io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            io::Error::new(kind, "there is no such file")
        }
        _ => error,
    }
}

/// A whole text file; of one that is too large, as much as shows it.
fn read(path: &Path, limit: u64) -> io::Result<String> {
    // Opening a pipe waits for who writes to it, and nothing ends that.
    let kind = fs_err::metadata(path)?;
    if !kind.is_file() && !kind.is_dir() {
        let what = "it is no regular file";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    }
    let mut bytes = Vec::new();
    let file = fs_err::File::open(path)?;
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Ok(String::from_utf8_lossy(&bytes).into_owned());
    }
    String::from_utf8(bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is no UTF-8 text"))
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    // A link stays one, and what it leads to is replaced.
    let path = fs_err::canonicalize(path)?;
    let permissions = fs_err::metadata(&path)?.permissions();
    // A rename would not ask for the right that its owner took away.
    if permissions.readonly() {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "it is read-only",
        ));
    }
    let mut file = AtomicFile::create(&path)?;
    file.write_all(text.as_bytes())?;
    file.commit()?;
    fs_err::set_permissions(&path, permissions)
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as `NAME=VALUE`".to_owned()),
    }
}

/// What the command says.
struct Telling<'a> {
    context: &'a Context,
    arguments: &'a Arguments,
    file: &'a str,
    proposal: &'a Proposal,
    edited: &'a Edited,
    written: bool,
}

impl Telling<'_> {
    fn remarks(&self) {
        let console = &self.context.console;
        let proposal = self.proposal;
        console.report(Event::Status {
            verb: "Read",
            subject: format!(
                "{}: service `{}` (package {}), on `{}`",
                self.file,
                proposal.service,
                proposal.package,
                printable(&proposal.base)
            ),
        });
        for remark in &proposal.remarks {
            let place = match remark.line {
                0 => self.file.to_owned(),
                line => format!("{}:{line}", self.file),
            };
            let line = match &remark.advice {
                Some(advice) => format!("{place}: {}\n  hint: {advice}", remark.message),
                None => format!("{place}: {}", remark.message),
            };
            match remark.weight {
                Weight::Lost => console.report(Event::Warning(line)),
                Weight::Changed => console.report(Event::Status {
                    verb: "Note",
                    subject: line.replace("\n  ", "\n             "),
                }),
            }
        }
        if self.proposal.table.is_empty() {
            self.nothing();
        } else if self.arguments.write {
            self.written();
        }
    }

    /// Why there is no table.
    fn nothing(&self) {
        let lost = |remark: &Remark| remark.weight == Weight::Lost;
        let carried = if self.proposal.remarks.iter().any(lost) {
            " and can be carried over"
        } else {
            ""
        };
        let (verb, what) = if self.arguments.write {
            ("Wrote", "nothing")
        } else {
            ("Note", "nothing to set")
        };
        self.context.console.report(Event::Status {
            verb,
            subject: format!(
                "{what}: the defaults already give what {} says{carried}",
                self.file
            ),
        });
    }

    fn written(&self) {
        let console = &self.context.console;
        let manifest = self.manifest();
        for kept in &self.edited.kept {
            console.report(Event::Warning(format!(
                "`{}` stays {} in {manifest}: the Dockerfile says {}",
                printable(&kept.key),
                printable(&kept.value),
                printable(&kept.proposed)
            )));
        }
        let subject = if self.written {
            let keys: Vec<String> = self.edited.added.iter().map(|key| printable(key)).collect();
            format!(
                "{} to `[{}]` of {manifest}",
                keys.join(", "),
                self.proposal.table_name()
            )
        } else if self.edited.kept.is_empty() {
            format!("nothing: {manifest} says all of it already")
        } else {
            format!("nothing: what {manifest} says stays")
        };
        console.report(Event::Status {
            verb: "Wrote",
            subject,
        });
    }

    fn manifest(&self) -> String {
        self.shown(&self.proposal.manifest)
    }

    /// A path as a person would type it here.
    fn shown(&self, path: &Path) -> String {
        let path = relative(path, self.context.environment.directory());
        let text = printable(&path.to_string_lossy());
        if text.is_empty() {
            ".".to_owned()
        } else {
            text
        }
    }

    fn data(&self) -> Result<(), Failure> {
        let text = match (self.arguments.format, self.arguments.write) {
            (Format::Json, _) => self.json()?,
            (Format::Text, true) => format!("{}\n", self.manifest()),
            (Format::Text, false) => adopt::text(self.proposal),
        };
        self.context
            .console
            .data(&text)
            .map_err(|error| Failure::failed(StreamError(error)))
    }

    fn json(&self) -> Result<String, Failure> {
        let proposal = self.proposal;
        let kept = if self.arguments.write {
            self.edited.kept.as_slice()
        } else {
            &[]
        };
        let document = Document {
            version: 1,
            dockerfile: self.file.to_owned(),
            context: self.shown(&proposal.context),
            base: printable(&proposal.base),
            service: &proposal.service,
            package: &proposal.package,
            bin: &proposal.binary,
            manifest: self.manifest(),
            table: proposal.table_name(),
            settings: adopt::json(proposal),
            remarks: &proposal.remarks,
            written: self.written,
            added: if self.written {
                &self.edited.added
            } else {
                &[]
            },
            kept: kept
                .iter()
                .map(|kept| Kept {
                    key: &kept.key,
                    value: &kept.value,
                    proposed: &kept.proposed,
                })
                .collect(),
        };
        let text = serde_json::to_string(&document)
            .map_err(|error| Failure::failed(StreamError(io::Error::other(error))))?;
        Ok(text + "\n")
    }
}

//! `doctor`: what this workspace needs on this machine and has not.

use std::path::Path;

use clap::{Args, ValueEnum};

use crate::cli::arguments::{
    CompileArguments, FeatureArguments, ImageArguments, InsecureArguments, PlanArguments,
    SelectionArguments, WorkspaceArguments,
};
use crate::cli::context::Context;
use crate::cli::destinations::Aim;
use crate::cli::{Exit, Failure, StreamError};
use crate::doctor::{Finding, Machine, detect, examine, reachable, rust, to_json, to_text};

use crate::ui::Verbosity;

/// Where the system's files are.
const ROOT: &str = "/";

/// What `--help` shows last.
const EXAMPLES: &str = "Examples:
  What is missing for all services, and what to type to have it:
    cargo lighter doctor
  With what to type on Debian, Alpine, Fedora and macOS:
    cargo lighter doctor -v
  For one service on another processor, and one registry:
    cargo lighter doctor orders --platform linux/arm64 --repo ghcr.io/acme";

/// Tell what this workspace needs on this machine and has not
///
/// Looks for Rust targets, linkers, C compilers, programs and libraries that crates in the services need
/// (protoc, cmake, OpenSSL and the like), the C library and certificates of images, credential helpers,
/// and asks the registry. Each finding names the services and the command that mends it. Nothing is compiled
/// or written. The exit code is 3 if something is missing.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    selection: SelectionArguments,
    #[command(flatten)]
    workspace: WorkspaceArguments,
    #[command(flatten)]
    features: FeatureArguments,
    #[command(flatten)]
    compile: CompileArguments,
    /// Registry and prefix to ask, such as ghcr.io/acme; else what is configured
    #[arg(long, value_name = "REPO", help_heading = "Registry Options")]
    repo: Option<String>,
    #[command(flatten)]
    insecure: InsecureArguments,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

pub(in crate::cli) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Failure> {
    let plan_arguments = PlanArguments {
        selection: arguments.selection.clone(),
        workspace: arguments.workspace.clone(),
        features: arguments.features.clone(),
        compile: arguments.compile.clone(),
        image: ImageArguments {
            repo: arguments.repo.clone(),
            ..ImageArguments::default()
        },
        destinations: Vec::new(),
    };
    let planned = match context.plan(&plan_arguments, Aim::Layout) {
        Ok(planned) => planned,
        // A plan needs both; that they are missing is what this command is there to tell.
        Err(failure) => match rust(&context.cargo(&arguments.workspace)) {
            Some(finding) => return show(context, arguments.format, &[finding], &[]),
            None => return Err(failure),
        },
    };
    let machine = Machine {
        cargo: &planned.cargo,
        root: Path::new(ROOT),
    };
    let mut findings =
        examine(&machine, &planned.plan).map_err(|error| Failure::of_pipeline(error.into()))?;
    if !planned.cargo.network().offline {
        let registry = context.registry(&arguments.insecure)?;
        findings.extend(reachable(&registry, &planned.plan));
    }
    let services = planned.plan.services.iter();
    let services: Vec<String> = services.map(|service| service.service.clone()).collect();
    show(context, arguments.format, &findings, &services)
}

fn show(
    context: &Context,
    format: Format,
    findings: &[Finding],
    services: &[String],
) -> Result<Exit, Failure> {
    let system = detect(Path::new(ROOT));
    let text = match format {
        Format::Text => {
            let everywhere = context.console.verbosity() == Verbosity::Verbose;
            to_text(findings, services, system, everywhere)
        }
        Format::Json => {
            let json = to_json(findings, services, system).map_err(std::io::Error::other);
            json.map_err(|error| Failure::failed(StreamError(error)))? + "\n"
        }
    };
    let printed = context.console.data(&text);
    printed.map_err(|error| Failure::failed(StreamError(error)))?;
    Ok(if findings.is_empty() {
        Exit::Success
    } else {
        Exit::Difference
    })
}

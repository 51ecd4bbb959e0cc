//! `deps`: the files that services are made from, for programs that watch them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;

use crate::cli::arguments::{
    CompileArguments, FeatureArguments, ImageArguments, PlanArguments, SelectionArguments,
    WorkspaceArguments,
};
use crate::cli::context::Context;
use crate::cli::destinations::Aim;
use crate::cli::{Exit, Failure, StreamError};
use crate::fs::relative;
use crate::hint::Hint;
use crate::split::Split;

/// What `--help` shows last.
const EXAMPLES: &str = "Examples:
  The files of one service:
    cargo lighter deps orders
  How many files there are behind all services:
    cargo lighter deps | jq length";

/// List the files that services are made from, as JSON
///
/// The paths are relative to where you stand, in one JSON array: what skaffold's `dependencies.command`
/// and Tilt's `deps` take. Nothing is compiled.
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
}

/// A path that JSON cannot hold.
#[derive(Debug, thiserror::Error)]
#[error("the name of `{}` is no UTF-8, which JSON needs", .0.display())]
struct NotText(PathBuf);

impl Hint for NotText {
    fn hint(&self) -> Option<String> {
        Some("rename the file".to_owned())
    }
}

pub(in crate::cli) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Failure> {
    let plan_arguments = PlanArguments {
        selection: arguments.selection.clone(),
        workspace: arguments.workspace.clone(),
        features: arguments.features.clone(),
        compile: arguments.compile.clone(),
        image: ImageArguments::default(),
        destinations: Vec::new(),
    };
    let planned = context.plan(&plan_arguments, Aim::Layout)?;
    let (threads, _) = Context::threads(arguments.compile.jobs);
    let (_, splits) = planned.splits(threads)?;
    let here = context.environment.directory();
    let mut paths: BTreeSet<String> = BTreeSet::new();
    for path in splits.iter().flat_map(Split::sources) {
        let seen = relative(&path, here);
        let text = seen.to_str().ok_or_else(|| Failure::usage(NotText(path)))?;
        paths.insert(text.to_owned());
    }
    let json = serde_json::to_string(&paths)
        .map_err(|error| Failure::failed(StreamError(error.into())))?;
    context
        .console
        .data(&format!("{json}\n"))
        .map_err(|error| Failure::failed(StreamError(error)))?;
    Ok(Exit::Success)
}

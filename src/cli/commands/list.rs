//! `list`: the services of the workspace, and why other binaries are none.

use std::fmt::Write as _;

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::cli::arguments::WorkspaceArguments;
use crate::cli::context::Context;
use crate::cli::{Exit, Failure, StreamError};
use crate::config::{Config, Overrides};
use crate::workspace::{NameOrigin, Service, ServiceFilter, Workspace};

/// What `--help` shows last.
const EXAMPLES: &str = "Examples:
  Every service:
    cargo lighter list
  Those that begin with `shop-`, for a script:
    cargo lighter list 'shop-*' --format json";

/// List the services of the workspace
///
/// A service is a binary target of a workspace member: what gets an image of its own. Each line has a
/// service, its package, how many local crates it is made of, and what its image is called. Binaries that
/// are no services come last, with the reason. Nothing is compiled.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Arguments {
    /// Services, globs allowed; none means all
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    #[command(flatten)]
    workspace: WorkspaceArguments,
    /// How to print them
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    services: Vec<Row<'a>>,
    left_out: Vec<LeftOut<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    service: &'a str,
    package: &'a str,
    bin: &'a str,
    version: &'a str,
    image: String,
    closure: usize,
    named_after: &'static str,
}

#[derive(Serialize)]
struct LeftOut<'a> {
    package: &'a str,
    bin: &'a str,
    reason: &'a str,
}

pub(in crate::cli) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Failure> {
    let cargo = context.cargo(&arguments.workspace);
    let (workspace, config) =
        context.workspace(&cargo, &arguments.workspace, &Overrides::default())?;
    let filter = ServiceFilter {
        services: arguments.services.clone(),
        ..ServiceFilter::default()
    };
    let selected = filter.select(&workspace).map_err(Failure::usage)?;
    let rows: Vec<Row<'_>> = selected
        .iter()
        .map(|service| row(&workspace, &config, service))
        .collect();
    let text = match arguments.format {
        Format::Text => text(&workspace, &rows, arguments.services.is_empty()),
        Format::Json => json(&workspace, rows)?,
    };
    context
        .console
        .data(&text)
        .map_err(|error| Failure::failed(StreamError(error)))?;
    Ok(Exit::Success)
}

fn row<'a>(workspace: &'a Workspace, config: &Config, service: &'a Service) -> Row<'a> {
    let package = workspace.package_of(service);
    let image = config
        .service(&service.name)
        .and_then(|settings| match &settings.repo.value {
            Some(repo) => settings.image_name(repo).ok(),
            None => settings.short_name().ok(),
        });
    Row {
        service: &service.name,
        package: &package.name,
        bin: &service.binary,
        version: &package.version,
        image: image.unwrap_or_default(),
        closure: service.closure.len(),
        named_after: match service.named_after {
            NameOrigin::Binary => "its binary",
            NameOrigin::Package => "its package: other packages have a binary of that name",
            NameOrigin::PackageAndBinary => {
                "package and binary: other packages have a binary of that name"
            }
        },
    }
}

fn text(workspace: &Workspace, rows: &[Row<'_>], with_left_out: bool) -> String {
    let header = ["SERVICE", "PACKAGE", "CRATES", "IMAGE", "NAMED AFTER"].map(str::to_owned);
    let mut cells = vec![header];
    for row in rows {
        cells.push([
            row.service.to_owned(),
            format!("{} {}", row.package, row.version),
            row.closure.to_string(),
            row.image.clone(),
            row.named_after.to_owned(),
        ]);
    }
    let mut text = table(&cells);
    if with_left_out && !workspace.left_out.is_empty() {
        text.push_str("\nleft out:\n");
        for left in &workspace.left_out {
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "  {} (package {}): {}",
                left.binary, left.package, left.reason
            );
        }
    }
    text
}

/// Columns as wide as their widest cell.
fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &[String; N]| {
        let cells = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:<width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

fn json(workspace: &Workspace, services: Vec<Row<'_>>) -> Result<String, Failure> {
    let left_out = workspace
        .left_out
        .iter()
        .map(|left| LeftOut {
            package: &left.package,
            bin: &left.binary,
            reason: &left.reason,
        })
        .collect();
    let document = Document {
        version: 1,
        services,
        left_out,
    };
    let text = serde_json::to_string(&document)
        .map_err(|error| Failure::failed(StreamError(std::io::Error::other(error))))?;
    Ok(text + "\n")
}

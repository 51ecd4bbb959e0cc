//! `plan --keys --against FILE`: which inputs differ from those of earlier keys.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::cli::context::Context;
use crate::cli::{Exit, Failure, StreamError};
use crate::hint::Hint;
use crate::plan::{Details, KeyRow, Plan};
use crate::split::{Difference, Ingredient, IngredientKind, differences};

const MAX_FILE: u64 = 256 * 1024 * 1024;

/// There are no keys to compare with.
#[derive(Debug, thiserror::Error)]
enum NoKeys {
    /// Nothing is there.
    #[error("there is no file `{0}` to compare with")]
    Absent(PathBuf),
    /// It is something else.
    #[error("`{path}` holds no keys that can be compared")]
    Foreign {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
}

impl Hint for NoKeys {
    fn hint(&self) -> Option<String> {
        let path = match self {
            Self::Absent(path) | Self::Foreign { path, .. } => path.display(),
        };
        Some(format!(
            "write it with `cargo lighter plan --keys --explain --format json > {path}`"
        ))
    }
}

#[derive(Deserialize)]
struct Document {
    services: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    service: String,
    #[serde(flatten)]
    key: KeyRow,
}

/// Prints a line for each service whose key differs, with the first input that does.
pub(super) fn compare(
    context: &Context,
    path: &Path,
    plan: &Plan,
    details: &Details,
) -> Result<Exit, Failure> {
    let given = path.to_owned();
    let before = read(&context.environment.resolve(path)).map_err(|source| {
        Failure::usage(if source.kind() == std::io::ErrorKind::NotFound {
            NoKeys::Absent(given)
        } else {
            NoKeys::Foreign {
                path: given,
                source,
            }
        })
    })?;
    let mut text = String::new();
    for service in &plan.services {
        let name = &service.service;
        let now = details.keys.get(name);
        if let Some(line) = difference(before.get(name), now) {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{name}: {line}");
        }
    }
    context
        .console
        .data(&text)
        .map_err(|error| Failure::failed(StreamError(error)))?;
    Ok(if text.is_empty() {
        Exit::Success
    } else {
        Exit::Difference
    })
}

fn read(path: &Path) -> std::io::Result<BTreeMap<String, KeyRow>> {
    if fs_err::metadata(path)?.len() > MAX_FILE {
        return Err(std::io::Error::other("it is larger than 256 MiB"));
    }
    let document: Document = serde_json::from_slice(&fs_err::read(path)?)?;
    let rows = document.services.into_iter();
    Ok(rows.map(|row| (row.service, row.key)).collect())
}

fn difference(before: Option<&KeyRow>, now: Option<&KeyRow>) -> Option<String> {
    let now = now?;
    let Some(before) = before else {
        return Some("it had no key".to_owned());
    };
    if let Some(reason) = now.unkeyed.as_ref().or(before.unkeyed.as_ref()) {
        return Some(format!("it cannot be compared: {reason}"));
    }
    if before.digest == now.digest {
        return None;
    }
    let found = differences(&ingredients(before), &ingredients(now));
    let more = found.len().saturating_sub(1);
    Some(match (found.first().map(Difference::to_string), more) {
        (None, _) => {
            "its keys differ, and the file does not say what went into the earlier".to_owned()
        }
        (Some(first), 0) => first,
        (Some(first), more) => format!("{first} (and {more} more)"),
    })
}

fn ingredients(row: &KeyRow) -> Vec<Ingredient> {
    let known = row.inputs.iter().filter_map(|input| {
        let kind = IngredientKind::named(&input.kind)?;
        Some(Ingredient::new(kind, &input.name, &input.value))
    });
    let mut ingredients: Vec<Ingredient> = known.collect();
    ingredients.sort();
    ingredients
}

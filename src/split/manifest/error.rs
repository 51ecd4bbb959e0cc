//! What can be wrong with a manifest.

use std::path::{Path, PathBuf};

use toml_edit::TomlError;

use crate::hint::Hint;
use crate::report::printable;

/// A file that should be TOML and is not.
#[derive(Debug, thiserror::Error)]
#[error("`{}` is not TOML (line {line}): {message}", path.display())]
pub struct ManifestError {
    /// The file.
    pub path: PathBuf,
    /// Where, from 1.
    pub line: usize,
    /// What is wrong there.
    pub message: String,
}

impl ManifestError {
    pub(super) fn new(path: &Path, text: &str, error: &TomlError) -> Self {
        let start = error.span().map_or(0, |span| span.start);
        let before = text.as_bytes().iter().take(start);
        Self {
            path: path.to_owned(),
            line: before.filter(|byte| **byte == b'\n').count() + 1,
            message: printable(error.message()),
        }
    }
}

impl Hint for ManifestError {}

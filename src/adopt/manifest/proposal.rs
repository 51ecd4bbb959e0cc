//! A proposal.

use std::path::PathBuf;

use toml_edit::Table;

use crate::adopt::remark::Remark;

/// A table for a manifest, and what it cannot say.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The service.
    pub service: String,
    /// Its package.
    pub package: String,
    /// Its binary.
    pub binary: String,
    /// The manifest that the table belongs to.
    pub manifest: PathBuf,
    /// Whether the table is that of a binary, because the package has several.
    pub of_binary: bool,
    /// The directory that `COPY` was taken to mean.
    pub context: PathBuf,
    /// The image that the Dockerfile builds on.
    pub base: String,
    /// Keys with their values.
    pub table: Table,
    /// By line.
    pub remarks: Vec<Remark>,
}

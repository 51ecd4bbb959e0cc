//! What an image is besides its layers.

use std::collections::{BTreeMap, BTreeSet};

use crate::oci::Platform;

/// How an image runs and what it says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where it runs.
    pub platform: Platform,
    /// RFC 3339 time, from [`rfc3339`](super::rfc3339).
    pub created: String,
    /// Numeric `uid:gid`.
    pub user: String,
    /// Where the process starts.
    pub workdir: String,
    /// The executable and what always follows it.
    pub entrypoint: Vec<String>,
    /// Arguments that a caller may replace.
    pub args: Vec<String>,
    /// Names and values, in the order they are written.
    pub env: Vec<(String, String)>,
    /// Such as `8080/tcp`.
    pub ports: BTreeSet<String>,
    /// Directories that hold data from outside.
    pub volumes: BTreeSet<String>,
    /// What stops it, when not SIGTERM.
    pub stop_signal: Option<String>,
    /// The executable and arguments of the health check, in exec form: there is no shell.
    pub healthcheck: Option<Vec<String>>,
    /// Facts in the configuration, where Docker and registries look.
    pub labels: BTreeMap<String, String>,
    /// Facts on the manifest.
    pub annotations: BTreeMap<String, String>,
}

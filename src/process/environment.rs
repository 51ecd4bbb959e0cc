//! The world around a run, passed in so that a test can make its own.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// The variable with the user's name for a registry.
pub const REGISTRY_USER: &str = "LIGHTER_REGISTRY_USER";
/// The variable with the password that belongs to it.
pub const REGISTRY_PASSWORD: &str = "LIGHTER_REGISTRY_PASSWORD";
/// For us alone: build scripts and procedural macros are code of strangers, and helpers keep the credentials of
/// other hosts.
const OURS: [&str; 2] = [REGISTRY_USER, REGISTRY_PASSWORD];

/// Working directory and environment variables. Nothing in this crate reads the process's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    directory: PathBuf,
    variables: BTreeMap<OsString, OsString>,
}

impl Environment {
    /// An environment of exactly these variables.
    pub fn new(
        directory: impl Into<PathBuf>,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Self {
        Self {
            directory: directory.into(),
            variables: variables.into_iter().collect(),
        }
    }

    /// The process's own.
    ///
    /// # Errors
    /// When the working directory is gone.
    pub fn of_process() -> std::io::Result<Self> {
        Ok(Self::new(std::env::current_dir()?, std::env::vars_os()))
    }

    /// Where the user stands.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// `path` as seen from where the user stands.
    pub fn resolve(&self, path: impl AsRef<Path>) -> PathBuf {
        self.directory.join(path)
    }

    /// A variable's value, unset and empty being the same.
    pub fn os(&self, name: &str) -> Option<&OsStr> {
        self.variables
            .get(OsStr::new(name))
            .map(OsString::as_os_str)
            .filter(|value| !value.is_empty())
    }

    /// A variable's value, also an empty one.
    pub fn raw(&self, name: &str) -> Option<&OsStr> {
        self.variables
            .get(OsStr::new(name))
            .map(OsString::as_os_str)
    }

    /// A variable's value where it is UTF-8.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.os(name).and_then(OsStr::to_str)
    }

    /// All variables, sorted.
    pub fn variables(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.variables
            .iter()
            .map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }

    /// What a child program gets to see, sorted.
    pub(super) fn for_children(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.variables()
            .filter(|(name, _)| !OURS.iter().any(|ours| name == ours))
    }

    /// The user's home.
    pub fn home(&self) -> Option<PathBuf> {
        self.os("HOME").map(PathBuf::from)
    }

    /// The same with one more variable, or another value.
    #[must_use]
    pub fn with(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// The same without a variable.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.variables.remove(OsStr::new(name));
        self
    }

    /// The same, standing elsewhere.
    #[must_use]
    pub fn at(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = directory.into();
        self
    }

    /// The executable that a shell here would run for `name`.
    pub fn find_program(&self, name: impl AsRef<OsStr>) -> Option<PathBuf> {
        let name = Path::new(name.as_ref());
        if name.components().count() > 1 {
            let path = self.resolve(name);
            return is_executable(&path).then_some(path);
        }
        std::env::split_paths(self.os("PATH")?)
            .map(|directory| self.resolve(directory).join(name))
            .find(|candidate| is_executable(candidate))
    }
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

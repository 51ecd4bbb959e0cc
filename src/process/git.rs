//! The one place that runs git.
//!
//! The user's own repository is only read: no lock is taken, no hook runs, nothing is fetched. What a
//! git that started us left in the environment is dropped, because it speaks of that git's repository
//! and index; what git is told by the user's configuration stays.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use super::{Captured, Environment, Interrupt, Program, ProgramError};

/// For questions about commits and names.
const LIMIT: Duration = Duration::from_mins(1);
/// For what looks at every file of a repository.
const LONG_LIMIT: Duration = Duration::from_mins(10);

/// Variables by which git tells its children (hooks, aliases) of one repository (`git rev-parse
/// --local-env-vars`), or that change how paths are read. `GIT_CONFIG_*` stays: it is how users and CI
/// systems configure git.
const FOREIGN: &[&str] = &[
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_ATTR_SOURCE",
    "GIT_CEILING_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DEFAULT_HASH",
    "GIT_DIFF_OPTS",
    "GIT_DIR",
    "GIT_EXTERNAL_DIFF",
    "GIT_GLOB_PATHSPECS",
    "GIT_GRAFT_FILE",
    "GIT_ICASE_PATHSPECS",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INDEX_VERSION",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_LITERAL_PATHSPECS",
    "GIT_NAMESPACE",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
    "LANGUAGE",
];

/// Settings that hold for every call, whatever the user configured.
const SETTINGS: &[&str] = &["core.quotePath=false", "log.showSignature=false"];

/// git, in one directory.
#[derive(Debug, Clone)]
pub struct Git {
    environment: Environment,
    interrupt: Interrupt,
    settings: Vec<String>,
    limit: Duration,
}

impl Git {
    /// git as it runs in `directory`.
    pub fn at(environment: &Environment, directory: &Path, interrupt: &Interrupt) -> Self {
        let environment = FOREIGN
            .iter()
            .fold(environment.clone(), |environment, name| {
                environment.without(name)
            });
        Self {
            environment: environment
                .at(directory)
                .with("GIT_NO_LAZY_FETCH", "1")
                .with("GIT_OPTIONAL_LOCKS", "0")
                .with("GIT_TERMINAL_PROMPT", "0")
                .with("LC_ALL", "C"),
            interrupt: interrupt.clone(),
            settings: SETTINGS.iter().map(|&setting| setting.to_owned()).collect(),
            limit: LIMIT,
        }
    }

    /// The directory it runs in.
    pub fn directory(&self) -> &Path {
        self.environment.directory()
    }

    /// The same with an environment variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment = self.environment.with(name, value);
        self
    }

    /// The same with a setting, `key=value`.
    #[must_use]
    pub fn set(mut self, setting: &str) -> Self {
        self.settings.push(setting.to_owned());
        self
    }

    /// The same with time to look at every file.
    #[must_use]
    pub fn patient(mut self) -> Self {
        self.limit = LONG_LIMIT;
        self
    }

    /// Runs to the end, whatever the exit code, with `input` on standard input.
    ///
    /// # Errors
    /// [`ProgramError`] when it cannot be run.
    pub fn run<A: Into<OsString>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
        input: &[u8],
    ) -> Result<Captured, ProgramError> {
        let settings = self.settings.iter().flat_map(|setting| ["-c", setting]);
        Program::new("git", &self.environment)
            .args(settings)
            .args(arguments)
            .interrupted_by(&self.interrupt)
            .time_limit(self.limit)
            .capture(input)
    }
}

//! Questions to git, and why it has no answer.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use crate::hint::{Hint, quoted_list};
use crate::process::{self, Environment, Interrupt, NoTemporaryDirectory, ProgramError};
use crate::report::printable;

/// git could not tell what was asked.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// It said why.
    #[error("git says: {0}")]
    Failed(String),
    /// It could not be run.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The repository is another user's, which git refuses to read (`safe.directory`).
    #[error("git does not trust the repository around `{}`: it belongs to another user", .directory.display())]
    Untrusted {
        /// Where git was run.
        directory: PathBuf,
    },
    /// A revision of no letters.
    #[error("the revision to compare with is empty")]
    EmptyRevision,
    /// A revision that names nothing in a complete repository.
    #[error("there is no commit `{}` in the repository", printable(.revision))]
    UnknownRevision {
        /// As typed.
        revision: String,
        /// Branches and tags that may have been meant, best first.
        near: Vec<String>,
    },
    /// A partial clone (`--filter`) without the objects of a commit. They are not fetched, because a
    /// reader changes no repository.
    #[error("the repository is a partial clone and lacks objects of commit {commit}")]
    MissingObjects {
        /// The commit's id.
        commit: String,
    },
    /// There is no place for a copy.
    #[error(transparent)]
    Temporary(#[from] NoTemporaryDirectory),
    /// A file or directory of our own could not be written.
    #[error("cannot write to `{}`", .path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
}

impl GitError {
    /// Whether what was typed is wrong, rather than the world.
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::EmptyRevision | Self::UnknownRevision { .. } | Self::Temporary(_)
        )
    }
}

impl Hint for GitError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Program(error) => error.hint(),
            Self::Temporary(error) => error.hint(),
            Self::Untrusted { directory } => Some(format!(
                "run `git config --global --add safe.directory '{}'` if you trust it",
                printable(&directory.to_string_lossy())
            )),
            Self::EmptyRevision => Some(
                "the variable it came from may be unset; without `--since` every service is meant"
                    .to_owned(),
            ),
            Self::UnknownRevision { near, .. } if near.is_empty() => {
                Some("`git branch --all` and `git tag` list what there is".to_owned())
            }
            Self::UnknownRevision { near, .. } => {
                let near: Vec<&str> = near.iter().map(String::as_str).collect();
                Some(format!("did you mean {}?", quoted_list(&near)))
            }
            Self::MissingObjects { .. } => Some(
                "run `git fetch --refetch --no-filter`, or clone without `--filter`".to_owned(),
            ),
            Self::Failed(_) | Self::Write { .. } => None,
        }
    }
}

/// What git answered, whether it succeeded or not.
#[derive(Debug)]
pub(super) struct Answer {
    status: ExitStatus,
    /// Bytes, because paths are.
    pub(super) stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Answer {
    pub(super) fn succeeded(&self) -> bool {
        self.status.success()
    }

    /// What it complained about, in English.
    pub(super) fn complaint(&self) -> String {
        printable(&String::from_utf8_lossy(&self.stderr))
    }

    /// Standard output where it is one word, such as a commit's id.
    pub(super) fn word(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim().to_owned()
    }
}

/// git, in one directory.
#[derive(Debug, Clone)]
pub(super) struct Git(process::Git);

impl Git {
    pub(super) fn at(environment: &Environment, directory: &Path, interrupt: &Interrupt) -> Self {
        Self(process::Git::at(environment, directory, interrupt))
    }

    /// The same with an environment variable.
    pub(super) fn with(self, name: &str, value: impl Into<OsString>) -> Self {
        Self(self.0.with(name, value))
    }

    /// The same with a setting, `key=value`.
    pub(super) fn set(self, setting: &str) -> Self {
        Self(self.0.set(setting))
    }

    /// The same with time to look at every file.
    pub(super) fn patient(self) -> Self {
        Self(self.0.patient())
    }

    /// Runs to the end, whatever the exit code.
    ///
    /// # Errors
    /// When it cannot be run, or does not trust the repository.
    pub(super) fn ask<A: Into<OsString>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Answer, GitError> {
        self.ask_with(arguments, b"")
    }

    /// The same with `input` on standard input.
    pub(super) fn ask_with<A: Into<OsString>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
        input: &[u8],
    ) -> Result<Answer, GitError> {
        let captured = self.0.run(arguments, input)?;
        let answer = Answer {
            status: captured.status,
            stdout: captured.stdout,
            stderr: captured.stderr,
        };
        if !answer.succeeded() && answer.complaint().contains("dubious ownership") {
            return Err(GitError::Untrusted {
                directory: self.0.directory().to_owned(),
            });
        }
        Ok(answer)
    }

    /// What it prints; an exit code other than 0 is an error.
    pub(super) fn tell<A: Into<OsString>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Vec<u8>, GitError> {
        let answer = self.ask(arguments)?;
        if answer.succeeded() {
            Ok(answer.stdout)
        } else {
            Err(GitError::Failed(answer.complaint()))
        }
    }

    /// The id of the commit that `revision` names, if any.
    pub(super) fn commit(&self, revision: &str) -> Result<Option<String>, GitError> {
        let peeled = format!("{revision}^{{commit}}");
        let answer = self.ask([
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &peeled,
        ])?;
        Ok(Some(answer.word()).filter(|word| answer.succeeded() && is_id(word)))
    }

    /// The error for a failure while objects of `commit` were read: where a partial clone lacks some,
    /// git's own words only name an object.
    pub(super) fn failed_reading(&self, commit: &str, answer: &Answer) -> GitError {
        let partial = self.ask([
            "config",
            "--get-regexp",
            r"^(extensions\.partialclone|remote\..*\.(promisor|partialclonefilter))$",
        ]);
        if partial.is_ok_and(|partial| partial.succeeded())
            && speaks_of_objects(&answer.complaint())
        {
            return GitError::MissingObjects {
                commit: commit.to_owned(),
            };
        }
        GitError::Failed(answer.complaint())
    }
}

/// git has several messages for an object that is not there, and no exit code of its own for it.
fn speaks_of_objects(complaint: &str) -> bool {
    [
        "unable to read",
        "could not read",
        "cannot read",
        "not read object",
        "missing",
        "promisor",
        "lazy fetching",
        "failed to unpack tree object",
        "bad object",
    ]
    .iter()
    .any(|words| complaint.contains(words))
}

/// Whether `text` is a whole object id, of SHA-1 or SHA-256.
pub(super) fn is_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The paths in output of `-z`. A slash at the end, by which git marks a repository inside, is dropped.
pub(super) fn paths(output: &[u8]) -> impl Iterator<Item = PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;
    output
        .split(|&byte| byte == 0)
        .map(|path| path.strip_suffix(b"/").unwrap_or(path))
        .filter(|path| !path.is_empty())
        .map(|path| PathBuf::from(std::ffi::OsStr::from_bytes(path)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn whole_ids_are_of_either_hash() {
        assert!(is_id(&"a".repeat(40)) && is_id(&"0".repeat(64)));
        assert!(!is_id("abc") && !is_id(&"g".repeat(40)) && !is_id(""));
    }

    #[test]
    fn hints_say_what_to_type() {
        let unknown = |near: &[&str]| GitError::UnknownRevision {
            revision: "mian\u{7}".to_owned(),
            near: near.iter().map(|&name| name.to_owned()).collect(),
        };
        let error = unknown(&["main"]);
        assert_eq!(
            error.to_string(),
            "there is no commit `mian` in the repository"
        );
        assert_eq!(error.hint().as_deref(), Some("did you mean `main`?"));
        assert!(
            unknown(&[])
                .hint()
                .is_some_and(|hint| hint.contains("git tag"))
        );
        assert!(error.is_usage() && GitError::EmptyRevision.is_usage());
        assert!(!GitError::Failed(String::new()).is_usage());
    }

    proptest! {
        #[test]
        fn foreign_output_never_panics(output in proptest::collection::vec(any::<u8>(), 0..64)) {
            for path in paths(&output) {
                prop_assert!(!path.as_os_str().is_empty());
            }
        }

        #[test]
        fn any_path_comes_back_whole(
            names in proptest::collection::vec(
                proptest::collection::vec(1_u8..=255, 1..12)
                    .prop_filter("git names no directory", |name| name.last() != Some(&b'/')),
                0..6,
            ),
        ) {
            use std::os::unix::ffi::OsStrExt as _;
            let mut output = names.join(&0);
            output.push(0);
            let found: Vec<Vec<u8>> =
                paths(&output).map(|path| path.as_os_str().as_bytes().to_vec()).collect();
            prop_assert_eq!(found, names);
        }
    }
}

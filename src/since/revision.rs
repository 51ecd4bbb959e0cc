//! The commit a work tree stands on.

use std::path::Path;
use std::time::Duration;

use crate::hint::Hint;
use crate::process::{Environment, Interrupt, Program, ProgramError};
use crate::report::printable;

const LIMIT: Duration = Duration::from_mins(1);

/// git could not tell where the work tree stands.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// It said why.
    #[error("git says: {0}")]
    Failed(String),
    /// It could not be run.
    #[error(transparent)]
    Program(#[from] ProgramError),
}

impl Hint for GitError {}

/// Where a work tree stands. It goes into tags and the summary, never into what is hashed: an image
/// would otherwise change with every commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// The commit's full id.
    pub sha: String,
    /// The branch, unless the head is detached.
    pub branch: Option<String>,
    /// Whether anything differs from the commit: staged, unstaged or untracked.
    pub dirty: bool,
    /// When the commit was made, in seconds since 1970.
    pub committed: u64,
}

impl Revision {
    /// Asks git about the work tree at `directory`. `None` where there is no repository or no commit.
    ///
    /// # Errors
    /// [`GitError`] where there is a repository, and git cannot tell.
    pub fn read(
        environment: &Environment,
        directory: &Path,
        interrupt: &Interrupt,
    ) -> Result<Option<Self>, GitError> {
        if !directory
            .ancestors()
            .any(|above| above.join(".git").exists())
        {
            return Ok(None);
        }
        // Without optional locks a reader never stands in the way of the user's own git.
        let environment = environment
            .clone()
            .at(directory)
            .with("GIT_OPTIONAL_LOCKS", "0");
        let git = |arguments: &[&str]| {
            let program = Program::new("git", &environment)
                .args(arguments.iter().copied())
                .interrupted_by(interrupt)
                .time_limit(LIMIT);
            let captured = program.capture(b"")?;
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            if captured.status.success() {
                Ok(text(&captured.stdout))
            } else {
                Err(GitError::Failed(printable(&text(&captured.stderr))))
            }
        };
        let status = git(&["status", "--porcelain=v2", "--branch", "-z"])?;
        if status.contains("# branch.oid (initial)") {
            return Ok(None);
        }
        let committed = git(&["log", "-1", "--format=%ct"])?;
        Ok(Self::parse(&status, committed.trim()))
    }

    fn parse(status: &str, committed: &str) -> Option<Self> {
        let header = |name: &str| status.split('\0').find_map(|line| line.strip_prefix(name));
        let sha = header("# branch.oid ").filter(|oid| *oid != "(initial)")?;
        Some(Self {
            sha: sha.to_owned(),
            branch: header("# branch.head ")
                .filter(|name| *name != "(detached)")
                .map(str::to_owned),
            dirty: status
                .split('\0')
                .any(|line| !line.is_empty() && !line.starts_with('#')),
            committed: committed.parse().ok()?,
        })
    }

    /// The first twelve digits of the commit's id.
    pub fn short(&self) -> &str {
        self.sha.get(..12).unwrap_or(&self.sha)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_gits_status() {
        let clean = "# branch.oid 0123456789abcdef\0# branch.head main\0";
        let revision = Revision::parse(clean, "1700000000").expect("a commit");
        assert_eq!(
            (revision.short(), revision.branch.as_deref()),
            ("0123456789ab", Some("main"))
        );
        assert!(!revision.dirty);
        let dirty = format!("{clean}? new file\0");
        assert!(Revision::parse(&dirty, "1").expect("a commit").dirty);
        assert_eq!(Revision::parse("# branch.oid (initial)\0", ""), None);
    }

    proptest! {
        #[test]
        fn foreign_text_never_panics(status in ".*", committed in ".*") {
            let _ = Revision::parse(&status, &committed).map(|revision| revision.short().len());
        }
    }
}

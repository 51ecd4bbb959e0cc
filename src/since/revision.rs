//! The commit a work tree stands on.

use std::path::Path;

use super::git::{Git, GitError};
use crate::process::{Environment, Interrupt};

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
        let git = Git::at(environment, directory, interrupt);
        let status = git.tell([
            "status",
            "--porcelain=v2",
            "--branch",
            "--untracked-files=normal",
            "-z",
        ])?;
        if header(&status, "# branch.oid ").as_deref() == Some("(initial)") {
            return Ok(None);
        }
        let committed = git.tell(["log", "-1", "--format=%ct"])?;
        Ok(Self::parse(&status, &committed))
    }

    /// The commit `id` of the repository around `directory`, on no branch.
    ///
    /// # Errors
    /// [`GitError`] where git cannot tell.
    pub fn of_commit(
        environment: &Environment,
        directory: &Path,
        id: &str,
        interrupt: &Interrupt,
    ) -> Result<Self, GitError> {
        let git = Git::at(environment, directory, interrupt);
        let told = git.tell(["log", "-1", "--format=%ct", "--end-of-options", id])?;
        let committed = str::from_utf8(&told).ok();
        let committed = committed.and_then(|text| text.trim().parse().ok());
        Ok(Self {
            sha: id.to_owned(),
            branch: None,
            dirty: false,
            committed: committed
                .ok_or_else(|| GitError::Failed(format!("no time of commit {id}")))?,
        })
    }

    fn parse(status: &[u8], committed: &[u8]) -> Option<Self> {
        let sha = header(status, "# branch.oid ").filter(|oid| oid != "(initial)")?;
        Some(Self {
            sha,
            branch: header(status, "# branch.head ").filter(|name| name != "(detached)"),
            dirty: lines(status).any(|line| !line.is_empty() && !line.starts_with(b"#")),
            committed: str::from_utf8(committed).ok()?.trim().parse().ok()?,
        })
    }

    /// The first twelve digits of the commit's id.
    pub fn short(&self) -> &str {
        self.sha.get(..12).unwrap_or(&self.sha)
    }
}

fn lines(status: &[u8]) -> impl Iterator<Item = &[u8]> {
    status.split(|&byte| byte == 0)
}

/// A header's value. Only branches could be other than UTF-8, and what they become is for tags.
fn header(status: &[u8], name: &str) -> Option<String> {
    lines(status)
        .find_map(|line| line.strip_prefix(name.as_bytes()))
        .map(|value| String::from_utf8_lossy(value).into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_gits_status() {
        let clean = "# branch.oid 0123456789abcdef\0# branch.head main\0";
        let revision = Revision::parse(clean.as_bytes(), b"1700000000\n").expect("a commit");
        assert_eq!(
            (revision.short(), revision.branch.as_deref()),
            ("0123456789ab", Some("main"))
        );
        assert!(!revision.dirty);
        let dirty = format!("{clean}? new file\0");
        assert!(
            Revision::parse(dirty.as_bytes(), b"1")
                .expect("a commit")
                .dirty
        );
        assert_eq!(Revision::parse(b"# branch.oid (initial)\0", b""), None);
    }

    proptest! {
        #[test]
        fn foreign_output_never_panics(
            status in proptest::collection::vec(any::<u8>(), 0..64),
            committed in proptest::collection::vec(any::<u8>(), 0..16),
        ) {
            let status = [b"# branch.oid ".as_slice(), &status].concat();
            let _ = Revision::parse(&status, &committed).map(|revision| revision.short().len());
        }
    }
}

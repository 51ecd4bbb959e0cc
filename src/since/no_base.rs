//! Why there is nothing to compare with.

use std::path::PathBuf;

use super::git::{Git, GitError, is_id};
use crate::hint::{Hint, near_names, quoted_list};
use crate::process::Environment;
use crate::report::printable;

/// References that are looked at for near names.
const MAX_REFERENCES: &str = "--count=10000";

/// Who made the clone, for hints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloneBy {
    /// A workflow on GitHub, or what calls itself one.
    GitHub,
    /// A job of GitLab.
    GitLab,
    /// Anyone else.
    Other,
}

impl CloneBy {
    pub(super) fn of(environment: &Environment) -> Self {
        if environment.get("GITHUB_ACTIONS") == Some("true") {
            Self::GitHub
        } else if environment.os("GITLAB_CI").is_some() {
            Self::GitLab
        } else {
            Self::Other
        }
    }
}

/// A branch of a remote, `origin/main`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteBranch {
    /// The remote's name.
    pub remote: String,
    /// The branch's name there.
    pub branch: String,
}

impl RemoteBranch {
    /// The branch that `revision` would name once it was fetched, if it begins with a remote's name.
    fn find(git: &Git, revision: &str) -> Result<Option<Self>, GitError> {
        let remotes = git.tell(["remote"])?;
        let short = revision.strip_prefix("refs/").unwrap_or(revision);
        let short = short.strip_prefix("remotes/").unwrap_or(short);
        let found = String::from_utf8_lossy(&remotes)
            .lines()
            .filter_map(|remote| {
                let branch = short.strip_prefix(remote)?.strip_prefix('/')?;
                let legal = is_branch(branch) && !remote.starts_with('-');
                legal.then(|| Self {
                    remote: remote.to_owned(),
                    branch: branch.to_owned(),
                })
            })
            // Names of remotes may hold slashes: the longest is meant.
            .max_by_key(|found| found.remote.len());
        Ok(found)
    }

    /// Branches of this remote that may have been meant, best first. Only what follows the remote's name
    /// is compared, because all have that in common.
    fn near(&self, git: &Git) -> Result<Vec<String>, GitError> {
        let listed = references(git, &["refs/remotes"])?;
        let own = |name| str::strip_prefix(name, &self.remote)?.strip_prefix('/');
        let near = near_names(&self.branch, listed.lines().filter_map(own));
        let full = |name| printable(&format!("{}/{name}", self.remote));
        Ok(near.into_iter().map(full).collect())
    }

    /// The plain `git fetch origin main` leaves `origin/main` alone in clones of one branch.
    fn fetch(&self) -> String {
        let Self { remote, branch } = self;
        format!("git fetch {remote} {branch}:refs/remotes/{remote}/{branch}")
    }
}

/// Whether a name may be a branch's, and can be pasted into a shell. Expressions such as `main~3` are none.
fn is_branch(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('-')
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '/' | '-' | '_' | '.' | '+' | '#' | '@'))
        && !name.contains("@{")
        && !name.contains("..")
}

/// What keeps a comparison from being made. Every service then counts as affected; this says why, and
/// the hint what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoBase {
    /// The revision is all zeros: what CI gives as "before" when a branch is new.
    #[error("the branch is new: `{}` is no commit", printable(.since))]
    NewBranch {
        /// As typed.
        since: String,
    },
    /// The clone's history is cut off, and the revision or the common ancestor lies beyond.
    #[error("the clone is shallow, and `{}` or where it parted from the head lies beyond its depth", printable(.since))]
    Shallow {
        /// As typed.
        since: String,
        /// What also has to be fetched.
        branch: Option<RemoteBranch>,
        /// Who made the clone.
        clone: CloneBy,
    },
    /// A remote's branch that was never fetched.
    #[error("`{}` was never fetched", printable(.since))]
    NotFetched {
        /// As typed.
        since: String,
        /// What has to be fetched.
        branch: RemoteBranch,
        /// References that may have been meant, best first.
        near: Vec<String>,
    },
    /// A whole commit id that is not there, as after a forced push.
    #[error("commit {} is not in the repository: its branch may have been rewritten", printable(.since))]
    Absent {
        /// As typed.
        since: String,
    },
    /// Both commits are there and complete, and share no history.
    #[error("`{}` and the head have no commit in common", printable(.since))]
    NoCommonAncestor {
        /// As typed.
        since: String,
    },
    /// The common ancestor holds no such workspace.
    #[error("the workspace `{}` was not there in commit {base}", .directory.display())]
    NoWorkspace {
        /// Root of the workspace.
        directory: PathBuf,
        /// The common ancestor.
        base: String,
    },
    /// There is no work tree of git.
    #[error("`{}` is in no work tree of git", .directory.display())]
    NoRepository {
        /// Root of the workspace.
        directory: PathBuf,
    },
    /// A repository in which nothing was committed.
    #[error("the repository has no commit yet")]
    NoCommit,
}

impl Hint for NoBase {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NewBranch { .. } => Some(
                "compare with the branch it came from, such as `--since origin/main`".to_owned(),
            ),
            Self::Shallow { branch, clone, .. } => Some(unshallow(branch.as_ref(), *clone)),
            Self::NotFetched { branch, near, .. } => {
                let near: Vec<&str> = near.iter().map(String::as_str).collect();
                let meant = match near.as_slice() {
                    [] => String::new(),
                    near => format!(", if you did not mean {}", quoted_list(near)),
                };
                Some(format!("run `{}`{meant}", branch.fetch()))
            }
            Self::Absent { since } => Some(format!(
                "run `git fetch origin {since}`, or compare with a branch such as `origin/main`"
            )),
            Self::NoRepository { .. } => {
                Some("copy `.git` along with the sources, or leave out `--since`".to_owned())
            }
            Self::NoCommonAncestor { .. } | Self::NoWorkspace { .. } | Self::NoCommit => None,
        }
    }
}

fn unshallow(branch: Option<&RemoteBranch>, clone: CloneBy) -> String {
    let deepen = match clone {
        CloneBy::GitHub => {
            return "give `actions/checkout` the input `fetch-depth: 0`".to_owned();
        }
        CloneBy::GitLab => "set the variable `GIT_DEPTH: 0`",
        CloneBy::Other => {
            "run `git fetch --unshallow` (in CI: `fetch-depth: 0` on GitHub, `GIT_DEPTH: 0` on GitLab)"
        }
    };
    match branch {
        Some(branch) => format!("{deepen}, then run `{}`", branch.fetch()),
        None => deepen.to_owned(),
    }
}

/// Why git named no common ancestor of `since` and the head, or the error that it is. Asked only then.
pub(super) fn explain(
    git: &Git,
    since: &str,
    shallow: bool,
    clone: CloneBy,
    complaint: Option<String>,
) -> Result<NoBase, GitError> {
    if git.commit("HEAD")?.is_none() {
        return Ok(NoBase::NoCommit);
    }
    let typed = || since.to_owned();
    let known = git.commit(since)?.is_some();
    if let (true, Some(complaint)) = (known, complaint) {
        return Err(GitError::Failed(complaint));
    }
    let branch = if known {
        None
    } else {
        RemoteBranch::find(git, since)?
    };
    if shallow {
        return Ok(NoBase::Shallow {
            since: typed(),
            branch,
            clone,
        });
    }
    if known {
        return Ok(NoBase::NoCommonAncestor { since: typed() });
    }
    if is_id(since) && !git.ask(["cat-file", "-e", since])?.succeeded() {
        return Ok(NoBase::Absent { since: typed() });
    }
    match branch {
        Some(branch) => Ok(NoBase::NotFetched {
            since: typed(),
            near: branch.near(git)?,
            branch,
        }),
        None => Err(GitError::UnknownRevision {
            revision: typed(),
            near: near_references(git, since)?,
        }),
    }
}

/// Branches, branches of remotes, and tags with names like `revision`.
pub(super) fn near_references(git: &Git, revision: &str) -> Result<Vec<String>, GitError> {
    let listed = references(git, &["refs/heads", "refs/remotes", "refs/tags"])?;
    let near = near_names(revision, listed.lines());
    Ok(near.into_iter().map(printable).collect())
}

/// Short names, one a line: no reference's name holds a line end (git-check-ref-format).
fn references(git: &Git, kinds: &[&str]) -> Result<String, GitError> {
    let arguments = ["for-each-ref", MAX_REFERENCES, "--format=%(refname:short)"];
    let listed = git.tell(arguments.iter().chain(kinds).copied())?;
    Ok(String::from_utf8_lossy(&listed).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_fit_whoever_cloned() {
        let branch = RemoteBranch {
            remote: "origin".to_owned(),
            branch: "main".to_owned(),
        };
        let hint = |clone| {
            let branch = Some(branch.clone());
            let since = "origin/main".to_owned();
            NoBase::Shallow {
                since,
                branch,
                clone,
            }
            .hint()
            .expect("a hint")
        };
        assert_eq!(
            hint(CloneBy::GitHub),
            "give `actions/checkout` the input `fetch-depth: 0`"
        );
        assert_eq!(
            hint(CloneBy::GitLab),
            "set the variable `GIT_DEPTH: 0`, then run `git fetch origin main:refs/remotes/origin/main`"
        );
        assert!(hint(CloneBy::Other).contains("`git fetch --unshallow`"));
    }

    #[test]
    fn only_names_are_branches() {
        assert!(is_branch("main") && is_branch("release/1.0") && is_branch("feature-#12"));
        for text in ["", "main~3", "-x", "a b", "a;b", "main@{1}", "a..b", "$(x)"] {
            assert!(!is_branch(text), "{text}");
        }
    }

    #[test]
    fn the_clone_is_known_by_its_environment() {
        let of = |name: &str, value: &str| {
            CloneBy::of(&Environment::new("/", [(name.into(), value.into())]))
        };
        assert_eq!(of("GITHUB_ACTIONS", "true"), CloneBy::GitHub);
        assert_eq!(of("GITLAB_CI", "true"), CloneBy::GitLab);
        assert_eq!(of("CI", "true"), CloneBy::Other);
    }
}

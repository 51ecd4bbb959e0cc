//! What differs between two states of a repository.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::thread;

use super::NoBase;
use super::git::{Git, GitError, is_id, paths};
use super::index::IndexCopy;
use super::no_base::{CloneBy, explain, near_references};
use crate::cargo::HomeInside;
use crate::process::{Environment, Interrupt};

/// Where a comparison begins and ends.
///
/// It begins at the merge base, as a pull request does: what happened on the other branch since is no
/// change of this one. Of several merge bases (crossing merges) it is the one that git lists first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// Top of the work tree, spelt as the workspace's root is where both are reached the same way.
    pub repository: PathBuf,
    /// The workspace's root below it; empty where they are the same. The workspace stands at this path
    /// in a laid-out commit too.
    pub inside: PathBuf,
    /// The workspace's root as it was given.
    pub directory: PathBuf,
    /// The revision as typed.
    pub since: String,
    /// The full id of the merge base.
    pub base: String,
    /// Where it ends.
    pub head: Head,
}

/// The state that is compared with the base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// The files as they are: staged, unstaged and untracked changes count.
    WorkTree,
    /// A commit, by its full id.
    Commit(String),
}

/// What git says of the place.
struct Place {
    /// Top of the work tree, links resolved.
    top: PathBuf,
    shallow: bool,
}

/// Finds where the changes since `since` begin, for the workspace at `directory`. `head` is a revision;
/// without one it is the work tree.
///
/// Four short runs of git where all is well; a few more to explain why not.
///
/// # Errors
/// [`GitError`] for revisions that name no commit in a complete repository ([`GitError::is_usage`]),
/// and where git cannot tell. The inner error is the ordinary case that there is nothing to compare
/// with, whereupon everything counts as affected.
pub fn compare(
    environment: &Environment,
    directory: &Path,
    since: &str,
    head: Option<&str>,
    interrupt: &Interrupt,
) -> Result<Result<Comparison, NoBase>, GitError> {
    if since.trim().is_empty() || head.is_some_and(|head| head.trim().is_empty()) {
        return Err(GitError::EmptyRevision);
    }
    let git = Git::at(environment, directory, interrupt);
    let Some(place) = Place::find(&git)? else {
        let directory = directory.to_owned();
        return Ok(Err(NoBase::NoRepository { directory }));
    };
    if is_id(since) && since.bytes().all(|byte| byte == b'0') {
        let since = since.to_owned();
        return Ok(Err(NoBase::NewBranch { since }));
    }
    let head = match head {
        None => Head::WorkTree,
        Some(revision) => Head::Commit(known_commit(&git, revision)?),
    };
    let tip = match &head {
        Head::WorkTree => "HEAD",
        Head::Commit(id) => id,
    };
    let answer = git.ask(["merge-base", "--end-of-options", since, tip])?;
    let base = answer.word();
    if !answer.succeeded() || !is_id(&base) {
        // It has nothing to say where it merely found nothing.
        let complaint = Some(answer.complaint()).filter(|complaint| !complaint.is_empty());
        let clone = CloneBy::of(environment);
        return explain(&git, since, place.shallow, clone, complaint).map(Err);
    }
    let (repository, inside) = place.seen_from(directory)?;
    if !holds_workspace(&git, &base, &inside)? {
        let directory = directory.to_owned();
        return Ok(Err(NoBase::NoWorkspace { directory, base }));
    }
    Ok(Ok(Comparison {
        repository,
        inside,
        directory: directory.to_owned(),
        since: since.to_owned(),
        base,
        head,
    }))
}

fn known_commit(git: &Git, revision: &str) -> Result<String, GitError> {
    match git.commit(revision)? {
        Some(id) => Ok(id),
        None => Err(GitError::UnknownRevision {
            revision: revision.to_owned(),
            near: near_references(git, revision)?,
        }),
    }
}

/// A workspace that git ignores, or that is newer than the base, must never look unchanged.
fn holds_workspace(git: &Git, base: &str, inside: &Path) -> Result<bool, GitError> {
    let mut manifest = OsString::from(format!("{base}:"));
    manifest.push(inside.join("Cargo.toml"));
    let arguments = [
        "rev-parse".into(),
        "--verify".into(),
        "--quiet".into(),
        "--end-of-options".into(),
        manifest,
    ];
    Ok(git.ask::<OsString>(arguments)?.succeeded())
}

impl Place {
    fn find(git: &Git) -> Result<Option<Self>, GitError> {
        // The path comes last, because it may hold line ends.
        let answer = git.ask(["rev-parse", "--is-shallow-repository", "--show-toplevel"])?;
        if !answer.succeeded() {
            let complaint = answer.complaint();
            let nowhere = ["not a git repository", "must be run in a work tree"];
            return if nowhere.iter().any(|words| complaint.contains(words)) {
                Ok(None)
            } else {
                Err(GitError::Failed(complaint))
            };
        }
        Self::parse(&answer.stdout)
            .map(Some)
            .ok_or_else(|| GitError::Failed(answer.word()))
    }

    fn parse(output: &[u8]) -> Option<Self> {
        let end = output.iter().position(|&byte| byte == b'\n')?;
        let (shallow, top) = output.split_at(end);
        let top = paths(top.strip_prefix(b"\n")?.strip_suffix(b"\n")?).next()?;
        top.is_absolute().then_some(Self {
            top,
            shallow: shallow == b"true",
        })
    }

    /// The top as `directory` spells it if possible, and where `directory` is below it.
    fn seen_from(&self, directory: &Path) -> Result<(PathBuf, PathBuf), GitError> {
        let real = fs_err::canonicalize(directory).unwrap_or_else(|_| directory.to_owned());
        let Ok(inside) = real.strip_prefix(&self.top) else {
            let top = self.top.to_string_lossy();
            return Err(GitError::Failed(format!(
                "the work tree is elsewhere, {top}"
            )));
        };
        let above = directory
            .ends_with(inside)
            .then(|| directory.ancestors().nth(inside.components().count()))
            .flatten()
            .filter(|above| fs_err::canonicalize(above).is_ok_and(|real| real == self.top));
        let repository = above.unwrap_or(&self.top).to_owned();
        Ok((repository, inside.to_owned()))
    }
}

/// The paths in an answer of `git ls-files -v -z` that git was told not to look at: a small letter, or `S`,
/// stands before them.
fn unwatched(output: &[u8]) -> Vec<u8> {
    let mut found = Vec::new();
    for record in output.split_inclusive(|byte| *byte == 0) {
        if let [tag, b' ', path @ ..] = record
            && (tag.is_ascii_lowercase() || *tag == b'S')
        {
            found.extend(path);
        }
    }
    found
}

impl Comparison {
    /// Every path that differs between the base and the head, absolute. Those in the workspace begin
    /// with its root as it was given, whatever links lead there.
    ///
    /// With the work tree as head: what differs in content, mode or kind from the base, staged or not,
    /// and files that git neither tracks nor ignores. A file that was changed and changed back does not
    /// differ; one that was renamed is two paths. A submodule, and a repository inside that is none,
    /// is one path, whatever changed in it: a path stands for all below it. Files that git was told to
    /// assume unchanged (`--assume-unchanged`, `--skip-worktree`) are always among them, since git does not
    /// look at them; files that it ignores never are, nor is what cargo keeps in a home inside of the
    /// repository.
    ///
    /// Four runs of git, three of them beside each other; one with a commit as head. The work tree is
    /// compared by a copy of the index, below `TMPDIR`, because git writes to it.
    ///
    /// # Errors
    /// [`GitError`] when git cannot tell.
    pub fn changed_paths(
        &self,
        environment: &Environment,
        interrupt: &Interrupt,
    ) -> Result<BTreeSet<PathBuf>, GitError> {
        let git = Git::at(environment, &self.repository, interrupt)
            .set("diff.autoRefreshIndex=true")
            .patient();
        let (tracked, untracked, unwatched) = match &self.head {
            Head::Commit(id) => {
                let arguments = differences("diff-tree", &[&self.base, id]);
                (self.read(&git, &arguments)?, Vec::new(), Vec::new())
            }
            Head::WorkTree => {
                let index = IndexCopy::of(&git, environment, &self.repository)?;
                let git_of_copy = index.used_by(&git);
                thread::scope(|scope| {
                    let untracked = scope
                        .spawn(|| git.tell(["ls-files", "--others", "--exclude-standard", "-z"]));
                    let watched = scope.spawn(|| git.tell(["ls-files", "-v", "-z"]));
                    let tracked = self.read(&git_of_copy, &differences("diff", &[&self.base]));
                    let ended = |_| Err(GitError::Failed("nothing: its reader ended".to_owned()));
                    let untracked = untracked.join().unwrap_or_else(ended);
                    let watched = watched.join().unwrap_or_else(ended);
                    Ok::<_, GitError>((tracked?, untracked?, unwatched(&watched?)))
                })?
            }
        };
        let home = HomeInside::of(environment, &self.repository);
        let located = |output: &[u8]| -> Vec<PathBuf> {
            paths(output).map(|path| self.located(&path)).collect()
        };
        let mut untracked = located(&untracked);
        untracked.retain(|path| !home.holds(path));
        let mut unwatched = located(&unwatched);
        // Those that a sparse checkout leaves out are not there.
        unwatched.retain(|path| path.symlink_metadata().is_ok());
        let all = located(&tracked).into_iter().chain(untracked);
        Ok(all.chain(unwatched).collect())
    }

    /// Paths below the top that git ignores, absolute; a directory stands for all in it. What cargo makes,
    /// in the directory `target` and in a home inside of the repository, is left out.
    ///
    /// One run of git.
    ///
    /// # Errors
    /// [`GitError`] when git cannot tell.
    pub fn ignored_paths(
        &self,
        environment: &Environment,
        target: &Path,
        interrupt: &Interrupt,
    ) -> Result<BTreeSet<PathBuf>, GitError> {
        let git = Git::at(environment, &self.repository, interrupt).patient();
        let listed = git.tell([
            "ls-files",
            "--others",
            "--ignored",
            "--exclude-standard",
            "--directory",
            "-z",
        ])?;
        let home = HomeInside::of(environment, &self.repository);
        let mut found: BTreeSet<PathBuf> = paths(&listed).map(|path| self.located(&path)).collect();
        found.retain(|path| !path.starts_with(target) && !home.is_all_of(path));
        Ok(found)
    }

    fn read(&self, git: &Git, arguments: &[&str]) -> Result<Vec<u8>, GitError> {
        let answer = git.ask(arguments.iter().copied())?;
        if answer.succeeded() {
            Ok(answer.stdout)
        } else {
            Err(git.failed_reading(&self.base, &answer))
        }
    }

    /// A path of the repository as the user would reach it.
    fn located(&self, path: &Path) -> PathBuf {
        match path.strip_prefix(&self.inside) {
            Ok(below) if below.as_os_str().is_empty() => self.directory.clone(),
            Ok(below) => self.directory.join(below),
            Err(_) => self.repository.join(path),
        }
    }
}

/// Arguments of a comparison that no setting of the user bends.
fn differences<'a>(command: &'a str, between: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec![command, "-z", "--name-only", "--no-renames"];
    arguments.extend(["--no-ext-diff", "--no-textconv", "--ignore-submodules=none"]);
    if command == "diff-tree" {
        arguments.push("-r");
    } else {
        arguments.extend(["--no-relative", "-O/dev/null"]);
    }
    arguments.extend(between);
    arguments.push("--");
    arguments
}

#[cfg(test)]
mod tests;

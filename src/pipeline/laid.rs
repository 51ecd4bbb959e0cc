//! A commit, laid out beside the repository, with its workspace and plan.

use std::collections::BTreeSet;

use super::{Comparing, PipelineError, State};
use crate::config::Created;
use crate::hint::{BoxedHint, Hint as _};
use crate::plan::Plan;
use crate::process::temporary_directory;
use crate::since::{CommitTree, GitError, Revision};
use crate::workspace::Workspace;

/// A commit, laid out.
pub(super) struct Laid {
    pub(super) workspace: Workspace,
    pub(super) plan: Plan,
    /// The commit, where a service wants its time.
    pub(super) revision: Option<Revision>,
    place: Place,
}

/// Where a commit lies, and what it is called instead: nobody knows a temporary directory.
struct Place {
    /// Goes last, with all files that the plan speaks of.
    tree: CommitTree,
    called: &'static str,
}

/// Why it is not.
pub(super) enum LaidError {
    /// Stopped, or this machine is at fault.
    Present(PipelineError),
    /// The commit cannot be read: why, and what to do about it.
    Commit(String, Option<String>),
}

impl Place {
    /// A text with what the commit is called for where it lies.
    fn told(&self, text: &str) -> String {
        let given = self.tree.path();
        let real = fs_err::canonicalize(&given).unwrap_or_else(|_| given.clone());
        let mut text = text.to_owned();
        for place in [real, given] {
            text = text.replace(&*place.to_string_lossy(), self.called);
            // What a path leads to that climbs out of the commit.
            if let Some(above) = place.parent() {
                text = text.replace(&*above.to_string_lossy(), "…");
            }
        }
        text
    }
}

impl Laid {
    /// Lays out `commit`, which is `called` so in messages, and plans the services of these names there,
    /// or those that the command line selects.
    pub(super) fn out(
        comparing: &Comparing<'_>,
        commit: &str,
        called: &'static str,
        names: Option<&BTreeSet<String>>,
    ) -> Result<Self, LaidError> {
        let Comparing {
            session,
            comparison,
            ..
        } = comparing;
        // This machine is at fault where there is none, not the commit.
        let parent = temporary_directory(session.environment)
            .map_err(|error| LaidError::Present(GitError::from(error).into()))?;
        let tree = CommitTree::lay_out(
            session.environment,
            &comparison.repository,
            commit,
            &parent,
            session.interrupt,
        );
        if session.interrupt.received().is_some() {
            return Err(LaidError::Present(PipelineError::Interrupted));
        }
        let tree = tree.map_err(|error| match error {
            GitError::Write { .. } => LaidError::Present(error.into()),
            error => LaidError::Commit(error.to_string(), error.hint()),
        })?;
        // Links on the way would give files two names.
        let top = fs_err::canonicalize(tree.path())
            .map_err(|error| LaidError::Present(PipelineError::Input(error)))?;
        let place = Place { tree, called };
        let manifest = top.join(&comparison.inside).join("Cargo.toml");
        let planned = (comparing.plan_at)(&manifest, &top, names);
        let (workspace, plan) = planned.map_err(|error: BoxedHint| {
            let hint = error.hint().map(|hint| place.told(&hint));
            LaidError::Commit(place.told(&in_short(&*error)), hint)
        })?;
        let revision = wants_time(&plan).then(|| {
            let directory = &comparison.repository;
            Revision::of_commit(session.environment, directory, commit, session.interrupt)
        });
        let revision = revision
            .transpose()
            .map_err(|error| LaidError::Present(error.into()))?;
        Ok(Self {
            workspace,
            plan,
            revision,
            place,
        })
    }

    pub(super) fn state(&self) -> State<'_> {
        State {
            workspace: &self.workspace,
            plan: &self.plan,
        }
    }

    pub(super) fn tree(&self) -> &CommitTree {
        &self.place.tree
    }

    /// An error about it, with its causes.
    pub(super) fn told(&self, error: &PipelineError) -> String {
        let why = crate::report::with_causes(error).join(": ");
        self.place.told(&why)
    }
}

/// What went wrong in the words of whoever knows best: cargo tells the whole way there, a line for each
/// step, after a command that nobody typed.
fn in_short(error: &(dyn std::error::Error + 'static)) -> String {
    let told = crate::report::with_causes(error);
    let Some(innermost) = told.last() else {
        return error.to_string();
    };
    let lines = innermost.lines().map(str::trim);
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    let errors = lines.iter().filter_map(|line| line.strip_prefix("error: "));
    let mut words: Vec<&str> = errors.collect();
    if words.is_empty() {
        words.extend(lines.first());
    }
    if lines.contains(&"Caused by:") {
        words.extend(lines.last());
    }
    words.join(": ")
}

/// Whether an image of the plan bears the time of its commit.
pub fn wants_time(plan: &Plan) -> bool {
    let mut services = plan.services.iter();
    plan.source_date_epoch.is_none()
        && services.any(|service| service.config.created.value == Created::Commit)
}

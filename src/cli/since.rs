//! `--since`: which services a change reaches.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::Path;
use std::thread;

use clap::Args;

use super::Failure;
use super::arguments::{PlanArguments, WorkspaceArguments};
use super::context::{Context, Planned};
use crate::hint::{BoxedHint, Hint};
use crate::pipeline::{self, Affected, Comparing, Reuse, Session, State};
use crate::plan::{self, Plan, TargetChoice};
use crate::reference::Tag;
use crate::report::{Event, Reporter as _};
use crate::since::{Comparison, GitError, Head, NoBase, Revision, compare};
use crate::split::{Keyed, Origin, Sources, Split, View};
use crate::workspace::Workspace;

/// What a change is.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Change Options")]
pub(super) struct SinceArguments {
    /// Only services that changed since the branch parted from this revision, such as `origin/main`
    #[arg(long, value_name = "REF")]
    pub(super) since: Option<String>,
    /// Where the change ends: a commit instead of the work tree with all that is uncommitted
    #[arg(long, value_name = "REF", requires = "since")]
    pub(super) head: Option<String>,
}

/// What is taken over instead of being built.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Change Options")]
pub(super) struct FromArguments {
    /// Tag of the image that an unaffected service keeps
    #[arg(long, value_name = "TAG", default_value = "latest", requires = "since")]
    pub(super) from_tag: String,
}

/// `--head` names another commit than the one that is checked out.
#[derive(Debug, thiserror::Error)]
#[error("`--head {head}` is not what is checked out: the work tree {what}")]
struct OtherHead {
    head: String,
    what: &'static str,
}

impl Hint for OtherHead {
    fn hint(&self) -> Option<String> {
        Some(format!(
            "check it out first, `git switch --detach {}`, or leave `--head` away to compare the work tree",
            self.head
        ))
    }
}

/// The change, and what it reaches.
#[derive(Debug)]
pub(super) struct Change {
    /// The revision as typed.
    pub(super) since: String,
    /// The merge base, if there is one.
    pub(super) base: Option<String>,
    /// In plan order.
    pub(super) affected: Affected,
}

impl Context {
    /// What the change that `arguments` name reaches; `None` where they name none. Whoever `builds` does
    /// it from the work tree, which must then be the head.
    pub(super) fn change(
        &self,
        planned: &Planned,
        plan_arguments: &PlanArguments,
        arguments: &SinceArguments,
        builds: bool,
        threads: NonZeroUsize,
    ) -> Result<Option<Change>, Failure> {
        let Some(since) = arguments.since.clone() else {
            return Ok(None);
        };
        let plan = &planned.plan;
        let compared = compare(
            planned.cargo.environment(),
            &plan.workspace_root,
            &since,
            arguments.head.as_deref(),
            &self.interrupt,
        );
        let comparison = match compared.map_err(of_git)? {
            Ok(comparison) => comparison,
            Err(no_base) => return Ok(Some(self.without_base(plan, since, &no_base))),
        };
        let affected = self.affected(planned, plan_arguments, &comparison, builds, threads)?;
        if let Some((why, hint)) = &affected.everything {
            self.warn_of_everything(why, hint.as_deref());
        }
        Ok(Some(Change {
            since,
            base: Some(comparison.base),
            affected,
        }))
    }

    /// Which services need no building, with the keys of all; `None` without `--since`.
    pub(super) fn reuse<'a>(
        &self,
        planned: &'a Planned,
        plan_arguments: &PlanArguments,
        arguments: &SinceArguments,
        from: &FromArguments,
        threads: NonZeroUsize,
    ) -> Result<Option<Reuse<'a>>, Failure> {
        let from_tag = Tag::parse(&from.from_tag).map_err(Failure::usage)?;
        let change = self.change(planned, plan_arguments, arguments, true, threads)?;
        let Some(change) = change else {
            return Ok(None);
        };
        for (service, reasons) in planned.plan.services.iter().zip(&change.affected.reasons) {
            if let Some(reasons) = reasons.as_ref().filter(|_| change.base.is_some()) {
                self.console.report(Event::Status {
                    verb: "Affected",
                    subject: format!("`{}`: {}", service.service, reasons.join("; ")),
                });
            }
        }
        let affected = change.affected.reasons.iter().map(Option::is_some);
        let state = State {
            workspace: &planned.workspace,
            plan: &planned.plan,
        };
        let session = self.session(planned);
        let revision = self.revision(&session, planned);
        let wanted = (from_tag, affected.collect());
        let reuse = Reuse::of(&session, &planned.cargo, state, revision, wanted, threads);
        reuse.map(Some).map_err(Failure::of_pipeline)
    }

    /// The commit that the work tree stands on; that git cannot tell is no reason to stop.
    fn revision(&self, session: &Session<'_>, planned: &Planned) -> Option<Revision> {
        let root = &planned.plan.workspace_root;
        let read = Revision::read(session.environment, root, session.interrupt);
        read.unwrap_or_else(|error| {
            let text = format!("the commit is unknown: {error}");
            self.console.report(Event::Warning(text));
            None
        })
    }

    /// The input key of each planned service.
    pub(super) fn keys(
        &self,
        planned: &Planned,
        threads: NonZeroUsize,
    ) -> Result<Vec<Keyed>, Failure> {
        let session = self.session(planned);
        let revision = self.revision(&session, planned);
        let state = State {
            workspace: &planned.workspace,
            plan: &planned.plan,
        };
        pipeline::keys(&session, &planned.cargo, state, revision.as_ref(), threads)
            .map_err(Failure::of_pipeline)
    }

    fn session<'a>(&'a self, planned: &'a Planned) -> Session<'a> {
        Session {
            environment: planned.cargo.environment(),
            interrupt: &self.interrupt,
            reporter: self.console.as_ref(),
            clock: &self.clock,
        }
    }

    fn without_base(&self, plan: &Plan, since: String, no_base: &NoBase) -> Change {
        let affected = Affected::without_base(plan, no_base);
        self.warn_of_everything(&no_base.to_string(), no_base.hint().as_deref());
        Change {
            since,
            base: None,
            affected,
        }
    }

    fn warn_of_everything(&self, why: &str, hint: Option<&str>) {
        let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
        let text = format!("every service counts as affected: {why}{hint}");
        self.console.report(Event::Warning(text));
    }

    fn affected(
        &self,
        planned: &Planned,
        arguments: &PlanArguments,
        comparison: &Comparison,
        builds: bool,
        threads: NonZeroUsize,
    ) -> Result<Affected, Failure> {
        let session = self.session(planned);
        let made = &planned.workspace.target_directory;
        let (changed, ignored) = thread::scope(|scope| {
            let ignored = scope
                .spawn(|| comparison.ignored_paths(session.environment, made, session.interrupt));
            let changed = comparison.changed_paths(session.environment, session.interrupt);
            // A thread that ended without an answer leaves everything to be looked at.
            let ignored = ignored.join();
            (
                changed,
                ignored.unwrap_or_else(|_| Ok(BTreeSet::from([made.clone()]))),
            )
        });
        let (mut changed, ignored) = (changed.map_err(of_git)?, ignored.map_err(of_git)?);
        changed.retain(|path| !path.starts_with(made));
        // The usual case on a branch's first day costs no more questions.
        let is_asked = !changed.is_empty()
            || comparison.head != Head::WorkTree
            || pipeline::wants_time(&planned.plan);
        let revision = if is_asked {
            let root = &planned.plan.workspace_root;
            Revision::read(session.environment, root, session.interrupt).map_err(of_git)?
        } else {
            None
        };
        let other = match &comparison.head {
            Head::Commit(head) => difference(head, revision.as_ref()),
            Head::WorkTree => None,
        };
        if let (Some(what), Head::Commit(head), true) = (other, &comparison.head, builds) {
            let head = head.clone();
            return Err(Failure::usage(OtherHead { head, what }));
        }
        let plan_at = |manifest: &Path, repository: &Path, names: Option<&BTreeSet<String>>| {
            self.plan_at(planned, arguments, (manifest, repository), names)
                .map_err(|failure| {
                    failure
                        .error
                        .unwrap_or_else(|| BoxedHint::from(Unexplained))
                })
        };
        pipeline::affected(&Comparing {
            session: &session,
            cargo: &planned.cargo,
            present: State {
                workspace: &planned.workspace,
                plan: &planned.plan,
            },
            comparison,
            changed: &changed,
            ignored: &ignored,
            checked_out: other.is_none(),
            revision: revision.as_ref(),
            plan_at: &plan_at,
            threads,
        })
        .map_err(Failure::of_pipeline)
    }

    /// The plan of the services of these names in another directory, or of those that are selected there,
    /// by the same arguments.
    fn plan_at(
        &self,
        planned: &Planned,
        arguments: &PlanArguments,
        (manifest, repository): (&Path, &Path),
        names: Option<&BTreeSet<String>>,
    ) -> Result<(Workspace, Plan), Failure> {
        let workspace_arguments = WorkspaceArguments {
            manifest_path: Some(manifest.to_owned()),
            ..arguments.workspace.clone()
        };
        let directory = manifest.parent().unwrap_or(repository);
        let cargo = planned.cargo.at(directory);
        let (workspace, config) = self.workspace_in(
            &cargo,
            &workspace_arguments,
            &super::context::overrides(arguments),
            Some(repository),
        )?;
        let selected = match names {
            Some(names) => names
                .iter()
                .filter_map(|name| workspace.service(name))
                .collect(),
            // Where nothing is what the command line selects, nothing is planned.
            None => super::context::filter(arguments)
                .select(&workspace)
                .unwrap_or_default(),
        };
        let target = planned
            .plan
            .services
            .first()
            .map(|service| service.target.clone());
        let request = plan::Request {
            selected,
            named: true,
            target: TargetChoice {
                target,
                ..TargetChoice::default()
            },
            target_directory_named: planned.plan.target_directory_named,
            source_date_epoch: planned.plan.source_date_epoch,
        };
        let plan = plan::make(&workspace, &config, request).map_err(Failure::usage)?;
        Ok((workspace, plan))
    }
}

impl Planned {
    /// The production view of each planned service, and what they are taken from.
    pub(super) fn splits(
        &self,
        threads: NonZeroUsize,
    ) -> Result<(Sources<'_>, Vec<Split>), Failure> {
        let Self {
            workspace, plan, ..
        } = self;
        let cache = Some(pipeline::cache_directory(plan));
        let sources = Sources::read(workspace, &self.cargo, Origin::Checkout, cache)
            .map_err(Failure::of_split)?;
        let splits = pipeline::splits(&sources, workspace, plan, View::Production, threads)
            .map_err(Failure::of_pipeline)?;
        Ok((sources, splits))
    }
}

/// How the work tree differs from the commit `head`.
fn difference(head: &str, revision: Option<&Revision>) -> Option<&'static str> {
    match revision {
        Some(revision) if revision.sha != head => Some("stands on another commit"),
        Some(revision) if revision.dirty => Some("differs from it"),
        Some(_) => None,
        None => Some("has no commit"),
    }
}

/// Never: every failure of a plan has an error.
#[derive(Debug, thiserror::Error)]
#[error("the plan of the base cannot be made")]
struct Unexplained;

impl Hint for Unexplained {}

fn of_git(error: GitError) -> Failure {
    if error.is_usage() {
        Failure::usage(error)
    } else {
        Failure::failed(error)
    }
}

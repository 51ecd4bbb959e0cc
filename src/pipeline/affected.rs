//! Which services a change reaches: those whose inputs differ between two states of the repository.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use super::ingredients::{KeyWorld, Keying, ingredients};
use super::keys::unknown;
use super::parallel::in_parallel;
use super::splits::cache_directory;
use super::{PipelineError, Session};
use crate::cargo::Cargo;
use crate::fs::relative;
use crate::hint::{BoxedHint, Hint as _};
use crate::plan::{Plan, PlannedService};
use crate::process::temporary_directory;
use crate::since::{CommitTree, Comparison, GitError, Head, NoBase, Revision};
use crate::split::{
    self, Changes, FileDigests, Ingredient, IngredientKind, Origin, Request, Sources, SplitError,
    View, differences,
};
use crate::workspace::Workspace;

/// Reasons told for each service; the others are counted.
const MAX_REASONS: usize = 20;

/// A workspace and the plan of its services, at some state of the repository.
#[derive(Debug, Clone, Copy)]
pub struct State<'a> {
    /// The workspace.
    pub workspace: &'a Workspace,
    /// Its plan.
    pub plan: &'a Plan,
}

/// Makes the plan of a workspace, given its root manifest and the top of its repository.
pub type PlanAt<'a> = dyn Fn(&Path, &Path) -> Result<(Workspace, Plan), BoxedHint> + Sync + 'a;

/// What a change reaches.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Affected {
    /// For each planned service the reasons why it is affected; none where it is not.
    pub reasons: Vec<Option<Vec<String>>>,
    /// Why everything counts as affected, and what to do about it, where nothing could be compared.
    pub everything: Option<(String, Option<String>)>,
}

impl Affected {
    /// Nothing.
    pub fn nothing(plan: &Plan) -> Self {
        Self {
            reasons: vec![None; plan.services.len()],
            everything: None,
        }
    }

    /// Everything, for lack of something to compare with.
    pub fn everything(plan: &Plan, why: String, hint: Option<String>) -> Self {
        let reason = format!("everything counts as affected: {why}");
        Self {
            reasons: vec![Some(vec![reason]); plan.services.len()],
            everything: Some((why, hint)),
        }
    }

    /// Everything, because there is no base.
    pub fn without_base(plan: &Plan, no_base: &NoBase) -> Self {
        Self::everything(plan, no_base.to_string(), no_base.hint())
    }
}

/// Everything that is needed to compare.
pub struct Comparing<'a> {
    /// The run.
    pub session: &'a Session<'a>,
    /// cargo for the workspace.
    pub cargo: &'a Cargo,
    /// The present state.
    pub present: State<'a>,
    /// What is compared.
    pub comparison: &'a Comparison,
    /// The paths that differ.
    pub changed: &'a BTreeSet<PathBuf>,
    /// Whether the head of the comparison, where it is a commit, is what the work tree holds.
    pub checked_out: bool,
    /// The commit on which the work tree stands.
    pub revision: Option<&'a Revision>,
    /// Makes the plan of the base.
    pub plan_at: &'a PlanAt<'a>,
    /// Services looked at at once.
    pub threads: NonZeroUsize,
}

/// Compares the inputs of each planned service with those it had at the base. Where the changed paths
/// cannot touch a service, nothing is split for it.
///
/// # Errors
/// [`PipelineError`] when the present state cannot be split. That the base cannot be is none: everything
/// counts as affected then, or the one service that cannot be split there.
pub fn affected(comparing: &Comparing<'_>) -> Result<Affected, PipelineError> {
    let Comparing {
        present,
        comparison,
        changed,
        ..
    } = comparing;
    if changed.is_empty() {
        return Ok(Affected::nothing(present.plan));
    }
    match &comparison.head {
        Head::Commit(head) if !comparing.checked_out => between_commits(comparing, head, changed),
        _ => with_work_tree(comparing, changed),
    }
}

fn with_work_tree(
    comparing: &Comparing<'_>,
    changed: &BTreeSet<PathBuf>,
) -> Result<Affected, PipelineError> {
    let present = comparing.present;
    let plan = present.plan;
    let cache = cache_directory(plan);
    let sources = Sources::read(
        present.workspace,
        comparing.cargo,
        Origin::Checkout,
        Some(cache.clone()),
    )?;
    let reaching = Changes::new(&sources, changed.clone());
    let reached = in_parallel(&plan.services, comparing.threads, |service| {
        let Some(request) = request(present.workspace, service) else {
            return Ok(false);
        };
        reaching.may_reach(&sources, &request)
    });
    let reached: Vec<bool> = reached.into_iter().collect::<Result<_, _>>()?;
    if !reached.contains(&true) {
        return Ok(Affected::nothing(plan));
    }
    let now = Side {
        state: present,
        sources: &sources,
        digests: &FileDigests::open(Some(&cache)),
    };
    let result = compare_with_base(comparing, changed, &now, &reached);
    now.digests.keep();
    result
}

/// Compares two commits, neither of which is the work tree.
fn between_commits(
    comparing: &Comparing<'_>,
    head: &str,
    changed: &BTreeSet<PathBuf>,
) -> Result<Affected, PipelineError> {
    let plan = comparing.present.plan;
    let head = match Laid::out(comparing, head) {
        Ok(head) => head,
        Err(LaidError::Present(error)) => return Err(error),
        Err(LaidError::Commit(error)) => return Ok(cannot_compare(plan, &error)),
    };
    let cache = Some(cache_directory(plan));
    let sources = Sources::read(&head.workspace, comparing.cargo, Origin::Tree, cache)?;
    let now = Side {
        state: head.state(),
        sources: &sources,
        digests: &FileDigests::default(),
    };
    compare_with_base(comparing, changed, &now, &vec![true; plan.services.len()])
}

/// One of the two states that are compared.
struct Side<'a> {
    state: State<'a>,
    sources: &'a Sources<'a>,
    digests: &'a FileDigests,
}

fn compare_with_base(
    comparing: &Comparing<'_>,
    changed: &BTreeSet<PathBuf>,
    now: &Side<'_>,
    reached: &[bool],
) -> Result<Affected, PipelineError> {
    let plan = comparing.present.plan;
    let known = FileDigests::open(Some(&cache_directory(plan)));
    let world = KeyWorld::ask(comparing.cargo, plan, known)?;
    let base = match Laid::out(comparing, &comparing.comparison.base) {
        Ok(base) => base,
        Err(LaidError::Present(error)) => return Err(error),
        Err(LaidError::Commit(error)) => return Ok(cannot_compare(plan, &error)),
    };
    let cache = Some(cache_directory(plan));
    let before = Sources::read(&base.workspace, comparing.cargo, Origin::Tree, cache);
    let before = match before {
        Ok(before) => before,
        Err(error) => return Ok(cannot_compare(plan, &error.into())),
    };
    let then = Side {
        state: base.state(),
        sources: &before,
        digests: &FileDigests::default(),
    };
    let submodules = Submodules::of(comparing.comparison, &base, changed);
    compare_services(comparing, &world, &then, now, reached, &submodules)
}

fn cannot_compare(plan: &Plan, error: &BoxedHint) -> Affected {
    let why = crate::report::with_causes(&**error).join(": ");
    let why = format!("the workspace of the base cannot be read: {why}");
    Affected::everything(plan, why, error.hint())
}

/// Why a service counts as affected whose inputs at the base are unknown; others may be compared.
fn cannot_compare_service(error: &PipelineError) -> String {
    let why = crate::report::with_causes(error).join(": ");
    format!("its inputs at the base cannot be read: {why}")
}

fn request<'a>(workspace: &'a Workspace, service: &'a PlannedService) -> Option<Request<'a>> {
    Some(Request {
        service: workspace.service(&service.service)?,
        config: &service.config,
        view: View::Production,
    })
}

/// A commit, laid out beside the repository.
struct Laid {
    workspace: Workspace,
    plan: Plan,
    /// Goes last, with all files that the plan speaks of.
    tree: CommitTree,
}

enum LaidError {
    /// Stopped, or this machine is at fault.
    Present(PipelineError),
    /// The commit cannot be read.
    Commit(BoxedHint),
}

impl Laid {
    fn out(comparing: &Comparing<'_>, commit: &str) -> Result<Self, LaidError> {
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
            error => LaidError::Commit(error.into()),
        })?;
        // Links on the way would give files two names.
        let top = fs_err::canonicalize(tree.path())
            .map_err(|error| LaidError::Present(PipelineError::Input(error)))?;
        let manifest = top.join(&comparison.inside).join("Cargo.toml");
        let (workspace, plan) = (comparing.plan_at)(&manifest, &top).map_err(LaidError::Commit)?;
        Ok(Self {
            workspace,
            plan,
            tree,
        })
    }

    fn state(&self) -> State<'_> {
        State {
            workspace: &self.workspace,
            plan: &self.plan,
        }
    }
}

fn compare_services(
    comparing: &Comparing<'_>,
    world: &KeyWorld,
    then: &Side<'_>,
    now: &Side<'_>,
    reached: &[bool],
    submodules: &Submodules,
) -> Result<Affected, PipelineError> {
    let plan = comparing.present.plan;
    let services: Vec<(&PlannedService, bool)> =
        plan.services.iter().zip(reached.iter().copied()).collect();
    let compared = in_parallel(&services, comparing.threads, |(service, reached)| {
        if !reached {
            return Ok(Ok(None));
        }
        let now = match inputs(comparing, world, now, &service.service) {
            Ok(now) => now,
            Err(PipelineError::Split(error @ SplitError::Unforeseen { .. })) => {
                let hint = error.hint().map(|hint| format!(": {hint}"));
                return Ok(Ok(Some(vec![format!(
                    "{error}{}",
                    hint.unwrap_or_default()
                )])));
            }
            Err(error) => return Err(error),
        };
        match (inputs(comparing, world, then, &service.service), now) {
            (_, Some(Inputs::Unknown(reason))) | (Ok(Some(Inputs::Unknown(reason))), _) => {
                Ok(Ok(Some(vec![reason])))
            }
            (Ok(Some(Inputs::Known(then))), Some(Inputs::Known(now))) => {
                Ok(Ok(submodules.reasons(then, now)))
            }
            (Ok(None), Some(_)) => Ok(Ok(Some(vec!["the service is new".to_owned()]))),
            (Ok(_), None) => Ok(Ok(None)),
            (Err(PipelineError::Interrupted), _) => Err(PipelineError::Interrupted),
            (Err(error), _) => Ok(Err(error)),
        }
    });
    let mut reasons = Vec::new();
    for compared in compared {
        reasons.push(match compared? {
            Ok(found) => found,
            Err(error) => Some(vec![cannot_compare_service(&error)]),
        });
    }
    Ok(Affected {
        reasons,
        everything: None,
    })
}

/// The inputs of a service at one state.
enum Inputs {
    Known(Vec<Ingredient>),
    /// Not all of them can be known, for this reason.
    Unknown(String),
}

/// All inputs of a service, sorted; `None` where that state has no such service.
fn inputs(
    comparing: &Comparing<'_>,
    world: &KeyWorld,
    side: &Side<'_>,
    name: &str,
) -> Result<Option<Inputs>, PipelineError> {
    let State { workspace, plan } = side.state;
    let service = plan.services.iter().find(|service| service.service == name);
    let Some((service, request)) =
        service.and_then(|service| Some((service, request(workspace, service)?)))
    else {
        return Ok(None);
    };
    let split = split::split(side.sources, &request)?;
    if let Some(reason) = unknown(comparing.session, service, &split) {
        return Ok(Some(Inputs::Unknown(reason)));
    }
    let keying = Keying {
        workspace,
        plan,
        service,
        split: &split,
        revision: comparing.revision,
        digests: side.digests,
    };
    let mut inputs = ingredients(comparing.session, world, &keying)?;
    inputs.sort();
    Ok(Some(Inputs::Known(inputs)))
}

/// Submodules of the base, by their paths as seen from the workspace root, each with whether it changed.
struct Submodules(Vec<(PathBuf, bool)>);

impl Submodules {
    fn of(comparison: &Comparison, base: &Laid, changed: &BTreeSet<PathBuf>) -> Self {
        let submodules = base.tree.submodules().iter().map(|submodule| {
            let place = comparison.repository.join(submodule);
            let seen = relative(&place, &comparison.directory);
            (seen, changed.contains(&place))
        });
        Self(submodules.collect())
    }

    /// What differs. A commit's tree has no files of submodules: they are compared as what git calls
    /// them, a commit each.
    fn reasons(&self, before: Vec<Ingredient>, after: Vec<Ingredient>) -> Option<Vec<String>> {
        let inside = |input: &Ingredient, submodule: &Path| {
            input.kind == IngredientKind::File && Path::new(&input.name).starts_with(submodule)
        };
        let of_none = |mut inputs: Vec<Ingredient>| {
            inputs.retain(|input| !self.0.iter().any(|(submodule, _)| inside(input, submodule)));
            inputs
        };
        let changed = self.0.iter().filter(|(submodule, changed)| {
            *changed && after.iter().any(|input| inside(input, submodule))
        });
        let changed =
            changed.map(|(submodule, _)| format!("the submodule {} changed", submodule.display()));
        let mut all: Vec<String> = changed.collect();
        all.extend(
            reasons(&of_none(before), &of_none(after))
                .into_iter()
                .flatten(),
        );
        (!all.is_empty()).then_some(all)
    }
}

/// What differs, for people; nothing where nothing does.
fn reasons(before: &[Ingredient], after: &[Ingredient]) -> Option<Vec<String>> {
    let found = differences(before, after);
    let mut reasons: Vec<String> = found.iter().map(ToString::to_string).collect();
    let more = reasons.len().saturating_sub(MAX_REASONS);
    reasons.truncate(MAX_REASONS);
    if more > 0 {
        reasons.push(format!("and {more} more"));
    }
    (!reasons.is_empty()).then_some(reasons)
}

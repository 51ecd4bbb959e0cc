//! Which services a change reaches: those whose inputs differ between two states of the repository.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use super::ingredients::{KeyWorld, Keying, ingredients};
use super::keys::unknown;
use super::laid::{Laid, LaidError};
use super::parallel::in_parallel;
use super::splits::cache_directory;
use super::standing::{Standing, with_hint};
use super::{PipelineError, Session};
use crate::cargo::Cargo;
use crate::fs::relative;
use crate::hint::{BoxedHint, Hint as _};
use crate::plan::{Plan, PlannedService};
use crate::since::{Comparison, Head, NoBase, Revision};
use crate::split::{
    self, Changes, FileDigests, Ingredient, IngredientKind, Origin, Request, Sources, View,
    differences,
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
/// It is of the services of these names, or else of those that the command line selects.
pub type PlanAt<'a> = dyn Fn(&Path, &Path, Option<&BTreeSet<String>>) -> Result<(Workspace, Plan), BoxedHint>
    + Sync
    + 'a;

/// What a change reaches.
#[derive(Debug, Clone, Default)]
pub struct Affected {
    /// For each planned service the reasons why it is affected; none where it is not.
    pub reasons: Vec<Option<Vec<String>>>,
    /// The services that the reasons are about, where they are those of a head that is not checked out.
    pub services: Option<Vec<PlannedService>>,
    /// Why everything counts as affected, and what to do about it, where nothing could be compared.
    pub everything: Option<(String, Option<String>)>,
}

impl Affected {
    /// Nothing.
    pub fn nothing(plan: &Plan) -> Self {
        Self {
            reasons: vec![None; plan.services.len()],
            ..Self::default()
        }
    }

    /// Everything, for lack of something to compare with.
    pub fn everything(plan: &Plan, why: String, hint: Option<String>) -> Self {
        let reason = format!("everything counts as affected: {why}");
        Self {
            reasons: vec![Some(vec![reason]); plan.services.len()],
            services: None,
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
    /// Paths that git ignores, but for those that cargo makes.
    pub ignored: &'a BTreeSet<PathBuf>,
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
    match &comparing.comparison.head {
        Head::Commit(head) if !comparing.checked_out => between_commits(comparing, head),
        _ => {
            let mut standing = Standing::of_plan(comparing)?;
            let mut found = with_work_tree(comparing, &mut standing)?;
            standing.add_to(&mut found.reasons);
            Ok(found)
        }
    }
}

fn with_work_tree(
    comparing: &Comparing<'_>,
    standing: &mut Standing,
) -> Result<Affected, PipelineError> {
    let Comparing {
        present, changed, ..
    } = comparing;
    let plan = present.plan;
    let needs_sources = Standing::needs_sources(comparing);
    if changed.is_empty() && !needs_sources {
        return Ok(Affected::nothing(plan));
    }
    let cache = cache_directory(plan);
    let sources = Sources::read(
        present.workspace,
        comparing.cargo,
        Origin::Checkout,
        Some(cache.clone()),
    )?;
    if needs_sources {
        standing.look(comparing, &sources)?;
    }
    let reaching = Changes::new(&sources, (*changed).clone());
    let services: Vec<_> = plan.services.iter().zip(&standing.unknown).collect();
    let reached = in_parallel(&services, comparing.threads, |(service, unknown)| {
        let request = request(present.workspace, service).filter(|_| unknown.is_none());
        let Some(request) = request else {
            return Ok(false);
        };
        match reaching.may_reach(&sources, &request) {
            Err(error) if error.is_blind_spot() => Ok(true),
            result => result,
        }
    });
    let reached: Vec<bool> = reached.into_iter().collect::<Result<_, _>>()?;
    if !reached.contains(&true) {
        return Ok(Affected::nothing(plan));
    }
    let now = Side {
        state: *present,
        sources: &sources,
        digests: &FileDigests::open(Some(&cache)),
        revision: comparing.revision,
        laid: None,
    };
    let result = compare_with_base(comparing, &now, &reached);
    now.digests.keep();
    result
}

/// Compares two commits, neither of which is the work tree. The services are those of the head.
fn between_commits(comparing: &Comparing<'_>, head: &str) -> Result<Affected, PipelineError> {
    let plan = comparing.present.plan;
    let head = match Laid::out(comparing, head, "the head", None) {
        Ok(head) => head,
        Err(LaidError::Present(error)) => return Err(error),
        Err(LaidError::Commit(why, hint)) => {
            let why = format!("the workspace of the head cannot be read: {why}");
            return Ok(Affected::everything(plan, why, hint));
        }
    };
    let cache = Some(cache_directory(plan));
    let sources = Sources::read(&head.workspace, comparing.cargo, Origin::Tree, cache);
    let affected = match sources {
        Ok(sources) => {
            let now = Side {
                state: head.state(),
                sources: &sources,
                digests: &FileDigests::default(),
                revision: head.revision.as_ref(),
                laid: Some(&head),
            };
            let reached = vec![true; head.plan.services.len()];
            compare_with_base(comparing, &now, &reached)?
        }
        Err(error) => {
            let why = head.told(&error.into());
            let why = format!("the workspace of the head cannot be read: {why}");
            Affected::everything(&head.plan, why, None)
        }
    };
    Ok(Affected {
        services: Some(head.plan.services.clone()),
        ..affected
    })
}

/// One of the two states that are compared.
struct Side<'a> {
    state: State<'a>,
    sources: &'a Sources<'a>,
    digests: &'a FileDigests,
    /// The commit that it stands on.
    revision: Option<&'a Revision>,
    /// Where it is laid out, if it is no work tree.
    laid: Option<&'a Laid>,
}

impl Side<'_> {
    /// What an error says that is a commit's, rather than this run's.
    fn told(&self, error: PipelineError) -> Result<String, PipelineError> {
        match self.laid {
            Some(laid) if !matches!(error, PipelineError::Interrupted) => Ok(laid.told(&error)),
            _ => Err(error),
        }
    }
}

fn compare_with_base(
    comparing: &Comparing<'_>,
    now: &Side<'_>,
    reached: &[bool],
) -> Result<Affected, PipelineError> {
    let plan = now.state.plan;
    let cache = cache_directory(comparing.present.plan);
    let known = FileDigests::open(Some(&cache));
    let world = KeyWorld::ask(comparing.cargo, comparing.present.plan, known)?;
    let names = plan.services.iter();
    let names = names.map(|service| service.service.clone()).collect();
    let comparison = comparing.comparison;
    let base = match Laid::out(comparing, &comparison.base, "the base", Some(&names)) {
        Ok(base) => base,
        Err(LaidError::Present(error)) => return Err(error),
        Err(LaidError::Commit(why, hint)) => return Ok(cannot_compare(plan, &why, hint)),
    };
    let before = Sources::read(&base.workspace, comparing.cargo, Origin::Tree, Some(cache));
    let before = match before {
        Ok(before) => before,
        Err(error) => {
            let hint = error.hint();
            return Ok(cannot_compare(plan, &base.told(&error.into()), hint));
        }
    };
    let then = Side {
        state: base.state(),
        sources: &before,
        digests: &FileDigests::default(),
        revision: base.revision.as_ref(),
        laid: Some(&base),
    };
    let submodules = Submodules::of(comparison, &base, comparing.changed);
    let services: Vec<_> = plan.services.iter().zip(reached.iter().copied()).collect();
    let compared = in_parallel(&services, comparing.threads, |(service, reached)| {
        if !reached {
            return Ok(Compared::Same);
        }
        let sides = Sides {
            comparing,
            world: &world,
            then: &then,
            now,
        };
        sides.compare(&service.service, &submodules)
    });
    let mut reasons = Vec::new();
    for compared in compared {
        reasons.push(match compared? {
            Compared::Same => None,
            Compared::Different(reasons) => Some(reasons),
        });
    }
    Ok(Affected {
        reasons,
        ..Affected::default()
    })
}

fn cannot_compare(plan: &Plan, why: &str, hint: Option<String>) -> Affected {
    let why = format!("the workspace of the base cannot be read: {why}");
    Affected::everything(plan, why, hint)
}

fn request<'a>(workspace: &'a Workspace, service: &'a PlannedService) -> Option<Request<'a>> {
    Some(Request {
        service: workspace.service(&service.service)?,
        config: &service.config,
        view: View::Production,
    })
}

/// What became of a service.
enum Compared {
    /// Its inputs are those of the base.
    Same,
    /// It is affected, for these reasons.
    Different(Vec<String>),
}

/// The inputs of a service at one state.
enum Inputs {
    Known(Vec<Ingredient>),
    /// Not all of them can be known, for this reason.
    Unknown(String),
    /// There is no such service.
    Absent,
}

/// Both states.
struct Sides<'a> {
    comparing: &'a Comparing<'a>,
    world: &'a KeyWorld,
    then: &'a Side<'a>,
    now: &'a Side<'a>,
}

impl Sides<'_> {
    fn compare(&self, name: &str, submodules: &Submodules) -> Result<Compared, PipelineError> {
        let only = |reason: String| Ok(Compared::Different(vec![reason]));
        let now = match self.inputs(self.now, name) {
            Ok(Inputs::Known(now)) => now,
            Ok(Inputs::Unknown(reason)) => return only(reason),
            Ok(Inputs::Absent) => return Ok(Compared::Same),
            // What a commit cannot be built from may well be there when it is built.
            Err(error) => {
                let why = self.now.told(error)?;
                return only(format!("its inputs at the head cannot be read: {why}"));
            }
        };
        match self.inputs(self.then, name) {
            Ok(Inputs::Known(then)) => Ok(submodules.compare(then, now)),
            Ok(Inputs::Unknown(reason)) => only(reason),
            Ok(Inputs::Absent) => only("the service is new".to_owned()),
            Err(error) => {
                let why = self.then.told(error)?;
                only(format!("its inputs at the base cannot be read: {why}"))
            }
        }
    }

    /// All inputs of a service, sorted.
    fn inputs(&self, side: &Side<'_>, name: &str) -> Result<Inputs, PipelineError> {
        let State { workspace, plan } = side.state;
        let service = plan.services.iter().find(|service| service.service == name);
        let Some((service, request)) =
            service.and_then(|service| Some((service, request(workspace, service)?)))
        else {
            return Ok(Inputs::Absent);
        };
        let session = self.comparing.session;
        let split = match split::split(side.sources, &request) {
            Err(error) if error.is_blind_spot() => return Ok(Inputs::Unknown(with_hint(&error))),
            result => result?,
        };
        if let Some(reason) = unknown(session, service, &split) {
            return Ok(Inputs::Unknown(reason));
        }
        let keying = Keying {
            workspace,
            plan,
            service,
            split: &split,
            revision: side.revision,
            digests: side.digests,
        };
        let mut inputs = ingredients(session, self.world, &keying)?;
        inputs.sort();
        Ok(Inputs::Known(inputs))
    }
}

/// Submodules of the base, by their paths as seen from the workspace root, each with whether it changed.
struct Submodules(Vec<(PathBuf, bool)>);

impl Submodules {
    fn of(comparison: &Comparison, base: &Laid, changed: &BTreeSet<PathBuf>) -> Self {
        let submodules = base.tree().submodules().iter().map(|submodule| {
            let place = comparison.repository.join(submodule);
            let seen = relative(&place, &comparison.directory);
            (seen, changed.contains(&place))
        });
        Self(submodules.collect())
    }

    /// What differs. A commit's tree has no files of submodules: they are compared as what git calls
    /// them, a commit each.
    fn compare(&self, before: Vec<Ingredient>, after: Vec<Ingredient>) -> Compared {
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
        all.extend(reasons(&of_none(before), &of_none(after)));
        if all.is_empty() {
            Compared::Same
        } else {
            Compared::Different(all)
        }
    }
}

/// What differs, for people; nothing where nothing does.
fn reasons(before: &[Ingredient], after: &[Ingredient]) -> Vec<String> {
    let found = differences(before, after);
    let mut reasons: Vec<String> = found.iter().map(ToString::to_string).collect();
    let more = reasons.len().saturating_sub(MAX_REASONS);
    reasons.truncate(MAX_REASONS);
    if more > 0 {
        reasons.push(format!("and {more} more"));
    }
    reasons
}

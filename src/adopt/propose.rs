//! From the stages of a Dockerfile to a proposal: one step for each group of settings.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use toml_edit::Table;

use super::arguments::unused;
use super::assets::{Files, likely_context, see_files};
use super::choose::{Choice, Chosen, Placed, executables, linked};
use super::draft::Draft;
use super::error::AdoptError;
use super::ignored::Ignored;
use super::launch::launch;
use super::names::{Names, Naming};
use super::paths::name;
use super::remark::Remark;
use super::runs::{Runs, made};
use super::stage::{Stage, lineage};
use super::{base, health, making, read, settings};
use crate::config::Config;
use crate::report::printable;
use crate::workspace::Workspace;

/// A Dockerfile, and what its caller adds.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// All of it.
    pub text: &'a str,
    /// What messages call it.
    pub file: &'a str,
    /// Where it is.
    pub directory: &'a Path,
    /// The directory that `docker build` is given; guessed if `None`.
    pub context: Option<&'a Path>,
    /// The service it is for; found out if `None`.
    pub service: Option<&'a str>,
    /// The stage that becomes the image, by name or number; the last if `None`.
    pub stage: Option<&'a str>,
    /// Values of `ARG`.
    pub arguments: &'a BTreeMap<String, String>,
    /// cargo's profiles; `None` where they cannot be known.
    pub profiles: Option<&'a BTreeSet<String>>,
}

/// A table for a manifest, and what it cannot say.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The service.
    pub service: String,
    /// Its package.
    pub package: String,
    /// Its binary.
    pub binary: String,
    /// The manifest that the table belongs to.
    pub manifest: PathBuf,
    /// Whether the table is that of a binary, because the package has several.
    pub of_binary: bool,
    /// The directory that `COPY` was taken to mean.
    pub context: PathBuf,
    /// The image that the Dockerfile builds on.
    pub base: String,
    /// Keys with their values.
    pub table: Table,
    /// By line.
    pub remarks: Vec<Remark>,
}

/// Makes a proposal: every key in it is one that the configuration takes.
///
/// # Errors
/// [`AdoptError`] where the text is no Dockerfile, or nothing tells which service it is for.
pub fn propose(
    workspace: &Workspace,
    config: &Config,
    request: &Request,
) -> Result<Proposal, AdoptError> {
    let read = read::dockerfile(request.text, request.file, request.arguments)?;
    let mut stages = read.stages;
    let stage = final_stage(&stages, request)?;
    let context = context(workspace, &stages, request)?;
    see_files(&mut stages, &context);
    let said = &stages.get(stage).cloned().unwrap_or_default().settings;
    let all = executables(&stages, stage, workspace);
    let linked = linked(&stages, stage, workspace);
    let is_ours = |word: &str| {
        let known = |placed: &Placed| name(&placed.path) == name(word);
        let services = &workspace.services;
        let service = services.iter().any(|service| service.binary == name(word));
        service || all.iter().chain(&linked).any(known)
    };
    let mut launch = launch(said, &is_ours);
    let choice = Choice {
        file: request.file,
        workspace,
        stages: &stages,
        stage,
        launch: &launch,
        linked: &linked,
    };
    let mut chosen = choice.service(request.service)?;
    if let Some(build) = launch.build.clone() {
        chosen.build = Some(build);
        chosen.stage = Some(stage);
    }
    let package = workspace.package_of(chosen.service);
    let current = config.service(&chosen.service.name);
    let mut draft = Draft::new(workspace, package, current);
    if let Some(other) = chosen.instead {
        launch.instead(other, &chosen.service.name);
    }

    let compiles = chosen
        .stage
        .is_some_and(|maker| lineage(&stages, stage).contains(&maker));
    let path = executable(&chosen, &mut draft);
    making::adopt(&chosen, &stages, stage, request.profiles, &mut draft);
    base::adopt(&stages, stage, compiles, &mut draft);
    let is_root = settings::user(&stages, stage, said, &launch, &mut draft);
    settings::process(said, &launch, &mut draft);
    health::adopt(said, &launch, &mut draft);
    settings::values(said, &mut draft);
    settings::lists(said, &mut draft);
    let dockerfile = request.directory.join(name(request.file));
    let ignored = Ignored::of(&dockerfile, &context);
    let made = made(&stages, stage);
    let names = names(&chosen, &stages, stage, &all, &made, &mut draft);
    let files = Files {
        stages: &stages,
        stage,
        workspace,
        package,
        context: &context,
        ignored: &ignored,
        executables: &all,
        own: chosen.placed.as_ref(),
        compiles,
        names: &names.ever,
        made: &made,
        is_root,
    };
    let mut directories = settings::directories(said);
    directories.extend(files.adopt(&mut draft));
    directories.extend(names.ever.iter().cloned());
    let runs = Runs {
        stages: &stages,
        stage,
        compiles,
        executable: path.as_deref(),
        directories,
    };
    runs.adopt(&mut draft);
    let links = names.others(path.as_deref().unwrap_or_default());
    draft.list("links", links);
    draft.remarks.extend(noticed(&stages, stage));
    draft.remarks.extend(launch.remarks);
    if draft.has("assets") {
        draft.remarks.extend(ignored.remarks);
    }
    draft
        .remarks
        .extend(unused(request.arguments, &read.arguments));
    let base = base::image(&stages, stage).to_owned();
    let (table, remarks) = draft.finish();
    Ok(Proposal {
        service: chosen.service.name.clone(),
        package: package.name.clone(),
        binary: chosen.service.binary.clone(),
        manifest: package.manifest.clone(),
        of_binary: package.binaries.len() > 1,
        context,
        base,
        table,
        remarks,
    })
}

/// All names of the executable.
fn names(
    chosen: &Chosen,
    stages: &[Stage],
    stage: usize,
    executables: &[Placed],
    made: &BTreeSet<String>,
    draft: &mut Draft<'_>,
) -> Names {
    let naming = chosen.placed.as_ref().map(|own| Naming {
        stages,
        stage,
        executables,
        own,
        made,
    });
    let names = naming.map(|naming| naming.names(draft));
    names.unwrap_or_default()
}

/// What was noticed while the stage and those under it were read.
fn noticed(stages: &[Stage], stage: usize) -> Vec<Remark> {
    let chain = lineage(stages, stage).into_iter();
    let stages = chain.filter_map(|index| stages.get(index));
    stages.flat_map(|stage| stage.remarks.clone()).collect()
}

fn final_stage(stages: &[Stage], request: &Request) -> Result<usize, AdoptError> {
    let last = stages.len().saturating_sub(1);
    let Some(named) = request.stage else {
        return Ok(last);
    };
    let by_name = stages.iter().rposition(|stage| {
        let name = stage.name.as_deref();
        name.is_some_and(|name| name.eq_ignore_ascii_case(named))
    });
    let by_number = || named.parse().ok().filter(|index| *index <= last);
    by_name
        .or_else(by_number)
        .ok_or_else(|| AdoptError::NoStage {
            file: printable(request.file),
            stage: printable(named),
            known: stages
                .iter()
                .map(|stage| stage.name.as_deref().map(printable))
                .collect(),
        })
}

fn context(
    workspace: &Workspace,
    stages: &[Stage],
    request: &Request,
) -> Result<PathBuf, AdoptError> {
    let Some(named) = request.context else {
        let candidates = [
            request.directory.to_owned(),
            workspace.root.clone(),
            workspace.repository_root.clone(),
        ];
        return Ok(likely_context(stages, &candidates));
    };
    if named.is_dir() {
        return Ok(named.to_owned());
    }
    Err(AdoptError::NoContext {
        path: named.to_owned(),
    })
}

/// Where the executable goes: where it was, unless no image may have a file of that name.
fn executable(chosen: &Chosen, draft: &mut Draft<'_>) -> Option<String> {
    let placed = chosen.placed.as_ref()?;
    let default = format!("/app/{}", chosen.service.name);
    let kept = placed.path == default || draft.set(placed.line, "path", placed.path.as_str());
    Some(if kept { placed.path.clone() } else { default })
}

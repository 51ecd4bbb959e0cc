//! From the stages of a Dockerfile to a proposal: one step for each group of settings.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::base;
use super::choice::{Choice, Chosen};
use super::compilation;
use super::health;
use super::home;
use super::runs::Runs;
use super::settings;
use crate::adopt::assets::{Files, Reader};
use crate::adopt::dockerfile::{Ignored, Settings, Stage, base_image, lineage, read, root, unused};
use crate::adopt::error::AdoptError;
use crate::adopt::launch::{Launch, launch};
use crate::adopt::layers::{
    Names, Naming, Placed, executables, follow_parents, is_absent, likely_context, linked, made,
    see_directories, see_files,
};
use crate::adopt::manifest::{Draft, Proposal, Thing};
use crate::adopt::paths::name;
use crate::adopt::remark::Remark;
use crate::cargo::Profile;
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
    pub profiles: Option<&'a BTreeMap<String, Profile>>,
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
    let read = read(request.text, request.file, request.arguments)?;
    let mut stages = read.stages;
    let stage = final_stage(&stages, request)?;
    let context = context(workspace, &stages, request)?;
    see_files(&mut stages, &context);
    follow_parents(&mut stages);
    see_directories(&mut stages, workspace, &context);
    let last = Reading::new(workspace, request, &stages, stage, &context);
    let named = request.service.filter(|_| request.stage.is_none());
    let own = named.and_then(|named| last.own_stage(named));
    let reading = match own {
        Some(own) => last.of_stage(own),
        None => last,
    };
    let stage = reading.stage;
    let mut launch = reading.launch();
    let chosen = reading
        .chosen(&mut launch, request.service)
        .map_err(|error| reading.with_stage(error))?;
    let package = workspace.package_of(chosen.service);
    let current = config.service(&chosen.service.name);
    let mut draft = Draft::new(workspace, package, current);
    reading.settings(&chosen, &launch, &mut draft);
    draft.remarks.extend(noticed(&stages, stage));
    draft.remarks.extend(launch.remarks);
    if own.is_some() {
        let told = reading.told_of_own_stage(&chosen.service.name);
        draft.remarks.push(told);
    } else if request.stage.is_none() {
        let told = reading.told_of_siblings(&chosen.service.name);
        draft.remarks.extend(told);
    }
    let unused = unused(request.arguments, &read.arguments);
    draft.remarks.extend(unused);
    let base = base_image::image(&stages, stage).to_owned();
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

/// What was read, and is known of it.
pub(super) struct Reading<'a> {
    workspace: &'a Workspace,
    request: &'a Request<'a>,
    pub(super) stages: &'a [Stage],
    pub(super) stage: usize,
    settings: Settings,
    context: &'a Path,
    executables: Vec<Placed>,
    linked: Vec<Placed>,
}

impl<'a> Reading<'a> {
    fn new(
        workspace: &'a Workspace,
        request: &'a Request<'a>,
        stages: &'a [Stage],
        stage: usize,
        context: &'a Path,
    ) -> Self {
        Self {
            workspace,
            request,
            stages,
            stage,
            settings: stages.get(stage).cloned().unwrap_or_default().settings,
            context,
            executables: executables(stages, stage, workspace),
            linked: linked(stages, stage, workspace),
        }
    }

    /// The same of another stage.
    pub(super) fn of_stage(&self, stage: usize) -> Self {
        Self::new(
            self.workspace,
            self.request,
            self.stages,
            stage,
            self.context,
        )
    }

    /// What the old image starts.
    pub(super) fn launch(&self) -> Launch {
        let known: Vec<Placed> = self
            .executables
            .iter()
            .chain(&self.linked)
            .cloned()
            .collect();
        let is_ours = |word: &str| {
            let is_it = |placed: &Placed| name(&placed.path) == name(word);
            let mut services = self.workspace.services.iter();
            let is_there = || !is_absent(self.stages, self.stage, self.workspace, &known, word);
            known.iter().any(is_it)
                || (services.any(|service| service.binary == name(word)) && is_there())
        };
        launch(&self.settings, &is_ours)
    }

    /// An error with the stage that is for the service which was asked for, or with what the stage lacks.
    fn with_stage(&self, mut error: AdoptError) -> AdoptError {
        let base = root(self.stages, self.stage);
        if let (AdoptError::UnknownService { .. }, Some(base)) = (&error, base)
            && let Some(name) = base.unset.first()
        {
            return AdoptError::UnsetImage {
                place: printable(&format!("{}:{}", self.request.file, base.line)),
                name: printable(name),
            };
        }
        if let AdoptError::OtherService { service, stage, .. } = &mut error {
            let mut siblings = self.siblings().into_iter();
            *stage = siblings
                .find(|sibling| sibling.service == service)
                .map(|sibling| sibling.stage);
        }
        error
    }

    /// The service; where another one is started, that is taken out of `launch`.
    ///
    /// # Errors
    /// [`AdoptError`] where nothing tells which it is, or it is not the one that is named.
    pub(super) fn chosen(
        &self,
        launch: &mut Launch,
        named: Option<&str>,
    ) -> Result<Chosen<'a>, AdoptError> {
        let choice = Choice {
            file: self.request.file,
            workspace: self.workspace,
            stages: self.stages,
            stage: self.stage,
            launch,
            linked: &self.linked,
        };
        let mut chosen = choice.service(named)?;
        if let Some(build) = launch.build.clone() {
            chosen.build = Some(build);
            chosen.stage = Some(self.stage);
        }
        if let Some(other) = chosen.instead {
            launch.instead(other, &chosen.service.name);
        }
        if let Some(other) = &chosen.absent {
            launch.absent(name(other), &chosen.service.name);
        }
        Ok(chosen)
    }

    /// Puts all that keys can say into the draft.
    fn settings(&self, chosen: &Chosen<'_>, launch: &Launch, draft: &mut Draft<'_>) {
        let (stages, stage, said) = (self.stages, self.stage, &self.settings);
        let compiles = chosen
            .stage
            .is_some_and(|maker| lineage(stages, stage).contains(&maker));
        compilation::adopt(chosen, stages, stage, self.request.profiles, draft);
        let path = executable(chosen, draft);
        base::adopt(stages, stage, compiles, draft);
        let is_root = settings::user(stages, stage, said, launch, draft);
        home::adopt(stages, stage, said, launch, draft);
        settings::process(said, launch, draft);
        let made = made(stages, stage);
        let names = names(chosen, stages, stage, &self.executables, &made, draft);
        health::adopt(said, launch, &names, draft);
        settings::values(said, draft);
        settings::lists(said, draft);
        let reader = Reader::of(stages, stage, said, launch, is_root);
        let files = self.assets(chosen, compiles, (is_root, &reader), &names, &made, draft);
        let mut directories = settings::directories(said);
        directories.extend(files);
        directories.extend(names.ever.iter().cloned());
        let runs = Runs {
            stages,
            stage,
            compiles,
            executable: path.as_deref(),
            directories,
        };
        runs.adopt(draft);
        links(&names, chosen, path.as_deref(), draft);
    }

    /// Files that are copied; gives where they go.
    fn assets(
        &self,
        chosen: &Chosen<'_>,
        compiles: bool,
        (is_root, reader): (bool, &Reader),
        names: &Names,
        made: &BTreeSet<String>,
        draft: &mut Draft<'_>,
    ) -> Vec<String> {
        let dockerfile = self.request.directory.join(name(self.request.file));
        let ignored = Ignored::of(&dockerfile, self.context);
        let files = Files {
            stages: self.stages,
            stage: self.stage,
            workspace: self.workspace,
            package: draft.package(),
            context: self.context,
            ignored: &ignored,
            executables: &self.executables,
            own: chosen.placed.as_ref(),
            compiles,
            names: &names.ever,
            made,
            is_root,
            reader,
        };
        let places = files.adopt(draft);
        if draft.has("assets") {
            draft.remarks.extend(ignored.remarks);
        }
        places
    }
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

/// Other names of the executable, as far as they can stand in the image.
fn links(names: &Names, chosen: &Chosen<'_>, path: Option<&str>, draft: &mut Draft<'_>) {
    let mut links = names.others(path.unwrap_or_default());
    // Where the executable cannot be, no link can, and why is told already.
    let own = chosen.placed.as_ref().map(|own| own.path.as_str());
    links.retain(|(_, link)| Some(link.as_str()) != own);
    links.retain(|(line, link)| {
        draft.stands(*line, &format!("the link `{link}`"), link, Thing::Link)
    });
    draft.list("links", links);
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
    let what = format!("the path `{}`", placed.path);
    let stands = draft.stands(placed.line, &what, &placed.path, Thing::Executable);
    let mut is_set =
        || placed.path == default || draft.set(placed.line, "path", placed.path.as_str());
    let kept = stands && is_set();
    Some(if kept { placed.path.clone() } else { default })
}

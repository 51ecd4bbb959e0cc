//! `COPY` and `ADD` as assets of the package.

use std::collections::BTreeSet;
use std::path::Path;

use super::access::{Reader, is_root, told_of_owner};
use super::asset::{Asset, Kind, mode};
use super::elsewhere;
use crate::adopt::dockerfile::{self, Action, From, Ignored, Stage, Step, directory, steps};
use crate::adopt::layers::{
    Origin, Placed, context_path, destination, is_bare, is_output, is_pattern, origin,
};
use crate::adopt::manifest::Draft;
use crate::adopt::paths::{absolute, below, name};
use crate::workspace::{Package, Workspace};

/// The files that a stage is given.
pub(in crate::adopt) struct Files<'a> {
    pub(in crate::adopt) stages: &'a [Stage],
    pub(in crate::adopt) stage: usize,
    pub(in crate::adopt) workspace: &'a Workspace,
    pub(in crate::adopt) package: &'a Package,
    /// The directory that `docker build` is given.
    pub(in crate::adopt) context: &'a Path,
    /// What of it docker does not see.
    pub(in crate::adopt) ignored: &'a Ignored,
    /// What is copied as executables.
    pub(in crate::adopt) executables: &'a [Placed],
    /// The one of the service.
    pub(in crate::adopt) own: Option<&'a Placed>,
    /// All that the one of the service was ever called.
    pub(in crate::adopt) names: &'a BTreeSet<String>,
    /// Whether the stage compiles, and what it is given is sources.
    pub(in crate::adopt) compiles: bool,
    /// Directories that commands make.
    pub(in crate::adopt) made: &'a BTreeSet<String>,
    /// Whether the user is root.
    pub(in crate::adopt) is_root: bool,
    /// Whom the old image runs the service as.
    pub(in crate::adopt) reader: &'a Reader,
}

/// One source of a `COPY`.
#[derive(Clone, Copy)]
pub(super) struct Item<'c> {
    pub(super) line: usize,
    pub(super) copy: &'c dockerfile::Copy,
    /// As named, or as seen from the context.
    pub(super) path: &'c str,
    /// Where it lands.
    pub(super) to: &'c str,
}

impl Files<'_> {
    /// Puts assets into the draft, and says of the rest why it is none. Gives where they go.
    pub(in crate::adopt) fn adopt(&self, draft: &mut Draft<'_>) -> Vec<String> {
        let mut assets = Vec::new();
        let bare = is_bare(self.stages, self.stage);
        for step in steps(self.stages, self.stage) {
            match &step.action {
                Action::Copy(copy) => self.copy(step, copy, bare, draft, &mut assets),
                Action::Run { commands } if !self.compiles => {
                    for ran in commands {
                        self.rearrange(step.line, ran, draft, &mut assets);
                    }
                }
                Action::Run { .. } => {}
            }
        }
        without_replaced(&mut assets);
        assets.retain(|asset| {
            let what = format!("the asset `{}`", asset.to);
            draft.stand(asset.line, &what, &asset.things())
        });
        for asset in &mut assets {
            self.opened(asset, draft);
        }
        let tables = assets.iter().map(|asset| (asset.line, asset.table()));
        draft.list("assets", tables);
        assets.into_iter().map(|asset| asset.to).collect()
    }

    fn copy(
        &self,
        step: &Step,
        copy: &dockerfile::Copy,
        bare: bool,
        draft: &mut Draft<'_>,
        assets: &mut Vec<Asset>,
    ) {
        let line = step.line;
        let what = copy.instruction;
        if self.compiles && copy.from == From::Context {
            draft.changed(
                line,
                &format!("`{what}` brings sources into the stage that compiles"),
                "name what the service reads while it runs in `assets`",
            );
            return;
        }
        if copy.documents > 0 {
            draft.lost(
                line,
                &format!("`{what}` writes a file whose text stands in the Dockerfile"),
                "put the text into a file of the repository, and name it in `assets`",
            );
        }
        let mut taken = false;
        let first = assets.len();
        for source in &copy.sources {
            let before = assets.len();
            if self.filled(line, copy, source, draft, assets) {
                taken |= assets.len() > before;
                continue;
            }
            let to = destination(copy, source, bare);
            if let Some(placed) = self.executables.iter().find(|placed| placed.path == to) {
                if self.own.is_some_and(|own| placed.origin != own.origin) {
                    self.made(line, source, draft);
                } else {
                    self.told_of_executable(line, copy, &placed.path, draft);
                }
                continue;
            }
            if self.brings_executables(line, copy, source, draft) {
                continue;
            }
            if elsewhere::adopt(line, copy, source, draft) {
                continue;
            }
            let item = Item {
                line,
                copy,
                path: source,
                to: &to,
            };
            self.source(item, draft, assets);
            taken |= assets.len() > before;
        }
        self.without_altered(line, copy, first, draft, assets);
        if taken {
            self.flags(line, copy, draft);
        }
    }

    /// Whether a pattern or a directory of a stage stands for executables, the service's among them.
    fn brings_executables(
        &self,
        line: usize,
        copy: &dockerfile::Copy,
        source: &str,
        draft: &mut Draft<'_>,
    ) -> bool {
        let From::Stage(stage) = copy.from else {
            return false;
        };
        let source = absolute("/", source);
        if is_pattern(name(&source)) {
            let directory = source.strip_suffix(name(&source)).unwrap_or_default();
            let is_from_here = |placed: &&Placed| {
                placed.line == line
                    && below(&placed.path, &copy.to) == Some(name(&placed.path))
                    && origin(
                        self.stages,
                        stage,
                        &format!("{directory}{}", name(&placed.path)),
                    ) == placed.origin
            };
            let brought: Vec<&Placed> = self.executables.iter().filter(is_from_here).collect();
            for placed in &brought {
                if self.own.is_some_and(|own| placed.origin != own.origin) {
                    self.made(line, &placed.path, draft);
                }
            }
            return !brought.is_empty();
        }
        let is_of_cargo = source.ends_with("/bin") || is_output(&format!("{source}/x"));
        let own = self.own.filter(|_| is_of_cargo);
        own.is_some_and(|own| {
            let inside = below(&own.path, &copy.to).filter(|inside| !inside.is_empty());
            inside.is_some_and(|inside| {
                origin(self.stages, stage, &format!("{source}/{inside}")) == own.origin
            })
        })
    }

    pub(super) fn source(&self, item: Item<'_>, draft: &mut Draft<'_>, assets: &mut Vec<Asset>) {
        let Item {
            line,
            copy,
            path: source,
            ..
        } = item;
        let found = match &copy.from {
            From::Context => Origin::Context(context_path(source)),
            From::Image(image) => Origin::Image {
                image: image.clone(),
                path: source.to_owned(),
            },
            From::Stage(stage) => {
                let path = absolute("/", source);
                origin(self.stages, *stage, &path)
            }
        };
        let path = match found {
            Origin::Context(path) => path,
            Origin::Image { image, path } => {
                draft.lost(
                    line,
                    &format!("`{path}` comes from the image `{image}`"),
                    "put the file into the repository and name it in `assets`, or a library in `extra-libs`",
                );
                return;
            }
            Origin::Made { path, .. } => {
                self.made(line, &path, draft);
                return;
            }
        };
        if copy.from != From::Context && (is_output(&path) || !self.exists(&path)) {
            self.made(line, source, draft);
            return;
        }
        let item = Item {
            path: &path,
            ..item
        };
        self.context(item, draft, assets);
    }

    pub(super) fn made(&self, line: usize, path: &str, draft: &mut Draft<'_>) {
        let is_own = |own: &Placed| own.origin.name() == name(path);
        let binaries = self.workspace.services.iter();
        // Whatever brings it, the image has it.
        if self.own.is_some_and(is_own) && binaries.clone().any(|one| one.binary == name(path)) {
            return;
        }
        let other = binaries
            .filter(|service| service.binary == name(path))
            .map(|service| service.name.clone())
            .next();
        match other {
            Some(service) => draft.lost(
                line,
                &format!("`{}` is an executable of its own: an image has one", name(path)),
                &format!("service `{service}` gets its own image, from a Dockerfile of its own or without"),
            ),
            None => draft.lost(
                line,
                &format!("`{path}` is made while the old image is built"),
                "make it before `cargo lighter build` runs, in the repository, and name it in `assets`",
            ),
        }
    }

    /// Where the process starts.
    pub(in crate::adopt) fn workdir(&self) -> &str {
        directory(self.stages, self.stage)
    }

    pub(super) fn exists(&self, path: &str) -> bool {
        is_pattern(path) || self.context.join(path).symlink_metadata().is_ok()
    }

    fn flags(&self, line: usize, copy: &dockerfile::Copy, draft: &mut Draft<'_>) {
        for (flag, value) in &copy.flags {
            match flag.as_str() {
                "chown" if !self.is_root && !is_root(value) => told_of_owner(line, draft),
                "chmod" if mode(copy).is_none() => draft.lost(
                    line,
                    &format!("`--chmod={value}` is no octal number"),
                    "set `mode` of the asset",
                ),
                "parents" | "exclude" => draft.lost(
                    line,
                    &format!("`--{flag}` is not followed"),
                    "look at what `from` and `to` of the asset say",
                ),
                _ => {}
            }
        }
    }
}

/// What is copied over a file takes its place.
fn without_replaced(assets: &mut Vec<Asset>) {
    let mut later = BTreeSet::new();
    let mut kept: Vec<bool> = Vec::new();
    for asset in assets.iter().rev() {
        let is_file = asset.kind == Kind::File;
        kept.push(!is_file || later.insert(asset.to.clone()));
    }
    let mut kept = kept.into_iter().rev();
    assets.retain(|_| kept.next().unwrap_or(true));
}

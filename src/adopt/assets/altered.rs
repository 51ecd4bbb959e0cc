//! What a stage removes, edits or moves of the context's files before they are copied from it.

use super::asset::{Asset, Kind};
use super::copies::Files;
use crate::adopt::dockerfile::{self, Action, From, steps};
use crate::adopt::layers::{context_path, is_pattern, operands};
use crate::adopt::manifest::Draft;
use crate::adopt::paths::{absolute, below, join, name};
use crate::adopt::secrets::shown_words;
use crate::adopt::shell::Ran;

/// More sources of one `COPY`, and more places of one file, are not looked at.
const MAX_PLACES: usize = 16;

impl Files<'_> {
    /// Tells of the assets from `first` on that are not in the old image as the repository has them. No
    /// directory is proposed from which something was removed: what is left out has a reason.
    pub(super) fn without_altered(
        &self,
        line: usize,
        copy: &dockerfile::Copy,
        first: usize,
        draft: &mut Draft<'_>,
        assets: &mut Vec<Asset>,
    ) {
        let From::Stage(stage) = copy.from else {
            return;
        };
        let new = assets.split_off(first.min(assets.len()));
        for asset in new {
            let Some((ran, change)) = self.altered(stage, copy, &asset) else {
                assets.push(asset);
                continue;
            };
            let command = shown_words(&ran.words);
            let message = format!(
                "`{command}` changes what the old image has of `{}`",
                asset.to
            );
            if change == Change::Removed && asset.kind == Kind::Directory {
                draft.lost(
                    line,
                    &format!("{message}: it is not proposed as a whole"),
                    "name in `assets` what is left of it",
                );
            } else {
                draft.lost(
                    line,
                    &format!("{message}: the asset is as the repository has it"),
                    "have the files so in the repository",
                );
                assets.push(asset);
            }
        }
    }

    /// The command of a stage that changes an asset which is copied from there; one that removes comes first.
    fn altered(
        &self,
        stage: usize,
        copy: &dockerfile::Copy,
        asset: &Asset,
    ) -> Option<(&Ran, Change)> {
        let inner = below(&asset.to, &copy.to)?;
        let sources = copy.sources.iter().take(MAX_PLACES);
        let mut places: Vec<String> = sources
            .map(|source| absolute("/", source))
            .flat_map(|source| {
                let itself =
                    (name(&source) == inner || is_pattern(&source)).then(|| source.clone());
                itself.into_iter().chain([join(&source, inner)])
            })
            .collect();
        let copied = places.clone();
        let from_context = asset.source.strip_prefix(self.context).ok()?.to_str()?;
        let mut found = None;
        for step in steps(self.stages, stage) {
            match &step.action {
                Action::Copy(copy) if copy.from == From::Context => {
                    places.extend(
                        place(copy, from_context).filter(|_| places.len() < 2 * MAX_PLACES),
                    );
                }
                Action::Copy(_) => {}
                Action::Run { commands } => {
                    for ran in commands {
                        // What is done later where it was before is nothing to what was taken from there.
                        if takes(ran, &copied) {
                            places.clone_from(&copied);
                        }
                        let change = places.iter().find_map(|place| asset.change(ran, place));
                        if change == Some(Change::Removed) {
                            return Some((ran, Change::Removed));
                        }
                        found = found.or(change.map(|change| (ran, change)));
                    }
                }
            }
        }
        found
    }
}

/// What a command does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Removed,
    Edited,
}

impl Asset {
    /// What a command does to it where it stands at `place`.
    fn change(&self, ran: &Ran, place: &str) -> Option<Change> {
        let (program, arguments) = ran.words.split_first()?;
        let operands = operands(arguments);
        let is_in_place = |word: &String| {
            word.starts_with("--in-place")
                || (word.starts_with('-') && !word.starts_with("--") && word.contains('i'))
        };
        let (paths, change) = match name(program) {
            "rm" | "unlink" => (operands.as_slice(), Change::Removed),
            "mv" => (operands.split_last()?.1, Change::Removed),
            "sed" if arguments.iter().any(is_in_place) => (operands.get(1..)?, Change::Edited),
            _ => return None,
        };
        let is_changed = |path: &&String| {
            let path = absolute(&ran.here, path);
            match below(&path, place) {
                Some("") => change == Change::Edited,
                Some(inner) => is_pattern(inner) || self.source.join(inner).exists(),
                None => false,
            }
        };
        paths.iter().any(is_changed).then_some(change)
    }
}

/// Where a file of the context goes with a `COPY`.
fn place(copy: &dockerfile::Copy, path: &str) -> Option<String> {
    copy.sources.iter().take(MAX_PLACES).find_map(|source| {
        let from = context_path(source);
        let inner = if from.is_empty() {
            path
        } else {
            below(path, &from)?
        };
        let is_under_own_name = copy.files.contains(source) && copy.into;
        Some(if is_under_own_name {
            join(&copy.to, name(path))
        } else {
            join(&copy.to, inner)
        })
    })
}

/// Whether a command puts something to one of these places, from elsewhere.
fn takes(ran: &Ran, places: &[String]) -> bool {
    let program = ran.words.first().map_or("", |program| name(program));
    if !matches!(program, "cp" | "mv" | "install") {
        return false;
    }
    let operands = operands(ran.words.get(1..).unwrap_or_default());
    operands.last().is_some_and(|last| {
        let target = absolute(&ran.here, last);
        let mut places = places.iter();
        places.any(|place| below(place, &target).is_some() || below(&target, place).is_some())
    })
}

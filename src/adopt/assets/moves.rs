//! Files that `mv`, `cp`, `install` and `ln` put elsewhere, as assets that go there.

use super::access::{Owner, SPECIAL};
use super::asset::{Asset, Kind, Meeting, octal, written};
use super::commands::{Command, is_open};
use super::copies::Files;
use crate::adopt::dockerfile::last_build;
use crate::adopt::layers::{Origin, is_output, is_pattern, is_setting, origin};
use crate::adopt::manifest::Draft;
use crate::adopt::paths::{absolute, below, is_usual_directory, join, name, parent};
use crate::adopt::secrets::shown_words;

/// More assets are not made of those that were copied.
const MAX_ASSETS: usize = 256;

/// A command that puts files elsewhere.
struct Move<'m, 'c> {
    program: &'m str,
    command: &'m Command<'c>,
    target: String,
    /// Whether the target is a directory, which takes files under their own names.
    into: bool,
}

impl Files<'_> {
    /// `mv`, `cp`, `install`, and `ln`, whose link becomes a copy.
    pub(super) fn moved(
        &self,
        program: &str,
        command: &Command<'_>,
        draft: &mut Draft<'_>,
        assets: &mut Vec<Asset>,
    ) {
        let Some((last, sources)) = command.operands.split_last() else {
            return;
        };
        let target = command.path(last);
        let into = last.ends_with('/')
            || last.ends_with("/.")
            || sources.len() > 1
            || is_usual_directory(&target)
            || self.is_directory(&target, assets);
        // Where it goes is told with what is not followed.
        let is_lost = |source: &str| is_open(source) && !self.is_executable(source, &target);
        if sources.iter().any(|source| is_lost(source)) {
            command.told_of_open(draft);
        }
        let moving = Move {
            program,
            command,
            target,
            into,
        };
        for source in sources {
            self.source_moved(&moving, source, draft, assets);
        }
    }

    fn source_moved(
        &self,
        moving: &Move<'_, '_>,
        source: &str,
        draft: &mut Draft<'_>,
        assets: &mut Vec<Asset>,
    ) {
        let path = moving.path(source);
        let met: Vec<usize> = (0..assets.len())
            .filter(|at| {
                let asset = assets.get(*at);
                asset.is_some_and(|asset| asset.meets(&path) != Meeting::Apart)
            })
            .collect();
        if met.is_empty() && !is_open(source) {
            self.told_of_unknown(moving, &path, draft);
        }
        let found = met.iter().filter_map(|at| assets.get(*at));
        let new: Option<Vec<Asset>> = found
            .clone()
            .map(|asset| moving.asset(asset, source, &path))
            .collect();
        let Some(new) = new.filter(|new| assets.len() + new.len() <= MAX_ASSETS) else {
            match moving.program {
                "mv" => moving.command.not_followed(found, draft),
                _ => moving.command.not_taken_over(found, draft),
            }
            return;
        };
        if moving.program != "mv" {
            assets.extend(new);
            return;
        }
        for (at, new) in met.iter().zip(new) {
            if let Some(asset) = assets.get_mut(*at) {
                *asset = new;
            }
        }
    }

    /// A file that was there before anything was copied, or was made: but for executables, which are
    /// followed elsewhere.
    fn told_of_unknown(&self, moving: &Move<'_, '_>, source: &str, draft: &mut Draft<'_>) {
        let holds_name = self.names.iter().any(|name| below(name, source).is_some());
        let is_known = holds_name || self.is_executable(source, &moving.target);
        let is_own = source.contains("zoneinfo")
            || source.contains("/etc/ssl")
            || source.contains("ca-cert");
        if is_known || is_own {
            return;
        }
        let text = shown_words(&moving.command.ran.words);
        if source.starts_with("/dev/") {
            if moving.program == "ln" {
                draft.lost(
                    moving.command.line,
                    &format!("`{text}` is not followed: the image has no links to devices"),
                    "let the service write to standard output or standard error itself",
                );
            }
            return;
        }
        let what = match moving.program {
            "ln" => "what it links to",
            _ => "what it takes",
        };
        draft.lost(
            moving.command.line,
            &format!("`{text}` is not followed: {what} is no file that was copied"),
            "put the file into the repository, and name it in `assets`",
        );
    }

    /// Whether an executable is moved, which is followed elsewhere.
    fn is_executable(&self, source: &str, target: &str) -> bool {
        let is_it = |path: &str| {
            self.executables.iter().any(|placed| placed.path == path)
                || self.names.contains(path)
                || self.is_built(path)
        };
        is_it(source) || is_it(target)
    }

    /// Whether a path has the name of a binary, and a build makes what is there: other files are called like a
    /// service, too.
    fn is_built(&self, path: &str) -> bool {
        let mut services = self.workspace.services.iter();
        let has_name = services.any(|service| service.binary == name(path));
        has_name
            && match origin(self.stages, self.stage, path) {
                Origin::Made { stage, path } => {
                    is_output(&path) || last_build(self.stages, stage).is_some()
                }
                Origin::Context(path) => is_output(&path),
                Origin::Image { .. } => false,
            }
    }

    /// Whether something is known to be in a directory, or to be one.
    fn is_directory(&self, path: &str, assets: &[Asset]) -> bool {
        let holds = |inner: &str| below(inner, path).is_some_and(|rest| !rest.is_empty());
        let is_it = |asset: &Asset| asset.kind != Kind::File && asset.to == path;
        assets.iter().any(|asset| holds(&asset.to) || is_it(asset))
            || self.executables.iter().any(|placed| holds(&placed.path))
            || is_setting(self.stages, self.stage, path)
            || self.made.iter().any(|made| made == path || holds(made))
    }
}

impl Move<'_, '_> {
    /// What a source names; a link leads on from where it stands.
    fn path(&self, source: &str) -> String {
        if !(self.program == "ln" && self.command.has('s', "symbolic")) {
            return self.command.path(source);
        }
        let place = if self.into {
            self.target.as_str()
        } else {
            parent(&self.target)
        };
        absolute(place, source)
    }

    /// What becomes of an asset; `None` where that is not known.
    fn asset(&self, asset: &Asset, source: &str, path: &str) -> Option<Asset> {
        let has_target = self.command.has('t', "target-directory") || is_pattern(&self.target);
        let is_simple = self.command.is_certain() && !has_target;
        let to = self.place(asset, source, path).filter(|_| is_simple)?;
        let mode = match self.program {
            "install" => Some(installed_mode(self.command)?),
            _ => asset.mode.clone(),
        };
        let keeps_owner = self.command.has('p', "preserve") || self.command.has('a', "archive");
        let owner = match self.program {
            "install" => installed_owner(self.command),
            "cp" if !keeps_owner => Owner::default(),
            _ => asset.owner.clone(),
        };
        Some(Asset {
            line: self.command.line,
            to,
            mode,
            owner,
            ..asset.clone()
        })
    }

    /// Where an asset goes that the source at `path` names, has, or is a part of.
    fn place(&self, asset: &Asset, source: &str, path: &str) -> Option<String> {
        let takes_contents = matches!(source, "." | "./") || source.ends_with("/.");
        if takes_contents && self.program != "cp" {
            return None;
        }
        let whole = || {
            if self.into && !takes_contents {
                join(&self.target, name(source))
            } else {
                self.target.clone()
            }
        };
        if asset.kind == Kind::Directory && !self.takes_directories() {
            return None;
        }
        match asset.meets(path) {
            Meeting::Itself if is_pattern(path) => {
                self.into.then(|| join(&self.target, name(&asset.to)))
            }
            Meeting::Itself => (asset.kind != Kind::File || !takes_contents).then(whole),
            Meeting::Inside if self.takes_directories() => {
                let inside = below(&asset.to, path)?;
                Some(join(&whole(), inside))
            }
            Meeting::Part if self.into && asset.is_all_of(path) => Some(self.target.clone()),
            Meeting::Inside | Meeting::Part | Meeting::Apart => None,
        }
    }

    fn takes_directories(&self) -> bool {
        matches!(self.program, "mv" | "ln")
            || self.command.has('r', "recursive")
            || self.command.has('R', "recursive")
            || self.command.has('a', "archive")
    }
}

/// Whom `install` gives a file to.
fn installed_owner(command: &Command<'_>) -> Owner {
    let value = |letter: &str, long: &str| {
        let mut words = command.ran.words.iter();
        while let Some(word) = words.next() {
            if word == letter || word == long.trim_end_matches('=') {
                return words.next().cloned();
            }
            if let Some(value) = word.strip_prefix(long) {
                return Some(value.to_owned());
            }
        }
        None
    };
    Owner {
        user: value("-o", "--owner="),
        group: value("-g", "--group="),
    }
}

/// The mode that `install` gives; `None` where that is not in digits.
fn installed_mode(command: &Command<'_>) -> Option<String> {
    let mut words = command.ran.words.iter();
    while let Some(word) = words.next() {
        let given = word.strip_prefix("--mode=").or(word.strip_prefix("-m"));
        let given = match given {
            Some("") => words.next().map(String::as_str),
            None if word.starts_with('-') && !word.starts_with("--") && word.ends_with('m') => {
                words.next().map(String::as_str)
            }
            other => other,
        };
        if let Some(mode) = given {
            return octal(mode).filter(|mode| mode & SPECIAL == 0).map(written);
        }
    }
    Some(written(0o755))
}

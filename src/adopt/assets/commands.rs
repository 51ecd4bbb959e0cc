//! What commands do with files that were copied: followed where that is simple and certain, told
//! where it is not.

use super::access::{Owner, SPECIAL, is_root, told_of_owner, told_of_rights};
use super::asset::{Asset, Kind, Meeting, changed, written};
use super::copies::Files;
use crate::adopt::layers::operands;
use crate::adopt::manifest::Draft;
use crate::adopt::paths::{absolute, below, name};
use crate::adopt::remark::few;
use crate::adopt::secrets::shown_words;
use crate::adopt::shell::Ran;

/// A command that is looked at.
pub(super) struct Command<'c> {
    pub(super) line: usize,
    pub(super) ran: &'c Ran,
    /// Its flags, without values.
    flags: Vec<&'c str>,
    pub(super) operands: Vec<&'c String>,
}

impl Command<'_> {
    /// Whether it is known which files it means, and nothing decides whether it runs.
    pub(super) fn is_certain(&self) -> bool {
        self.ran.surely && !self.operands.iter().any(|word| is_open(word))
    }

    /// Tells of operands that only a shell knows.
    pub(super) fn told_of_open(&self, draft: &mut Draft<'_>) {
        if self.operands.iter().any(|word| is_open(word)) {
            let command = shown_words(&self.ran.words);
            draft.lost(
                self.line,
                &format!("`{command}` is not followed: only a shell knows which files it means"),
                "say it in `to` and `mode` of their assets, or have the files so in the repository",
            );
        }
    }

    pub(super) fn has(&self, letter: char, long: &str) -> bool {
        self.flags.iter().any(|flag| match flag.strip_prefix("--") {
            Some(name) => name == long,
            None => flag.contains(letter),
        })
    }

    pub(super) fn path(&self, operand: &str) -> String {
        absolute(&self.ran.here, operand)
    }

    /// What it changes stays as it was.
    pub(super) fn not_followed<'a>(
        &self,
        assets: impl IntoIterator<Item = &'a Asset>,
        draft: &mut Draft<'_>,
    ) {
        let places: Vec<String> = assets.into_iter().map(|asset| asset.to.clone()).collect();
        let what = match places.as_slice() {
            [] => return,
            [place] => format!("`{place}` is in the image as it was copied"),
            places => format!("{} are in the image as they were copied", few(places)),
        };
        let command = shown_words(&self.ran.words);
        draft.lost(
            self.line,
            &format!("`{command}` is not followed: {what}"),
            "say it in `to` and `mode` of the asset, or have the file so in the repository",
        );
    }

    /// What it makes is missing, whatever becomes of what it takes.
    pub(super) fn not_taken_over<'a>(
        &self,
        assets: impl IntoIterator<Item = &'a Asset>,
        draft: &mut Draft<'_>,
    ) {
        let places: Vec<String> = assets.into_iter().map(|asset| asset.to.clone()).collect();
        let command = shown_words(&self.ran.words);
        draft.lost(
            self.line,
            &format!(
                "`{command}` is not followed: what it makes of {} is not in the image",
                few(&places)
            ),
            "name in `assets` what belongs there, or have the files so in the repository",
        );
    }
}

/// Whether a word becomes another one when it runs.
pub(super) fn is_open(word: &str) -> bool {
    word.contains(['$', '`', '{', '~'])
}

impl Files<'_> {
    /// Does to the assets what a command does to their files.
    pub(super) fn rearrange(
        &self,
        line: usize,
        ran: &Ran,
        draft: &mut Draft<'_>,
        assets: &mut Vec<Asset>,
    ) {
        let Some((program, arguments)) = ran.words.split_first() else {
            return;
        };
        let flags = arguments.iter().filter(|word| word.starts_with('-'));
        let command = Command {
            line,
            ran,
            flags: flags.map(String::as_str).collect(),
            operands: operands(arguments),
        };
        match name(program) {
            "mv" | "cp" | "ln" => self.moved(name(program), &command, draft, assets),
            "install" if !command.has('d', "directory") => {
                self.moved("install", &command, draft, assets);
            }
            "rm" | "unlink" => removed(&command, draft, assets),
            "chmod" => self.permitted(&command, draft, assets),
            "chown" | "chgrp" => self.owned(&command, draft, assets),
            "sed" if command.has('i', "in-place") => edited(&command, draft, assets),
            _ => {}
        }
    }

    fn permitted(&self, command: &Command<'_>, draft: &mut Draft<'_>, assets: &mut [Asset]) {
        // `-x` is no flag of it.
        let is_flag = |word: &&String| {
            let letters = word.strip_prefix('-');
            letters.is_some_and(|rest| rest.starts_with(['R', 'v', 'f', 'c', '-']))
        };
        let words = command.ran.words.iter().skip(1);
        let words: Vec<&String> = words.filter(|word| !is_flag(word)).collect();
        let Some((change, paths)) = words.split_first() else {
            return;
        };
        if !assets.is_empty() {
            command.told_of_open(draft);
        }
        for operand in paths {
            let path = command.path(operand);
            let recursive = command.has('R', "recursive");
            let executable = self.executables.iter().find(|placed| {
                placed.path == path || (recursive && below(&placed.path, &path).is_some())
            });
            if let Some(placed) = executable {
                let text = format!("chmod {change}");
                told_of_rights(command.line, &text, change, &placed.path, draft);
            }
            let mut others = Vec::new();
            for asset in assets.iter_mut() {
                let meeting = asset.meets(&path);
                let is_all = match meeting {
                    Meeting::Itself => asset.kind == Kind::File || command.has('R', "recursive"),
                    Meeting::Inside => command.has('R', "recursive"),
                    Meeting::Part => false,
                    // What a command without `-R` does to a directory above it is nothing to the file.
                    Meeting::Apart => continue,
                };
                if !is_all && meeting != Meeting::Part {
                    continue;
                }
                let modes = asset.modes();
                let new: Option<Vec<u32>> =
                    modes.iter().map(|mode| changed(*mode, change)).collect();
                let is_same = new.as_ref() == Some(&modes);
                match new.as_deref() {
                    Some(_) if is_same => {}
                    Some([mode, rest @ ..])
                        if is_all
                            && command.is_certain()
                            && mode & SPECIAL == 0
                            && rest.iter().all(|other| other == mode) =>
                    {
                        asset.mode = Some(written(*mode));
                    }
                    _ => others.push(asset.clone()),
                }
            }
            command.not_followed(&others, draft);
        }
    }

    fn owned(&self, command: &Command<'_>, draft: &mut Draft<'_>, assets: &mut [Asset]) {
        let Some((owner, paths)) = command.operands.split_first() else {
            return;
        };
        let program = command.ran.words.first();
        let of_group = program.is_some_and(|program| name(program) == "chgrp");
        let meets = |asset: &Asset| {
            let mut paths = paths.iter();
            paths.any(|operand| asset.meets(&command.path(operand)) != Meeting::Apart)
        };
        // Where it starts is a directory of the image as well.
        let has_workdir = paths.iter().any(|operand| {
            let workdir = self.workdir();
            workdir != "/" && below(workdir, &command.path(operand)).is_some()
        });
        let recursive = command.has('R', "recursive");
        let has_executable = paths.iter().any(|operand| {
            let path = command.path(operand);
            self.executables.iter().any(|placed| {
                placed.path == path || (recursive && below(&placed.path, &path).is_some())
            })
        });
        let has_files = has_workdir || has_executable || assets.iter().any(meets);
        if !self.is_root && !is_root(owner) && has_files {
            told_of_owner(command.line, draft);
        }
        for asset in assets.iter_mut().filter(|_| command.ran.surely) {
            let is_given = paths
                .iter()
                .any(|operand| match asset.meets(&command.path(operand)) {
                    Meeting::Itself => asset.kind == Kind::File || recursive,
                    Meeting::Inside => recursive,
                    Meeting::Part | Meeting::Apart => false,
                });
            if !is_given {
                continue;
            }
            let new = if of_group {
                Owner::of(&format!(":{owner}"))
            } else {
                Owner::of(owner)
            };
            let old = std::mem::take(&mut asset.owner);
            asset.owner = Owner {
                user: new.user.or(old.user),
                group: new.group.or(old.group),
            };
        }
        if !of_group {
            self.volumes_owned(command, owner, paths, draft);
        }
    }

    /// Volumes belong to the user, whom else the old image may give them to.
    fn volumes_owned(
        &self,
        command: &Command<'_>,
        owner: &str,
        paths: &[&String],
        draft: &mut Draft<'_>,
    ) {
        let Some(stage) = self.stages.get(self.stage) else {
            return;
        };
        let user = |text: &str| text.split([':', '.']).next().unwrap_or_default().to_owned();
        let said = stage.settings.user.as_ref();
        let is_same = said.is_some_and(|said| user(&said.value) == user(owner));
        let paths: Vec<String> = paths.iter().map(|path| command.path(path)).collect();
        let volumes = stage.settings.volumes.iter().filter(|volume| {
            let mut paths = paths.iter();
            paths.any(|path| below(&volume.value, path).is_some())
        });
        let volumes: Vec<String> = volumes.map(|volume| volume.value.clone()).collect();
        if !is_same && !volumes.is_empty() && !is_open(owner) {
            draft.changed(
                command.line,
                &format!(
                    "{} belong{} to the user of the image, not to `{owner}`",
                    few(&volumes),
                    if volumes.len() == 1 { "s" } else { "" }
                ),
                "set `user` to the one that writes there",
            );
        }
    }
}

/// Files that are not there any more.
fn removed(command: &Command<'_>, draft: &mut Draft<'_>, assets: &mut Vec<Asset>) {
    let recursive = command.has('r', "recursive") || command.has('R', "recursive");
    if !assets.is_empty() {
        command.told_of_open(draft);
    }
    for operand in &command.operands {
        let path = command.path(operand);
        let mut others = Vec::new();
        assets.retain(|asset| {
            let meeting = asset.meets(&path);
            let is_gone = match meeting {
                Meeting::Itself => asset.kind == Kind::File || recursive,
                Meeting::Inside => recursive,
                Meeting::Part => {
                    (recursive || asset.kind == Kind::Pattern) && asset.is_all_of(&path)
                }
                Meeting::Apart => false,
            };
            let is_removed = is_gone && command.is_certain();
            if !is_removed && (is_gone || meeting == Meeting::Part) {
                others.push(asset.clone());
            }
            !is_removed
        });
        command.not_followed(&others, draft);
    }
}

/// Files whose text is changed.
fn edited(command: &Command<'_>, draft: &mut Draft<'_>, assets: &[Asset]) {
    let mut operands = command.operands.iter().skip(1);
    let is_edited = |asset: &&Asset| {
        let mut operands = operands.clone();
        operands.any(|operand| asset.meets(&command.path(operand)) != Meeting::Apart)
    };
    command.not_followed(assets.iter().filter(is_edited), draft);
    if !assets.is_empty() && operands.any(|word| is_open(word)) {
        command.told_of_open(draft);
    }
}

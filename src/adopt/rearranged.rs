//! What commands do with files that were copied: followed where that is simple and certain, told
//! where it is not.

use super::asset::{Asset, Kind, Meeting, changed, octal, written};
use super::assets::Files;
use super::draft::Draft;
use super::locate::{is_pattern, operands};
use super::paths::{absolute, below, is_usual_directory, join, name, parent};
use super::redacted::shown_words;
use super::runs::few;
use super::shell::Ran;

/// Bits of a mode that give more than access.
const SPECIAL: u32 = 0o6000;

/// A command that is looked at.
struct Command<'c> {
    line: usize,
    ran: &'c Ran,
    /// Its flags, without values.
    flags: Vec<&'c str>,
    operands: Vec<&'c String>,
}

impl Command<'_> {
    /// Whether it is known which files it means, and nothing decides whether it runs.
    fn is_certain(&self) -> bool {
        self.ran.surely && !self.operands.iter().any(|word| is_open(word))
    }

    /// Tells of operands that only a shell knows.
    fn told_of_open(&self, draft: &mut Draft<'_>) {
        if self.operands.iter().any(|word| is_open(word)) {
            let command = shown_words(&self.ran.words);
            draft.lost(
                self.line,
                &format!("`{command}` is not followed: only a shell knows which files it means"),
                "say it in `to` and `mode` of their assets, or have the files so in the repository",
            );
        }
    }

    fn has(&self, letter: char, long: &str) -> bool {
        self.flags.iter().any(|flag| match flag.strip_prefix("--") {
            Some(name) => name == long,
            None => flag.contains(letter),
        })
    }

    fn path(&self, operand: &str) -> String {
        absolute(&self.ran.here, operand)
    }

    fn not_followed<'a>(&self, assets: impl IntoIterator<Item = &'a Asset>, draft: &mut Draft<'_>) {
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
}

/// Whether a word becomes another one when it runs.
fn is_open(word: &str) -> bool {
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

    /// `mv`, `cp`, `install`, and `ln`, whose link becomes a copy.
    fn moved(
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
        let has_pattern = command.operands.iter().any(|word| is_pattern(word));
        let is_simple =
            command.is_certain() && !has_pattern && !command.has('t', "target-directory");
        // Where it goes is told with what is not followed.
        let is_lost = |source: &str| is_open(source) && !self.is_executable(source, &target);
        if sources.iter().any(|source| is_lost(source)) {
            command.told_of_open(draft);
        }
        for source in sources {
            // A link leads on from where it stands.
            let path = if program == "ln" && command.has('s', "symbolic") {
                let place = if into {
                    target.as_str()
                } else {
                    parent(&target)
                };
                absolute(place, source)
            } else {
                command.path(source)
            };
            let met: Vec<usize> = (0..assets.len())
                .filter(|at| {
                    assets
                        .get(*at)
                        .is_some_and(|asset| asset.meets(&path) != Meeting::Apart)
                })
                .collect();
            let [at] = met.as_slice() else {
                if met.is_empty() && !is_open(source) {
                    self.told_of_unknown(program, command, &path, &target, draft);
                }
                let met = met.iter().filter_map(|at| assets.get(*at));
                command.not_followed(met, draft);
                continue;
            };
            let Some(asset) = assets.get_mut(*at) else {
                continue;
            };
            let is_whole = asset.meets(&path) == Meeting::Itself;
            let keeps_directory = matches!(program, "mv" | "ln")
                || command.has('r', "recursive")
                || command.has('R', "recursive")
                || command.has('a', "archive");
            let fits = asset.kind == Kind::File || (keeps_directory && !source.ends_with("/."));
            let mode = match program {
                "install" => installed_mode(command).map(Some),
                _ => Some(asset.mode.clone()),
            };
            let (Some(mode), true) = (mode, is_simple && is_whole && fits) else {
                command.not_followed([&*asset], draft);
                continue;
            };
            let to = if into {
                join(&target, name(source))
            } else {
                target.clone()
            };
            let new = Asset {
                line: command.line,
                to,
                mode,
                ..asset.clone()
            };
            if program == "mv" {
                *asset = new;
            } else {
                assets.push(new);
            }
        }
    }

    /// A file that was there before anything was copied, or was made: but for executables, which are
    /// followed elsewhere.
    fn told_of_unknown(
        &self,
        program: &str,
        command: &Command<'_>,
        source: &str,
        target: &str,
        draft: &mut Draft<'_>,
    ) {
        let holds_name = self.names.iter().any(|name| below(name, source).is_some());
        let is_known =
            holds_name || self.is_executable(source, target) || source.starts_with("/dev/");
        let is_own = source.contains("zoneinfo")
            || source.contains("/etc/ssl")
            || source.contains("ca-cert");
        if is_known || is_own {
            return;
        }
        let text = shown_words(&command.ran.words);
        let what = match program {
            "ln" => "what it links to",
            _ => "what it takes",
        };
        draft.lost(
            command.line,
            &format!("`{text}` is not followed: {what} is no file that was copied"),
            "put the file into the repository, and name it in `assets`",
        );
    }

    /// Whether an executable is moved, which is followed elsewhere.
    fn is_executable(&self, source: &str, target: &str) -> bool {
        let services = &self.workspace.services;
        let is_it = |path: &str| {
            services.iter().any(|service| service.binary == name(path))
                || self.executables.iter().any(|placed| placed.path == path)
                || self.names.contains(path)
        };
        is_it(source) || is_it(target)
    }

    /// Whether something is known to be in a directory, or to be one.
    fn is_directory(&self, path: &str, assets: &[Asset]) -> bool {
        let holds = |inner: &str| below(inner, path).is_some_and(|rest| !rest.is_empty());
        let is_it = |asset: &Asset| asset.kind != Kind::File && asset.to == path;
        let workdir = self.stages.get(self.stage);
        let workdir = workdir.map_or("/", |stage| stage.settings.directory());
        assets.iter().any(|asset| holds(&asset.to) || is_it(asset))
            || self.executables.iter().any(|placed| holds(&placed.path))
            || workdir == path
            || holds(workdir)
            || self.made.iter().any(|made| made == path || holds(made))
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
            let gives_rights = changed(0o755, change).is_some_and(|mode| mode & SPECIAL != 0);
            let executable = self.executables.iter().find(|placed| placed.path == path);
            if let Some(placed) = executable.filter(|_| gives_rights) {
                draft.lost(
                    command.line,
                    &format!("`chmod {change}` lets `{}` run with the rights of its owner, which the image does not", placed.path),
                    "set `user` to the one that it needs",
                );
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

    fn owned(&self, command: &Command<'_>, draft: &mut Draft<'_>, assets: &[Asset]) {
        let Some((owner, paths)) = command.operands.split_first() else {
            return;
        };
        let is_root = self.is_root || matches!(owner.as_str(), "root" | "0" | "0:0" | "root:root");
        let meets = |asset: &Asset| {
            let mut paths = paths.iter();
            paths.any(|operand| asset.meets(&command.path(operand)) != Meeting::Apart)
        };
        if !is_root && assets.iter().any(meets) {
            told_of_owner(command.line, draft);
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
                Meeting::Part | Meeting::Apart => false,
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

/// Tells that no file of the image belongs to its user.
pub(super) fn told_of_owner(line: usize, draft: &mut Draft<'_>) {
    draft.changed(
        line,
        "files of the image belong to root, and everyone may read them",
        "what the service writes belongs into `volumes`",
    );
}

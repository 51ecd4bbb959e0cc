//! What `RUN` does to the image, and what becomes of it.

use std::collections::BTreeSet;

use super::choose::Placed;
use super::draft::Draft;
use super::locate::operands;
use super::packages::{Packages, installed};
use super::paths::{absolute, join, name};
use super::source::MARK;
use super::stage::{Action, Stage, Step, lineage};
use super::users::Users;
use crate::hint::quoted_list;

/// Commands of which nothing is told. Most leave nothing behind that an image could miss; of those that move,
/// change or remove files, only what they do to the executable is followed.
const HARMLESS: &[&str] = &[
    "apt",
    "apt-get",
    "apk",
    "yum",
    "dnf",
    "microdnf",
    "tdnf",
    "zypper",
    "set",
    "true",
    ":",
    "test",
    "[",
    "ls",
    "pwd",
    "which",
    "fi",
    "done",
    "esac",
    "cd",
    "exit",
    "ldconfig",
    "ldd",
    "update-ca-certificates",
    "chmod",
    "chown",
    "chgrp",
    "strip",
    "export",
    "rm",
    "rmdir",
    "cp",
    "mv",
    "install",
    "ln",
    "for",
    "case",
    "return",
    "upx",
    "file",
    "sync",
    "localedef",
    "update-alternatives",
    "env",
    "printenv",
    "sleep",
];

/// The commands of a stage.
pub(super) struct Runs<'a> {
    pub(super) stages: &'a [Stage],
    pub(super) stage: usize,
    /// Whether the stage compiles.
    pub(super) compiles: bool,
    /// Where the executable is.
    pub(super) executable: Option<&'a str>,
    pub(super) executables: &'a [Placed],
    /// Directories that are something already: volumes, and where the process starts.
    pub(super) directories: BTreeSet<String>,
}

impl Runs<'_> {
    /// Takes links and time zones into the draft, and says of the rest what to do about it.
    pub(super) fn adopt(&self, draft: &mut Draft<'_>) {
        let mut links: Vec<(usize, String)> = Vec::new();
        let mut chain = lineage(self.stages, self.stage);
        chain.reverse();
        for index in chain {
            let steps = self.stages.get(index).map(|stage| stage.steps.as_slice());
            for step in steps.unwrap_or_default() {
                if let Action::Run { commands } = &step.action {
                    self.packages(step.line, commands, draft);
                    self.others(step, commands, draft);
                    for words in commands {
                        links.extend(self.link(step, words).map(|link| (step.line, link)));
                    }
                }
            }
        }
        // The same executable, copied twice.
        let own = self
            .executables
            .iter()
            .find(|placed| Some(placed.path.as_str()) == self.executable);
        if let Some(own) = own {
            let copies = self.executables.iter();
            links.extend(
                copies
                    .filter(|placed| placed.path != own.path && placed.origin == own.origin)
                    .map(|placed| (placed.line, placed.path.clone())),
            );
        }
        draft.list("links", links);
    }

    fn packages(&self, line: usize, commands: &[Vec<String>], draft: &mut Draft<'_>) {
        let names = commands
            .iter()
            .filter_map(|words| installed(words))
            .flatten();
        let names: BTreeSet<String> = names.collect();
        let sorted = Packages::sort(names);
        if sorted.time_zones {
            draft.set(line, "tzdata", true);
        }
        if self.compiles {
            return;
        }
        if !sorted.libraries.is_empty() {
            draft.changed(
                line,
                &format!("{}: libraries that the executable links are found by themselves", list(&sorted.libraries)),
                "have them installed where it is built, and name in `extra-libs` what it only loads while it runs",
            );
        }
        if !sorted.others.is_empty() {
            draft.lost(
                line,
                &format!("`RUN` installs {}, which the image will not have", list(&sorted.others)),
                "nothing to do where only people and scripts used it; what the service starts or reads \
                 becomes part of the program, or an asset",
            );
        }
    }

    fn others(&self, step: &Step, commands: &[Vec<String>], draft: &mut Draft<'_>) {
        let line = step.line;
        let mut told = BTreeSet::new();
        for words in commands {
            let Some((program, arguments)) = words.split_first() else {
                continue;
            };
            let program = name(program);
            let writes = words
                .iter()
                .any(|word| word.starts_with('>') || word.starts_with(MARK));
            if program == "mkdir" {
                self.directories(step, arguments, draft);
            } else if program == "setcap" && told.insert("setcap") {
                draft.lost(
                    line,
                    "`setcap` gives the executable rights, which files of the image do not have",
                    "listen on a port above 1023, or give the container the capability",
                );
            } else if matches!(program, "curl" | "wget") && told.insert("curl") {
                draft.lost(
                    line,
                    &format!("`{program}` downloads files"),
                    "put what the service needs into the repository, and name it in `assets`",
                );
            } else if matches!(program, "echo" | "printf" | "cat" | "tee") {
                if (writes || program == "tee") && told.insert("echo") {
                    draft.lost(
                        line,
                        &format!("`{program}` writes a file"),
                        "put the file into the repository, and name it in `assets`",
                    );
                }
            } else if !HARMLESS.contains(&program)
                && !Users::is_about_users(program)
                && !self.compiles
                && told.insert(program)
            {
                draft.lost(
                    line,
                    &format!("`RUN` runs `{program}`: what it makes is not in the image"),
                    "make the files before `cargo lighter build` runs, and name them in `assets`",
                );
            }
        }
    }

    fn directories(&self, step: &Step, arguments: &[String], draft: &mut Draft<'_>) {
        let made: Vec<String> = operands(arguments)
            .into_iter()
            .filter(|operand| !operand.contains('$'))
            .map(|operand| absolute(&step.workdir, operand))
            .filter(|path| !self.is_something(path))
            .collect();
        if !made.is_empty() && !self.compiles {
            draft.lost(
                step.line,
                &format!("{}: empty directories are not carried", list(&made)),
                "name in `volumes` what the service writes to",
            );
        }
    }

    fn is_something(&self, path: &str) -> bool {
        let holds = |inner: &str| super::paths::below(inner, path).is_some();
        path == "/tmp"
            || self.directories.iter().any(|directory| holds(directory))
            || self.executable.is_some_and(holds)
    }

    /// A link to the executable.
    fn link(&self, step: &Step, words: &[String]) -> Option<String> {
        let (program, arguments) = words.split_first()?;
        if name(program) != "ln" {
            return None;
        }
        let operands = operands(arguments);
        let [target, place] = operands.as_slice() else {
            return None;
        };
        let place = if place.ends_with('/') || super::paths::is_usual_directory(place) {
            join(place, name(target))
        } else {
            absolute(&step.workdir, place)
        };
        let directory = place.rsplit_once('/').map_or("/", |(parent, _)| parent);
        let leads = absolute(directory, target);
        (Some(leads.as_str()) == self.executable && leads != place).then_some(place)
    }
}

/// Names in one sentence; the first of very many.
pub(super) fn list(names: &[String]) -> String {
    shortened(names, 12)
}

/// The same where the first few are enough to know what is meant.
pub(super) fn few(names: &[String]) -> String {
    shortened(names, 3)
}

fn shortened(names: &[String], shown: usize) -> String {
    let first: Vec<&str> = names.iter().take(shown).map(String::as_str).collect();
    match names.len().saturating_sub(shown) {
        0 => quoted_list(&first).replace(" or ", " and "),
        more => {
            let first: Vec<String> = first.iter().map(|name| format!("`{name}`")).collect();
            format!("{} and {more} more", first.join(", "))
        }
    }
}

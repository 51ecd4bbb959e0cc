//! What `RUN` does to the image, and what becomes of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::adopt::assets::zone;
use crate::adopt::dockerfile::{Action, MARK, Stage, Step, steps};
use crate::adopt::layers::{Packages, Users, installed, makes_directories, operands};
use crate::adopt::manifest::Draft;
use crate::adopt::paths::{absolute, below, name};
use crate::adopt::remark::list;
use crate::adopt::shell::Ran;

/// Commands of which nothing is told here. Most leave nothing behind that an image could miss; what others do
/// to the executable, to files that were copied, and which files they write, is looked at elsewhere.
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
    "[[",
    "id",
    "getent",
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
    "echo",
    "printf",
    "cat",
    "tee",
    "sed",
    "unlink",
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
    /// Paths that are something already: volumes, assets, and where the process starts.
    pub(super) directories: BTreeSet<String>,
}

impl Runs<'_> {
    /// Takes time zones into the draft, and says of the rest what to do about it.
    pub(super) fn adopt(&self, draft: &mut Draft<'_>) {
        for step in steps(self.stages, self.stage) {
            if let Action::Run { commands } = &step.action {
                self.packages(step.line, commands, draft);
                self.others(step, commands, draft);
            }
        }
    }

    fn packages(&self, line: usize, commands: &[Ran], draft: &mut Draft<'_>) {
        let names = commands
            .iter()
            .filter_map(|ran| installed(&ran.words))
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

    fn others(&self, step: &Step, commands: &[Ran], draft: &mut Draft<'_>) {
        let line = step.line;
        let mut told = BTreeSet::new();
        for ran in commands {
            let Some((program, arguments)) = ran.words.split_first() else {
                continue;
            };
            let program = name(program);
            if program == "mkdir" || makes_directories(ran) {
                self.directories(line, ran, arguments, draft);
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
            if let Some(zone) = zone::chosen(ran) {
                zone::adopt(line, &zone, draft);
            }
        }
        written(line, commands, draft);
    }

    fn directories(&self, line: usize, ran: &Ran, arguments: &[String], draft: &mut Draft<'_>) {
        let made: Vec<String> = operands(arguments)
            .into_iter()
            .filter(|operand| !operand.contains('$'))
            .map(|operand| absolute(&ran.here, operand))
            .filter(|path| !self.is_something(path))
            .collect();
        if !made.is_empty() && !self.compiles {
            draft.lost(
                line,
                &format!("{}: empty directories are not carried", list(&made)),
                "name in `volumes` what the service writes to",
            );
        }
    }

    fn is_something(&self, path: &str) -> bool {
        let holds = |inner: &str| below(inner, path).is_some();
        path == "/tmp"
            || self.directories.iter().any(|directory| holds(directory))
            || self.executable.is_some_and(holds)
    }
}

/// Tells of files that commands write, each program once.
fn written(line: usize, commands: &[Ran], draft: &mut Draft<'_>) {
    let mut files: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for ran in commands.iter().filter(|ran| zone::chosen(ran).is_none()) {
        let Some((program, arguments)) = ran.words.split_first() else {
            continue;
        };
        let program = name(program);
        let operands = operands(arguments);
        let own = operands.into_iter().filter(|_| program == "tee");
        let all = ran
            .writes
            .iter()
            .chain(own)
            .filter(|file| !file.starts_with(MARK));
        let path = |file: &String| {
            if file.starts_with('$') {
                file.clone()
            } else {
                absolute(&ran.here, file)
            }
        };
        // Users and groups are taken as numbers.
        let are_users = Users::are_written(ran);
        let is_understood = |file: &str| are_users && matches!(file, "/etc/passwd" | "/etc/group");
        let all: Vec<String> = all
            .map(path)
            .filter(|file| !file.starts_with("/dev/") && !is_understood(file))
            .collect();
        if !all.is_empty() {
            files.entry(program).or_default().extend(all);
        }
    }
    for (program, files) in files {
        draft.lost(
            line,
            &format!("`{program}` writes {}", list(&files)),
            "put the file into the repository, and name it in `assets`",
        );
    }
}

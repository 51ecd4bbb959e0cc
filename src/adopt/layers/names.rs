//! All names of the executable in the image: what `cp`, `ln`, `install` and `mv` give it beside the path
//! that starts it. A command that calls it by one of them must find it there.

use std::collections::{BTreeMap, BTreeSet};

use super::executables::Placed;
use super::origin::{is_pattern, is_symbolic, operands};
use super::transfer::Transfer;
use crate::adopt::dockerfile::{Action, Stage, directory, lineage, steps};
use crate::adopt::manifest::Draft;
use crate::adopt::paths::{absolute, below, is_usual_directory, join, name, parent};
use crate::adopt::secrets::shown_words;
use crate::adopt::shell::Ran;

/// More names than any executable has.
const MAX_NAMES: usize = 1_000;
/// Links to links are not followed further.
const MAX_LINKS: usize = 8;

/// What gives names to the executable of the service.
pub(in crate::adopt) struct Naming<'a> {
    pub(in crate::adopt) stages: &'a [Stage],
    pub(in crate::adopt) stage: usize,
    pub(in crate::adopt) executables: &'a [Placed],
    /// The one of the service.
    pub(in crate::adopt) own: &'a Placed,
    /// Directories that commands make.
    pub(in crate::adopt) made: &'a BTreeSet<String>,
}

/// Names by path, each with the line that gives it.
#[derive(Debug, Default)]
pub(in crate::adopt) struct Names {
    /// Files that are the executable.
    files: BTreeMap<String, usize>,
    /// Links with what they lead to, be it there or not.
    links: BTreeMap<String, (usize, String)>,
    /// All paths that were the executable at some time.
    pub(in crate::adopt) ever: BTreeSet<String>,
}

impl Names {
    /// Names but for the path that starts it.
    pub(in crate::adopt) fn others(&self, own: &str) -> Vec<(usize, String)> {
        let files = self.files.iter().map(|(path, line)| (*line, path.clone()));
        let links = self.links.iter();
        let links = links
            .filter(|(path, _)| self.is_it(path))
            .map(|(path, (line, _))| (*line, path.clone()));
        let mut all: Vec<_> = files.chain(links).filter(|(_, path)| path != own).collect();
        all.sort();
        all
    }

    /// Whether a path is the executable, or leads to it.
    fn is_it(&self, path: &str) -> bool {
        let mut path = path;
        for _ in 0..MAX_LINKS {
            if self.files.contains_key(path) {
                return true;
            }
            match self.links.get(path) {
                Some((_, target)) => path = target,
                None => return false,
            }
        }
        false
    }

    fn add(&mut self, line: usize, path: String) {
        if self.ever.len() < MAX_NAMES {
            self.links.remove(&path);
            self.ever.insert(path.clone());
            self.files.insert(path, line);
        }
    }

    /// What is not there any more.
    fn remove(&mut self, path: &str) {
        self.files.retain(|file, _| below(file, path).is_none());
        self.links.retain(|link, _| below(link, path).is_none());
    }

    /// Those that a path of a command stands for: with what comes below the path.
    fn met(&self, path: &str) -> Vec<String> {
        if self.is_it(path) {
            return vec![String::new()];
        }
        let inside = self.files.keys().filter_map(|file| below(file, path));
        inside.map(str::to_owned).collect()
    }
}

impl Naming<'_> {
    /// Follows all steps of the stage; tells what cannot be followed.
    pub(in crate::adopt) fn names(&self, draft: &mut Draft<'_>) -> Names {
        let mut names = Names::default();
        names.add(self.own.line, self.own.path.clone());
        // What cargo makes is not in the image, but copies of it are.
        let hidden = self.own.origin.path();
        let is_hidden = self.own.is_made_in(&lineage(self.stages, self.stage));
        if is_hidden {
            names.add(0, hidden.to_owned());
        }
        for step in steps(self.stages, self.stage) {
            match &step.action {
                Action::Run { commands } => {
                    for ran in commands {
                        self.command(step.line, ran, &mut names, draft);
                    }
                }
                Action::Copy(_) => {
                    let same = |placed: &&Placed| {
                        placed.line == step.line && placed.origin == self.own.origin
                    };
                    for placed in self.executables.iter().filter(same) {
                        names.add(placed.line, placed.path.clone());
                    }
                }
            }
        }
        if is_hidden && hidden != self.own.path {
            names.files.remove(hidden);
        }
        let links = names.links.keys().filter(|path| names.is_it(path));
        let links: Vec<String> = links.take(MAX_NAMES).cloned().collect();
        names.ever.extend(links);
        names
    }

    fn command(&self, line: usize, ran: &Ran, names: &mut Names, draft: &mut Draft<'_>) {
        let Some((program, arguments)) = ran.words.split_first() else {
            return;
        };
        let operands = operands(arguments);
        match name(program) {
            "rm" | "unlink" if ran.surely => {
                for operand in operands {
                    names.remove(&absolute(&ran.here, operand));
                }
            }
            program @ ("cp" | "mv" | "ln" | "install") => {
                let Some(transfer) = Transfer::of(ran) else {
                    return;
                };
                let target = transfer.target;
                let into = transfer.into || self.is_directory(&target, names);
                for source in transfer.sources {
                    let given = Given {
                        line,
                        ran,
                        program,
                        source,
                        target: &target,
                        into,
                    };
                    given.follow(names, draft);
                }
            }
            _ => {}
        }
    }

    fn is_directory(&self, path: &str, names: &Names) -> bool {
        let holds = |inner: &str| below(inner, path).is_some_and(|rest| !rest.is_empty());
        let workdir = directory(self.stages, self.stage);
        is_usual_directory(path)
            || below(workdir, path).is_some()
            || names.files.keys().any(|file| holds(file))
            || self.made.iter().any(|made| below(made, path).is_some())
    }
}

/// One source of a command, and where it goes.
struct Given<'a> {
    line: usize,
    ran: &'a Ran,
    program: &'a str,
    source: &'a str,
    target: &'a str,
    into: bool,
}

impl Given<'_> {
    fn follow(&self, names: &mut Names, draft: &mut Draft<'_>) {
        let Self { ran, line, .. } = *self;
        let place = if self.into {
            join(self.target, name(self.source))
        } else {
            self.target.to_owned()
        };
        let is_link = self.program == "ln" && is_symbolic(&ran.words);
        if is_link && ran.surely && !place.contains('$') {
            let leads = absolute(parent(&place), self.source);
            if leads != place {
                names.files.remove(&place);
                names.links.insert(place, (line, leads));
            }
            return;
        }
        let here = if is_link { parent(&place) } else { &ran.here };
        let source = absolute(here, self.source);
        let met = if is_pattern(&source) {
            names.matching(&source)
        } else {
            names.met(&source)
        };
        if met.is_empty() {
            return;
        }
        let is_certain = ran.surely && !self.target.contains(['$', '`', '*']);
        if !is_certain || is_pattern(&source) || is_into_option(&ran.words) {
            let command = shown_words(&ran.words);
            draft.lost(
                line,
                &format!("`{command}` is not followed: it gives the executable another name"),
                "name it in `links`, if something calls the executable by it",
            );
            return;
        }
        if self.program == "mv" {
            names.remove(&source);
        }
        for rest in met {
            names.add(line, join(&place, &rest));
        }
    }
}

impl Names {
    /// Those that a pattern stands for.
    fn matching(&self, pattern: &str) -> Vec<String> {
        let matcher = globset::GlobBuilder::new(pattern)
            .literal_separator(true)
            .build()
            .ok()
            .map(|glob| glob.compile_matcher());
        let files = self.files.keys();
        files
            .filter(|file| {
                matcher
                    .as_ref()
                    .is_some_and(|matcher| matcher.is_match(file))
            })
            .cloned()
            .collect()
    }
}

/// `cp -t DIRECTORY FILE`, whose words stand the other way round.
fn is_into_option(words: &[String]) -> bool {
    words.iter().any(|word| {
        let letters = word
            .strip_prefix('-')
            .filter(|rest| !rest.starts_with('-') && !rest.starts_with('m'));
        letters.is_some_and(|letters| letters.ends_with('t'))
            || word.starts_with("--target-directory")
    })
}

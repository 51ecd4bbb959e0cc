//! What `cp`, `mv`, `install` and `ln` put where.

use globset::Glob;

use super::origin::{is_output, is_pattern, is_symbolic, operands};
use crate::adopt::paths::{absolute, below, join, name, parent};
use crate::adopt::shell::Ran;

/// A command that puts files elsewhere.
#[derive(Debug)]
pub(super) struct Transfer<'r> {
    pub(super) ran: &'r Ran,
    pub(super) sources: Vec<&'r String>,
    /// Absolute.
    pub(super) target: String,
    /// Whether the words alone say that the target is a directory, which takes files under their own names.
    pub(super) into: bool,
}

impl<'r> Transfer<'r> {
    /// A command, if it is one.
    pub(super) fn of(ran: &'r Ran) -> Option<Self> {
        let (program, arguments) = ran.words.split_first()?;
        let is_it = match name(program) {
            "cp" | "mv" | "ln" => true,
            "install" => !makes_directories(ran),
            _ => false,
        };
        if !is_it {
            return None;
        }
        let mut sources = operands(arguments);
        if let Some(directory) = target_directory(arguments) {
            sources.retain(|source| source.as_str() != directory);
            return Some(Self {
                ran,
                sources,
                target: absolute(&ran.here, directory),
                into: true,
            });
        }
        let last = sources.pop()?;
        let into = last.ends_with('/')
            || matches!(last.as_str(), "." | "..")
            || last.ends_with("/.")
            || last.ends_with("/..")
            || sources.len() > 1;
        Some(Self {
            ran,
            sources,
            target: absolute(&ran.here, last),
            into,
        })
    }

    /// Whether it makes links that lead somewhere.
    pub(super) fn is_link(&self) -> bool {
        self.ran.words.first().map(|program| name(program)) == Some("ln")
            && is_symbolic(&self.ran.words)
    }

    /// Where a source lands in the target, where that is a directory.
    pub(super) fn inside(&self, source: &str) -> String {
        if takes_contents(source) {
            self.target.clone()
        } else if self.ran.words.iter().any(|word| word == "--parents") {
            join(&self.target, source)
        } else {
            join(&self.target, name(source))
        }
    }

    /// What `path` was before, where a source became it or holds it. `is_directory` tells of the target.
    pub(super) fn before(
        &self,
        source: &str,
        path: &str,
        is_directory: impl Fn(&str) -> bool,
    ) -> Option<String> {
        let from = absolute(&self.ran.here, source);
        if is_pattern(name(&from)) {
            let glob = Glob::new(name(&from)).ok()?.compile_matcher();
            let fits = parent(path) == self.target && glob.is_match(name(path));
            return fits.then(|| join(parent(&from), name(path)));
        }
        let inside = self.inside(source);
        let is_whole = path == inside && !takes_contents(source);
        if is_whole || (path == self.target && !self.into && !is_directory(&self.target)) {
            return Some(from);
        }
        if !self.takes_directories() {
            return None;
        }
        let rest = below(path, &inside).or_else(|| {
            let rest = below(path, &self.target);
            rest.filter(|_| !self.into && !is_directory(&self.target))
        });
        rest.filter(|rest| !rest.is_empty())
            .map(|rest| join(&from, rest))
    }

    /// Whether a directory is likely what it copies: a flag says that it may be, and no executable is named.
    pub(super) fn brings_directory(&self) -> bool {
        let is_file = |source: &&String| is_output(source) || name(source).contains('.');
        let is_copied = self.ran.words.first().map(|program| name(program)) == Some("cp");
        is_copied
            && self.takes_directories()
            && self
                .sources
                .iter()
                .any(|source| takes_contents(source) || !is_file(source))
    }

    /// Whether what is in a directory goes with it.
    pub(super) fn takes_directories(&self) -> bool {
        let mut words = self.ran.words.iter();
        let program = words.next().map_or("", |program| name(program));
        program == "mv"
            || words.any(|word| match word.strip_prefix("--") {
                Some(long) => matches!(long, "recursive" | "archive"),
                None => word.starts_with('-') && word.contains(['r', 'R', 'a']),
            })
    }
}

/// `DIR/.`, which means what is in it.
pub(super) fn takes_contents(source: &str) -> bool {
    matches!(source, "." | "./") || source.ends_with("/.")
}

/// Whether a command is `install -d`, which takes no files.
pub(in crate::adopt) fn makes_directories(ran: &Ran) -> bool {
    let mut words = ran.words.iter();
    let is_install = words
        .next()
        .is_some_and(|program| name(program) == "install");
    is_install
        && words.any(|word| match word.strip_prefix("--") {
            Some(long) => long == "directory",
            None => word.starts_with('-') && word.contains('d'),
        })
}

/// The value of `-t` or `--target-directory`.
fn target_directory(arguments: &[String]) -> Option<&str> {
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if let Some(long) = word.strip_prefix("--") {
            match long.strip_prefix("target-directory") {
                Some("") => return words.next().map(String::as_str),
                Some(given) => return given.strip_prefix('='),
                None => continue,
            }
        }
        let letters = word.strip_prefix('-').unwrap_or_default();
        if !letters.starts_with('m') && letters.ends_with('t') {
            return words.next().map(String::as_str);
        }
    }
    None
}

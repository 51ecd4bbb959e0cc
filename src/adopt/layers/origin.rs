//! Where a file in an image comes from.

use globset::Glob;

use super::directories::is_directory;
use super::transfer::{Transfer, takes_contents};
use crate::adopt::dockerfile::{Action, Copy, From, Stage, last_build, root, steps};
use crate::adopt::paths::{absolute, below, is_usual_directory, join, name, parent};
use crate::adopt::shell::Ran;

/// Links to links are not followed further.
const MAX_LINKS: usize = 8;

/// Where a file begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::adopt) enum Origin {
    /// In the directory that `docker build` is given: relative to it.
    Context(String),
    /// Made in a stage, or there from its base.
    Made { stage: usize, path: String },
    /// In another image.
    Image { image: String, path: String },
}

impl Origin {
    /// The file's name there.
    pub(in crate::adopt) fn name(&self) -> &str {
        match self {
            Self::Context(path) | Self::Made { path, .. } | Self::Image { path, .. } => name(path),
        }
    }

    /// Its path there.
    pub(in crate::adopt) fn path(&self) -> &str {
        match self {
            Self::Context(path) | Self::Made { path, .. } | Self::Image { path, .. } => path,
        }
    }
}

/// Where `path` in `stage` comes from: what copied it last, followed through earlier stages and through
/// `cp`, `mv`, `install` and `ln`. What names the file comes before a directory that may hold it.
pub(in crate::adopt) fn origin(stages: &[Stage], stage: usize, path: &str) -> Origin {
    behind(stages, stage, path, MAX_LINKS)
}

/// The same, with so many links on the way.
fn behind(stages: &[Stage], stage: usize, path: &str, links: usize) -> Origin {
    let bare = is_bare(stages, stage);
    for (named, strict) in [(true, true), (true, false), (false, false)] {
        let mut path = path.to_owned();
        for step in steps(stages, stage).rev() {
            match &step.action {
                Action::Run { commands } => {
                    match moved(stages, stage, commands, &path, strict) {
                        Moved::From(before) => path = before,
                        // What it leads to may come later than the link.
                        Moved::Link(target) if links > 0 => {
                            return behind(stages, stage, &target, links - 1);
                        }
                        Moved::Link(_) | Moved::Not => {}
                    }
                }
                Action::Copy(copy) => {
                    if let Some(source) = source_of(copy, &path, bare, named) {
                        return copied(stages, stage, copy, path, &source);
                    }
                }
            }
        }
        let is_of_cargo = strict && is_output(&path) && last_build(stages, stage).is_some();
        if !named || is_of_cargo {
            return Origin::Made { stage, path };
        }
    }
    Origin::Made {
        stage,
        path: path.to_owned(),
    }
}

/// Where the source of a `COPY` in `stage` comes from, which becomes `path`.
fn copied(stages: &[Stage], stage: usize, copy: &Copy, path: String, source: &str) -> Origin {
    match &copy.from {
        From::Context => {
            let source = context_path(source);
            if is_output(&source) && last_build(stages, stage).is_some() {
                return Origin::Made { stage, path };
            }
            Origin::Context(source)
        }
        From::Image(image) => Origin::Image {
            image: image.clone(),
            path: source.to_owned(),
        },
        // Only earlier stages are ever copied from.
        From::Stage(earlier) if *earlier < stage => {
            origin(stages, *earlier, &absolute("/", source))
        }
        From::Stage(earlier) => Origin::Made {
            stage: *earlier,
            path: source.to_owned(),
        },
    }
}

/// Whether a path is where cargo puts what it makes.
pub(in crate::adopt) fn is_output(path: &str) -> bool {
    let mut parts = path.split('/').rev().skip(1);
    parts.any(|part| matches!(part, "target" | "release" | "debug"))
}

/// A path as seen from the context.
pub(in crate::adopt) fn context_path(source: &str) -> String {
    absolute("/", source).trim_start_matches('/').to_owned()
}

/// Whether a stage begins with no files at all.
pub(in crate::adopt) fn is_bare(stages: &[Stage], stage: usize) -> bool {
    root(stages, stage).is_some_and(|root| root.image == "scratch")
}

/// Where a file of `copy` lands.
pub(in crate::adopt) fn destination(copy: &Copy, source: &str, is_bare: bool) -> String {
    if copy.into || (!is_bare && is_usual_directory(&copy.to)) {
        join(&copy.to, name(source))
    } else {
        copy.to.clone()
    }
}

/// The source of `copy` that gives `path`: one that names it, or a directory that may hold it.
fn source_of(copy: &Copy, path: &str, is_bare: bool, named: bool) -> Option<String> {
    copy.sources.iter().find_map(|source| {
        let last = name(source);
        if is_pattern(last) {
            let glob = Glob::new(last).ok().filter(|_| named)?;
            let fits = glob.compile_matcher().is_match(name(path));
            let directory = source.strip_suffix(last).unwrap_or_default();
            return (fits && below(path, &copy.to) == Some(name(path)))
                .then(|| format!("{directory}{}", name(path)));
        }
        if named {
            let lands = destination(copy, source, is_bare) == path || join(&copy.to, last) == path;
            return lands.then(|| source.clone());
        }
        // A directory gives its contents.
        let inside = below(path, &copy.to).filter(|inside| !inside.is_empty())?;
        (!copy.files.contains(source)).then(|| format!("{}/{inside}", source.trim_end_matches('/')))
    })
}

/// Whether a name stands for several.
pub(in crate::adopt) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// What became of a path in a step.
enum Moved {
    Not,
    /// It was another file.
    From(String),
    /// It leads to another file.
    Link(String),
}

/// What `path` was before the commands of a step. What is `strict` looks into no `DIR/.` for it, which seldom
/// has what another command names.
fn moved(stages: &[Stage], stage: usize, commands: &[Ran], path: &str, strict: bool) -> Moved {
    let mut path = path.to_owned();
    let mut changed = false;
    let is_directory = |target: &str| is_directory(stages, stage, target);
    for transfer in commands.iter().rev().filter_map(Transfer::of) {
        for source in &transfer.sources {
            if strict && takes_contents(source) {
                continue;
            }
            let Some(before) = transfer.before(source, &path, is_directory) else {
                continue;
            };
            if transfer.is_link() && !is_pattern(source) {
                return Moved::Link(absolute(parent(&path), source));
            }
            path = before;
            changed = true;
            break;
        }
    }
    if changed {
        Moved::From(path)
    } else {
        Moved::Not
    }
}

/// Whether `ln` makes a link that leads somewhere, and no second name.
pub(super) fn is_symbolic(words: &[String]) -> bool {
    words
        .iter()
        .skip(1)
        .any(|word| match word.strip_prefix("--") {
            Some(long) => long == "symbolic",
            None => word.starts_with('-') && word.contains('s'),
        })
}

/// Arguments that are no flags, without the values of flags that have one.
pub(in crate::adopt) fn operands(arguments: &[String]) -> Vec<&String> {
    let mut operands = Vec::new();
    let mut skip = false;
    for argument in arguments {
        if std::mem::take(&mut skip) {
            continue;
        }
        if argument.starts_with('-') && argument.len() > 1 {
            // `install -m 755`, `-o root`, `-g root`; `cp -t` is rare.
            let letters = argument
                .strip_prefix('-')
                .and_then(|rest| rest.strip_suffix('m'));
            let is_mode = letters.is_some_and(|rest| rest.chars().all(|c| "DTpvcC".contains(c)));
            skip = is_mode
                || matches!(
                    argument.as_str(),
                    "-o" | "-g" | "--mode" | "--owner" | "--group"
                );
            continue;
        }
        operands.push(argument);
    }
    operands
}

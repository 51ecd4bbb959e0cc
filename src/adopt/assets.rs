//! `COPY` and `ADD` as assets of the package.

use std::path::{Path, PathBuf};

use globset::GlobBuilder;
use toml_edit::InlineTable;

use super::choose::Placed;
use super::draft::Draft;
use super::elsewhere;
use super::locate::{Origin, context_path, destination, is_bare, is_output, is_pattern, origin};
use super::paths::{join, name};
use super::stage::{self, Action, From, Stage, Step, lineage};
use crate::fs::{normalized, relative};
use crate::workspace::{Package, Workspace};

/// What of a context docker leaves out.
const IGNORE_FILE: &str = ".dockerignore";
/// More entries of one directory are not listed.
const MAX_ENTRIES: usize = 200;

/// The files that a stage is given.
pub(super) struct Files<'a> {
    pub(super) stages: &'a [Stage],
    pub(super) stage: usize,
    pub(super) workspace: &'a Workspace,
    pub(super) package: &'a Package,
    /// The directory that `docker build` is given.
    pub(super) context: &'a Path,
    /// What is copied as executables.
    pub(super) executables: &'a [Placed],
    /// The one of the service.
    pub(super) own: Option<&'a Placed>,
    /// Whether the stage compiles, and what it is given is sources.
    pub(super) compiles: bool,
    /// Whether the user is root.
    pub(super) is_root: bool,
}

/// One source of a `COPY`.
#[derive(Clone, Copy)]
struct Item<'c> {
    line: usize,
    copy: &'c stage::Copy,
    /// As named, or as seen from the context.
    path: &'c str,
    /// Where it lands.
    to: &'c str,
}

/// Assets with their lines.
type Assets = Vec<(usize, InlineTable)>;

impl Files<'_> {
    /// Puts assets into the draft, and says of the rest why it is none.
    pub(super) fn adopt(&self, draft: &mut Draft<'_>) {
        let mut assets = Vec::new();
        let mut chain = lineage(self.stages, self.stage);
        chain.reverse();
        for index in chain {
            let steps = self.stages.get(index).map(|stage| stage.steps.as_slice());
            for step in steps.unwrap_or_default() {
                if let Action::Copy(copy) = &step.action {
                    self.copy(step, copy, is_bare(self.stages, index), draft, &mut assets);
                }
            }
        }
        draft.list("assets", assets);
    }

    /// Tells that docker may leave something out of a directory of the context.
    fn ignored(&self, line: usize, path: &str, draft: &mut Draft<'_>) {
        if self.context.join(IGNORE_FILE).is_file() {
            draft.lost(
                line,
                &format!("`{IGNORE_FILE}` is not read: of `{path}` the image has what that keeps out, too"),
                "name the files that the service reads, and see what there is with `cargo lighter inspect --files 1000`",
            );
        }
    }

    fn copy(
        &self,
        step: &Step,
        copy: &stage::Copy,
        bare: bool,
        draft: &mut Draft<'_>,
        assets: &mut Assets,
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
        for source in &copy.sources {
            let to = destination(copy, source, bare);
            if let Some(placed) = self.executables.iter().find(|placed| placed.path == to) {
                if self.own.is_some_and(|own| placed.origin != own.origin) {
                    self.made(line, source, draft);
                }
                continue;
            }
            if elsewhere::adopt(line, copy, source, draft) {
                continue;
            }
            let before = assets.len();
            let item = Item {
                line,
                copy,
                path: source,
                to: &to,
            };
            self.source(item, draft, assets);
            taken |= assets.len() > before;
        }
        if taken {
            self.flags(line, copy, draft);
        }
    }

    fn source(&self, item: Item<'_>, draft: &mut Draft<'_>, assets: &mut Assets) {
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
                let path = super::paths::absolute("/", source);
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

    fn made(&self, line: usize, path: &str, draft: &mut Draft<'_>) {
        let binaries = self.workspace.services.iter();
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

    fn exists(&self, path: &str) -> bool {
        is_pattern(path) || self.context.join(path).symlink_metadata().is_ok()
    }

    /// Files of the context.
    fn context(&self, item: Item<'_>, draft: &mut Draft<'_>, assets: &mut Assets) {
        let Item { line, copy, .. } = item;
        let (path, to) = (item.path, item.to);
        let what = copy.instruction;
        let archive = [".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2"];
        if what == "ADD" && archive.iter().any(|end| path.ends_with(end)) {
            draft.lost(
                line,
                &format!("`ADD` unpacks `{path}`"),
                "unpack it into the repository, and name the files in `assets`",
            );
            return;
        }
        if path.is_empty() {
            draft.lost(
                line,
                &format!("`{what}` brings all of the context into the image"),
                "name the files that the service reads while it runs in `assets`",
            );
            return;
        }
        if path.contains(['{', '}', '\\', ']']) && !is_pattern(path) {
            draft.lost(
                line,
                &format!("the name of `{path}` means something to `assets`"),
                "rename it",
            );
            return;
        }
        if is_pattern(path) {
            self.ignored(line, path, draft);
            self.pattern(item, draft, assets);
            return;
        }
        let on_disk = self.context.join(path);
        let Ok(facts) = on_disk.metadata() else {
            draft.lost(
                line,
                &format!("`{path}` is not there"),
                &format!(
                    "when it is, add `{{ from = \"{}\", to = \"{to}\" }}` to `assets`",
                    self.from(&on_disk).unwrap_or_else(|| path.to_owned())
                ),
            );
            return;
        };
        if facts.is_dir() {
            self.ignored(line, path, draft);
        }
        // The root takes no asset as a whole.
        if facts.is_dir() && copy.to == "/" {
            for entry in entries(&on_disk) {
                let inner = Item {
                    path: &format!("{path}/{entry}"),
                    to: &format!("/{entry}"),
                    ..item
                };
                self.asset(inner, draft, assets);
            }
            return;
        }
        let to = if facts.is_dir() { copy.to.as_str() } else { to };
        self.asset(Item { to, ..item }, draft, assets);
    }

    fn pattern(&self, item: Item<'_>, draft: &mut Draft<'_>, assets: &mut Assets) {
        let Item {
            line, copy, path, ..
        } = item;
        let (directory, last) = path.rsplit_once('/').unwrap_or(("", path));
        let on_disk = self.context.join(directory);
        let glob = GlobBuilder::new(last).literal_separator(true).build();
        let glob = glob.ok().filter(|_| !is_pattern(directory));
        let Some(matcher) = glob.map(|glob| glob.compile_matcher()) else {
            draft.lost(
                line,
                &format!("`{path}` puts files of several directories into one"),
                "name each directory in `assets`",
            );
            return;
        };
        let fitting: Vec<String> = entries(&on_disk)
            .into_iter()
            .filter(|entry| matcher.is_match(entry))
            .collect();
        let is_directory = |entry: &String| on_disk.join(entry).is_dir();
        if fitting.is_empty() {
            draft.lost(
                line,
                &format!("nothing is there that `{path}` matches"),
                "add it to `assets` when something is",
            );
        } else if fitting.iter().any(is_directory) || copy.to == "/" {
            // docker takes what such a directory holds; a pattern here would keep its name.
            for entry in fitting {
                let inner = join("/", &format!("{directory}/{entry}"));
                let inner = inner.trim_start_matches('/');
                let to = if is_directory(&entry) {
                    copy.to.clone()
                } else {
                    join(&copy.to, &entry)
                };
                if to != "/" {
                    let inner = Item {
                        path: inner,
                        to: &to,
                        ..item
                    };
                    self.asset(inner, draft, assets);
                }
            }
        } else {
            let to = &copy.to;
            self.asset(Item { to, ..item }, draft, assets);
        }
    }

    fn asset(&self, item: Item<'_>, draft: &mut Draft<'_>, assets: &mut Assets) {
        let Item { line, copy, .. } = item;
        let (path, to) = (item.path, item.to);
        let Some(from) = self.from(&self.context.join(path)) else {
            draft.lost(
                line,
                &format!("`{path}` lies outside of the repository"),
                "copy it into the repository, and name it in `assets`",
            );
            return;
        };
        let mut table = InlineTable::new();
        table.insert("from", from.into());
        table.insert("to", to.into());
        if let Some(mode) = mode(copy) {
            table.insert("mode", mode.into());
        }
        assets.push((line, table));
    }

    /// A file as `from` names it.
    fn from(&self, on_disk: &Path) -> Option<String> {
        let path = normalized(on_disk);
        let text = |path: &Path| path.to_str().map(str::to_owned);
        let below = |directory: &Path| {
            let rest = path.strip_prefix(directory).ok();
            rest.filter(|rest| rest.components().next().is_some())
                .and_then(text)
        };
        if let Some(inside) = below(&self.package.directory) {
            return Some(inside);
        }
        if let Some(inside) = below(&self.workspace.root) {
            return Some(format!("/{inside}"));
        }
        below(&self.workspace.repository_root)?;
        text(&relative(&path, &self.package.directory))
    }

    fn flags(&self, line: usize, copy: &stage::Copy, draft: &mut Draft<'_>) {
        for (flag, value) in &copy.flags {
            match flag.as_str() {
                "chown"
                    if !self.is_root
                        && !matches!(value.as_str(), "root" | "0" | "0:0" | "root:root") =>
                {
                    draft.changed(
                        line,
                        "files of the image belong to root, and everyone may read them",
                        "what the service writes belongs into `volumes`",
                    );
                }
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

/// `--chmod` as the configuration writes it.
fn mode(copy: &stage::Copy) -> Option<String> {
    let (_, value) = copy.flags.iter().find(|(flag, _)| flag == "chmod")?;
    let digits = value.trim_start_matches('0');
    let octal =
        (1..=4).contains(&digits.len()) && digits.bytes().all(|b| (b'0'..=b'7').contains(&b));
    octal.then(|| format!("0{digits:0>3}"))
}

/// Names in a directory, sorted; nothing of one that cannot be read.
fn entries(directory: &Path) -> Vec<String> {
    let Ok(read) = fs_err::read_dir(directory) else {
        return Vec::new();
    };
    let mut names: Vec<String> = read
        .take(MAX_ENTRIES)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

/// Notes which sources of `COPY` are files in the context.
pub(super) fn see_files(stages: &mut [Stage], context: &Path) {
    let steps = stages.iter_mut().flat_map(|stage| &mut stage.steps);
    for step in steps {
        if let Action::Copy(copy) = &mut step.action
            && copy.from == From::Context
        {
            let is_file = |source: &&String| context.join(context_path(source)).is_file();
            copy.files = copy.sources.iter().filter(is_file).cloned().collect();
        }
    }
}

/// The directory in which most of what is copied from the context is found. `docker build` is told by
/// its caller, whom nobody can ask.
pub(super) fn likely_context(stages: &[Stage], candidates: &[PathBuf]) -> PathBuf {
    let sources: Vec<&String> = stages
        .iter()
        .flat_map(|stage| &stage.steps)
        .filter_map(|step| match &step.action {
            Action::Copy(copy) if copy.from == From::Context => Some(&copy.sources),
            _ => None,
        })
        .flatten()
        .filter(|source| !is_pattern(source))
        .take(MAX_ENTRIES)
        .collect();
    let found = |directory: &PathBuf| {
        let there = sources.iter().filter(|source| {
            let path = context_path(source);
            directory.join(path).symlink_metadata().is_ok()
        });
        there.count()
    };
    let mut best: Option<(usize, &PathBuf)> = None;
    for candidate in candidates {
        let count = found(candidate);
        if best.is_none_or(|(most, _)| count > most) {
            best = Some((count, candidate));
        }
    }
    best.map(|(_, directory)| directory.clone())
        .unwrap_or_default()
}

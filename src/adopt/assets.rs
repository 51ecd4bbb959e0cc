//! `COPY` and `ADD` as assets of the package.

use std::path::{Path, PathBuf};

use globset::GlobBuilder;
use toml_edit::InlineTable;

use super::choose::Placed;
use super::draft::Draft;
use super::elsewhere;
use super::ignored::Ignored;
use super::listing::Listing;
use super::locate::{Origin, context_path, destination, is_bare, is_output, is_pattern, origin};
use super::paths::{join, name};
use super::runs::few;
use super::secret_file::is_secret_file;
use super::stage::{self, Action, From, Stage, Step, lineage};
use crate::fs::{normalized, relative};
use crate::workspace::{Package, Workspace};

/// More sources are not looked for.
const MAX_SOURCES: usize = 200;
/// More entries of one directory are not listed.
const MAX_ENTRIES: usize = 10_000;
/// More files of one source are not named one by one.
const MAX_NAMED: usize = 20;

/// The files that a stage is given.
pub(super) struct Files<'a> {
    pub(super) stages: &'a [Stage],
    pub(super) stage: usize,
    pub(super) workspace: &'a Workspace,
    pub(super) package: &'a Package,
    /// The directory that `docker build` is given.
    pub(super) context: &'a Path,
    /// What of it docker does not see.
    pub(super) ignored: &'a Ignored,
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
        if is_pattern(path) {
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
            let to = copy.to.as_str();
            self.directory(Item { to, ..item }, draft, assets);
        } else if self.may_be_seen(line, &[path.to_owned()], draft) {
            self.named(item, draft, assets);
        }
    }

    /// Whether docker sees any of those files; tells which of them it does not.
    fn may_be_seen(&self, line: usize, paths: &[String], draft: &mut Draft<'_>) -> bool {
        let out = paths.iter().filter(|path| self.is_ignored(path));
        let out: Vec<String> = out.cloned().collect();
        if !out.is_empty() && out.len() == paths.len() {
            draft.lost(
                line,
                &format!(
                    "`{}` keeps out {}, so that `docker build` finds nothing",
                    self.ignored.file,
                    few(&out)
                ),
                "leave this `COPY` out, or let that file keep less out",
            );
            return false;
        }
        let secrets = paths
            .iter()
            .filter(|path| self.is_secret(path) && !self.is_ignored(path));
        let secrets: Vec<String> = secrets.cloned().collect();
        told_of_secrets(line, &secrets, draft);
        secrets.len() + out.len() < paths.len()
    }

    /// Whether docker does not see a file; what is in a directory is asked about itself.
    fn is_ignored(&self, path: &str) -> bool {
        self.ignored.keeps_out(path) && !self.context.join(path).is_dir()
    }

    fn is_secret(&self, path: &str) -> bool {
        let path = self.context.join(path);
        is_secret_file(&path) && !path.is_dir()
    }

    /// A directory of the context: as a whole, or what docker sees of it.
    fn directory(&self, item: Item<'_>, draft: &mut Draft<'_>, assets: &mut Assets) {
        let Item { line, path, to, .. } = item;
        let target = &self.workspace.target_directory;
        let listing = Listing::new(self.context, path, target, self.ignored);
        let below = |files: Vec<String>| -> Vec<String> {
            files.iter().map(|file| format!("{path}/{file}")).collect()
        };
        let ignored = below(listing.ignored());
        told_of_secrets(line, &below(listing.secrets()), draft);
        // The root takes no asset as a whole.
        if listing.is_whole() && to != "/" {
            self.named(item, draft, assets);
            if !listing.complete {
                draft.lost(
                    line,
                    &format!("`{path}` has more than can be looked at"),
                    "see what the image has of it with `cargo lighter inspect --files 1000`",
                );
            }
            return;
        }
        let parts = listing.parts();
        let file = &self.ignored.file;
        if parts.is_empty() && !ignored.is_empty() {
            self.may_be_seen(line, &ignored, draft);
        } else if parts.len() > MAX_NAMED || !listing.complete {
            let why = if ignored.is_empty() {
                String::new()
            } else {
                format!("; `{file}` keeps out {}", few(&ignored))
            };
            draft.lost(
                line,
                &format!("`{path}` has too many files to name those of the image one by one{why}"),
                "put them into a directory of their own, and name that in `assets`",
            );
        } else {
            if !ignored.is_empty() {
                draft.changed(
                    line,
                    &format!(
                        "`{file}` keeps out {}: what stands beside that is named one by one",
                        few(&ignored)
                    ),
                    "name in `assets` what is added later",
                );
            }
            for part in parts {
                let inner = Item {
                    path: &format!("{path}/{part}"),
                    to: &join(to, &part),
                    ..item
                };
                self.named(inner, draft, assets);
            }
        }
    }

    fn pattern(&self, item: Item<'_>, draft: &mut Draft<'_>, assets: &mut Assets) {
        let Item {
            line, copy, path, ..
        } = item;
        let (directory, last) = path.rsplit_once('/').unwrap_or(("", path));
        let on_disk = self.context.join(directory);
        // Here these are no more than characters.
        if path.contains(['{', '}', '\\']) || path.contains("[!") {
            draft.lost(
                line,
                &format!("`{path}` means something else to `assets`"),
                "name the files in `assets`",
            );
            return;
        }
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
            .map(|entry| {
                format!("{directory}/{entry}")
                    .trim_start_matches('/')
                    .to_owned()
            })
            .collect();
        if fitting.is_empty() {
            draft.lost(
                line,
                &format!("nothing is there that `{path}` matches"),
                "add it to `assets` when something is",
            );
            return;
        }
        if !self.may_be_seen(line, &fitting, draft) {
            return;
        }
        let is_directory = |path: &String| self.context.join(path).is_dir();
        let is_ignored = |path: &String| self.is_ignored(path);
        let is_out = |path: &String| is_ignored(path) || self.is_secret(path);
        // docker takes what such a directory holds; a pattern here would keep its name.
        let is_plain = copy.to != "/"
            && !fitting
                .iter()
                .any(|path| is_directory(path) || is_out(path));
        if is_plain {
            let to = &copy.to;
            self.asset(Item { to, ..item }, draft, assets);
            return;
        }
        let taken: Vec<&String> = fitting.iter().filter(|path| !is_out(path)).collect();
        if taken.len() > MAX_NAMED {
            draft.lost(
                line,
                &format!("`{path}` matches too many files to name those of the image one by one"),
                "put them into a directory of their own, and name that in `assets`",
            );
            return;
        }
        let out = fitting.iter().filter(|path| is_ignored(path));
        let out: Vec<String> = out.cloned().collect();
        if !out.is_empty() {
            draft.changed(
                line,
                &format!(
                    "`{}` keeps out {}: what else `{path}` matches is named one by one",
                    self.ignored.file,
                    few(&out)
                ),
                "name in `assets` what is added later",
            );
        }
        for path in taken {
            if is_directory(path) {
                let to = copy.to.as_str();
                self.directory(Item { path, to, ..item }, draft, assets);
            } else {
                let to = &join(&copy.to, name(path));
                self.named(Item { path, to, ..item }, draft, assets);
            }
        }
    }

    /// A file or directory, whose name may not look like a pattern.
    fn named(&self, item: Item<'_>, draft: &mut Draft<'_>, assets: &mut Assets) {
        let Item { line, path, .. } = item;
        if path.contains(['{', '}', '\\', '[', ']', '*', '?']) {
            draft.lost(
                line,
                &format!("the name of `{path}` means something to `assets`"),
                "rename it",
            );
            return;
        }
        self.asset(item, draft, assets);
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

/// What everyone who has the image could read is not proposed.
fn told_of_secrets(line: usize, files: &[String], draft: &mut Draft<'_>) {
    let message = match files {
        [] => return,
        [file] => format!("`{file}` looks like a secret"),
        files => format!("{} look like secrets", few(files)),
    };
    draft.lost(
        line,
        &format!("{message}: left out of `assets`, as everyone who has the image could read it"),
        "mount it where the service runs, such as from a Kubernetes Secret; what everyone may read is named in `assets` by itself",
    );
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
        .take(MAX_SOURCES)
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

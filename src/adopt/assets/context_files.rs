//! Files of the context as assets: no more of them than docker sees, and none that looks like a secret.

use std::path::Path;

use globset::GlobBuilder;

use super::access::Owner;
use super::asset::{Asset, Kind, mode};
use super::copies::{Files, Item};
use super::listing::{Listing, leads_out};
use crate::adopt::layers::{context_path, is_pattern};
use crate::adopt::manifest::Draft;
use crate::adopt::paths::{join, name};
use crate::adopt::remark::few;
use crate::adopt::secrets::is_secret_file;
use crate::fs::{normalized, relative};

/// More entries of one directory are not listed.
const MAX_ENTRIES: usize = 10_000;
/// More files of one source are not named one by one.
const MAX_NAMED: usize = 20;

impl Files<'_> {
    /// Files of the context.
    pub(super) fn context(&self, item: Item<'_>, draft: &mut Draft<'_>, assets: &mut Vec<Asset>) {
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
        if self.is_outside(path) {
            told_of_links(line, &[path.to_owned()], draft);
        } else if facts.is_dir() {
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
        let links = paths.iter().filter(|path| {
            self.is_outside(path) && !self.is_secret(path) && !self.is_ignored(path)
        });
        let links: Vec<String> = links.cloned().collect();
        told_of_links(line, &links, draft);
        secrets.len() + links.len() + out.len() < paths.len()
    }

    /// Whether docker does not see a file; what is in a directory is asked about itself.
    fn is_ignored(&self, path: &str) -> bool {
        self.ignored.keeps_out(path) && !self.context.join(path).is_dir()
    }

    fn is_secret(&self, path: &str) -> bool {
        let path = self.context.join(path);
        is_secret_file(&path, &self.workspace.repository_root) && !path.is_dir()
    }

    /// Whether it leads to nothing in the repository.
    fn is_outside(&self, path: &str) -> bool {
        leads_out(&self.context.join(path), &self.workspace.repository_root)
    }

    /// A directory of the context: as a whole, or what docker sees of it.
    fn directory(&self, item: Item<'_>, draft: &mut Draft<'_>, assets: &mut Vec<Asset>) {
        let Item { line, path, to, .. } = item;
        let listing = Listing::new(self.context, path, self.workspace, self.ignored);
        let below = |files: Vec<String>| -> Vec<String> {
            files.iter().map(|file| format!("{path}/{file}")).collect()
        };
        let ignored = below(listing.ignored());
        told_of_secrets(line, &below(listing.secrets()), draft);
        told_of_links(line, &below(listing.outside()), draft);
        // The root takes no asset as a whole.
        let is_seen = listing.complete || self.ignored.is_empty();
        if listing.is_whole() && is_seen && to != "/" {
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

    /// Files that a name with `*` and its kin stands for.
    fn pattern(&self, item: Item<'_>, draft: &mut Draft<'_>, assets: &mut Vec<Asset>) {
        let Some(fitting) = self.fitting(item.line, item.path, draft) else {
            return;
        };
        if !self.may_be_seen(item.line, &fitting, draft) {
            return;
        }
        // docker takes what such a directory holds; a pattern here would keep its name.
        let to = &item.copy.to;
        let is_other = |path: &String| self.context.join(path).is_dir() || self.is_out(path);
        if to == "/" || fitting.iter().any(is_other) {
            self.one_by_one(item, &fitting, draft, assets);
        } else {
            self.asset(Item { to, ..item }, draft, assets);
        }
    }

    /// Whether a file is in no image.
    fn is_out(&self, path: &str) -> bool {
        self.is_ignored(path) || self.is_secret(path) || self.is_outside(path)
    }

    /// What is there that a pattern matches; `None` where that is nothing or not known, which is told.
    fn fitting(&self, line: usize, path: &str, draft: &mut Draft<'_>) -> Option<Vec<String>> {
        // Here these are no more than characters.
        if path.contains(['{', '}', '\\']) || path.contains("[!") {
            draft.lost(
                line,
                &format!("`{path}` means something else to `assets`"),
                "name the files in `assets`",
            );
            return None;
        }
        let (directory, last) = path.rsplit_once('/').unwrap_or(("", path));
        let glob = GlobBuilder::new(last).literal_separator(true).build();
        let glob = glob.ok().filter(|_| !is_pattern(directory));
        let Some(matcher) = glob.map(|glob| glob.compile_matcher()) else {
            draft.lost(
                line,
                &format!("`{path}` puts files of several directories into one"),
                "name each directory in `assets`",
            );
            return None;
        };
        let entries = entries(&self.context.join(directory)).into_iter();
        let fitting: Vec<String> = entries
            .filter(|entry| matcher.is_match(entry))
            .map(|entry| context_path(&format!("{directory}/{entry}")))
            .collect();
        if fitting.is_empty() {
            draft.lost(
                line,
                &format!("nothing is there that `{path}` matches"),
                "add it to `assets` when something is",
            );
            return None;
        }
        Some(fitting)
    }

    /// What a pattern matches, but for what is in no image.
    fn one_by_one(
        &self,
        item: Item<'_>,
        fitting: &[String],
        draft: &mut Draft<'_>,
        assets: &mut Vec<Asset>,
    ) {
        let Item { line, path, .. } = item;
        let taken: Vec<&String> = fitting.iter().filter(|path| !self.is_out(path)).collect();
        if taken.len() > MAX_NAMED {
            draft.lost(
                line,
                &format!("`{path}` matches too many files to name those of the image one by one"),
                "put them into a directory of their own, and name that in `assets`",
            );
            return;
        }
        let ignored = fitting.iter().filter(|path| self.is_ignored(path));
        let ignored: Vec<String> = ignored.cloned().collect();
        if !ignored.is_empty() {
            draft.changed(
                line,
                &format!(
                    "`{}` keeps out {}: what else `{path}` matches is named one by one",
                    self.ignored.file,
                    few(&ignored)
                ),
                "name in `assets` what is added later",
            );
        }
        for path in taken {
            let to = item.copy.to.as_str();
            if self.context.join(path).is_dir() {
                self.directory(Item { path, to, ..item }, draft, assets);
            } else {
                let to = &join(to, name(path));
                self.named(Item { path, to, ..item }, draft, assets);
            }
        }
    }

    /// A file or directory, whose name may not look like a pattern.
    fn named(&self, item: Item<'_>, draft: &mut Draft<'_>, assets: &mut Vec<Asset>) {
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

    fn asset(&self, item: Item<'_>, draft: &mut Draft<'_>, assets: &mut Vec<Asset>) {
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
        let source = self.context.join(path);
        let kind = if is_pattern(path) {
            Kind::Pattern
        } else if source.is_dir() {
            Kind::Directory
        } else {
            Kind::File
        };
        if kind != Kind::Pattern {
            self.told_of_disk(item, &source, draft);
        }
        assets.push(Asset {
            line,
            from,
            to: to.to_owned(),
            mode: mode(copy),
            owner: Owner::of_copy(copy),
            kind,
            source,
        });
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

/// What `build` would refuse is not proposed.
fn told_of_links(line: usize, files: &[String], draft: &mut Draft<'_>) {
    let message = match files {
        [] => return,
        [file] => format!("`{file}` is a link to nothing in the repository"),
        files => format!("{} are links to nothing in the repository", few(files)),
    };
    draft.lost(
        line,
        &format!("{message}: left out of `assets`"),
        "copy the file itself into the repository, and name it in `assets`",
    );
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

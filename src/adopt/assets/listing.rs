//! What of a directory of the context docker and the image would have.

use std::path::Path;

use walkdir::WalkDir;

use crate::adopt::dockerfile::Ignored;
use crate::adopt::secrets::is_secret_file;
use crate::fs::normalized;
use crate::workspace::Workspace;

/// More files of one directory are not looked at.
const MAX_FILES: usize = 10_000;

/// What becomes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Taken,
    /// docker does not see it.
    Ignored,
    /// It looks like a secret, which assets leave out that do not name it.
    LeftOut,
    /// It is a link to nothing in the repository.
    Outside,
}

/// The files of a directory.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Relative to the directory, sorted.
    files: Vec<(String, Fate)>,
    /// Whether that is all of them.
    pub(super) complete: bool,
}

impl Listing {
    /// Looks at the directory `path` of `context`, but for what git and cargo keep there.
    pub(super) fn new(
        context: &Path,
        path: &str,
        workspace: &Workspace,
        ignored: &Ignored,
    ) -> Self {
        let target = workspace.target_directory.as_path();
        let mut listing = Self {
            files: Vec::new(),
            complete: true,
        };
        let directory = context.join(path);
        let in_target = directory.starts_with(target);
        let walk = WalkDir::new(&directory)
            .min_depth(1)
            .sort_by_file_name()
            .into_iter()
            .filter_entry(|entry| {
                entry.file_name() != ".git" && (in_target || entry.path() != target)
            });
        for entry in walk {
            let Ok(entry) = entry else {
                listing.complete = false;
                continue;
            };
            if entry.file_type().is_dir() {
                continue;
            }
            if listing.files.len() >= MAX_FILES {
                listing.complete = false;
                break;
            }
            let inside = entry.path().strip_prefix(&directory).ok();
            let Some(inside) = inside.and_then(Path::to_str) else {
                listing.complete = false;
                continue;
            };
            let whole = format!("{path}/{inside}");
            let fate = if ignored.keeps_out(&whole) {
                Fate::Ignored
            } else if is_secret_file(entry.path(), &workspace.repository_root) {
                Fate::LeftOut
            } else if entry.path_is_symlink() && leads_out(entry.path(), &workspace.repository_root)
            {
                Fate::Outside
            } else {
                Fate::Taken
            };
            listing.files.push((inside.to_owned(), fate));
        }
        listing
    }

    fn of(&self, fate: Fate) -> Vec<String> {
        let files = self.files.iter();
        files
            .filter(|(_, other)| *other == fate)
            .map(|(file, _)| file.clone())
            .collect()
    }

    /// Files that docker does not see.
    pub(super) fn ignored(&self) -> Vec<String> {
        self.of(Fate::Ignored)
    }

    /// Files that look like secrets.
    pub(super) fn secrets(&self) -> Vec<String> {
        self.of(Fate::LeftOut)
    }

    /// Links to nothing in the repository.
    pub(super) fn outside(&self) -> Vec<String> {
        self.of(Fate::Outside)
    }

    /// Whether an asset of all of it brings nothing else than it should.
    pub(super) fn is_whole(&self) -> bool {
        self.ignored().is_empty() && self.outside().is_empty()
    }

    /// The files and directories in it that assets may name, as few as can be; those of the directory
    /// itself are named one by one.
    pub(super) fn parts(&self) -> Vec<String> {
        let files: Vec<(&str, Fate)> = self
            .files
            .iter()
            .map(|(file, fate)| (file.as_str(), *fate))
            .collect();
        let mut parts = Vec::new();
        divide(&files, "", &mut parts);
        parts
    }
}

/// Whether something in the repository leads to what is not, which `build` refuses.
pub(super) fn leads_out(path: &Path, repository: &Path) -> bool {
    let Ok(root) = fs_err::canonicalize(repository) else {
        return false;
    };
    if !normalized(path).starts_with(repository) {
        return false;
    }
    match fs_err::canonicalize(path) {
        Ok(real) => !real.starts_with(root),
        Err(_) => path.is_symlink(),
    }
}

/// Files of one directory stand beside one another.
fn divide(files: &[(&str, Fate)], directory: &str, parts: &mut Vec<String>) {
    let mut rest = files;
    while let Some(((file, fate), after)) = rest.split_first() {
        let inside = file.get(directory.len()..).unwrap_or_default();
        let Some((first, _)) = inside.split_once('/') else {
            if *fate == Fate::Taken {
                parts.push((*file).to_owned());
            }
            rest = after;
            continue;
        };
        let inner = format!("{directory}{first}/");
        let length = rest
            .iter()
            .take_while(|(file, _)| file.starts_with(&inner))
            .count();
        let (below, after) = rest.split_at(length.max(1));
        let has = |fate| below.iter().any(|(_, other)| *other == fate);
        if has(Fate::Ignored) || has(Fate::Outside) {
            divide(below, &inner, parts);
        } else if has(Fate::Taken) {
            parts.push(inner.trim_end_matches('/').to_owned());
        }
        rest = after;
    }
}

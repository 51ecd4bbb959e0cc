//! What docker keeps of files as they are on the disk, and the image does not: narrow modes and empty
//! directories.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use walkdir::{DirEntry, WalkDir};

use super::copies::{Files, Item};
use crate::adopt::manifest::Draft;
use crate::adopt::paths::{absolute, below, join};
use crate::adopt::remark::{few, list};
use crate::adopt::secrets::is_secret_file;

/// More of one directory is not looked at.
const MAX_ENTRIES: usize = 10_000;

impl Files<'_> {
    /// Tells of what an asset does not carry of `source`; a mode that is said counts for all of it.
    pub(super) fn told_of_disk(&self, item: Item<'_>, source: &Path, draft: &mut Draft<'_>) {
        let Item { line, path, to, .. } = item;
        let (mut narrow, mut empty) = (Vec::new(), Vec::new());
        let walk = WalkDir::new(source).sort_by_file_name().into_iter();
        let walk = walk.filter_entry(|entry| entry.file_name() != ".git");
        for entry in walk.filter_map(Result::ok).take(MAX_ENTRIES) {
            let inside = entry.path().strip_prefix(source).ok();
            let Some(inside) = inside.and_then(Path::to_str) else {
                continue;
            };
            let whole = match inside {
                "" => path.to_owned(),
                inside => format!("{path}/{inside}"),
            };
            let is_secret = || is_secret_file(entry.path(), &self.workspace.repository_root);
            if self.ignored.keeps_out(&whole) || (entry.file_type().is_file() && is_secret()) {
                continue;
            }
            let place = join(to, inside);
            if is_empty(&entry) && !self.is_volume(&place) {
                empty.push(place);
            }
            if is_narrow(&entry) {
                narrow.push(whole);
            }
        }
        let has_mode = item.copy.flags.iter().any(|(flag, _)| flag == "chmod");
        if !narrow.is_empty() && !has_mode {
            draft.changed(
                line,
                &format!(
                    "not everyone may read {} in the repository, which docker keeps: in the image everyone may",
                    few(&narrow)
                ),
                "set `mode` of the asset where that matters",
            );
        }
        if !empty.is_empty() {
            draft.lost(
                line,
                &format!("{}: empty directories are not carried", list(&empty)),
                "name in `volumes` what the service writes to",
            );
        }
    }

    fn is_volume(&self, path: &str) -> bool {
        let stage = self.stages.get(self.stage);
        let mut volumes = stage.into_iter().flat_map(|stage| &stage.settings.volumes);
        volumes.any(|volume| below(&absolute("/", &volume.value), path).is_some())
    }
}

fn is_empty(entry: &DirEntry) -> bool {
    entry.file_type().is_dir()
        && fs_err::read_dir(entry.path()).is_ok_and(|mut entries| entries.next().is_none())
}

/// Whether others have less rights than they get in the image.
fn is_narrow(entry: &DirEntry) -> bool {
    let needed = if entry.file_type().is_dir() {
        0o055
    } else if entry.file_type().is_file() {
        0o044
    } else {
        return false;
    };
    let facts = entry.metadata();
    facts.is_ok_and(|facts| facts.permissions().mode() & needed != needed)
}

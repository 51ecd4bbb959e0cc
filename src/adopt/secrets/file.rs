//! Files that look like secrets, as assets take them.

use std::path::Path;

use crate::fs::{looks_secret, normalized};

/// Whether a file should be in no image. Of its directories, those in the repository count; where it lies
/// elsewhere, only the one it stands in.
pub(in crate::adopt) fn is_secret_file(path: &Path, repository: &Path) -> bool {
    let path = normalized(path);
    let above = path.parent().and_then(Path::parent);
    let base = if path.starts_with(repository) {
        repository
    } else {
        above.unwrap_or(Path::new(""))
    };
    looks_secret(&path, base)
}

//! Files that look like secrets, as assets take them.

use std::path::Path;

use crate::fs::looks_secret;

/// Whether assets leave a file out that they do not name.
pub(super) fn stays_out(path: &Path) -> bool {
    is_secret_file(path)
}

/// Whether a file should be in no image. Of its directories, only the one it stands in counts.
pub(super) fn is_secret_file(path: &Path) -> bool {
    let above = path.parent().and_then(Path::parent);
    looks_secret(path, above.unwrap_or(Path::new("")))
}

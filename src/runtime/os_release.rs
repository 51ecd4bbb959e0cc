//! `/etc/os-release`: by it scanners know whose package versions the records state.

use super::RuntimeError;
use super::placement::place;
use super::root::LibraryRoot;
use crate::fs::Tree;

/// os-release(5): the second where there is no first.
const PLACES: [&str; 2] = ["/etc/os-release", "/usr/lib/os-release"];

/// Adds the file as `root` has it, and the link to it; returns its place, `None` where there is
/// none.
pub(super) fn add(tree: &mut Tree, root: &LibraryRoot) -> Result<Option<String>, RuntimeError> {
    for path in PLACES {
        if let Some(resolved) = root.file(path)? {
            place(tree, &resolved)?;
            return Ok(Some(resolved.path));
        }
    }
    Ok(None)
}

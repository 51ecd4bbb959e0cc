//! The format of a lock, changed where its content allows.

use super::Lockfile;
use super::source::is_encoded;

/// The lock's text in the format `wanted`, where it only differs from the present one by its header:
/// formats 3 and 4 without a git source whose branch, tag or revision they encode differently.
/// `None` for anything else, and for what is no lock.
///
/// cargo before 1.78 cannot read format 4, and newer ones write it whenever they change a lock.
pub fn with_version(text: &str, wanted: u32) -> Option<String> {
    let lock = Lockfile::parse(text).ok()?;
    if lock.version == wanted {
        return Some(text.to_owned());
    }
    if !matches!((lock.version, wanted), (3, 4) | (4, 3)) {
        return None;
    }
    let patches = lock.unused_patches.iter().map(|patch| &patch.source);
    let sources = lock.packages.iter().map(|package| &package.source);
    if sources
        .chain(patches)
        .flatten()
        .any(|source| is_encoded(source, lock.version))
    {
        return None;
    }
    let mut document: toml_edit::DocumentMut = text.parse().ok()?;
    let header = document.get_mut("version")?.as_value_mut()?;
    let decor = header.decor().clone();
    *header = i64::from(wanted).into();
    *header.decor_mut() = decor;
    let changed = document.to_string();
    // The parser reads both kinds of line ends and writes one.
    Some(if text.contains("\r\n") {
        changed.replace('\n', "\r\n")
    } else {
        changed
    })
}

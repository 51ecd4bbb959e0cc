//! Which packages a root has, without looking at their files.

use super::database::STATUS;
use super::stanza::Stanza;
use crate::runtime::RuntimeError;
use crate::runtime::root::LibraryRoot;

const MAX_STATUS: u64 = 128 * 1024 * 1024;

/// `NAME ARCHITECTURE VERSION` of each package that is installed in `root`, sorted; `None` where the
/// root has no package database.
///
/// # Errors
/// [`RuntimeError`] when the database cannot be read.
pub(crate) fn installed_packages(root: &LibraryRoot) -> Result<Option<Vec<String>>, RuntimeError> {
    let Some(status) = root.text(STATUS, MAX_STATUS)? else {
        return Ok(None);
    };
    let mut packages: Vec<String> = Stanza::parse(&status)
        .filter(Stanza::is_installed)
        .map(|stanza| {
            let field = |name| stanza.get(name).unwrap_or_default().to_owned();
            format!(
                "{} {} {}",
                field("Package"),
                field("Architecture"),
                field("Version")
            )
        })
        .collect();
    packages.sort();
    Ok(Some(packages))
}

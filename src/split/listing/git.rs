//! What git lists.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::{ListingError, is_secret, is_target_directory};
use crate::cargo::HomeInside;
use crate::process::{Environment, Git, Interrupt};
use crate::report::printable;

/// Absolute paths of what is tracked, and of what is neither tracked nor ignored, in the repository at
/// `root`. Repositories inside it are listed as directories. Some may be deleted.
pub(super) fn files(
    root: &Path,
    home: &HomeInside,
    environment: &Environment,
    interrupt: &Interrupt,
) -> Result<Vec<PathBuf>, ListingError> {
    let captured = Git::at(environment, root, interrupt)
        // A file monitor would be started to stay.
        .set("core.fsmonitor=false")
        .run(["ls-files", "-z", "-t", "-co", "--exclude-standard"], b"")?;
    let words = String::from_utf8_lossy(&captured.stderr);
    if !captured.status.success() || tells_of_gaps(&words) {
        return Err(ListingError::Git {
            directory: root.to_owned(),
            words: printable(&words),
        });
    }
    let mut entries = parse(&captured.stdout, root);
    entries.retain(|entry| entry.tracked || !home.holds(&entry.path));
    let target_directories: Vec<&Path> = entries
        .iter()
        .filter(|entry| !entry.tracked && entry.path.ends_with("CACHEDIR.TAG"))
        .filter_map(|entry| entry.path.parent())
        .filter(|directory| is_target_directory(directory))
        .collect();
    let is_made_by_cargo = |path: &Path| {
        target_directories
            .iter()
            .any(|directory| path.starts_with(directory))
    };
    Ok(entries
        .iter()
        .filter(|entry| {
            entry.tracked || !(is_made_by_cargo(&entry.path) || is_secret(&entry.path, root))
        })
        .map(|entry| entry.path.clone())
        .collect())
}

/// Whether git left out a directory that it could not read, which it takes for a success.
fn tells_of_gaps(words: &str) -> bool {
    words.contains("could not open directory")
}

#[derive(Debug, PartialEq, Eq)]
struct Entry {
    path: PathBuf,
    tracked: bool,
}

/// Reads `-z -t`: a letter, a space, a path and a NUL. A question mark stands for what is not tracked.
fn parse(output: &[u8], root: &Path) -> Vec<Entry> {
    output
        .split(|byte| *byte == 0)
        .filter_map(|record| {
            let (tag, path) = record.split_at_checked(2)?;
            // A repository inside this one ends with a slash.
            let path = path.strip_suffix(b"/").unwrap_or(path);
            (!path.is_empty()).then(|| Entry {
                path: root.join(OsStr::from_bytes(path)),
                tracked: tag != b"? ",
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_what_git_lists() {
        let entries = parse(b"H a b\0? nested/\0", Path::new("/r"));
        let seen: Vec<(&str, bool)> = entries
            .iter()
            .map(|entry| (entry.path.to_str().expect("UTF-8"), entry.tracked))
            .collect();
        assert_eq!(seen, [("/r/a b", true), ("/r/nested", false)]);
    }

    #[test]
    fn an_unreadable_directory_is_no_success() {
        assert!(tells_of_gaps(
            "warning: could not open directory 'secret/': Permission denied\n"
        ));
        assert!(!tells_of_gaps("warning: something else\n"));
    }

    proptest! {
        #[test]
        fn foreign_output_never_panics(output: Vec<u8>) {
            let _ = parse(&output, Path::new("/r"));
        }
    }
}

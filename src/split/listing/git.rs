//! What git lists.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{ListingError, is_secret, is_target_directory};
use crate::process::{Environment, Interrupt, Program};
use crate::report::printable;

const LIMIT: Duration = Duration::from_mins(1);

/// What leads git to another repository, index or work tree than those of the directory it stands in:
/// a hook that runs us has such variables. (`git rev-parse --local-env-vars` names them. Those that
/// hold configuration stay, because they may say which directories are safe.)
const LEADING_ELSEWHERE: &[&str] = &[
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CEILING_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
    // These change how a path of ours would be read.
    "GIT_GLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
    "GIT_LITERAL_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
];

/// Absolute paths of what is tracked, and of what is neither tracked nor ignored, in the repository at
/// `root`. Repositories inside it are listed as directories. Some may be deleted.
pub(super) fn files(
    root: &Path,
    environment: &Environment,
    interrupt: &Interrupt,
) -> Result<Vec<PathBuf>, ListingError> {
    let environment = LEADING_ELSEWHERE
        .iter()
        .fold(environment.clone(), |environment, name| {
            environment.without(name)
        })
        .at(root)
        // Without optional locks a reader never stands in the way of the user's own git.
        .with("GIT_OPTIONAL_LOCKS", "0")
        // One warning is told from others by its words.
        .with("LC_ALL", "C");
    let captured = Program::new("git", &environment)
        // A file monitor would be started to stay.
        .args(["-c", "core.fsmonitor=false"])
        .args(["ls-files", "-z", "-t", "-co", "--exclude-standard"])
        .interrupted_by(interrupt)
        .time_limit(LIMIT)
        .capture(b"")?;
    let words = String::from_utf8_lossy(&captured.stderr);
    if !captured.status.success() || tells_of_gaps(&words) {
        return Err(ListingError::Git {
            directory: root.to_owned(),
            words: printable(&words),
        });
    }
    let entries = parse(&captured.stdout, root);
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
        .filter(|entry| entry.tracked || !(is_made_by_cargo(&entry.path) || is_secret(&entry.path)))
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

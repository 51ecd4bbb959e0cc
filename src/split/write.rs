//! Splits as directories on disk.
//!
//! A directory of ours bears a list of the files that were written to it. Writing again changes what
//! changed, removes what no longer belongs, and leaves alone what others put there, such as the target
//! directory of a build.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

use super::tree::SplitFile;
use super::{Split, SplitError};
use crate::fs::{TEMPORARY_PREFIX, normalized, write_atomic};
use crate::workspace::Workspace;

/// The file that tells a split of ours from anything else.
pub const MARKER: &str = ".cargo-lighter-split";
const HEADER: &[u8] = b"cargo-lighter split 1\n";
const MAX_MARKER: u64 = 64 * 1024 * 1024;

/// Refuses a place for splits that lies among the sources, or holds something that is not ours where
/// the split of one of `services` would go. `out` is absolute.
///
/// # Errors
/// [`SplitError::OutInside`], [`SplitError::NotOurs`].
pub fn check_out<'a>(
    workspace: &Workspace,
    out: &Path,
    services: impl IntoIterator<Item = &'a str>,
) -> Result<(), SplitError> {
    let out = real(&normalized(out));
    let sources = source_directories(workspace);
    let is_inside = |directory: &PathBuf| out.starts_with(directory);
    let is_in_target = is_inside(&real(&workspace.target_directory));
    if !is_in_target && sources.iter().any(is_inside) {
        return Err(SplitError::OutInside { out });
    }
    for service in services {
        let place = out.join(service);
        if !is_in_target
            && sources
                .iter()
                .any(|directory| directory.starts_with(&place))
        {
            return Err(SplitError::OutInside { out: place });
        }
        if place.symlink_metadata().is_ok() && !is_empty_directory(&place) {
            read_marker(&place)?;
        }
    }
    Ok(())
}

/// Writes a split to `directory`, and gives the path of its root manifest.
///
/// # Errors
/// [`SplitError`] naming what cannot be written; what was there is then still a split of ours, which
/// the next run completes.
pub fn write(split: &Split, directory: &Path) -> Result<PathBuf, SplitError> {
    let failed = |source| SplitError::Write {
        service: split.service.clone(),
        source,
    };
    let before = if directory.symlink_metadata().is_ok() && !is_empty_directory(directory) {
        read_marker(directory)?
    } else {
        BTreeSet::new()
    };
    let after: BTreeSet<PathBuf> = split.files.keys().cloned().collect();
    fs_err::create_dir_all(directory).map_err(failed)?;
    // Whatever happens on the way, every file that may be there is on the list.
    if before != after {
        let either = before.union(&after).cloned().collect();
        write_marker(directory, &either).map_err(failed)?;
    }
    for path in before.difference(&after) {
        remove(directory, path).map_err(failed)?;
    }
    for (path, file) in &split.files {
        put(directory, path, file).map_err(failed)?;
    }
    if before != after {
        write_marker(directory, &after).map_err(failed)?;
    }
    Ok(directory.join(&split.manifest))
}

/// The repository, and packages outside of it.
fn source_directories(workspace: &Workspace) -> Vec<PathBuf> {
    let repository = &workspace.repository_root;
    let packages = workspace.packages.iter();
    let outside = packages
        .map(|package| &package.directory)
        .filter(|directory| !directory.starts_with(repository));
    outside
        .chain([repository])
        .map(|directory| real(directory))
        .collect()
}

/// A path with the links in that part of it which exists resolved.
fn real(path: &Path) -> PathBuf {
    for above in path.ancestors() {
        if let (Ok(real), Ok(rest)) = (above.canonicalize(), path.strip_prefix(above)) {
            // Joining nothing would add a slash.
            return if rest.as_os_str().is_empty() {
                real
            } else {
                real.join(rest)
            };
        }
    }
    path.to_owned()
}

fn is_empty_directory(path: &Path) -> bool {
    path.symlink_metadata()
        .is_ok_and(|metadata| metadata.is_dir())
        && fs_err::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}

/// The files that were written to a directory of ours.
fn read_marker(directory: &Path) -> Result<BTreeSet<PathBuf>, SplitError> {
    let refuse = || SplitError::NotOurs(directory.to_owned());
    let file = fs_err::File::open(directory.join(MARKER)).map_err(|_| refuse())?;
    let mut bytes = Vec::new();
    file.take(MAX_MARKER)
        .read_to_end(&mut bytes)
        .map_err(|_| refuse())?;
    parse_marker(&bytes).ok_or_else(refuse)
}

/// Paths end in NUL, since names may hold all else. `None` for a text that is not ours: a path that
/// leaves the directory must never be removed.
fn parse_marker(bytes: &[u8]) -> Option<BTreeSet<PathBuf>> {
    let list = bytes.strip_prefix(HEADER)?;
    let paths = list
        .split(|byte| *byte == 0)
        .filter(|path| !path.is_empty());
    paths
        .map(|path| {
            let path = PathBuf::from(OsStr::from_bytes(path));
            let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_));
            path.components().all(is_plain).then_some(path)
        })
        .collect()
}

fn write_marker(directory: &Path, paths: &BTreeSet<PathBuf>) -> io::Result<()> {
    let mut bytes = HEADER.to_vec();
    for path in paths {
        bytes.extend(path.as_os_str().as_bytes());
        bytes.push(0);
    }
    write_atomic(&directory.join(MARKER), &bytes)
}

/// Removes a file that was written earlier, and the directories that it leaves empty.
fn remove(directory: &Path, path: &Path) -> io::Result<()> {
    if !leads_inside(directory, path) {
        return Ok(());
    }
    match fs_err::remove_file(directory.join(path)) {
        Err(error) if is_missing(&error) => {}
        result => result?,
    }
    for above in path.ancestors().skip(1) {
        if above.as_os_str().is_empty() || fs_err::remove_dir(directory.join(above)).is_err() {
            break;
        }
    }
    Ok(())
}

fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory
    )
}

/// Whether no directory on the way to `path` is a link, which could lead anywhere.
fn leads_inside(directory: &Path, path: &Path) -> bool {
    let mut above = path.ancestors().skip(1);
    above.all(|above| {
        let metadata = directory.join(above).symlink_metadata();
        metadata.is_ok_and(|metadata| metadata.is_dir())
    })
}

/// Writes one file, unless it is there already as it should be: its time must not change then, or
/// cargo would compile it again.
fn put(directory: &Path, path: &Path, file: &SplitFile) -> io::Result<()> {
    let place = directory.join(path);
    if !leads_inside(directory, path) {
        make_way(directory, path)?;
    }
    let parent = place.parent().unwrap_or(directory);
    match file {
        SplitFile::Link(target) => {
            if fs_err::read_link(&place).is_ok_and(|held| held == *target) {
                return Ok(());
            }
            clear(&place)?;
            fs_err::os::unix::fs::symlink(target, &place)
        }
        SplitFile::Text(text) => {
            let same = is_same(&place, text.len() as u64, &mut text.as_bytes(), false)?;
            if same {
                return Ok(());
            }
            replace(&place, parent, &mut text.as_bytes(), false)
        }
        SplitFile::Copy { from, executable } => {
            let size = fs_err::metadata(from)?.len();
            let mut source = io::BufReader::new(fs_err::File::open(from)?);
            if is_same(&place, size, &mut source, *executable)? {
                return Ok(());
            }
            let mut source = fs_err::File::open(from)?;
            replace(&place, parent, &mut source, *executable)
        }
    }
}

/// Makes every directory on the way to `path` a directory.
fn make_way(directory: &Path, path: &Path) -> io::Result<()> {
    let above: Vec<&Path> = path.ancestors().skip(1).collect();
    for above in above.into_iter().rev() {
        let place = directory.join(above);
        let is_directory = place
            .symlink_metadata()
            .is_ok_and(|metadata| metadata.is_dir());
        if !is_directory {
            clear(&place)?;
            fs_err::create_dir(&place)?;
        }
    }
    Ok(())
}

/// Removes a file or link that stands where something else should.
fn clear(place: &Path) -> io::Result<()> {
    match fs_err::remove_file(place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Puts what `content` gives at `place`, whole or not at all. Not flushed to the disk: after a loss of
/// power the next run finds that the content differs.
fn replace(
    place: &Path,
    parent: &Path,
    content: &mut dyn io::Read,
    executable: bool,
) -> io::Result<()> {
    let mode = if executable { 0o777 } else { 0o666 };
    let mut temporary = tempfile::Builder::new()
        .prefix(TEMPORARY_PREFIX)
        .permissions(std::fs::Permissions::from_mode(mode))
        .tempfile_in(parent)?;
    io::copy(content, &mut temporary)?;
    temporary.flush()?;
    temporary.persist(place).map_err(|error| {
        let text = format!("cannot write `{}`: {}", place.display(), error.error);
        io::Error::new(error.error.kind(), text)
    })?;
    Ok(())
}

/// Whether a file of this content and mode is there already.
fn is_same(
    place: &Path,
    size: u64,
    content: &mut dyn io::BufRead,
    executable: bool,
) -> io::Result<bool> {
    let Ok(metadata) = place.symlink_metadata() else {
        return Ok(false);
    };
    let is_executable = metadata.permissions().mode() & 0o100 != 0;
    if !metadata.is_file() || metadata.len() != size || is_executable != executable {
        return Ok(false);
    }
    let mut present = io::BufReader::new(fs_err::File::open(place)?);
    same_bytes(&mut present, content)
}

fn same_bytes(one: &mut dyn io::BufRead, two: &mut dyn io::BufRead) -> io::Result<bool> {
    loop {
        let (left, right) = (one.fill_buf()?, two.fill_buf()?);
        let length = left.len().min(right.len());
        if length == 0 {
            return Ok(left.len() == right.len());
        }
        if left[..length] != right[..length] {
            return Ok(false);
        }
        one.consume(length);
        two.consume(length);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_list_that_leaves_the_directory_is_not_ours() {
        for path in ["../x", "/etc/passwd", "a/../../b"] {
            let mut bytes = HEADER.to_vec();
            bytes.extend(path.as_bytes());
            assert_eq!(parse_marker(&bytes), None, "{path}");
        }
    }

    proptest! {
        #[test]
        fn foreign_lists_never_panic(bytes: Vec<u8>) {
            let _ = parse_marker(&bytes);
        }

        #[test]
        fn bytes_are_compared_whatever_the_buffers(one: Vec<u8>, two: Vec<u8>, size in 1_usize..8) {
            let mut left = io::BufReader::with_capacity(size, &one[..]);
            let mut right = io::BufReader::new(&two[..]);
            prop_assert_eq!(same_bytes(&mut left, &mut right).expect("readable"), one == two);
            let mut left = io::BufReader::with_capacity(size, &one[..]);
            let mut right = io::BufReader::new(&one[..]);
            prop_assert!(same_bytes(&mut left, &mut right).expect("readable"));
        }
    }
}

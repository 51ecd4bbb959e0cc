//! A library root: a directory that holds the file system an executable was linked for.
//!
//! Paths are resolved as a process sees them whose root directory it is: an absolute link starts
//! again at the root, `..` above it stays there, and nothing outside is ever opened.

use std::collections::VecDeque;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use fs_err as fs;

use super::RuntimeError;
use super::dpkg::PackageDatabase;

/// As many links as Linux follows (`path_resolution(7)`).
const MAX_LINKS: usize = 40;
const MAX_DIRECTORY_ENTRIES: usize = 65_536;

/// A directory that holds the libraries of a Linux system, `/` for this machine's own.
#[derive(Debug)]
pub struct LibraryRoot {
    given: PathBuf,
    directory: PathBuf,
    packages: OnceLock<Option<PackageDatabase>>,
    reading: Mutex<()>,
}

/// A path of the root, and what it leads to there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resolved {
    /// Absolute within the root, with no link in it.
    pub(super) path: String,
    /// The links that led there: each at its own resolved place, with what is stored in it.
    pub(super) links: Vec<(String, String)>,
    /// What to open.
    pub(super) host: PathBuf,
    /// Whether it is a regular file.
    pub(super) is_file: bool,
    /// Whether it is a directory.
    pub(super) is_directory: bool,
    /// Whether anyone may execute it.
    pub(super) is_executable: bool,
}

impl LibraryRoot {
    /// Takes the directory as the user names it.
    ///
    /// # Errors
    /// [`RuntimeError::Root`] where it is no directory.
    pub fn open(directory: &Path) -> Result<Self, RuntimeError> {
        let root = |source| RuntimeError::Root {
            path: directory.to_owned(),
            source,
        };
        let canonical = fs::canonicalize(directory).map_err(root)?;
        if !fs::metadata(&canonical).map_err(root)?.is_dir() {
            return Err(root(io::ErrorKind::NotADirectory.into()));
        }
        Ok(Self {
            given: directory.to_owned(),
            directory: canonical,
            packages: OnceLock::new(),
            reading: Mutex::default(),
        })
    }

    /// The directory as it was given.
    pub fn given(&self) -> &Path {
        &self.given
    }

    /// Whether it is this machine's own file system.
    pub(super) fn is_host(&self) -> bool {
        self.directory == Path::new("/")
    }

    /// The root's packages, read once; `None` where it has no package database that is understood.
    pub(super) fn packages(&self) -> Result<Option<&PackageDatabase>, RuntimeError> {
        if let Some(known) = self.packages.get() {
            return Ok(known.as_ref());
        }
        // Threads that ask at once wait for one of them to read.
        let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = self.packages.get() {
            return Ok(known.as_ref());
        }
        let read = PackageDatabase::read(self)?;
        Ok(self.packages.get_or_init(|| read).as_ref())
    }

    /// What `path` leads to below the root; `None` where there is nothing.
    pub(super) fn resolve(&self, path: &str) -> Result<Option<Resolved>, RuntimeError> {
        let mut pending: VecDeque<String> = components(path);
        let mut place: Vec<String> = Vec::new();
        let mut links = Vec::new();
        while let Some(component) = pending.pop_front() {
            if component == ".." {
                place.pop();
                continue;
            }
            place.push(component);
            let host = self.host_path(&place);
            let Some(metadata) = present(fs::symlink_metadata(&host))? else {
                return Ok(None);
            };
            if !metadata.is_symlink() {
                continue;
            }
            if links.len() >= MAX_LINKS {
                return Err(RuntimeError::TooManyLinks(path.to_owned()));
            }
            let target = link_text(&fs::read_link(&host)?, &host)?;
            links.push((absolute(&place), target.clone()));
            place.pop();
            if target.starts_with('/') {
                place.clear();
            }
            for component in components(&target).into_iter().rev() {
                pending.push_front(component);
            }
        }
        let host = self.host_path(&place);
        let Some(metadata) = present(fs::symlink_metadata(&host))? else {
            return Ok(None);
        };
        Ok(Some(Resolved {
            path: absolute(&place),
            links,
            host,
            is_file: metadata.is_file(),
            is_directory: metadata.is_dir(),
            is_executable: is_executable(&metadata),
        }))
    }

    /// The regular file that `path` leads to.
    pub(super) fn file(&self, path: &str) -> Result<Option<Resolved>, RuntimeError> {
        Ok(self.resolve(path)?.filter(|resolved| resolved.is_file))
    }

    /// The directory that `path` leads to.
    pub(super) fn directory(&self, path: &str) -> Result<Option<Resolved>, RuntimeError> {
        Ok(self.resolve(path)?.filter(|resolved| resolved.is_directory))
    }

    /// The text of the file at `path`, at most `limit` bytes; bytes that are no UTF-8 are replaced.
    pub(super) fn text(&self, path: &str, limit: u64) -> Result<Option<String>, RuntimeError> {
        let Some(file) = self.file(path)? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        bounded(&file.host, &file.path, limit, &mut bytes)?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Appends the bytes of the file `name` in a directory of the root, without looking at the way there
    /// again: for whoever reads hundreds. What is not there has none.
    pub(super) fn read_in(
        &self,
        directory: &Resolved,
        name: &str,
        limit: u64,
        bytes: &mut Vec<u8>,
    ) -> Result<(), RuntimeError> {
        let path = format!("{}/{name}", directory.path);
        let host = directory.host.join(name);
        match present(fs::symlink_metadata(&host))? {
            Some(metadata) if metadata.is_file() => bounded(&host, &path, limit, bytes),
            Some(_) => match self.file(&path)? {
                Some(file) => bounded(&file.host, &file.path, limit, bytes),
                None => Ok(()),
            },
            None => Ok(()),
        }
    }

    /// The names in the directory at `path`, sorted; none where there is no such directory. Names
    /// that are no UTF-8 are left out.
    pub(super) fn names(&self, path: &str) -> Result<Vec<String>, RuntimeError> {
        let Some(directory) = self.directory(path)? else {
            return Ok(Vec::new());
        };
        let mut names = Vec::new();
        for entry in fs::read_dir(&directory.host)? {
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
            if names.len() > MAX_DIRECTORY_ENTRIES {
                return Err(RuntimeError::TooMany {
                    what: format!("files in `{path}`"),
                    limit: MAX_DIRECTORY_ENTRIES,
                });
            }
        }
        names.sort();
        Ok(names)
    }

    fn host_path(&self, place: &[String]) -> PathBuf {
        let mut host = self.directory.clone();
        host.extend(place);
        host
    }
}

/// Appends all bytes of the file `host`, which is called `path`, unless there are more than `limit`.
fn bounded(host: &Path, path: &str, limit: u64, bytes: &mut Vec<u8>) -> Result<(), RuntimeError> {
    let file = fs::File::open(host)?;
    let read = file.take(limit.saturating_add(1)).read_to_end(bytes)?;
    if u64::try_from(read).is_ok_and(|read| read > limit) {
        return Err(RuntimeError::TooLong {
            path: path.to_owned(),
            limit,
        });
    }
    Ok(())
}

/// The components of `path` that mean something.
fn components(path: &str) -> VecDeque<String> {
    path.split('/')
        .filter(|component| !matches!(*component, "" | "."))
        .map(str::to_owned)
        .collect()
}

fn absolute(place: &[String]) -> String {
    format!("/{}", place.join("/"))
}

/// Turns "there is nothing" from an error into `None`. A name that no file can have is nothing, too.
fn present<T>(result: io::Result<T>) -> Result<Option<T>, RuntimeError> {
    use io::ErrorKind::{InvalidFilename, InvalidInput, NotADirectory, NotFound};
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error)
            if matches!(
                error.kind(),
                NotFound | NotADirectory | InvalidFilename | InvalidInput
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

fn link_text(target: &Path, link: &Path) -> Result<String, RuntimeError> {
    target
        .to_str()
        .filter(|text| !text.chars().any(char::is_control))
        .map(str::to_owned)
        .ok_or_else(|| RuntimeError::LinkNotText(link.to_owned()))
}

fn is_executable(metadata: &std::fs::Metadata) -> bool {
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use proptest::prelude::*;
    use tempfile::TempDir;

    use super::*;

    fn root() -> (TempDir, LibraryRoot) {
        let directory = TempDir::new().expect("temp");
        let below = directory.path().join("root");
        fs::create_dir_all(below.join("usr/lib64")).expect("directories");
        fs::write(below.join("usr/lib64/libreal.so.1"), "x").expect("file");
        fs::write(directory.path().join("secret"), "outside").expect("file");
        let root = LibraryRoot::open(&below).expect("a directory");
        (directory, root)
    }

    fn link(root: &LibraryRoot, target: &str, name: &str) {
        symlink(target, root.directory.join(name)).expect("link");
    }

    #[test]
    fn merged_directories_keep_their_links() {
        let (_directory, root) = root();
        link(&root, "usr/lib64", "lib64");
        link(&root, "/lib64/libreal.so.1", "usr/lib64/lib.so");
        let resolved = root
            .resolve("/lib64/lib.so")
            .expect("legal")
            .expect("there");
        assert_eq!(resolved.path, "/usr/lib64/libreal.so.1");
        let links: Vec<(&str, &str)> = resolved
            .links
            .iter()
            .map(|(path, target)| (&**path, &**target))
            .collect();
        assert_eq!(
            links,
            [
                ("/lib64", "usr/lib64"),
                ("/usr/lib64/lib.so", "/lib64/libreal.so.1"),
                ("/lib64", "usr/lib64"),
            ]
        );
    }

    #[test]
    fn links_cannot_leave_the_root() {
        let (directory, root) = root();
        let outside = directory.path().join("secret");
        link(&root, "../secret", "climbs");
        link(&root, "../../../../../../../../secret", "climbs-far");
        link(&root, outside.to_str().expect("text"), "absolute");
        link(&root, "..", "parent");
        for path in [
            "/climbs",
            "/climbs-far",
            "/absolute",
            "/parent/secret",
            "/../secret",
            "/usr/../../secret",
        ] {
            assert_eq!(root.resolve(path).expect("legal"), None, "{path}");
        }
        fs::write(root.directory.join("secret"), "inside").expect("file");
        for path in ["/climbs", "/climbs-far", "/parent/secret", "/../secret"] {
            let text = root.text(path, 100).expect("legal");
            assert_eq!(text.as_deref(), Some("inside"), "{path}");
        }
    }

    #[test]
    fn circles_end() {
        let (_directory, root) = root();
        link(&root, "b", "a");
        link(&root, "a", "b");
        assert!(matches!(
            root.resolve("/a"),
            Err(RuntimeError::TooManyLinks(_))
        ));
    }

    #[test]
    fn long_files_are_refused() {
        let (_directory, root) = root();
        fs::write(root.directory.join("long"), "12345").expect("file");
        assert!(matches!(
            root.text("/long", 4),
            Err(RuntimeError::TooLong { .. })
        ));
        assert!(root.text("/long", 5).expect("short enough").is_some());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn whatever_links_say_the_result_is_below_the_root(
            targets in prop::collection::vec("(/|\\.\\./|a/|b/|c/|usr/){0,6}(a|b|c|\\.\\.|lib64)", 3),
            path in "(/|\\.\\./|a/|b/|c/){0,6}(a|b|c|secret)",
        ) {
            let (_directory, root) = root();
            for (name, target) in ["a", "b", "c"].into_iter().zip(&targets) {
                link(&root, target, name);
            }
            if let Ok(Some(resolved)) = root.resolve(&path) {
                let real = fs::canonicalize(&resolved.host).expect("there");
                prop_assert_eq!(&real, &resolved.host);
                prop_assert!(real.starts_with(&root.directory));
            }
        }
    }
}

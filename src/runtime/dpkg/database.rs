//! Which package a file of a root belongs to.

use super::lists::Lists;
use super::stanza::Stanza;
use crate::runtime::RuntimeError;
use crate::runtime::root::LibraryRoot;

pub(super) const STATUS: &str = "/var/lib/dpkg/status";
const INFO: &str = "/var/lib/dpkg/info";
const MAX_STATUS: u64 = 128 * 1024 * 1024;
const MAX_LIST: u64 = 64 * 1024 * 1024;
/// Directories at the top that may be links below `/usr`; packages may name their files either way.
const MERGED: [&str; 6] = ["bin", "lib", "lib32", "lib64", "libx32", "sbin"];

/// An installed package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    /// Its name without the architecture.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: Option<String>,
    architecture: String,
    stanza: Stanza,
    /// Beginning of the names of its files below `info`.
    info: Option<String>,
}

impl Package {
    /// What an image says of it.
    pub(super) fn record(&self) -> String {
        self.stanza.record()
    }
}

/// The installed packages of a root and their files.
#[derive(Debug)]
pub(crate) struct PackageDatabase {
    packages: Vec<Package>,
    lists: Lists,
    /// Top directories of the root that lead to those of the same name below `/usr`.
    merged: Vec<&'static str>,
}

impl PackageDatabase {
    /// Reads the database of `root`; `None` where there is none.
    pub(crate) fn read(root: &LibraryRoot) -> Result<Option<Self>, RuntimeError> {
        let Some(status) = root.text(STATUS, MAX_STATUS)? else {
            return Ok(None);
        };
        let mut packages: Vec<Package> = Stanza::parse(&status).filter_map(package).collect();
        let mut lists = Vec::new();
        for name in root.names(INFO)? {
            if let Some(info) = name.strip_suffix(".list")
                && let Some(index) = package_of(&packages, info)
            {
                packages[index].info = Some(info.to_owned());
                lists.push((name, index));
            }
        }
        Ok(Some(Self {
            packages,
            lists: Lists::new(root.directory(INFO)?, lists),
            merged: merged_directories(root)?,
        }))
    }

    /// The package that the file at `path` belongs to; no link may be in `path`.
    pub(crate) fn owner(
        &self,
        root: &LibraryRoot,
        path: &str,
    ) -> Result<Option<&Package>, RuntimeError> {
        let owner = self.lists.owner(root, &self.spellings(path))?;
        Ok(owner.and_then(|index| self.packages.get(index)))
    }

    /// The installed package called `name`.
    pub(crate) fn named(&self, name: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.name == name)
    }

    /// The checksums that `package` states of its files among `paths`: lines of md5sum(1), with
    /// paths as the package spells them.
    pub(super) fn checksums(
        &self,
        root: &LibraryRoot,
        package: &Package,
        paths: &[&str],
    ) -> Result<String, RuntimeError> {
        let Some(info) = &package.info else {
            return Ok(String::new());
        };
        let stated = root.text(&format!("{INFO}/{info}.md5sums"), MAX_LIST)?;
        let wanted: Vec<String> = paths.iter().flat_map(|path| self.spellings(path)).collect();
        let mut files: Vec<(&str, &str)> = stated
            .as_deref()
            .unwrap_or_default()
            .lines()
            .filter_map(|line| line.split_once("  "))
            .filter(|(_, path)| {
                wanted
                    .iter()
                    .any(|wanted| wanted.strip_prefix('/') == Some(path))
            })
            .map(|(sum, path)| (path, sum))
            .collect();
        files.sort_unstable();
        let lines = files.iter().flat_map(|(path, sum)| [sum, "  ", path, "\n"]);
        Ok(lines.collect())
    }

    /// `path`, and where a link at the top leads to it, the path through that link.
    fn spellings(&self, path: &str) -> Vec<String> {
        let mut spellings = vec![path.to_owned()];
        if let Some(short) = path.strip_prefix("/usr/")
            && self
                .merged
                .iter()
                .any(|top| short.split('/').next() == Some(top))
        {
            spellings.push(format!("/{short}"));
        }
        spellings
    }
}

/// The package of `libc6:amd64` or `tzdata`, as files below `info` are named.
fn package_of(packages: &[Package], info: &str) -> Option<usize> {
    let (name, architecture) = match info.split_once(':') {
        Some((name, architecture)) => (name, Some(architecture)),
        None => (info, None),
    };
    packages.iter().position(|package| {
        package.name == name && architecture.is_none_or(|wanted| package.architecture == wanted)
    })
}

fn package(stanza: Stanza) -> Option<Package> {
    if !stanza.is_installed() {
        return None;
    }
    Some(Package {
        name: stanza.get("Package")?.to_owned(),
        version: stanza.get("Version").map(str::to_owned),
        architecture: stanza.get("Architecture").unwrap_or_default().to_owned(),
        stanza,
        info: None,
    })
}

fn merged_directories(root: &LibraryRoot) -> Result<Vec<&'static str>, RuntimeError> {
    let mut merged = Vec::new();
    for top in MERGED {
        let resolved = root.directory(&format!("/{top}"))?;
        if resolved.is_some_and(|resolved| resolved.path == format!("/usr/{top}")) {
            merged.push(top);
        }
    }
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use fs_err as fs;
    use tempfile::TempDir;

    use super::*;

    const STATUS: &str = "\
Package: libfoo1\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1-1\n\n\
Package: libfoo1\nStatus: install ok installed\nArchitecture: i386\nVersion: 1-2\n\n\
Package: zone\nStatus: install ok installed\nArchitecture: all\nVersion: 3\n\n\
Package: gone\nStatus: deinstall ok config-files\nArchitecture: all\nVersion: 4\n";

    fn database(directory: &Path) -> (LibraryRoot, PackageDatabase) {
        for (name, text) in [
            ("status", STATUS),
            ("info/libfoo1:amd64.list", "/.\n/lib\n/lib/a/libfoo.so.1\n"),
            ("info/libfoo1:i386.list", "/.\n/lib\n/lib/i/libfoo.so.1\n"),
            (
                "info/libfoo1:amd64.md5sums",
                "0123  lib/a/libfoo.so.1\n4567  lib/a/other\n",
            ),
            ("info/zone.list", "/usr/share/zone\n/opt/zone\n"),
            ("info/gone.list", "/lib/a/gone.so\n"),
        ] {
            let path = directory.join("var/lib/dpkg").join(name);
            fs::create_dir_all(path.parent().expect("has one")).expect("directory");
            fs::write(path, text).expect("file");
        }
        let root = LibraryRoot::open(directory).expect("a directory");
        let database = PackageDatabase::read(&root).expect("sound").expect("there");
        (root, database)
    }

    fn version((root, database): &(LibraryRoot, PackageDatabase), path: &str) -> Option<String> {
        let owner = database.owner(root, path).expect("readable");
        owner?.version.clone()
    }

    #[test]
    fn merged_roots_know_files_by_both_spellings() {
        let directory = TempDir::new().expect("temp");
        fs::create_dir_all(directory.path().join("usr/lib")).expect("directory");
        symlink("usr/lib", directory.path().join("lib")).expect("link");
        let database = database(directory.path());
        let owned = "/usr/lib/a/libfoo.so.1";
        assert_eq!(version(&database, owned).as_deref(), Some("1-1"));
        assert_eq!(
            version(&database, "/usr/lib/i/libfoo.so.1").as_deref(),
            Some("1-2")
        );
        let (root, database) = &database;
        let package = database.owner(root, owned).expect("readable");
        let package = package.expect("owned");
        assert_eq!(
            database
                .checksums(root, package, &[owned])
                .expect("readable"),
            "0123  lib/a/libfoo.so.1\n"
        );
    }

    #[test]
    fn unmerged_roots_keep_two_files_apart() {
        let directory = TempDir::new().expect("temp");
        let database = database(directory.path());
        assert_eq!(
            version(&database, "/lib/a/libfoo.so.1").as_deref(),
            Some("1-1")
        );
        assert_eq!(version(&database, "/usr/lib/a/libfoo.so.1"), None);
        assert_eq!(version(&database, "/opt/zone").as_deref(), Some("3"));
    }

    #[test]
    fn a_file_may_belong_to_a_package_of_any_name() {
        let directory = TempDir::new().expect("temp");
        let database = database(directory.path());
        for path in ["/opt/zone", "/lib/i/libfoo.so.1", "/opt/nothing"] {
            let twice = [version(&database, path), version(&database, path)];
            assert_eq!(twice[0], twice[1]);
        }
        assert_eq!(version(&database, "/opt/zone").as_deref(), Some("3"));
        // The first line of a list, and a part of a line.
        assert_eq!(version(&database, "/usr/share/zone").as_deref(), Some("3"));
        assert_eq!(version(&database, "/usr/share"), None);
    }

    #[test]
    fn whoever_asks_for_many_files_gets_the_owners_that_few_get() {
        let directory = TempDir::new().expect("temp");
        let root = directory.path().join("var/lib/dpkg");
        let mut status = String::new();
        let paths: Vec<String> = (0..30).map(|file| format!("/usr/share/z{file}")).collect();
        for number in 0..30_usize {
            let name = format!("package-{number}");
            writeln!(
                status,
                "Package: {name}\nStatus: install ok installed\nArchitecture: all\nVersion: {number}\n"
            )
            .expect("written");
            // Each file is in three lists, and one of them may be named after it.
            let files = (0..3).map(|more| paths[(number + 10 * more) % 30].as_str());
            let list = files.chain(["/usr/share"]).collect::<Vec<_>>().join("\n");
            let named = if number == 29 { "z7" } else { &name };
            status = status.replace("Package: package-29\n", "Package: z7\n");
            let file = root.join(format!("info/{named}.list"));
            fs::create_dir_all(file.parent().expect("has one")).expect("directory");
            fs::write(file, list + "\n").expect("written");
        }
        fs::write(root.join("status"), status).expect("written");
        let open = || {
            let root = LibraryRoot::open(directory.path()).expect("a directory");
            let database = PackageDatabase::read(&root).expect("sound").expect("there");
            (root, database)
        };
        let many = open();
        let absent = ["/usr/share/z", "/usr/share/z300", "/usr", ""].map(str::to_owned);
        for path in paths.iter().chain(&absent) {
            assert_eq!(version(&many, path), version(&open(), path), "{path}");
        }
        assert!(paths.iter().all(|path| version(&many, path).is_some()));
    }

    #[test]
    fn removed_packages_own_nothing() {
        let directory = TempDir::new().expect("temp");
        let database = database(directory.path());
        assert_eq!(version(&database, "/lib/a/gone.so"), None);
        assert!(database.1.named("gone").is_none());
    }

    #[test]
    fn a_root_without_status_has_no_database() {
        let directory = TempDir::new().expect("temp");
        let root = LibraryRoot::open(directory.path()).expect("a directory");
        assert!(PackageDatabase::read(&root).expect("sound").is_none());
    }
}

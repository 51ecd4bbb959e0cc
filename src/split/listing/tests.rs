use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;

use super::*;
use crate::process::Program;

struct Place {
    directory: tempfile::TempDir,
    environment: Environment,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let path = std::env::var_os("PATH").expect("PATH");
        let home = directory.path().join("home");
        let environment = Environment::new(
            "/",
            [
                ("PATH".into(), path),
                ("HOME".into(), home.into()),
                ("GIT_CONFIG_NOSYSTEM".into(), "1".into()),
            ],
        );
        fs_err::create_dir(directory.path().join("root")).expect("created");
        Self {
            directory,
            environment,
        }
    }

    fn root(&self) -> PathBuf {
        self.directory.path().join("root")
    }

    fn write(&self, relative: impl AsRef<Path>, text: &str) {
        let path = self.root().join(relative);
        fs_err::create_dir_all(path.parent().expect("a parent")).expect("created");
        fs_err::write(path, text).expect("written");
    }

    fn git(&self, relative: &str, arguments: &[&str]) {
        let environment = self.environment.clone().at(self.root().join(relative));
        let captured = Program::new("git", &environment)
            .args(["-c", "user.name=a", "-c", "user.email=a@example.com"])
            .args(["-c", "protocol.file.allow=always"])
            .args(arguments.iter().copied())
            .capture(b"")
            .expect("git runs");
        assert!(captured.status.success(), "{captured:?}");
    }

    fn listing(&self, excluded: &[PathBuf]) -> Result<Listing, ListingError> {
        Listing::read(&self.root(), excluded, &self.environment, &Interrupt::new())
    }

    fn names(&self) -> Vec<String> {
        names(&self.listing(&[]).expect("a listing"))
    }
}

fn names(listing: &Listing) -> Vec<String> {
    listing
        .below(&listing.root)
        .map(|(path, _)| {
            let relative = path.strip_prefix(&listing.root).expect("below");
            relative.to_string_lossy().into_owned()
        })
        .collect()
}

const CARGO_TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55\n\
    # This file is a cache directory tag created by cargo.\n";

fn a_tree_of_every_kind() -> Place {
    let place = Place::new();
    place.write(".gitignore", "/out\n*.log\n!keep.log\nbuild/\n[broken\n");
    place.write(".ignore", "a/seen.rs\n");
    place.write(".hidden", "");
    place.write("out/x", "");
    place.write("a/out/x", "");
    place.write("a/seen.rs", "");
    place.write("a/no.log", "");
    place.write("a/keep.log", "");
    place.write("a/build/x", "");
    place.write("a/b/.gitignore", "/only\n!yes.log\n");
    place.write("a/b/only", "");
    place.write("a/b/c/only", "");
    place.write("a/b/yes.log", "");
    place.write("a-b/x", "");
    place.write("objects/CACHEDIR.TAG", CARGO_TAG);
    place.write("objects/debug/x", "");
    place.write("cache/CACHEDIR.TAG", "Signature: of somebody else");
    place.write("cache/x", "");
    place.write(std::ffi::OsStr::from_bytes(b"name-\xff"), "");
    place.write("run.sh", "");
    let mode = std::fs::Permissions::from_mode(0o755);
    fs_err::set_permissions(place.root().join("run.sh"), mode).expect("set");
    symlink("a", place.root().join("to-directory")).expect("linked");
    symlink("nowhere", place.root().join("dangling")).expect("linked");
    place
}

#[test]
fn git_and_its_absence_give_the_same_listing() {
    let place = a_tree_of_every_kind();
    let without = place.listing(&[]).expect("a listing");
    place.git(".", &["init", "-q"]);
    let with = place.listing(&[]).expect("a listing");
    assert_eq!(with, without);
    let not_installed = place.environment.clone().with("PATH", "/nowhere");
    let fallen_back = Listing::read(&place.root(), &[], &not_installed, &Interrupt::new());
    assert_eq!(fallen_back.expect("a listing"), with);
    let expected = [
        ".gitignore",
        ".hidden",
        ".ignore",
        "a/b/.gitignore",
        "a/b/c/only",
        "a/b/yes.log",
        "a/keep.log",
        "a/out/x",
        "a/seen.rs",
        "a-b/x",
        "cache/CACHEDIR.TAG",
        "cache/x",
        "dangling",
        "name-\u{fffd}",
        "run.sh",
        "to-directory",
    ];
    assert_eq!(names(&with), expected);
    let kind = |name: &str| with.kind(&place.root().join(name));
    assert_eq!(kind("run.sh"), Some(FileKind::Executable));
    assert_eq!(kind("to-directory"), Some(FileKind::Symlink));
    assert_eq!(kind("dangling"), Some(FileKind::Symlink));
    assert_eq!(kind(".hidden"), Some(FileKind::Regular));
    assert_eq!(kind("out/x"), None);
    let odd = place.root().join(std::ffi::OsStr::from_bytes(b"name-\xff"));
    assert_eq!(with.kind(&odd), Some(FileKind::Regular));
}

#[test]
fn tracked_files_are_listed_whatever_ignores_them() {
    let place = a_tree_of_every_kind();
    place.git(".", &["init", "-q"]);
    place.git(
        ".",
        &["add", "-f", "a/no.log", "objects/debug/x", "a/seen.rs"],
    );
    fs_err::remove_file(place.root().join("a/seen.rs")).expect("removed");
    let names = place.names();
    assert!(names.contains(&"a/no.log".to_owned()));
    assert!(names.contains(&"objects/debug/x".to_owned()));
    assert!(!names.contains(&"objects/CACHEDIR.TAG".to_owned()));
    assert!(!names.contains(&"a/seen.rs".to_owned()), "it is deleted");
}

#[test]
fn repositories_inside_are_listed_by_their_own_rules() {
    let place = Place::new();
    place.write(".gitignore", "*.txt\n/ignored\n");
    place.write("ignored/inner/x", "");
    place.git("ignored/inner", &["init", "-q"]);
    place.write("nested/.gitignore", "/secret\n");
    place.write("nested/secret", "");
    place.write("nested/readme.txt", "");
    place.git("nested", &["init", "-q"]);
    place.write("nested/deeper/x", "");
    place.git("nested/deeper", &["init", "-q"]);
    let expected = [
        ".gitignore",
        "nested/.gitignore",
        "nested/deeper/x",
        "nested/readme.txt",
    ];
    assert_eq!(place.names(), expected, "without git at the root");
    place.git(".", &["init", "-q"]);
    assert_eq!(place.names(), expected, "with git");
    let not_installed = place.environment.clone().with("PATH", "/nowhere");
    let listing = Listing::read(&place.root(), &[], &not_installed, &Interrupt::new());
    assert_eq!(names(&listing.expect("a listing")), expected, "by walking");
}

#[test]
fn submodules_are_listed() {
    let place = Place::new();
    let origin = place.directory.path().join("origin");
    fs_err::create_dir(&origin).expect("created");
    fs_err::write(origin.join("lib.rs"), "").expect("written");
    place.git("../origin", &["init", "-q"]);
    place.git("../origin", &["add", "."]);
    place.git("../origin", &["commit", "-qm", "x"]);
    place.git(".", &["init", "-q"]);
    place.git(".", &["submodule", "add", "-q", "../origin", "sub"]);
    place.git(".", &["commit", "-qm", "x"]);
    fs_err::write(place.root().join("sub/new.rs"), "").expect("written");
    assert_eq!(place.names(), [".gitmodules", "sub/lib.rs", "sub/new.rs"]);
    place.git(".", &["submodule", "deinit", "-q", "-f", "sub"]);
    assert_eq!(place.names(), [".gitmodules"]);
}

#[test]
fn excluded_directories_are_never_listed() {
    let place = Place::new();
    place.write("target/x", "");
    place.write("target-like/x", "");
    let excluded = [place.root().join("target")];
    let walked = place.listing(&excluded).expect("a listing");
    place.git(".", &["init", "-q"]);
    place.git(".", &["add", "."]);
    let listing = place.listing(&excluded).expect("a listing");
    assert_eq!(names(&listing), ["target-like/x"]);
    assert_eq!(walked, listing);
}

#[test]
fn variables_of_a_hook_do_not_lead_git_elsewhere() {
    let mut place = Place::new();
    place.write("a", "");
    place.git(".", &["init", "-q"]);
    let elsewhere = place.directory.path().join("elsewhere");
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        place.environment = place.environment.clone().with(name, elsewhere.clone());
    }
    assert_eq!(place.names(), ["a"]);
}

#[test]
fn the_words_of_git_reach_the_user_when_it_refuses() {
    let mut place = Place::new();
    place.git(".", &["init", "-q"]);
    place.environment = place
        .environment
        .clone()
        .with("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1");
    let error = place.listing(&[]).expect_err("it is somebody else's");
    assert!(error.to_string().contains("dubious ownership"), "{error}");
    let hint = error.hint().expect("a hint");
    let command = format!("safe.directory {}", place.root().display());
    assert!(hint.contains(&command), "{hint}");
}

#[test]
fn a_repository_that_points_nowhere_is_an_error_that_names_it() {
    let place = Place::new();
    place.write(".git", "gitdir: /nowhere/at/all\n");
    let error = place.listing(&[]).expect_err("no repository");
    assert!(
        error
            .to_string()
            .contains(&place.root().display().to_string())
    );
    assert_eq!(error.hint(), None);
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let place = Place::new();
    let missing = place.root().join("missing");
    let listing = Listing::read(&missing, &[], &place.environment, &Interrupt::new());
    let error = listing.expect_err("nothing to list");
    assert!(error.to_string().contains("root/missing"), "{error}");
}

#[test]
fn an_interrupted_listing_ends() {
    let place = Place::new();
    place.write("a", "");
    let interrupt = Interrupt::new();
    interrupt.send(crate::process::Signal::Interrupt);
    let listing = Listing::read(&place.root(), &[], &place.environment, &interrupt);
    assert!(matches!(
        listing,
        Err(ListingError::Program(ProgramError::Interrupted))
    ));
}

#[test]
fn what_lies_below_a_directory_stands_together() {
    let place = Place::new();
    for name in ["a/x", "a/b/y", "a-b/z", "a.rs", "b"] {
        place.write(name, "");
    }
    let listing = place.listing(&[]).expect("a listing");
    let below = |name: &str| {
        let root = place.root();
        let files = listing.below(&root.join(name));
        files
            .map(|(path, _)| path.strip_prefix(&root).expect("below").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(below("a"), [Path::new("a/b/y"), Path::new("a/x")]);
    assert!(below("b").is_empty(), "a file has nothing below it");
}

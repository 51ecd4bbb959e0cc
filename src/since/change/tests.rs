//! Every kind of change, and every lack of a base, in real repositories.

use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::hint::Hint as _;
use crate::process::{ProgramError, Signal};
use crate::since::fixture::World;

impl World {
    fn compare_at(
        &self,
        directory: &Path,
        since: &str,
        head: Option<&str>,
    ) -> Result<Result<Comparison, NoBase>, GitError> {
        compare(&self.environment, directory, since, head, &self.interrupt)
    }

    fn comparison(&self, since: &str, head: Option<&str>) -> Comparison {
        self.compare_at(&self.repository(), since, head)
            .expect("git can tell")
            .expect("there is a base")
    }

    fn no_base(&self, since: &str) -> NoBase {
        self.compare_at(&self.repository(), since, None)
            .expect("git can tell")
            .expect_err("there is no base")
    }

    fn error(&self, since: &str, head: Option<&str>) -> GitError {
        self.compare_at(&self.repository(), since, head)
            .expect_err("git cannot tell")
    }

    /// Changed paths relative to the repository, as text.
    fn changed(&self, since: &str, head: Option<&str>) -> Vec<String> {
        let comparison = self.comparison(since, head);
        let changed = comparison.changed_paths(&self.environment, &self.interrupt);
        changed
            .expect("git can tell")
            .iter()
            .map(|path| path.strip_prefix(self.repository()).expect("inside"))
            .map(|path| path.to_string_lossy().into_owned())
            .collect()
    }
}

#[test]
fn an_untouched_work_tree_differs_in_nothing() {
    let world = World::new();
    let comparison = world.comparison("HEAD", None);
    assert_eq!(comparison.base, world.git(&["rev-parse", "HEAD"]));
    assert_eq!(comparison.head, Head::WorkTree);
    assert_eq!(comparison.since, "HEAD");
    assert_eq!(comparison.repository, world.repository());
    assert!(world.changed("HEAD", None).is_empty());
}

#[test]
fn files_that_git_was_told_not_to_look_at_count_as_different() {
    let world = World::new();
    let tracked = world.git(&["ls-files"]);
    let first = tracked.lines().next().expect("a file").to_owned();
    for flag in ["skip-worktree", "assume-unchanged"] {
        world.git(&["update-index", &format!("--{flag}"), &first]);
        assert_eq!(world.changed("HEAD", None), [&*first], "{flag}");
        world.git(&["update-index", &format!("--no-{flag}"), &first]);
        assert!(world.changed("HEAD", None).is_empty());
    }
    // A sparse checkout has no such file.
    world.git(&["update-index", "--skip-worktree", &first]);
    fs_err::remove_file(world.repository().join(&first)).expect("removed");
    assert!(world.changed("HEAD", None).is_empty());
}

#[test]
fn staged_unstaged_untracked_and_deleted_files_differ() {
    let world = World::new();
    for name in ["staged", "unstaged", "deleted", "staged-deleted", "same"] {
        world.write(name, "1");
    }
    world.write(".gitignore", "ignored\n");
    world.commit("second");
    for name in ["staged", "unstaged"] {
        world.write(name, "22");
    }
    world.write("new", "");
    world.git(&["add", "staged", "new"]);
    world.remove("deleted");
    world.git(&["rm", "--quiet", "staged-deleted"]);
    world.write("ignored", "");
    world.write("deep/er/untracked", "");
    assert_eq!(
        world.changed("HEAD", None),
        [
            "deep/er/untracked",
            "deleted",
            "new",
            "staged",
            "staged-deleted",
            "unstaged"
        ]
    );
}

#[test]
fn a_file_that_was_changed_back_does_not_differ() {
    let world = World::new();
    let base = world.git(&["rev-parse", "HEAD"]);
    world.write("src/a.rs", "b\n");
    world.commit("there");
    world.write("src/a.rs", "c\n");
    world.git(&["add", "--all"]);
    world.write("src/a.rs", "a\n");
    assert!(world.changed(&base, None).is_empty());
    world.commit("and back");
    assert!(world.changed(&base, None).is_empty());
    assert!(world.changed(&base, Some("HEAD")).is_empty());
}

#[test]
fn a_touched_file_does_not_differ() {
    let world = World::new();
    // Another inode and other times, same content.
    world.remove("src/a.rs");
    world.write("src/a.rs", "a\n");
    world.git(&["config", "diff.autoRefreshIndex", "false"]);
    assert!(world.changed("HEAD", None).is_empty());
}

#[test]
fn a_file_staged_and_then_lost_does_not_differ() {
    let world = World::new();
    world.write("new", "");
    world.git(&["add", "new"]);
    world.remove("new");
    assert!(world.changed("HEAD", None).is_empty());
    world.write("intended", "x");
    world.git(&["add", "--intent-to-add", "intended"]);
    assert_eq!(world.changed("HEAD", None), ["intended"]);
}

#[test]
fn renames_modes_and_kinds_differ() {
    let world = World::new();
    let content = "the same long content, so that it looks renamed\n".repeat(9);
    for name in ["old", "script", "link"] {
        world.write(name, &content);
    }
    let base = world.commit("second");
    world.git(&["config", "diff.renames", "copies"]);
    world.git(&["mv", "old", "new"]);
    world.executable("script");
    world.remove("link");
    symlink("script", world.path("link")).expect("linked");
    let all = ["link", "new", "old", "script"];
    assert_eq!(world.changed(&base, None), all);
    world.commit("third");
    assert_eq!(world.changed(&base, None), all);
    assert_eq!(world.changed(&base, Some("HEAD")), all);
}

#[test]
fn the_comparison_begins_where_the_branches_parted() {
    let world = World::new();
    let parted = world.git(&["rev-parse", "HEAD"]);
    world.git(&["branch", "topic"]);
    world.write("on-main", "");
    world.commit("on main");
    world.git(&["checkout", "--quiet", "topic"]);
    world.write("on-topic", "");
    world.commit("on topic");
    assert_eq!(world.comparison("main", None).base, parted);
    assert_eq!(world.changed("main", None), ["on-topic"]);
    assert_eq!(world.changed("topic", Some("main")), ["on-main"]);
}

#[test]
fn a_commit_as_head_hides_the_work_tree() {
    let world = World::new();
    world.git(&["tag", "--annotate", "-m", "one", "v1"]);
    world.write("src/a.rs", "b\n");
    let second = world.commit("second");
    world.write("src/untracked", "");
    let comparison = world.comparison("v1", Some("main"));
    assert_eq!(comparison.head, Head::Commit(second));
    assert_eq!(world.changed("v1", Some("main")), ["src/a.rs"]);
}

#[test]
fn settings_of_the_user_bend_nothing() {
    let world = World::new();
    world.write("ws/Cargo.toml", "");
    world.write("outside", "1");
    world.commit("second");
    world.write("outside", "2");
    world.write("ws/new", "");
    for (key, value) in [
        ("diff.relative", "true"),
        ("diff.orderFile", "/no/such/file"),
        ("diff.external", "false"),
        ("diff.noprefix", "true"),
        ("color.ui", "always"),
        ("status.showUntrackedFiles", "no"),
        ("core.quotePath", "true"),
    ] {
        world.git(&["config", key, value]);
    }
    let compared = world.compare_at(&world.path("ws"), "HEAD", None);
    let comparison = compared.expect("told").expect("a base");
    let changed = comparison
        .changed_paths(&world.environment, &world.interrupt)
        .expect("told");
    let expected = [world.path("outside"), world.path("ws/new")];
    assert_eq!(changed, BTreeSet::from(expected));
}

#[test]
fn paths_are_bytes() {
    let world = World::new();
    let names: [&[u8]; 4] = [
        b"line\nend",
        b"\xff\xfe",
        b"\"quoted\"\t",
        "\u{fc}".as_bytes(),
    ];
    for name in names {
        let path = world.repository().join(std::ffi::OsStr::from_bytes(name));
        fs_err::write(path, "").expect("written");
    }
    let expected: BTreeSet<PathBuf> = names
        .iter()
        .map(|name| world.repository().join(std::ffi::OsStr::from_bytes(name)))
        .collect();
    let changed = || {
        world
            .comparison("main", None)
            .changed_paths(&world.environment, &world.interrupt)
            .expect("told")
    };
    assert_eq!(changed(), expected);
    world.git(&["add", "--all"]);
    assert_eq!(changed(), expected);
}

#[test]
fn a_repository_whose_path_holds_line_ends_is_found() {
    let world = World::new();
    let odd = world.beside("odd\nname\n");
    world.git(&["clone", "--quiet", ".", odd.to_str().expect("text")]);
    fs_err::write(odd.join("new"), "").expect("written");
    let comparison = world.compare_at(&odd, "HEAD", None);
    let comparison = comparison.expect("told").expect("a base");
    let changed = comparison
        .changed_paths(&world.environment, &world.interrupt)
        .expect("told");
    assert_eq!(changed, BTreeSet::from([odd.join("new")]));
}

#[test]
fn paths_are_spelt_as_the_workspace_is() {
    let world = World::new();
    world.write("ws/Cargo.toml", "");
    world.commit("second");
    world.write("ws/new", "");
    world.write("beside", "");
    symlink("r", world.beside("to-top")).expect("linked");
    symlink("r/ws", world.beside("to-ws")).expect("linked");
    let changed = |directory: &Path| {
        let comparison = world.compare_at(directory, "HEAD", None);
        let comparison = comparison.expect("told").expect("a base");
        assert_eq!(comparison.inside, Path::new("ws"));
        comparison
            .changed_paths(&world.environment, &world.interrupt)
            .expect("told")
    };
    let top = world.beside("to-top");
    let expected = [top.join("beside"), top.join("ws/new")];
    assert_eq!(changed(&top.join("ws")), BTreeSet::from(expected));
    let linked = world.beside("to-ws");
    let real = fs_err::canonicalize(world.path("beside")).expect("there");
    assert_eq!(changed(&linked), BTreeSet::from([real, linked.join("new")]));
}

#[test]
fn submodules_differ_as_a_whole() {
    let world = World::new();
    world.git(&["clone", "--quiet", ".", "../other"]);
    world.git(&["submodule", "--quiet", "add", "../other", "vendored/other"]);
    world.git(&[
        "config",
        "--file",
        ".gitmodules",
        "submodule.vendored/other.ignore",
        "all",
    ]);
    let base = world.commit("with a submodule");
    let inside = world.path("vendored/other");
    assert!(world.changed(&base, None).is_empty());
    for name in ["untracked", "src/a.rs"] {
        fs_err::write(inside.join(name), "changed").expect("written");
        assert_eq!(world.changed(&base, None), ["vendored/other"]);
        world.git_in(&inside, &["add", "--all"]);
        world.git_in(&inside, &["reset", "--quiet", "--hard"]);
        assert!(world.changed(&base, None).is_empty());
    }
    world.git_in(
        &inside,
        &["commit", "--quiet", "--allow-empty", "-m", "moved"],
    );
    assert_eq!(world.changed(&base, None), ["vendored/other"]);
    world.git(&["add", "--force", "vendored/other"]);
    world.git(&["commit", "--quiet", "-m", "pointer"]);
    assert_eq!(world.changed(&base, Some("HEAD")), ["vendored/other"]);
}

#[test]
fn a_repository_inside_differs_as_a_whole() {
    let world = World::new();
    world.git(&["clone", "--quiet", ".", "inner"]);
    assert_eq!(world.changed("HEAD", None), ["inner"]);
}

#[test]
fn a_work_tree_of_its_own_is_compared() {
    let world = World::new();
    world.git(&["worktree", "add", "--quiet", "../second", "-b", "topic"]);
    let second = world.beside("second");
    fs_err::write(second.join("new"), "").expect("written");
    let comparison = world.compare_at(&second, "main", None);
    let comparison = comparison.expect("told").expect("a base");
    let changed = comparison
        .changed_paths(&world.environment, &world.interrupt)
        .expect("told");
    assert_eq!(changed, BTreeSet::from([second.join("new")]));
}

#[test]
fn a_repository_of_sha256_is_compared() {
    let world = World::with_format("sha256");
    world.write("src/a.rs", "b\n");
    assert_eq!(world.comparison("HEAD", None).base.len(), 64);
    assert_eq!(world.changed("HEAD", None), ["src/a.rs"]);
    let zeros = "0".repeat(64);
    assert!(matches!(world.no_base(&zeros), NoBase::NewBranch { .. }));
}

#[test]
fn what_a_hook_leaves_in_the_environment_is_dropped() {
    let mut world = World::new();
    world.write("src/a.rs", "b\n");
    let elsewhere = world.beside("elsewhere");
    for name in [
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
    ] {
        world.environment = world.environment.clone().with(name, &elsewhere);
    }
    let above = world.beside("");
    world.environment = world.environment.with("GIT_CEILING_DIRECTORIES", above);
    let changed = world
        .compare_at(&world.repository(), "HEAD", None)
        .expect("told")
        .expect("a base")
        .changed_paths(&world.environment, &world.interrupt);
    assert_eq!(
        changed.expect("told"),
        BTreeSet::from([world.path("src/a.rs")])
    );
}

#[test]
fn nothing_is_written_into_the_repository() {
    let world = World::new();
    // Long ago: git writes nothing about files that may be changing just now.
    world.age("Cargo.toml", 1);
    world.age("src/a.rs", 1);
    world.git(&["add", "--all"]);
    world.age("src/a.rs", 2);
    world.write("new", "");
    let before = World::snapshot(&world.repository());
    assert_eq!(world.changed("HEAD", None), ["new"]);
    assert_eq!(before, World::snapshot(&world.repository()));
}

#[test]
fn an_unknown_revision_of_a_complete_repository_is_a_mistake() {
    let world = World::new();
    world.git(&["tag", "release-1.0"]);
    let error = world.error("relaese-1.0", None);
    assert!(error.is_usage());
    assert_eq!(error.hint().as_deref(), Some("did you mean `release-1.0`?"));
    assert!(world.error("main", Some("nope")).is_usage());
    assert!(
        world
            .error("main", Some("0123456789012345678901234567890123456789"))
            .is_usage()
    );
    assert!(matches!(world.error(" ", None), GitError::EmptyRevision));
    assert!(world.error("main..main", None).is_usage());
    let tree = world.git(&["rev-parse", "HEAD^{tree}"]);
    assert!(world.error(&tree, None).is_usage());
}

#[test]
fn a_revision_is_never_a_flag() {
    let world = World::new();
    let evil = world.beside("written");
    for flag in [
        "--all",
        "-x",
        "--help",
        &format!("--output={}", evil.display()),
    ] {
        assert!(world.error(flag, None).is_usage(), "{flag}");
        assert!(world.error("main", Some(flag)).is_usage(), "{flag}");
    }
    assert!(!evil.exists());
}

#[test]
fn a_new_branch_has_no_base() {
    let world = World::new();
    let no_base = world.no_base(&"0".repeat(40));
    assert!(matches!(no_base, NoBase::NewBranch { .. }));
    assert!(no_base.hint().is_some());
}

#[test]
fn a_commit_that_was_rewritten_is_no_base() {
    let world = World::new();
    let lost = "0123456789012345678901234567890123456789";
    let expected = NoBase::Absent {
        since: lost.to_owned(),
    };
    assert_eq!(world.no_base(lost), expected);
}

#[test]
fn a_branch_that_was_never_fetched_is_no_base() {
    let world = World::new();
    world.git(&["branch", "topic"]);
    world.git(&[
        "clone",
        "--quiet",
        "--single-branch",
        "--branch",
        "topic",
        ".",
        "../clone",
    ]);
    let clone = world.beside("clone");
    let compared = world.compare_at(&clone, "origin/main", None).expect("told");
    let hint = compared.expect_err("no base").hint().expect("a hint");
    let command = "git fetch origin main:refs/remotes/origin/main";
    assert_eq!(hint, format!("run `{command}`"));
    let mistyped = world.compare_at(&clone, "origin/topci", None);
    let hint = mistyped.expect("told").expect_err("no base").hint();
    assert!(hint.is_some_and(|hint| hint.ends_with(", if you did not mean `origin/topic`")));
    // The hint helps.
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    world.git_in(&clone, &words);
    assert!(
        world
            .compare_at(&clone, "origin/main", None)
            .expect("told")
            .is_ok()
    );
    assert!(world.compare_at(&clone, "other/main", None).is_err());
}

#[test]
fn a_shallow_clone_has_no_base() {
    let world = World::new();
    world.git(&["branch", "old"]);
    world.write("src/a.rs", "b\n");
    let second = world.commit("second");
    let url = format!("file://{}", world.repository().display());
    world.git(&["clone", "--quiet", "--depth", "1", &url, "../clone"]);
    let clone = world.beside("clone");
    for since in [
        "origin/old",
        "HEAD~1",
        "0123456789012345678901234567890123456789",
    ] {
        let no_base = world.compare_at(&clone, since, None).expect("told");
        let no_base = no_base.expect_err("no base");
        assert!(
            matches!(no_base, NoBase::Shallow { .. }),
            "{since}: {no_base}"
        );
        assert!(
            no_base
                .hint()
                .is_some_and(|hint| hint.contains("--unshallow"))
        );
    }
    // A base within its depth serves.
    assert!(
        world
            .compare_at(&clone, &second, None)
            .expect("told")
            .is_ok()
    );
    // Both commits, and no way from one to the other.
    world.git_in(
        &clone,
        &["fetch", "--quiet", "--depth", "1", "origin", "old:old"],
    );
    let no_base = world.compare_at(&clone, "old", None).expect("told");
    assert!(matches!(no_base, Err(NoBase::Shallow { branch: None, .. })));
}

#[test]
fn histories_without_a_common_commit_have_no_base() {
    let world = World::new();
    world.git(&["checkout", "--quiet", "--orphan", "other"]);
    world.commit("other");
    assert!(matches!(
        world.no_base("main"),
        NoBase::NoCommonAncestor { .. }
    ));
}

#[test]
fn without_repository_or_commit_there_is_no_base() {
    let world = World::empty();
    let directory = world.beside("r");
    fs_err::create_dir(&directory).expect("created");
    assert!(matches!(world.no_base("main"), NoBase::NoRepository { .. }));
    world.git(&["init", "--quiet"]);
    assert_eq!(world.no_base("main"), NoBase::NoCommit);
    let bare = world.compare_at(&world.path(".git"), "main", None);
    assert!(matches!(bare, Ok(Err(NoBase::NoRepository { .. }))));
}

#[test]
fn a_workspace_that_git_ignores_never_looks_unchanged() {
    let world = World::new();
    world.write(".gitignore", "ws\n");
    world.commit("second");
    world.write("ws/Cargo.toml", "");
    let no_base = world.compare_at(&world.path("ws"), "HEAD", None);
    assert!(matches!(no_base, Ok(Err(NoBase::NoWorkspace { .. }))));
}

#[test]
fn an_interrupt_ends_it() {
    let world = World::new();
    let comparison = world.comparison("HEAD", None);
    world.interrupt.send(Signal::Interrupt);
    // git may be faster than the signal, so something that would take for ever.
    world.git(&["config", "core.fsmonitor", "sleep 600; false"]);
    let started = std::time::Instant::now();
    let changed = comparison.changed_paths(&world.environment, &world.interrupt);
    let interrupted = matches!(changed, Err(GitError::Program(ProgramError::Interrupted)));
    assert!(interrupted, "{changed:?}");
    assert!(started.elapsed() < Duration::from_mins(1));
}

proptest! {
    #[test]
    fn foreign_output_never_panics(output in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = Place::parse(&output).map(|place| place.seen_from(Path::new("/")).is_ok());
        let told = [b"true\n/".as_slice(), &output, b"\n"].concat();
        let _ = Place::parse(&told).map(|place| place.seen_from(Path::new("/")).is_ok());
    }
}

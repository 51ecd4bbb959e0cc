//! Commits laid out from real repositories of every kind.

use std::os::unix::fs::{PermissionsExt as _, symlink};

use proptest::prelude::*;

use super::*;
use crate::hint::Hint as _;
use crate::process::{ProgramError, Signal};
use crate::since::fixture::World;

impl World {
    fn lay_out_from(&self, repository: &Path, commit: &str) -> Result<CommitTree, GitError> {
        let parent = self.beside("temporary");
        fs_err::create_dir_all(&parent).expect("created");
        CommitTree::lay_out(
            &self.environment,
            repository,
            commit,
            &parent,
            &self.interrupt,
        )
    }

    fn lay_out(&self, commit: &str) -> CommitTree {
        self.lay_out_from(&self.repository(), commit)
            .expect("laid out")
    }

    fn left_behind(&self) -> usize {
        fs_err::read_dir(self.beside("temporary"))
            .expect("readable")
            .count()
    }
}

/// All files below, relative, as text.
fn names(tree: &CommitTree) -> Vec<String> {
    World::snapshot(&tree.path())
        .into_iter()
        .map(|(path, _)| path.strip_prefix(tree.path()).expect("below").to_owned())
        .map(|path| path.to_string_lossy().into_owned())
        .collect()
}

fn read(tree: &CommitTree, name: &str) -> String {
    fs_err::read_to_string(tree.path().join(name)).expect("readable")
}

#[test]
fn a_commit_is_laid_out_beside_the_work_tree() {
    let world = World::new();
    world.write("run.sh", "#!/bin/sh\n");
    world.executable("run.sh");
    symlink("run.sh", world.path("link")).expect("linked");
    let commit = world.commit("second");
    world.write("src/a.rs", "changed\n");
    world.remove("run.sh");
    world.write("untracked", "");
    let before = World::snapshot(&world.repository());
    let tree = world.lay_out(&commit);
    assert_eq!(names(&tree), ["Cargo.toml", "run.sh", "src/a.rs"]);
    assert_eq!(read(&tree, "src/a.rs"), "a\n");
    let mode = |name: &str| {
        let metadata = fs_err::symlink_metadata(tree.path().join(name)).expect("there");
        metadata.permissions().mode() & 0o100
    };
    assert_eq!((mode("run.sh"), mode("src/a.rs")), (0o100, 0));
    let target = fs_err::read_link(tree.path().join("link")).expect("a link");
    assert_eq!(target, Path::new("run.sh"));
    assert!(tree.submodules().is_empty());
    assert_eq!(before, World::snapshot(&world.repository()));
    drop(tree);
    assert_eq!(world.left_behind(), 0);
}

#[test]
fn attributes_of_the_commit_apply() {
    let world = World::new();
    world.write(".gitattributes", "*.txt eol=crlf\n*.up filter=up\n");
    world.write("lines.txt", "one\ntwo\n");
    world.write("word.up", "word\n");
    let commit = world.commit("second");
    world.git(&["config", "filter.up.smudge", "tr a-z A-Z"]);
    world.git(&["config", "filter.up.required", "true"]);
    // Those of the work tree are another matter.
    world.write(".gitattributes", "");
    let tree = world.lay_out(&commit);
    assert_eq!(read(&tree, "lines.txt"), "one\r\ntwo\r\n");
    assert_eq!(read(&tree, "word.up"), "WORD\n");
}

#[test]
fn line_ends_are_those_of_a_checkout() {
    let world = World::new();
    world.git(&["config", "core.autocrlf", "true"]);
    assert_eq!(read(&world.lay_out("HEAD"), "src/a.rs"), "a\r\n");
}

#[test]
fn a_filter_that_is_not_configured_changes_nothing() {
    let world = World::new();
    world.write(
        ".gitattributes",
        "*.bin filter=lfs diff=lfs merge=lfs -text\n",
    );
    world.write("x.bin", "version 1\noid sha256:0\n");
    let commit = world.commit("a pointer");
    assert_eq!(
        read(&world.lay_out(&commit), "x.bin"),
        "version 1\noid sha256:0\n"
    );
    world.git(&["config", "filter.lfs.smudge", "no-such-program"]);
    world.git(&["config", "filter.lfs.required", "true"]);
    let failed = world.lay_out_from(&world.repository(), &commit);
    assert!(matches!(failed, Err(GitError::Failed(_))), "{failed:?}");
    assert_eq!(world.left_behind(), 0);
}

#[test]
fn submodules_are_listed_and_left_out() {
    let world = World::new();
    world.git(&["clone", "--quiet", ".", "../other"]);
    world.git(&["submodule", "--quiet", "add", "../other", "vendored/other"]);
    let commit = world.commit("with a submodule");
    let tree = world.lay_out(&commit);
    assert_eq!(tree.submodules(), [PathBuf::from("vendored/other")]);
    assert!(!tree.path().join("vendored").exists());
    assert!(tree.path().join(".gitmodules").exists());
}

#[test]
fn a_work_tree_of_its_own_is_read() {
    let world = World::new();
    world.git(&["worktree", "add", "--quiet", "../second", "-b", "topic"]);
    let second = world.beside("second");
    let before = World::snapshot(&world.repository());
    let tree = world.lay_out_from(&second, "HEAD").expect("laid out");
    assert_eq!(names(&tree), ["Cargo.toml", "src/a.rs"]);
    assert_eq!(before, World::snapshot(&world.repository()));
}

#[test]
fn a_sparse_checkout_is_laid_out_whole() {
    let world = World::new();
    world.write("other/b.rs", "");
    world.commit("second");
    world.git(&["sparse-checkout", "set", "--sparse-index", "other"]);
    assert!(!world.path("src/a.rs").exists());
    let before = World::snapshot(&world.repository());
    let tree = world.lay_out("HEAD");
    assert_eq!(names(&tree), ["Cargo.toml", "other/b.rs", "src/a.rs"]);
    assert_eq!(before, World::snapshot(&world.repository()));
}

#[test]
fn settings_of_the_index_write_nothing() {
    let world = World::new();
    world.write(
        ".git/hooks/post-index-change",
        "#!/bin/sh\ntouch \"$GIT_DIR/hook-ran\"\n",
    );
    world.executable(".git/hooks/post-index-change");
    world.git(&["config", "core.splitIndex", "true"]);
    world.git(&["config", "core.untrackedCache", "true"]);
    let before = World::snapshot(&world.repository());
    let tree = world.lay_out("HEAD");
    assert_eq!(names(&tree), ["Cargo.toml", "src/a.rs"]);
    assert_eq!(before, World::snapshot(&world.repository()));
}

#[test]
fn shallow_clones_have_the_commits_they_have() {
    let world = World::new();
    let first = world.git(&["rev-parse", "HEAD"]);
    world.write("src/a.rs", "b\n");
    world.commit("second");
    let url = format!("file://{}", world.repository().display());
    world.git(&["clone", "--quiet", "--depth", "1", &url, "../clone"]);
    let clone = world.beside("clone");
    let tree = world.lay_out_from(&clone, "HEAD").expect("laid out");
    assert_eq!(read(&tree, "src/a.rs"), "b\n");
    let missing = world.lay_out_from(&clone, &first);
    assert!(matches!(missing, Err(GitError::Failed(_))), "{missing:?}");
}

#[test]
fn a_partial_clone_says_what_it_lacks() {
    let world = World::new();
    let first = world.git(&["rev-parse", "HEAD"]);
    world.write("src/a.rs", "b\n");
    world.commit("second");
    world.git(&["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", world.repository().display());
    for filter in ["blob:none", "tree:0"] {
        let name = format!("clone-{}", &filter[..4]);
        let clone = world.beside(&name);
        let to = clone.to_str().expect("text");
        world.git(&["clone", "--quiet", "--filter", filter, &url, to]);
        let tree = world.lay_out_from(&clone, "HEAD").expect("laid out");
        assert_eq!(read(&tree, "src/a.rs"), "b\n");
        let before = World::snapshot(&clone);
        let error = world.lay_out_from(&clone, &first).expect_err("missing");
        assert!(matches!(error, GitError::MissingObjects { .. }), "{error}");
        assert_eq!(before, World::snapshot(&clone));
        let hint = error.hint().expect("a hint");
        let command = hint.split('`').nth(1).expect("a command");
        let words: Vec<&str> = command.split(' ').skip(1).collect();
        world.git_in(&clone, &words);
        let tree = world.lay_out_from(&clone, &first).expect("laid out");
        assert_eq!(read(&tree, "src/a.rs"), "a\n");
    }
}

#[test]
fn a_repository_of_sha256_is_laid_out() {
    let world = World::with_format("sha256");
    assert_eq!(names(&world.lay_out("HEAD")), ["Cargo.toml", "src/a.rs"]);
}

#[test]
fn paths_are_bytes() {
    let world = World::new();
    let name = OsStr::from_bytes(b"line\nend \xff\t");
    fs_err::write(world.repository().join(name), "odd").expect("written");
    let tree = {
        world.commit("odd");
        world.lay_out("HEAD")
    };
    assert_eq!(fs_err::read(tree.path().join(name)).expect("there"), b"odd");
}

#[test]
fn nothing_is_left_after_an_interrupt() {
    let world = World::new();
    world.write(".gitattributes", "*.slow filter=slow\n");
    world.write("x.slow", "");
    world.write("y.slow", "y");
    let commit = world.commit("slow");
    world.git(&["config", "filter.slow.smudge", "sleep 600"]);
    world.interrupt.send(Signal::Terminate);
    let stopped = world.lay_out_from(&world.repository(), &commit);
    let interrupted = matches!(stopped, Err(GitError::Program(ProgramError::Interrupted)));
    assert!(interrupted, "{stopped:?}");
    assert_eq!(world.left_behind(), 0);
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let world = World::new();
    let error = CommitTree::lay_out(
        &world.environment,
        &world.repository(),
        "HEAD",
        Path::new("/no/such"),
        &world.interrupt,
    )
    .expect_err("no directory");
    assert_eq!(error.to_string(), "cannot write to `/no/such`");
}

proptest! {
    #[test]
    fn foreign_output_never_panics(output in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = sorted_out(&output);
    }

    #[test]
    fn entries_come_back_whole(path in proptest::collection::vec(1_u8..=255, 1..16), link in any::<bool>()) {
        let mode: &[u8] = if link { SUBMODULE } else { b"100644" };
        let output = [mode, b" 0123 0\t", &path, b"\0"].concat();
        let (submodules, files) = sorted_out(&output);
        if link {
            prop_assert_eq!(submodules, [PathBuf::from(OsStr::from_bytes(&path))]);
            prop_assert!(files.is_empty());
        } else {
            prop_assert_eq!(files, [path.as_slice(), b"\0"].concat());
            prop_assert!(submodules.is_empty());
        }
    }
}

//! Workspaces that cannot be split: told by name, with a way out, and nothing is touched.

use std::process::Command;

use super::world::World;
use crate::support::refusal::Before;
use crate::support::tools::run;

const SMALL: &str = r#"
== Cargo.toml
[workspace]
resolver = "2"
members = ["svc", "other"]
== service svc
[dependencies]
table = "1"
== service other
== crate table 1.0.0
"#;

/// Asserts that `split` refuses what `spoil` makes of a workspace that was split before, and leaves the
/// repository and the earlier split as they are.
#[track_caller]
fn refuses(world: &World, spoil: impl FnOnce(&World), code: i32, message: &str, hint: &str) {
    world.run_split(&["svc"]).expect(0);
    spoil(world);
    let target = world.repository().join("target");
    if target.exists() {
        fs_err::remove_dir_all(target).expect("removed");
    }
    let (repository, out) = (Before::of(&world.repository()), Before::of(&world.out()));
    let message = message.replace("{top}", &world.top().to_string_lossy());
    let said = world.run_split(&[]);
    if world.repository().join("target").exists() {
        fs_err::remove_dir_all(world.repository().join("target")).expect("removed");
    }
    said.refuses(code, &message, hint);
    repository.holds();
    out.holds();
}

#[test]
fn a_missing_lock_is_not_made() {
    refuses(
        &World::new(SMALL),
        |world| fs_err::remove_file(world.path("Cargo.lock")).expect("removed"),
        2,
        "the workspace at `{top}/repo` has no `Cargo.lock`",
        "run `cargo generate-lockfile` and commit `Cargo.lock`: images are only reproducible with it",
    );
}

#[test]
fn a_stale_lock_is_not_mended() {
    refuses(
        &World::new(SMALL),
        |world| world.add("\n== service other\n[dependencies]\ntable = \"1\"\n"),
        2,
        "`Cargo.lock` of the workspace at `{top}/repo` does not fit its manifests",
        "run `cargo update --workspace` and commit `Cargo.lock`",
    );
}

#[test]
fn a_merge_left_in_the_lock_is_told_before_cargos_words() {
    refuses(
        &World::new(SMALL),
        |world| {
            let lock = world.read("Cargo.lock");
            let both = "<<<<<<< HEAD\n[[package]]\n=======\n>>>>>>> other\n";
            world.write("Cargo.lock", &lock.replacen("[[package]]\n", both, 1));
        },
        2,
        "cannot use the lock `{top}/repo/Cargo.lock`\n  it holds both sides of an unfinished merge (line 5)",
        "finish the merge: take one side with `git checkout --ours Cargo.lock`, then run `cargo update --workspace`",
    );
}

#[test]
fn a_link_that_leads_nowhere() {
    refuses(
        &World::new(SMALL),
        |world| world.link("svc/link", "absent.txt"),
        2,
        "`{top}/repo/svc/link`, which belongs to the split of `svc`, is a link to `absent.txt`, where nothing is",
        "mend the link, or remove it",
    );
}

#[test]
fn an_input_that_names_nothing() {
    refuses(
        &World::new(SMALL),
        |world| {
            world.add("\n== service svc\n[dependencies]\ntable = \"1\"\n[package.metadata.lighter]\ninputs = [\"data/*.json\"]\n");
        },
        2,
        "`inputs` of service `svc` names `data/*.json`, where no file is",
        "paths are relative to the package, a leading `/` means the workspace root",
    );
}

#[test]
fn an_input_that_is_no_file() {
    refuses(
        &World::new(SMALL),
        |world| {
            world.add("\n== service svc\n[dependencies]\ntable = \"1\"\n[package.metadata.lighter]\ninputs = [\"pipe\"]\n");
            run(Command::new("mkfifo").arg(world.path("svc/pipe")));
        },
        2,
        "`{top}/repo/svc/pipe` is neither a file nor a link",
        "remove it, or name something else",
    );
}

#[test]
fn names_that_differ_in_case_only() {
    refuses(
        &World::new(SMALL),
        |world| world.add("\n== svc/src/Names.rs\n\n== svc/src/names.rs\n"),
        2,
        "`svc/src/Names.rs` and `svc/src/names.rs` differ in case only",
        "rename one of them: file systems of macOS and Windows hold only one",
    );
}

#[test]
fn an_include_that_leads_out_of_the_repository() {
    refuses(
        &World::new(SMALL),
        |world| {
            world.write(".cargo/config.toml", "include = [\"../../more.toml\"]\n");
            world.write("../more.toml", "[env]\n");
        },
        2,
        "`{top}/repo/.cargo/config.toml` includes `{top}/more.toml`, outside of the repository",
        "put it into the repository: a split can be copied anywhere, and would not find it",
    );
}

#[test]
fn a_path_dependency_that_is_missing_is_named_by_cargo() {
    let world = World::new(SMALL);
    world.add("\n== service other\n[dependencies]\nabsent = { path = \"../absent\" }\n");
    let (repository, said) = (Before::of(&world.repository()), world.run_split(&[]));
    said.expect(2).says(&["error: `", "absent/Cargo.toml"]);
    repository.holds();
    assert!(!world.out().exists());
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let world = World::new(SMALL);
    world.run_split(&["svc"]).expect(0);
    // What root may read, too, is read as a file and is none.
    fs_err::remove_file(world.path("Cargo.lock")).expect("removed");
    fs_err::create_dir(world.path("Cargo.lock")).expect("created");
    let out = Before::of(&world.out());
    let said = world.run_split(&["svc"]);
    assert_ne!(said.code, 0);
    said.says(&["Cargo.lock"]);
    out.holds();
}

#[test]
fn a_registry_that_nobody_asked_is_told_with_a_way_out() {
    let world = World::new(SMALL);
    // cargo can describe the workspace no more, as on a machine where nothing was fetched.
    fs_err::remove_dir_all(world.path("../registry/table-1.0.0")).expect("removed");
    let said = world.run_split(&["svc", "--offline"]).expect(2);
    said.says(&["error: ", "table"]);
    assert!(!world.out().exists());
}

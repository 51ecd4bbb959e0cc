//! Splits on disk: written again, changed, interrupted, and where nothing may be written.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use cargo_lighter::fs::sorted_files;
use cargo_lighter::split::MARKER;

use super::world::World;
use crate::support::refusal::no_temporaries;

const SMALL: &str = r#"
== Cargo.toml
[workspace]
resolver = "2"
members = ["svc", "lib", "other"]
== service svc
[dependencies]
lib = { path = "../lib" }
== svc/notes/deep/a.txt
== executable svc/run.sh
#!/bin/sh
== link svc/link -> run.sh
== library lib
== service other
"#;

/// Each file with its time and content; a link with what it holds.
fn state(directory: &Path) -> BTreeMap<PathBuf, (SystemTime, Vec<u8>)> {
    let files = sorted_files(directory).expect("readable").into_iter();
    files
        .map(|file| {
            let metadata = file.path.symlink_metadata().expect("there");
            let content = if metadata.is_symlink() {
                let held = fs_err::read_link(&file.path).expect("a link");
                held.as_os_str().as_encoded_bytes().to_vec()
            } else {
                fs_err::read(&file.path).expect("readable")
            };
            (
                file.relative,
                (metadata.modified().expect("known"), content),
            )
        })
        .collect()
}

/// Names of what differs.
fn changed(
    before: &BTreeMap<PathBuf, (SystemTime, Vec<u8>)>,
    after: &BTreeMap<PathBuf, (SystemTime, Vec<u8>)>,
) -> Vec<String> {
    let names = before.keys().chain(after.keys());
    let mut names: Vec<String> = names
        .filter(|name| before.get(*name) != after.get(*name))
        .map(|name| name.display().to_string())
        .collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn writing_again_changes_what_changed() {
    let world = World::new(SMALL);
    let out = world.out().join("svc");
    let write = || {
        world.run_split(&["svc"]).expect(0);
        state(&out)
    };
    let first = write();
    assert_eq!(first, write());
    no_temporaries(&out);

    world.write("lib/src/lib.rs", "// Changed.\n");
    let edited = write();
    assert_eq!(changed(&first, &edited), ["lib/src/lib.rs"]);

    let mode = |bits| std::fs::Permissions::from_mode(bits);
    fs_err::set_permissions(world.path("lib/src/lib.rs"), mode(0o755)).expect("set");
    write();
    let executable = |path: &str| {
        let metadata = out.join(path).metadata().expect("there");
        metadata.permissions().mode() & 0o100 != 0
    };
    assert!(executable("lib/src/lib.rs") && executable("svc/run.sh"));
    fs_err::set_permissions(world.path("lib/src/lib.rs"), mode(0o644)).expect("set");
    write();
    assert!(!executable("lib/src/lib.rs"));

    fs_err::remove_file(world.path("svc/link")).expect("removed");
    world.link("svc/link", "notes");
    write();
    assert_eq!(
        fs_err::read_link(out.join("svc/link")).expect("a link"),
        Path::new("notes")
    );
}

#[test]
fn what_no_longer_belongs_goes_and_what_others_put_there_stays() {
    let world = World::new(SMALL);
    let out = world.out().join("svc");
    world.run_split(&["svc"]).expect(0);
    let before = state(&out);
    for foreign in ["target/release/svc", "svc/notes/mine.txt"] {
        let path = out.join(foreign);
        fs_err::create_dir_all(path.parent().expect("has a parent")).expect("created");
        fs_err::write(path, "mine").expect("written");
    }
    fs_err::remove_dir_all(world.path("svc/notes")).expect("removed");
    fs_err::remove_file(world.path("svc/link")).expect("removed");
    world.run_split(&["svc"]).expect(0);
    let after = state(&out);
    assert_eq!(
        changed(&before, &after),
        [
            MARKER,
            "svc/link",
            "svc/notes/deep/a.txt",
            "svc/notes/mine.txt",
            "target/release/svc"
        ]
    );
    assert!(!out.join("svc/notes/deep").exists());
}

#[test]
fn a_file_where_a_directory_was_and_the_other_way_round() {
    let world = World::new(SMALL);
    let out = world.out().join("svc");
    world.run_split(&["svc"]).expect(0);
    fs_err::remove_dir_all(world.path("svc/notes")).expect("removed");
    world.write("svc/notes", "a file\n");
    fs_err::remove_file(world.path("svc/link")).expect("removed");
    world.write("svc/link/inside.txt", "below\n");
    world.run_split(&["svc"]).expect(0);
    let read = |path: &str| fs_err::read_to_string(out.join(path)).expect("readable");
    assert_eq!(read("svc/notes"), "a file\n");
    assert_eq!(read("svc/link/inside.txt"), "below\n");
    // The file that the link led to was not written through it.
    assert_eq!(read("svc/run.sh"), "#!/bin/sh\n");
}

#[test]
fn a_write_that_failed_is_completed_by_the_next() {
    let world = World::new(SMALL);
    let out = world.out().join("svc");
    world.run_split(&["svc"]).expect(0);
    let whole = state(&out);
    // A directory that is not empty stands where a file should.
    world.write("svc/zzz", "last\n");
    let obstacle = out.join("svc/zzz/in the way.txt");
    fs_err::create_dir_all(obstacle.parent().expect("has a parent")).expect("created");
    fs_err::write(&obstacle, "mine").expect("written");
    world.write("lib/src/lib.rs", "// Changed.\n");
    let failed = world.run_split(&["svc"]).expect(1);
    assert_eq!(failed.stdout, "");
    failed.says(&["error: cannot write the split of `svc`", "svc/zzz"]);
    fs_err::remove_dir_all(out.join("svc/zzz")).expect("removed");
    world.run_split(&["svc"]).expect(0);
    let after = state(&out);
    assert_eq!(
        changed(&whole, &after),
        [MARKER, "lib/src/lib.rs", "svc/zzz"]
    );
    // Files of a list that was never finished are known to be ours.
    fs_err::remove_file(world.path("svc/zzz")).expect("removed");
    world.run_split(&["svc"]).expect(0);
    assert!(!out.join("svc/zzz").exists());
}

#[test]
fn what_is_not_ours_is_not_touched() {
    let world = World::new(SMALL);
    let place = world.out().join("svc");
    let refuse = || {
        let before = state(&world.out());
        world.run_split(&[]).refuses(
            2,
            &format!(
                "`{}` exists, and is no split that this program wrote",
                place.display()
            ),
            "remove it, or name another directory with `--out`",
        );
        assert_eq!(state(&world.out()), before);
    };
    fs_err::create_dir_all(&place).expect("created");
    fs_err::write(place.join("mine.txt"), "mine").expect("written");
    refuse();
    fs_err::write(place.join(MARKER), "something else").expect("written");
    refuse();
    fs_err::write(place.join(MARKER), "cargo-lighter split 1\n../mine.txt\0").expect("written");
    refuse();
    fs_err::remove_dir_all(&place).expect("removed");
    fs_err::write(&place, "a file").expect("written");
    refuse();
    fs_err::remove_file(&place).expect("removed");
    let elsewhere = world.top().join("elsewhere");
    fs_err::create_dir_all(&elsewhere).expect("created");
    fs_err::os::unix::fs::symlink("../elsewhere", &place).expect("linked");
    refuse();
    fs_err::remove_file(&place).expect("removed");
    fs_err::create_dir(&place).expect("created");
    world.run_split(&[]).expect(0);
}

#[test]
fn links_in_a_split_lead_no_writer_out_of_it() {
    let world = World::new(SMALL);
    let out = world.out().join("svc");
    world.run_split(&["svc"]).expect(0);
    let outside = world.top().join("outside");
    fs_err::create_dir_all(outside.join("src")).expect("created");
    fs_err::write(outside.join("src/lib.rs"), "mine").expect("written");
    fs_err::remove_dir_all(out.join("lib")).expect("removed");
    fs_err::os::unix::fs::symlink(&outside, out.join("lib")).expect("linked");
    world.run_split(&["svc"]).expect(0);
    let read = |path: PathBuf| fs_err::read_to_string(path).expect("readable");
    assert_eq!(read(outside.join("src/lib.rs")), "mine");
    assert_eq!(read(out.join("lib/src/lib.rs")), "");
    assert!(!outside.join("Cargo.toml").exists());
}

#[test]
fn no_split_is_written_among_the_sources() {
    let world = World::in_directory(
        "ws",
        r#"
== ws/Cargo.toml
[workspace]
resolver = "2"
members = ["repo"]
== service ws/repo
[dependencies]
shared = { path = "../../../shared" }
== library ../shared
"#,
    );
    world.link("../door", "repo/ws");
    let seen = || {
        let beside = fs_err::read_dir(world.top()).expect("readable").count();
        (
            beside,
            state(&world.repository()),
            state(&world.top().join("shared")),
        )
    };
    let before = seen();
    let split = |out: &str| world.lighter(&["split", "--out", out]).run();
    let hint =
        "name a directory outside, such as `--out ../splits`, or one in the target directory";
    let repository = world.repository();
    // By its name, `repo`, the split of the last would be the repository itself.
    for (out, place) in [
        (".", repository.join("ws")),
        ("splits", repository.join("ws/splits")),
        ("../splits/deep", repository.join("splits/deep")),
        ("../../door/splits", repository.join("ws/splits")),
        ("../../shared", world.top().join("shared")),
        ("../..", repository.clone()),
    ] {
        split(out).refuses(
            2,
            &format!(
                "`{}` is a place of sources, where the files of a split would become some",
                place.display()
            ),
            hint,
        );
        assert!(seen() == before, "{out}");
    }
    split("target/splits").expect(0);
    assert!(
        world
            .workspace()
            .join("target/splits/repo/repo/ws/Cargo.toml")
            .is_file()
    );
}

#[test]
fn runs_at_the_same_time_have_one_directory() {
    let world = World::new(SMALL);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| world.run_split(&[]).expect(0));
        }
    });
    let first = state(&world.out());
    world.run_split(&[]).expect(0);
    assert_eq!(changed(&first, &state(&world.out())), Vec::<String>::new());
    no_temporaries(&world.out());
}

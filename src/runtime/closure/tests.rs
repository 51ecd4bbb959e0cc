//! The loader's search, with real programs and libraries.

use std::path::Path;

use fs_err as fs;

use crate::fs::{ImagePath, Node, Tree};
use crate::hint::Hint as _;
use crate::runtime::fixture::{Workshop, file_paths};
use crate::runtime::{MissingLibrary, RuntimeError, RuntimeFiles};

const RPATH: &str = "-Wl,--disable-new-dtags";
const RUNPATH: &str = "-Wl,--enable-new-dtags";

fn missing(result: Result<RuntimeFiles, RuntimeError>) -> Vec<MissingLibrary> {
    match result {
        Err(RuntimeError::MissingLibraries { libraries, .. }) => libraries,
        other => panic!("libraries are not missing: {other:?}"),
    }
}

fn link_target(tree: &Tree, path: &str) -> Option<String> {
    match tree.get(&ImagePath::new(path).expect("legal"))? {
        Node::Symlink { target } => Some(target.clone()),
        _ => None,
    }
}

#[test]
fn an_rpath_serves_the_libraries_of_libraries() {
    let workshop = Workshop::new();
    workshop.library("/opt/b/libb.so.1", &[], &[]);
    workshop.library("/opt/a/liba.so.1", &["/opt/b/libb.so.1"], &[]);
    let paths = "-Wl,-rpath,/opt/a:/opt/b";
    let program = workshop.program("orders", &["/opt/a/liba.so.1"], &[RPATH, paths]);
    let files = workshop.find(&program, &[]).expect("complete");
    assert_eq!(
        file_paths(&files.libraries),
        ["/opt/a/liba.so.1", "/opt/b/libb.so.1"]
    );
}

#[test]
fn a_runpath_serves_its_own_object_alone() {
    let workshop = Workshop::new();
    workshop.library("/opt/b/libb.so.1", &[], &[]);
    workshop.library("/opt/a/liba.so.1", &["/opt/b/libb.so.1"], &[]);
    let paths = "-Wl,-rpath,/opt/a:/opt/b";
    let program = workshop.program("orders", &["/opt/a/liba.so.1"], &[RUNPATH, paths]);
    let error = workshop.find(&program, &[]).expect_err("libb is not found");
    assert_eq!(
        error.to_string(),
        format!(
            "`libb.so.1`, needed by `orders` via `liba.so.1`, is not below `{}`",
            workshop.root_path().display()
        )
    );
    let hint = error.hint().expect("one");
    assert!(hint.contains("apt-file search libb.so.1"), "{hint}");
}

#[test]
fn a_runpath_shuts_out_the_rpaths_of_users() {
    let workshop = Workshop::new();
    workshop.library("/opt/b/libb.so.1", &[], &[]);
    let elsewhere = [RUNPATH, "-Wl,-rpath,/opt/elsewhere"];
    workshop.library("/opt/a/liba.so.1", &["/opt/b/libb.so.1"], &elsewhere);
    let paths = "-Wl,-rpath,/opt/a:/opt/b";
    let program = workshop.program("orders", &["/opt/a/liba.so.1"], &[RPATH, paths]);
    let libraries = missing(workshop.find(&program, &[]));
    assert_eq!(libraries.len(), 1);
    assert_eq!(libraries[0].via, ["liba.so.1"]);
}

#[test]
fn the_origin_of_a_library_is_its_directory() {
    let workshop = Workshop::new();
    workshop.library("/opt/x/private/libb.so.1", &[], &[]);
    workshop.library(
        "/opt/x/liba.so.1",
        &["/opt/x/private/libb.so.1"],
        &[RUNPATH, "-Wl,-rpath,${ORIGIN}/private"],
    );
    let program = workshop.program(
        "orders",
        &["/opt/x/liba.so.1"],
        &[RUNPATH, "-Wl,-rpath,/opt/x"],
    );
    let files = workshop.find(&program, &[]).expect("complete");
    assert_eq!(
        file_paths(&files.libraries),
        ["/opt/x/liba.so.1", "/opt/x/private/libb.so.1"]
    );
}

#[test]
fn the_origin_of_the_program_is_not_the_build_directory() {
    let workshop = Workshop::new();
    workshop.library("/opt/liba.so.1", &[], &[]);
    let paths = [RUNPATH, "-Wl,-rpath,$ORIGIN:$ORIGIN/../lib"];
    let program = workshop.program("orders", &["/opt/liba.so.1"], &paths);
    let beside = workshop.build_path("liba.so.1");
    fs::copy(workshop.in_root("/opt/liba.so.1"), beside).expect("writable");
    let error = workshop.find(&program, &[]).expect_err("not taken");
    let hint = error.hint().expect("one");
    assert!(hint.contains("`$ORIGIN` or `$ORIGIN/../lib`"), "{hint}");
    assert!(hint.contains("not in the build directory"), "{hint}");
}

#[test]
fn configured_directories_get_a_link_where_the_loader_looks() {
    let workshop = Workshop::new();
    workshop.write("/etc/ld.so.conf", "include ld.so.conf.d/*.conf\n");
    workshop.write("/etc/ld.so.conf.d/mine.conf", "/opt/mine\n");
    workshop.library("/opt/mine/sub/libc1.so.1", &[], &[]);
    let origin = [RUNPATH, "-Wl,-rpath,$ORIGIN/sub"];
    workshop.library(
        "/opt/mine/libmine.so.1.5",
        &["/opt/mine/sub/libc1.so.1"],
        &origin,
    );
    workshop.link("libmine.so.1.5", "/opt/mine/libmine.so.1");
    let soname = "-Wl,-soname,libmine.so.1";
    let options = ["-shared", "-fPIC", soname, origin[0], origin[1]];
    workshop.compile(
        "",
        &workshop.in_root("/opt/mine/libmine.so.1.5"),
        &["/opt/mine/sub/libc1.so.1"],
        &options,
    );
    let program = workshop.program("orders", &["/opt/mine/libmine.so.1.5"], &[]);
    let files = workshop.find(&program, &[]).expect("complete");
    let links: Vec<(String, Option<String>)> = file_paths(&files.libraries)
        .into_iter()
        .map(|path| {
            let target = link_target(&files.libraries, &path);
            (path.rsplit('/').next().expect("a name").to_owned(), target)
        })
        .collect();
    let file = |name: &str| (name.to_owned(), None);
    let link = |name: &str, target: &str| (name.to_owned(), Some(target.to_owned()));
    assert_eq!(
        links,
        [
            link("libmine.so.1", "libmine.so.1.5"),
            file("libmine.so.1.5"),
            file("libc1.so.1"),
            link("libc1.so.1", "/opt/mine/sub/libc1.so.1"),
            link("libmine.so.1", "/opt/mine/libmine.so.1.5"),
        ]
    );
}

#[test]
fn files_for_other_processors_are_passed_over() {
    let workshop = Workshop::new();
    workshop.library("/opt/b/liba.so.1", &[], &[]);
    let mut foreign = fs::read(workshop.in_root("/opt/b/liba.so.1")).expect("just made");
    foreign[0x12] ^= 0x55;
    fs::write(workshop.in_root("/opt/a/liba.so.1"), foreign).expect("writable");
    let paths = [RUNPATH, "-Wl,-rpath,/opt/a:/opt/b"];
    let program = workshop.program("orders", &["/opt/b/liba.so.1"], &paths);
    let files = workshop.find(&program, &[]).expect("the second one");
    assert_eq!(file_paths(&files.libraries), ["/opt/b/liba.so.1"]);

    fs::remove_file(workshop.in_root("/opt/b/liba.so.1")).expect("there");
    let libraries = missing(workshop.find(&program, &[]));
    assert_eq!(libraries[0].unfit, ["/opt/a/liba.so.1"]);
    assert!(libraries[0].to_string().contains("for another processor"));
}

#[test]
fn links_keep_their_names_and_lead_to_one_file() {
    let workshop = Workshop::new();
    workshop.library("/opt/a/liba.so.1.2", &[], &["-Wl,-soname,liba.so.1"]);
    workshop.link("liba.so.1.2", "/opt/a/liba.so.1");
    workshop.link("/opt/a/liba.so.1", "/opt/a/libalias.so");
    let paths = [RUNPATH, "-Wl,-rpath,/opt/a"];
    workshop.library("/opt/a/libalias-user.so", &[], &[]);
    let program = workshop.program("orders", &["/opt/a/liba.so.1.2"], &paths);
    let files = workshop
        .find(&program, &["/opt/a/libalias.so"])
        .expect("complete");
    assert_eq!(
        file_paths(&files.libraries),
        [
            "/opt/a/liba.so.1",
            "/opt/a/liba.so.1.2",
            "/opt/a/libalias.so"
        ]
    );
    let found: Vec<&str> = files
        .found
        .iter()
        .map(|library| library.path.as_str())
        .filter(|path| path.starts_with("/opt"))
        .collect();
    assert_eq!(found, ["/opt/a/liba.so.1.2"]);
}

#[test]
fn a_circle_of_libraries_ends() {
    let workshop = Workshop::new();
    let here = [RUNPATH, "-Wl,-rpath,/opt"];
    workshop.library("/opt/liba.so.1", &[], &here);
    workshop.library("/opt/libb.so.1", &["/opt/liba.so.1"], &here);
    workshop.library("/opt/liba.so.1", &["/opt/libb.so.1"], &here);
    let program = workshop.program("orders", &["/opt/liba.so.1"], &here);
    let files = workshop.find(&program, &[]).expect("complete");
    assert_eq!(
        file_paths(&files.libraries),
        ["/opt/liba.so.1", "/opt/libb.so.1"]
    );
}

#[test]
fn extra_libraries_come_with_their_own() {
    let workshop = Workshop::new();
    let here = [RUNPATH, "-Wl,-rpath,$ORIGIN"];
    workshop.library("/opt/libb.so.1", &[], &here);
    workshop.library("/opt/plugin.so", &["/opt/libb.so.1"], &here);
    workshop.library("/usr/lib/libnamed.so.1", &[], &[]);
    let program = workshop.program("orders", &[], &[]);
    let files = workshop
        .find(&program, &["/opt/plugin.so", "libnamed.so.1"])
        .expect("complete");
    let paths = file_paths(&files.libraries);
    for path in ["/opt/plugin.so", "/opt/libb.so.1", "/usr/lib/libnamed.so.1"] {
        assert!(paths.contains(&path.to_owned()), "{path} in {paths:?}");
    }
}

#[test]
fn missing_extra_libraries_are_named() {
    let workshop = Workshop::new();
    let program = workshop.program("orders", &[], &[]);
    workshop.library("/opt/libgone.so.1", &[], &[]);
    workshop.library("/opt/plugin.so", &["/opt/libgone.so.1"], &[]);
    fs::remove_file(workshop.in_root("/opt/libgone.so.1")).expect("there");
    let names = ["/opt/none.so", "libnone.so.1", "/opt/plugin.so"];
    let texts: Vec<String> = missing(workshop.find(&program, &names))
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        texts,
        [
            "`/opt/none.so`, named in `extra-libs`",
            "`libnone.so.1`, named in `extra-libs`",
            "`libgone.so.1`, needed by `plugin.so` of `extra-libs`",
        ]
    );
    assert!(matches!(
        workshop.find(&program, &["relative/plugin.so"]),
        Err(RuntimeError::ExtraLibrary(name)) if name == "relative/plugin.so"
    ));
}

#[test]
fn an_older_library_is_noticed() {
    let workshop = Workshop::new();
    let script = |versions: &str| {
        let path = workshop.build_path("versions");
        fs::write(&path, versions).expect("writable");
        format!("-Wl,--version-script={}", path.display())
    };
    let library = workshop.in_root("/opt/libv.so.1");
    let make = |versions: &str, source: &str| {
        let script = script(versions);
        let options = ["-shared", "-fPIC", "-Wl,-soname,libv.so.1", &script];
        workshop.compile(source, &library, &[], &options);
    };
    make("V_2 { global: two; };", "int two(void) { return 2; }");
    let program = workshop.build_path("orders");
    workshop.compile(
        "int two(void); int main(void) { return two(); }",
        &program,
        &["/opt/libv.so.1"],
        &[RUNPATH, "-Wl,-rpath,/opt"],
    );
    workshop.find(&program, &[]).expect("the same library");
    make("V_1 { global: one; };", "int one(void) { return 1; }");
    let error = workshop.find(&program, &[]).expect_err("older");
    assert_eq!(
        error.to_string(),
        "`orders` needs version `V_2` of `libv.so.1`, which `/opt/libv.so.1` does not have"
    );
}

#[test]
fn musl_is_its_own_c_library() {
    let workshop = Workshop::bare();
    let loader = "/lib/ld-musl-test.so.1";
    let plain = ["-nostdlib"];
    workshop.library(loader, &[], &plain);
    workshop.library("/lib/libc.so", &[], &plain);
    workshop.library("/usr/lib/libz.so.1", &["/lib/libc.so"], &plain);
    fs::remove_file(workshop.in_root("/lib/libc.so")).expect("there");
    let program = workshop.build_path("orders");
    workshop.compile(
        "void _start(void) {}",
        &program,
        &["/usr/lib/libz.so.1"],
        &["-nostdlib", "-Wl,--dynamic-linker=/lib/ld-musl-test.so.1"],
    );
    let files = workshop.find(&program, &[]).expect("complete");
    assert_eq!(file_paths(&files.glibc), [loader]);
    assert_eq!(file_paths(&files.libraries), ["/usr/lib/libz.so.1"]);

    workshop.write("/etc/ld-musl-test.path", "/opt/only\n");
    let libraries = missing(workshop.find(&program, &[]));
    assert_eq!(libraries[0].name, "libz.so.1");
    workshop.library("/opt/only/libz.so.1", &[], &plain);
    let files = workshop.find(&program, &[]).expect("complete");
    assert_eq!(file_paths(&files.libraries), ["/opt/only/libz.so.1"]);
    assert_eq!(file_paths(&files.glibc), ["/etc/ld-musl-test.path", loader]);
}

#[test]
fn libraries_of_this_machine_are_never_used_for_another_root() {
    let workshop = Workshop::new();
    let program = workshop.program("orders", &[], &[]);
    let empty = Workshop::bare();
    let error = empty.find(&program, &[]).expect_err("nothing there");
    assert!(matches!(error, RuntimeError::MissingInterpreter { .. }));

    let files = workshop.find(&program, &[]).expect("complete");
    for tree in [&files.base, &files.glibc, &files.libraries] {
        for (path, node) in tree.iter() {
            if let Node::File {
                content: crate::fs::Content::File(host),
                ..
            } = node
            {
                let root = fs::canonicalize(workshop.root_path()).expect("there");
                assert!(Path::new(host).starts_with(&root), "{path}");
            }
        }
    }
}

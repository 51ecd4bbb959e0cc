//! Whole surroundings of real executables.

use std::path::Path;

use fs_err as fs;

use super::check_host;
use crate::fs::{Content, ImagePath, Node, Tree};
use crate::hint::Hint as _;
use crate::oci::Platform;
use crate::runtime::fixture::{Workshop, file_paths, host, request, write_tree};
use crate::runtime::{LibraryRoot, Linkage, Request, find};

fn text(tree: &Tree, path: &str) -> Option<String> {
    match tree.get(&ImagePath::new(path).expect("legal"))? {
        Node::File {
            content: Content::Bytes(bytes),
            ..
        } => Some(String::from_utf8_lossy(bytes).into_owned()),
        Node::File {
            content: Content::File(path),
            ..
        } => Some(fs::read_to_string(path).expect("text")),
        _ => None,
    }
}

/// All regular files of the root but those of dpkg.
fn all_files(workshop: &Workshop) -> Vec<String> {
    crate::fs::sorted_files(&workshop.root_path())
        .expect("readable")
        .into_iter()
        .filter(|file| {
            file.path
                .symlink_metadata()
                .is_ok_and(|data| data.is_file())
        })
        .map(|file| format!("/{}", file.relative.display()))
        .collect()
}

/// A root with packages for everything in it, certificates, zones and os-release.
fn furnished() -> Workshop {
    let workshop = Workshop::new();
    let c_library = all_files(&workshop);
    workshop.write("/usr/lib/os-release", "ID=debian\n");
    workshop.link("../usr/lib/os-release", "/etc/os-release");
    workshop.write(
        "/etc/ssl/certs/ca-certificates.crt",
        "-----BEGIN CERTIFICATE-----\n",
    );
    workshop.write("/usr/share/zoneinfo/UTC", "TZif2");
    let c_library: Vec<&str> = c_library.iter().map(String::as_str).collect();
    workshop.packages(&[
        ("libc6", &c_library),
        ("base-files", &["/usr/lib/os-release"]),
        ("ca-certificates", &["/usr/share/ca-certificates/a.crt"]),
        ("tzdata", &["/usr/share/zoneinfo/UTC"]),
    ]);
    workshop
}

#[test]
fn two_programs_share_base_and_c_library() {
    let workshop = furnished();
    workshop.library("/opt/liba.so.1", &[], &[]);
    let path = "-Wl,-rpath,/opt";
    let plain = workshop.program("plain", &[], &[]);
    let linked = workshop.program("linked", &["/opt/liba.so.1"], &["-lm", path]);
    let (root, platform) = (workshop.root(), host());
    let extra_libraries = ["liba.so.1".to_owned()];
    let found = |executable: &Path, extra_libraries: &[String]| {
        find(&Request {
            ca_certificates: true,
            tzdata: true,
            extra_libraries,
            ..request(executable, &root, &platform)
        })
        .expect("complete")
    };
    let plain = found(&plain, &[]);
    let linked = found(&linked, &extra_libraries);
    assert_eq!(plain.base, linked.base);
    assert_eq!(plain.glibc, linked.glibc);
    assert!(plain.libraries.is_empty());
    assert_eq!(file_paths(&linked.libraries), ["/opt/liba.so.1"]);

    let names: Vec<String> = file_paths(&plain.glibc)
        .iter()
        .filter_map(|path| path.rsplit('/').next().map(str::to_owned))
        .collect();
    for name in ["libc.so.6", "libm.so.6", "libgcc_s.so.1"] {
        assert!(names.contains(&name.to_owned()), "{name} in {names:?}");
    }
    let base = file_paths(&plain.base);
    for path in [
        "/etc/passwd",
        "/etc/group",
        "/etc/nsswitch.conf",
        "/etc/os-release",
        "/usr/lib/os-release",
        "/etc/ssl/certs/ca-certificates.crt",
        "/usr/share/zoneinfo/UTC",
    ] {
        assert!(base.contains(&path.to_owned()), "{path} in {base:?}");
    }
    for package in ["base-files", "ca-certificates", "tzdata"] {
        let record = text(&plain.base, &format!("/var/lib/dpkg/status.d/{package}"));
        assert_eq!(
            record,
            Some(format!(
                "Package: {package}\nVersion: 1.0\nArchitecture: all\nDescription: {package}\n"
            ))
        );
    }
    let sums = text(&plain.glibc, "/var/lib/dpkg/status.d/libc6.md5sums").expect("stated");
    assert_eq!(sums.lines().count(), plain.found.len());
    assert!(plain.warnings.is_empty(), "{:?}", plain.warnings);
}

#[test]
fn the_image_runs_what_the_root_runs() {
    let workshop = furnished();
    workshop.library("/opt/liba.so.1", &[], &[]);
    let program = workshop.program("orders", &["/opt/liba.so.1"], &["-Wl,-rpath,/opt"]);
    let files = workshop.find(&program, &["liba.so.1"]).expect("complete");
    let image = Workshop::bare();
    let all = [&files.base, &files.glibc, &files.libraries];
    for (index, tree) in all.iter().enumerate() {
        for other in &all[index + 1..] {
            for (path, node) in other.iter() {
                let both = tree.get(path);
                let is_directory = |node: &Node| matches!(node, Node::Directory { .. });
                assert!(
                    both.is_none_or(|both| is_directory(both) && is_directory(node)),
                    "{path} is in two trees"
                );
            }
        }
        write_tree(tree, &image.root_path());
    }
    let again = image.find(&program, &["liba.so.1"]).expect("complete");
    assert_eq!(file_paths(&again.glibc), file_paths(&files.glibc));
    assert_eq!(file_paths(&again.libraries), file_paths(&files.libraries));
}

#[test]
fn libraries_of_no_package_must_be_named() {
    let workshop = furnished();
    workshop.library("/opt/liba.so.1", &[], &[]);
    let program = workshop.program("orders", &["/opt/liba.so.1"], &["-Wl,-rpath,/opt"]);
    let error = workshop.find(&program, &[]).expect_err("unowned");
    assert_eq!(error.to_string(), "no package owns `/opt/liba.so.1`");
    let hint = error.hint().expect("one");
    assert!(hint.contains("extra-libs = [\"liba.so.1\"]"), "{hint}");
    for name in ["liba.so.1", "/opt/liba.so.1"] {
        let files = workshop.find(&program, &[name]).expect("named");
        let library = files
            .found
            .iter()
            .find(|library| library.path == "/opt/liba.so.1")
            .expect("found");
        assert_eq!(library.package, None);
    }
}

#[test]
fn owned_libraries_carry_the_record_of_their_package() {
    let workshop = furnished();
    workshop.library("/opt/liba.so.1", &[], &[]);
    let c_library = all_files(&workshop);
    let c_library: Vec<&str> = c_library
        .iter()
        .map(String::as_str)
        .filter(|path| *path != "/opt/liba.so.1")
        .collect();
    workshop.packages(&[("libc6", &c_library), ("liba1", &["/opt/liba.so.1"])]);
    let program = workshop.program("orders", &["/opt/liba.so.1"], &["-Wl,-rpath,/opt"]);
    let files = workshop.find(&program, &[]).expect("complete");
    let record = |name| text(&files.libraries, &format!("/var/lib/dpkg/status.d/{name}"));
    assert!(record("liba1").is_some_and(|record| record.starts_with("Package: liba1\n")));
    assert_eq!(
        record("liba1.md5sums").as_deref(),
        Some("0123  opt/liba.so.1\n")
    );
    assert_eq!(record("libc6"), None, "it is in the layer below");
}

#[test]
fn a_root_without_a_package_database_warns() {
    let workshop = Workshop::new();
    let program = workshop.program("orders", &[], &[]);
    let files = workshop.find(&program, &[]).expect("complete");
    assert_eq!(files.warnings.len(), 2, "{:?}", files.warnings);
    assert!(files.warnings.iter().any(|text| text.contains("dpkg")));
    assert!(files.found.iter().all(|library| library.package.is_none()));
}

#[test]
fn a_static_program_needs_nothing_of_the_system() {
    let workshop = furnished();
    let program = workshop.build_path("orders");
    workshop.compile(
        "void _start(void) {}",
        &program,
        &[],
        &["-nostdlib", "-static"],
    );
    let (root, platform) = (workshop.root(), host());
    let extra_libraries = ["liba.so.1".to_owned()];
    let files = find(&Request {
        ca_certificates: true,
        tzdata: true,
        extra_libraries: &extra_libraries,
        ..request(&program, &root, &platform)
    })
    .expect("complete");
    assert_eq!(files.linkage, Linkage::Static);
    assert!(files.glibc.is_empty() && files.libraries.is_empty() && files.found.is_empty());
    assert_eq!(
        file_paths(&files.base),
        [
            "/etc/group",
            "/etc/nsswitch.conf",
            "/etc/passwd",
            "/etc/ssl/certs/ca-certificates.crt",
            "/usr/share/zoneinfo/UTC",
        ]
    );
    let records = ImagePath::new("/var/lib/dpkg").expect("legal");
    assert_eq!(files.base.get(&records), None);
    assert_eq!(files.warnings.len(), 1);
}

#[test]
fn programs_for_another_platform_are_refused() {
    let workshop = Workshop::new();
    let program = workshop.program("orders", &[], &[]);
    let architecture = if host().architecture == "s390x" {
        "amd64"
    } else {
        "s390x"
    };
    let (root, platform) = (workshop.root(), Platform::linux(architecture));
    let request = request(&program, &root, &platform);
    let error = find(&request).expect_err("another");
    let expected = format!(
        "what cargo built for `{}` is not a Linux executable for linux/{architecture}",
        request.service
    );
    assert_eq!(error.to_string(), expected);
    assert!(std::error::Error::source(&error).is_some());
}

#[test]
fn other_systems_have_no_libraries_of_their_own() {
    let own = std::env::current_exe().expect("this test");
    let (root, platform) = (LibraryRoot::open(Path::new("/")).expect("there"), host());
    let request = request(&own, &root, &platform);
    assert!(check_host(&request, "linux").is_ok());
    let error = check_host(&request, "macos").expect_err("no libraries");
    assert!(error.hint().expect("one").contains("library-root"));
    let workshop = Workshop::bare();
    let elsewhere = workshop.root();
    let request = Request {
        library_root: &elsewhere,
        ..request
    };
    assert!(check_host(&request, "macos").is_ok());
}

/// This machine's own libraries, where its packages are dpkg's.
#[test]
fn the_packages_of_this_machine_are_recorded() {
    if !Path::new("/var/lib/dpkg/status").exists() {
        return;
    }
    let own = std::env::current_exe().expect("this test");
    let (root, platform) = (LibraryRoot::open(Path::new("/")).expect("there"), host());
    let files = find(&request(&own, &root, &platform)).expect("complete");
    let packages: Vec<&str> = files
        .found
        .iter()
        .filter_map(|library| library.package.as_deref())
        .collect();
    assert!(packages.contains(&"libc6"), "{packages:?}");
    let record = text(&files.glibc, "/var/lib/dpkg/status.d/libc6").expect("recorded");
    assert!(record.contains("\nSource: glibc\n"), "{record}");
    let Linkage::Dynamic { interpreter } = &files.linkage else {
        panic!("this test is dynamic");
    };
    let image = Workshop::bare();
    write_tree(&files.glibc, &image.root_path());
    let loader = image.root().file(interpreter).expect("sound");
    assert!(loader.is_some(), "{interpreter} leads to a file");
    assert!(files.glibc_required.is_some());
}

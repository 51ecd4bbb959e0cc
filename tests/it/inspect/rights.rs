//! What may be done with files, as far as it is told by no mode of a file: it is compared, or a warning tells why not.

use tar::EntryType;
use tempfile::TempDir;

use super::against::{Parts, compared, respects_of};
use super::draft::{Draft, File, Layer, directory, file};
use crate::support::cli::Lighter;

/// Extended records of the entry behind them.
fn records(pairs: &[(&str, &str)]) -> File {
    let record = |(key, value): &(&str, &str)| {
        let rest = format!(" {key}={value}\n");
        // The number counts its own digits.
        let length = rest.len() + 2;
        let length = if length > 99 { length + 1 } else { length };
        format!("{length:02}{rest}")
    };
    let text: String = pairs.iter().map(record).collect();
    File {
        kind: EntryType::XHeader,
        ..file("x", &text)
    }
}

/// A layout whose only layer has these files.
fn write(around: &TempDir, name: &str, files: &[File]) {
    let draft = Draft {
        layers: vec![Layer::of(files)],
        ..Draft::default()
    };
    draft.write(&around.path().join(name));
}

#[test]
fn the_root_directory_is_compared_too() {
    let root = |mode, owner| File {
        mode,
        owner,
        ..directory("./")
    };
    let around = TempDir::new().expect("a directory");
    write(&around, "old", &[root(0o755, (0, 0)), file("a", "a")]);
    write(&around, "new", &[root(0o700, (7, 0)), file("a", "a")]);
    write(&around, "none", &[file("a", "a")]);
    let run = compared(&around, "oci:new", "oci:old", &[]).expect(3);
    for line in [
        "differs from oci:old:orders:latest in modes, owners\n",
        "~ /: 0700, was 0755\n",
        "~ /: 7:0, was 0:0\n",
    ] {
        assert!(run.stdout.contains(line), "{}", run.stdout);
    }
    // Without a word on it, a runtime makes one of root's.
    let run = compared(&around, "oci:none", "oci:new", &[]).expect(3);
    assert!(
        run.stdout.contains("~ /: 0755, was 0700\n"),
        "{}",
        run.stdout
    );
    let run = compared(&around, "oci:none", "oci:old", &[]).expect(3);
    assert!(run.stdout.contains("latest in size\n"), "{}", run.stdout);
}

#[test]
fn attributes_that_change_rights_are_a_difference_where_one_side_has_them() {
    for key in [
        "SCHILY.acl.access",
        "SCHILY.xattr.system.posix_acl_access",
        "SCHILY.xattr.security.capability",
    ] {
        let found = respects_of(|parts| {
            parts
                .upper
                .insert(1, records(&[(key, "user::rwx,user:7:rwx")]));
        });
        assert_eq!(found, ["modes", "size"], "{key}");
    }
    let found = respects_of(|parts| {
        let note = records(&[("SCHILY.xattr.user.note", "any")]);
        parts.upper.insert(1, note);
    });
    assert_eq!(found, ["size"]);
}

#[test]
fn an_attribute_with_a_line_break_in_it_is_warned_of() {
    let around = TempDir::new().expect("a directory");
    let with = |value: &str| {
        let mut parts = Parts::usual();
        let key = "SCHILY.xattr.system.posix_acl_access";
        parts.upper.insert(1, records(&[(key, value)]));
        parts.draft()
    };
    with("a\nb").write(&around.path().join("old"));
    with("a\nc").write(&around.path().join("new"));
    let run = compared(&around, "oci:new", "oci:old", &[]);
    let said = run.stderr.replace('\n', " ");
    assert!(
        said.contains("cannot be read, such as of `/app/orders`"),
        "{said}"
    );
}

/// As GNU tar writes it: its own name, and the map of holes before the content.
#[test]
fn a_sparse_file_is_warned_of_by_its_own_name() {
    let around = TempDir::new().expect("a directory");
    let sparse = |name: &str, size: &str| {
        [
            records(&[
                ("GNU.sparse.major", "1"),
                ("GNU.sparse.minor", "0"),
                ("GNU.sparse.name", name),
                ("GNU.sparse.realsize", size),
            ]),
            file("GNUSparseFile.5374/big", "1\n0\n1\n"),
        ]
    };
    write(&around, "old", &sparse("big", "4096"));
    let run = Lighter::at(around.path())
        .args(["inspect", "oci:old"])
        .run()
        .expect(0)
        .says(&["has sparse files, such as `/big`"]);
    assert!(!run.stdout.contains("GNUSparseFile"), "{}", run.stdout);
    compared(&around, "oci:old", "oci:old", &[])
        .expect(0)
        .says(&["has sparse files, such as `/big`"]);
    for (name, size) in [("more", "4096"), ("big", "8192")] {
        write(&around, name, &sparse(name, size));
        let run = compared(&around, &format!("oci:{name}"), "oci:old", &[]).expect(3);
        assert!(run.stdout.contains("latest in files\n"), "{}", run.stdout);
    }
}

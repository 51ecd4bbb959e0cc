use std::fmt::Write as _;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::hint::Hint as _;

const REGISTRY: &str = "registry+https://registry.example/index";

fn parse(text: &str) -> Lockfile {
    Lockfile::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn entry(name: &str, version: &str, rest: &str) -> String {
    format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n{rest}\n")
}

fn names(lock: &Lockfile, index: usize) -> Vec<String> {
    let ends = lock.packages[index].dependencies.iter();
    ends.map(|end| {
        let package = &lock.packages[*end];
        format!("{} {}", package.name, package.version)
    })
    .collect()
}

#[test]
fn our_own_lock_is_read_whole() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock");
    let lock = Lockfile::read(&path).expect("readable");
    let text = fs_err::read_to_string(&path).expect("readable");
    assert_eq!(lock.version, 4);
    assert_eq!(lock.packages.len(), text.matches("[[package]]").count());
    let edges: usize = lock.packages.iter().map(|p| p.dependencies.len()).sum();
    let written = text.lines().filter(|line| line.starts_with(" \""));
    assert_eq!(edges, written.count());
    let own: Vec<usize> = lock.find("cargo-lighter").collect();
    assert_eq!(own.len(), 1);
    assert_eq!(lock.packages[own[0]].source, None);
    assert_eq!(lock.reachable(own).len(), lock.packages.len());
    assert!(lock.beyond(&lock).is_empty());
    let third = with_version(&text, 3).expect("nothing in it needs the newest format");
    assert_eq!(third, text.replace("version = 4\n", "version = 3\n"));
    assert_eq!(with_version(&third, 4).as_deref(), Some(text.as_str()));
}

#[test]
fn dependencies_are_found_in_every_brief_form() {
    let text = ["version = 4\n".to_owned()]
        .into_iter()
        .chain([
            entry("app", "0.1.0", "dependencies = [\"both 1.0.0 (git+https://git.example/b?rev=x)\", \"once\", \"twice 2.0.0\", \"mine 1.0.0\"]"),
            entry("both", "1.0.0", &format!("source = \"{REGISTRY}\"")),
            entry("both", "1.0.0", "source = \"git+https://git.example/b?rev=x#abc\""),
            entry("mine", "1.0.0", ""),
            entry("mine", "1.0.0", &format!("source = \"{REGISTRY}\"")),
            entry("once", "1.0.0", &format!("source = \"{REGISTRY}\"")),
            entry("twice", "1.0.0", &format!("source = \"{REGISTRY}\"")),
            entry("twice", "2.0.0", &format!("source = \"{REGISTRY}\"")),
        ])
        .collect::<String>();
    let lock = parse(&text);
    let app = lock.find("app").next().expect("there");
    assert_eq!(
        names(&lock, app),
        ["both 1.0.0", "mine 1.0.0", "once 1.0.0", "twice 2.0.0"]
    );
    let ends = &lock.packages[app].dependencies;
    let sources: Vec<Option<&str>> = ends
        .iter()
        .map(|end| lock.packages[*end].source.as_deref())
        .collect();
    assert_eq!(sources[0], Some("git+https://git.example/b?rev=x#abc"));
    assert_eq!(sources[1], None, "what names no source is the local one");
}

#[test]
fn what_cannot_be_resolved_is_an_error() {
    let none = entry("a", "1.0.0", "dependencies = [\"b\"]");
    let error = Lockfile::parse(&none).expect_err("no b");
    assert_eq!(
        error.to_string(),
        "package `a 1.0.0` depends on `b`, which is not in it"
    );
    let two = [entry("b", "1.0.0", ""), entry("b", "2.0.0", ""), none].concat();
    let error = Lockfile::parse(&two).expect_err("two b");
    assert!(matches!(error, LockfileError::Ambiguous { .. }), "{error}");
    let bare = entry("a", "1.0.0", "dependencies = [\"a 1.0.0 nowhere\"]");
    let error = Lockfile::parse(&bare).expect_err("no source");
    assert!(matches!(error, LockfileError::Unresolved { .. }), "{error}");
    let twice = [entry("b", "1.0.0", ""), entry("b", "1.0.0", "")].concat();
    let error = Lockfile::parse(&twice).expect_err("twice");
    assert!(matches!(error, LockfileError::Duplicate(_)), "{error}");
}

#[test]
fn an_unfinished_merge_is_named_as_such() {
    let text = "version = 4\n\n<<<<<<< HEAD\n[[package]]\n=======\n>>>>>>> other\n";
    let error = Lockfile::parse(text).expect_err("a conflict");
    assert_eq!(
        error.to_string(),
        "it holds both sides of an unfinished merge (line 3)"
    );
    assert!(error.hint().is_some_and(|hint| hint.contains("merge")));
}

#[test]
fn files_that_are_no_locks_are_errors_with_their_path() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("Cargo.lock");
    let error = Lockfile::read(&path).expect_err("absent");
    assert!(error.to_string().contains("Cargo.lock"));
    fs_err::write(&path, "version = 4\n[[package]]\nname = 1\n").expect("written");
    let error = Lockfile::read(&path).expect_err("a number for a name");
    let causes = crate::report::with_causes(&error);
    assert!(
        causes[0].contains("Cargo.lock") && causes[1].starts_with("line 3:"),
        "{causes:?}"
    );
    for version in ["0", "1", "2", "5", "-1"] {
        let error = Lockfile::parse(&format!("version = {version}\n")).expect_err("unknown");
        assert!(matches!(error, LockfileError::Version(_)), "{error}");
    }
}

#[test]
fn formats_without_a_header_are_told_apart() {
    let first = [
        entry(
            "a",
            "1.0.0",
            &format!("dependencies = [\"b 2.0.0 ({REGISTRY})\"]"),
        ),
        entry("b", "2.0.0", &format!("source = \"{REGISTRY}\"")),
        format!("[metadata]\n\"checksum b 2.0.0 ({REGISTRY})\" = \"123\"\n"),
    ]
    .concat();
    let lock = parse(&first);
    assert_eq!(lock.version, 1);
    assert_eq!(lock.packages[1].checksum.as_deref(), Some("123"));
    let second = [
        entry("a", "1.0.0", "dependencies = [\"b\"]"),
        entry(
            "b",
            "2.0.0",
            &format!("source = \"{REGISTRY}\"\nchecksum = \"123\""),
        ),
    ]
    .concat();
    let newer = parse(&second);
    assert_eq!(newer.version, 2);
    assert!(
        newer.beyond(&lock).is_empty(),
        "the format is no difference"
    );
    assert!(lock.beyond(&newer).is_empty());
    assert_eq!(with_version(&second, 3), None);
}

#[test]
fn the_oldest_locks_have_a_root() {
    let text = format!(
        "[root]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\"b 1.0.0 ({REGISTRY})\"]\n\n{}",
        entry("b", "1.0.0", &format!("source = \"{REGISTRY}\""))
    );
    let lock = parse(&text);
    assert_eq!(names(&lock, 0), ["b 1.0.0"]);
}

#[test]
fn replaced_packages_lead_to_what_replaces_them() {
    let text = [
        entry(
            "a",
            "1.0.0",
            &format!("source = \"{REGISTRY}\"\nreplace = \"a 1.0.0\""),
        ),
        entry("a", "1.0.0", ""),
        entry(
            "z",
            "1.0.0",
            &format!("dependencies = [\"a 1.0.0 ({REGISTRY})\"]"),
        ),
    ]
    .concat();
    let lock = parse(&text);
    let z = lock.find("z").next().expect("there");
    assert_eq!(lock.reachable([z]).len(), 3);
}

#[test]
fn unused_patches_are_listed() {
    let text = format!(
        "version = 4\n{}\n[[patch.unused]]\nname = \"z\"\nversion = \"1.0.0\"\n\n[[patch.unused]]\nname = \"b\"\nversion = \"2.0.0\"\nsource = \"git+https://git.example/b#1\"\n",
        entry("a", "1.0.0", "")
    );
    let lock = parse(&text);
    let names: Vec<&str> = lock
        .unused_patches
        .iter()
        .map(|p| p.name.as_str())
        .collect();
    assert_eq!(names, ["b", "z"]);
}

#[test]
fn additions_are_told_apart() {
    let text = |dependency: &str, checksum: &str| {
        let source = format!("source = \"{REGISTRY}\"\nchecksum = \"{checksum}\"");
        parse(
            &[
                entry("a", "1.0.0", &format!("dependencies = [{dependency}]")),
                entry("b", "1.0.0", &source),
            ]
            .concat(),
        )
    };
    let original = text("", "1");
    assert_eq!(
        text("\"b\"", "2").beyond(&original),
        [
            format!("dependency of `a 1.0.0` on `b 1.0.0 ({REGISTRY})`"),
            format!("another checksum of `b 1.0.0 ({REGISTRY})`"),
        ]
    );
    let alone = parse(&entry("a", "1.0.0", ""));
    assert_eq!(
        original.beyond(&alone),
        [format!("package `b 1.0.0 ({REGISTRY})`")]
    );
    assert!(alone.beyond(&original).is_empty());
}

/// Formats 3 and 4 write `feature/x` differently; facts: cargo rewrites the header with any change.
#[test]
fn git_references_decide_whether_a_format_can_be_left() {
    let lock = |version: u32, reference: &str| {
        format!(
            "version = {version}\n\n{}",
            entry(
                "a",
                "1.0.0",
                &format!("source = \"git+https://git.example/a?{reference}#12\"")
            )
        )
    };
    assert_eq!(with_version(&lock(4, "branch=feature%2Fx"), 3), None);
    assert_eq!(with_version(&lock(3, "branch=feature/x"), 4), None);
    assert_eq!(
        with_version(&lock(4, "tag=v1.0"), 3),
        Some(lock(3, "tag=v1.0"))
    );
    let (new, old) = (
        parse(&lock(4, "branch=feature%2Fx")),
        parse(&lock(3, "branch=feature/x")),
    );
    assert!(new.beyond(&old).is_empty() && old.beyond(&new).is_empty());
    assert!(!new.beyond(&parse(&lock(3, "branch=feature/y"))).is_empty());
    let windows = lock(4, "tag=v1").replace('\n', "\r\n");
    assert_eq!(
        with_version(&windows, 3),
        Some(lock(3, "tag=v1").replace('\n', "\r\n"))
    );
}

/// A generated lock: packages of few names and versions, and edges between them.
#[derive(Debug, Clone)]
struct Model {
    packages: BTreeSet<(String, String)>,
    edges: BTreeSet<(usize, usize)>,
}

impl Model {
    fn text(&self) -> String {
        let packages: Vec<_> = self.packages.iter().collect();
        let mut text = "version = 4\n\n".to_owned();
        for (index, (name, version)) in packages.iter().enumerate() {
            let ends = self.edges.iter().filter(|(from, _)| *from == index);
            let ends = ends.map(|(_, to)| {
                let (name, version) = packages[*to];
                match packages.iter().filter(|(other, _)| other == name).count() {
                    1 => format!("\"{name}\""),
                    _ => format!("\"{name} {version}\""),
                }
            });
            let ends: Vec<String> = ends.collect();
            let rest = format!(
                "source = \"{REGISTRY}\"\nchecksum = \"{name}{version}\"\ndependencies = [{}]\n",
                ends.join(", ")
            );
            let _ = writeln!(text, "{}", entry(name, version, &rest));
        }
        text
    }
}

fn model() -> impl Strategy<Value = Model> {
    let package = ("[a-d][a-z_-]{0,2}", "[0-2]\\.[0-9]{1,2}\\.0");
    prop::collection::btree_set(package, 1..12).prop_flat_map(|packages| {
        let count = packages.len();
        let edges = prop::collection::btree_set((0..count, 0..count), 0..24);
        (Just(packages), edges).prop_map(|(packages, edges)| Model { packages, edges })
    })
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "([\\[\\]\"= .#()\na-z0-9]{0,80}|\\PC{0,40})") {
        let _ = Lockfile::parse(&text);
        let entry = entry("a", "1.0.0", &text);
        if let Err(error) = Lockfile::parse(&entry) {
            prop_assert!(!error.to_string().contains(char::is_control));
        }
        let _ = with_version(&entry, 3);
    }

    #[test]
    fn packages_and_dependencies_are_those_that_were_written(model in model()) {
        let lock = parse(&model.text());
        let packages: BTreeSet<(String, String)> =
            lock.packages.iter().map(|p| (p.name.clone(), p.version.clone())).collect();
        prop_assert_eq!(&packages, &model.packages);
        let edges: BTreeSet<(usize, usize)> = lock.packages.iter().enumerate()
            .flat_map(|(from, p)| p.dependencies.iter().map(move |to| (from, *to)))
            .collect();
        prop_assert_eq!(edges, model.edges);
        prop_assert!(lock.beyond(&lock).is_empty());
    }

    #[test]
    fn less_is_a_part_and_more_is_found(model in model(), chosen in any::<prop::sample::Index>()) {
        let whole = parse(&model.text());
        let mut fewer = model.clone();
        if let Some(edge) = model.edges.iter().nth(chosen.index(model.edges.len().max(1))) {
            fewer.edges.remove(edge);
            let part = parse(&fewer.text());
            prop_assert!(part.beyond(&whole).is_empty());
            prop_assert_eq!(whole.beyond(&part).len(), 1);
        }
        let mut smaller = whole.clone();
        let gone = chosen.index(whole.packages.len());
        smaller.packages.remove(gone);
        for package in &mut smaller.packages {
            package.dependencies.retain(|end| *end != gone);
            for end in &mut package.dependencies {
                *end -= usize::from(*end > gone);
            }
        }
        prop_assert!(smaller.beyond(&whole).is_empty());
        prop_assert!(!whole.beyond(&smaller).is_empty());
        let mut forged = whole.clone();
        forged.packages[gone].checksum = Some("forged".to_owned());
        prop_assert_eq!(forged.beyond(&whole).len(), 1);
    }

    #[test]
    fn what_is_reached_reaches_nothing_else(model in model(), from in any::<prop::sample::Index>()) {
        let lock = parse(&model.text());
        let reached = lock.reachable([from.index(lock.packages.len()), usize::MAX]);
        prop_assert_eq!(&lock.reachable(reached.iter().copied()), &reached);
        for index in &reached {
            prop_assert!(lock.packages[*index].dependencies.iter().all(|end| reached.contains(end)));
        }
    }
}

//! The rooms of the house: every top-level module, and what it may import.
//!
//! A room may import only rooms above it in the table. Some may not import each other at all, so that
//! each can be understood, tested and replaced alone.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// All rooms, top to bottom.
const ROOMS: &[&str] = &[
    "hint",
    "digest",
    "reference",
    "oci",
    "fs",
    "report",
    "template",
    "process",
    "cargo",
    "workspace",
    "config",
    "plan",
    "adopt",
    "split",
    "since",
    "compile",
    "runtime",
    "store",
    "layer",
    "medium",
    "registry",
    "source",
    "image",
    "attest",
    "destination",
    "inspect",
    "deploy",
    "lint",
    "pipeline",
    "doctor",
    "ui",
    "cli",
];

/// The words: data and small functions that every room may speak of.
const WORDS: &[&str] = &["hint", "digest", "reference", "oci", "fs", "report"];

/// Rooms that may import only these of the rooms above them.
const NARROW: &[(&str, &[&str])] = &[
    ("template", WORDS),
    ("process", WORDS),
    // The terminal knows events, not where they come from.
    ("ui", WORDS),
];

/// Rooms that are ordered themselves: the words that all in one may speak of, and its parts, top to bottom.
const ORDERED: &[(&str, &[&str], &[&str])] = &[
    (
        "adopt",
        &["error", "paths", "remark"],
        &[
            "secrets",
            "shell",
            "dockerfile",
            "manifest",
            "launch",
            "layers",
            "assets",
            "proposal",
        ],
    ),
    (
        "registry",
        &["credential", "options", "secret"],
        &[
            "words",
            "errors",
            "addresses",
            "advice",
            "credentials",
            "wire",
            "patience",
            "access",
            "call",
            "push",
            "pull",
            "face",
            "foreign",
        ],
    ),
];

/// Rooms that never import each other, whatever their order.
const STRANGERS: &[&str] = &["split", "compile", "layer", "registry"];

#[test]
fn every_room_imports_only_rooms_above_it() {
    let mut broken = Vec::new();
    for file in sources() {
        let home = room_of(&file);
        if home == "lib" || home == "main" {
            continue;
        }
        let Some(level) = ROOMS.iter().position(|room| *room == home) else {
            broken.push(format!("{}: `{home}` is not in the table", file.display()));
            continue;
        };
        for target in imported_rooms(&code(&file)) {
            let Some(other) = ROOMS.iter().position(|room| *room == target) else {
                broken.push(format!("{}: `crate::{target}` is no room", file.display()));
                continue;
            };
            let allowed = NARROW
                .iter()
                .find(|(room, _)| *room == home)
                .map(|(_, allowed)| *allowed);
            let strangers =
                STRANGERS.contains(&home.as_str()) && STRANGERS.contains(&target.as_str());
            let narrow = allowed.is_some_and(|allowed| !allowed.contains(&target.as_str()));
            if target != home && (other > level || strangers || narrow) {
                broken.push(format!(
                    "{}: `{home}` must not import `{target}`",
                    file.display()
                ));
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn every_part_of_an_ordered_room_imports_only_parts_above_it() {
    let mut broken = Vec::new();
    for (room, words, parts) in ORDERED {
        let level = |part: &str| parts.iter().position(|other| *other == part);
        let here = root().join(room);
        for file in sources()
            .into_iter()
            .filter(|file| file.starts_with(&here) && !is_for_tests(file))
        {
            let part = part_of(&here, &file);
            if part == "mod" {
                continue;
            }
            let own = level(&part);
            if own.is_none() && !words.contains(&part.as_str()) {
                broken.push(format!("{}: `{part}` is not in the table", file.display()));
            }
            let code = code(&file);
            let mut targets = segments_after(shipped(&code), &format!("crate::{room}::"));
            if file.parent() == Some(&here) || file.ends_with("mod.rs") {
                // One level up is the room itself.
                targets.extend(segments_after(shipped(&code), "super::"));
            }
            for target in targets {
                let is_above = level(&target).is_some_and(|other| own >= Some(other));
                if target != part && !is_above && !words.contains(&target.as_str()) {
                    broken.push(format!(
                        "{}: `{part}` must not import `{target}`",
                        file.display()
                    ));
                }
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn the_library_names_its_rooms_in_their_order() {
    let text = fs::read_to_string(root().join("lib.rs")).expect("readable");
    let existing: Vec<&str> = ROOMS
        .iter()
        .copied()
        .filter(|room| root().join(room).is_dir() || root().join(format!("{room}.rs")).is_file())
        .collect();
    let modules: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    assert_eq!(modules, existing);
    let rows: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("//! | [`")?.split('`').next())
        .collect();
    assert_eq!(rows, existing);
}

#[test]
fn nothing_climbs_out_of_its_parent_module() {
    // A test module stands one level deeper than what it tests.
    let climbing: Vec<PathBuf> = sources()
        .into_iter()
        .filter(|file| !is_for_tests(file))
        .filter(|file| shipped(&code(file)).contains("super::super::"))
        .collect();
    assert!(climbing.is_empty(), "{climbing:?}");
}

#[test]
fn nothing_hands_out_items_of_another_room() {
    let mut broken = Vec::new();
    for file in sources() {
        for line in code(&file)
            .lines()
            .filter(|line| line.trim_start().starts_with("pub use crate::"))
        {
            broken.push(format!("{}: {}", file.display(), line.trim()));
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn only_the_ui_and_the_command_line_know_the_process() {
    let banned = [
        "println!",
        "eprintln!",
        "std::env::var",
        "std::env::current_dir",
        "process::exit",
        "std::env::args",
    ];
    let mut broken = Vec::new();
    for file in sources() {
        let allowed = ["ui", "cli", "main"].contains(&room_of(&file).as_str())
            || file.ends_with("process/environment.rs")
            || is_for_tests(&file);
        let text = code(&file);
        let shipped = shipped(&text);
        for word in banned
            .iter()
            .filter(|word| !allowed && shipped.contains(**word))
        {
            broken.push(format!("{}: {word}", file.display()));
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn files_stay_short() {
    const LIMIT: usize = 600;
    let long: Vec<String> = sources()
        .iter()
        .map(|file| {
            (
                file,
                fs::read_to_string(file).expect("readable").lines().count(),
            )
        })
        .filter(|(_, lines)| *lines > LIMIT)
        .map(|(file, lines)| format!("{}: {lines} lines", file.display()))
        .collect();
    assert!(long.is_empty(), "\n{}", long.join("\n"));
}

#[test]
fn the_search_for_imports_sees_groups_and_single_paths() {
    let text =
        "use crate::{oci, fs::{Tree, walk}, report};\nfn f() { crate::digest::Digest::of(b\"\") }";
    let found: Vec<String> = imported_rooms(text).into_iter().collect();
    assert_eq!(found, ["digest", "fs", "oci", "report"]);
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn room_of(file: &Path) -> String {
    let relative = file.strip_prefix(root()).expect("below src");
    let first = relative
        .components()
        .next()
        .expect("a name")
        .as_os_str()
        .to_string_lossy()
        .into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// The part of a room that a file belongs to.
fn part_of(room: &Path, file: &Path) -> String {
    let relative = file.strip_prefix(room).expect("below the room");
    let first = relative.components().next().expect("a name");
    let name = first.as_os_str().to_string_lossy().into_owned();
    name.trim_end_matches(".rs").to_owned()
}

/// Code without what stands in test modules at its end.
fn shipped(code: &str) -> &str {
    code.split("#[cfg(test)]").next().unwrap_or_default()
}

/// A file's text without line comments.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).expect("readable");
    text.lines()
        .map(|line| line.split("//").next().unwrap_or(""))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The first segment after every `crate::`, looking into groups of any depth.
fn imported_rooms(code: &str) -> BTreeSet<String> {
    segments_after(code, "crate::")
}

/// The same after another path.
fn segments_after(code: &str, path: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for rest in code.split(path).skip(1) {
        let Some(group) = rest.strip_prefix('{') else {
            found.insert(word(rest));
            continue;
        };
        let (mut depth, mut at_item) = (1, true);
        for (index, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => at_item = true,
                c if at_item && depth == 1 && !c.is_whitespace() => {
                    found.insert(word(&group[index..]));
                    at_item = false;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    found
}

/// Whether a file is compiled only for tests: its parent says so, or it stands among tests.
fn is_for_tests(file: &Path) -> bool {
    if file.components().any(|part| part.as_os_str() == "tests") || file.ends_with("tests.rs") {
        return true;
    }
    let name = file
        .file_stem()
        .expect("a name")
        .to_string_lossy()
        .into_owned();
    let parent = fs::read_to_string(file.with_file_name("mod.rs")).unwrap_or_default();
    parent.contains(&format!("#[cfg(test)]\nmod {name};"))
}

fn word(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    visit(&root(), &mut found);
    found.sort();
    found
}

fn visit(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            visit(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

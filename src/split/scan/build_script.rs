//! What the literals of a build script may mean.

use std::collections::BTreeSet;

use super::expression::has_a_name;
use super::variable::is_set_for_build_scripts;
use super::{Base, Scan, What};

/// Nothing longer is taken for a path.
const MAX_PATH: usize = 1024;
/// How many steps up are tried where a script climbs by calls.
const MAX_CLIMBS: usize = 3;
/// How many different ways up are tried.
const MAX_WAYS: usize = 6;

/// Takes all that `literals` may mean: words to cargo, and paths below the package or, where the
/// script goes up, above it. `climbs` is how often it asks for a parent.
pub(super) fn read(literals: &[String], climbs: usize, scan: &mut Scan) {
    let mut paths = Vec::new();
    scan.asks_git = literals.iter().any(|text| speaks_of_git(text));
    for text in literals {
        let mut is_directive = false;
        for line in text.lines() {
            if let Some(directive) = line.trim().strip_prefix("cargo:") {
                is_directive = true;
                paths.extend(obey(directive.trim_start_matches(':'), scan));
            }
        }
        if !is_directive {
            paths.push(text.as_str());
        }
    }
    let mut ways: BTreeSet<String> = (1..=climbs.min(MAX_CLIMBS))
        .map(|steps| vec![".."; steps].join("/"))
        .collect();
    let mut found = Vec::new();
    for path in paths.into_iter().filter_map(without_placeholders) {
        let path = path.trim_start_matches('/');
        if !has_a_name(path) {
            if path.contains("..") && ways.len() < MAX_WAYS {
                ways.insert(path.trim_end_matches('/').to_owned());
            }
        } else if let Some(end) = path.find(['{', '*', '?']) {
            let directory = path[..end].rsplit_once('/').map(|(directory, _)| directory);
            let directory = directory.filter(|directory| has_a_name(directory));
            found.extend(directory.map(|directory| (directory, What::Directory)));
        } else {
            found.push((path, What::Any));
        }
    }
    for (path, what) in found {
        scan.add(Base::Package, path, what);
        for way in &ways {
            scan.add(Base::Package, format!("{way}/{path}"), what);
        }
    }
}

/// Takes what a script tells cargo, and returns the path that it names.
fn obey<'a>(directive: &'a str, scan: &mut Scan) -> Option<&'a str> {
    let (key, value) = directive.split_once('=')?;
    match key {
        "rerun-if-changed" => Some(value),
        "rustc-link-search" => Some(value.split_once('=').map_or(value, |(_, path)| path)),
        "rustc-link-lib" => {
            scan.links_native = true;
            None
        }
        "rerun-if-env-changed" => {
            let is_name = !value.is_empty() && !value.contains(['{', '}']);
            if is_name && !is_set_for_build_scripts(value) {
                scan.variables.insert(value.to_owned());
            }
            None
        }
        _ => None,
    }
}

/// `text` if it can be a path; what a format string begins with is taken for the package's directory,
/// which it mostly is.
fn without_placeholders(text: &str) -> Option<&str> {
    if text.is_empty() || text.len() > MAX_PATH || text.contains(char::is_control) {
        return None;
    }
    if !text.starts_with('{') {
        return Some(text);
    }
    let (_, rest) = text.split_once('}')?;
    rest.starts_with('/').then_some(rest)
}

/// Whether a text is the name of the program or a path to it, a line for a shell that begins with it, or
/// a path into its directory.
fn speaks_of_git(text: &str) -> bool {
    let is_program = |word: &str| word.rsplit(['/', '\\']).next() == Some("git");
    let mut commands = text.split([';', '&', '|', '(', '`', '\n']);
    is_program(text.trim())
        || commands.any(|command| command.split_whitespace().next().is_some_and(is_program))
        || text.split(['/', '=', ' ']).any(|part| part == ".git")
}

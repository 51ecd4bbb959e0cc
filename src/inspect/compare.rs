//! What differs between two images, respect by respect.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use super::files::{FileKind, FileNode};
use super::layer::Attributes;
use super::layout::command;
use super::libraries::{Library, is_library, is_record, shown};
use super::report::{Inspected, Report};
use crate::report::{printable, size};

/// Compressed bytes that mean nothing: the same files compress a little better or worse in another order.
/// Of large images it is a hundredth.
const TOLERANCE: u64 = 4096;

/// In what images can differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Respect {
    /// What they run on.
    Platform,
    /// As whom they run.
    User,
    /// What runs.
    Entrypoint,
    /// Its arguments.
    Cmd,
    /// Its environment.
    Env,
    /// Ports that it listens on.
    Ports,
    /// Where it starts.
    Workdir,
    /// Directories with data from outside.
    Volumes,
    /// What stops it.
    StopSignal,
    /// How long docker waits for that.
    StopTimeout,
    /// What it calls itself.
    Hostname,
    /// How docker looks after it.
    Healthcheck,
    /// What runs commands of Dockerfiles and health checks.
    Shell,
    /// What it adds to a Dockerfile that begins with it.
    Onbuild,
    /// Facts about the image.
    Labels,
    /// Which files there are, and what is in them.
    Files,
    /// What may be done with files.
    Modes,
    /// Whose files are.
    Owners,
    /// Where symbolic links lead.
    Links,
    /// Shared libraries and their packages.
    Libraries,
    /// Bytes to store and send.
    Size,
}

impl Respect {
    /// All, in their order.
    pub const ALL: [Self; 21] = [
        Self::Platform,
        Self::User,
        Self::Entrypoint,
        Self::Cmd,
        Self::Env,
        Self::Ports,
        Self::Workdir,
        Self::Volumes,
        Self::StopSignal,
        Self::StopTimeout,
        Self::Hostname,
        Self::Healthcheck,
        Self::Shell,
        Self::Onbuild,
        Self::Labels,
        Self::Files,
        Self::Modes,
        Self::Owners,
        Self::Links,
        Self::Libraries,
        Self::Size,
    ];
}

impl fmt::Display for Respect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Platform => "platform",
            Self::User => "user",
            Self::Entrypoint => "entrypoint",
            Self::Cmd => "cmd",
            Self::Env => "env",
            Self::Ports => "ports",
            Self::Workdir => "workdir",
            Self::Volumes => "volumes",
            Self::StopSignal => "stop signal",
            Self::StopTimeout => "stop timeout",
            Self::Hostname => "hostname",
            Self::Healthcheck => "healthcheck",
            Self::Shell => "shell",
            Self::Onbuild => "onbuild",
            Self::Labels => "labels",
            Self::Files => "files",
            Self::Modes => "modes",
            Self::Owners => "owners",
            Self::Links => "links",
            Self::Libraries => "libraries",
            Self::Size => "size",
        })
    }
}

/// How two images differ in one respect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// In what.
    pub respect: Respect,
    /// Each that differs, sorted.
    pub changes: Vec<Change>,
}

/// One thing that only one image has, or that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What it is, such as a path or the name of a variable; nothing where the respect has only one.
    pub item: Option<String>,
    /// As the image that is compared has it.
    pub new: Option<String>,
    /// As the image that it is compared with has it.
    pub old: Option<String>,
}

/// All differences between two images, in the order of [`Respect::ALL`].
pub fn compare(new: &Inspected, old: &Inspected) -> Vec<Difference> {
    let mut found: BTreeMap<Respect, Vec<Change>> = BTreeMap::new();
    settings(&new.report, &old.report, &mut found);
    files(new, old, &mut found);
    libraries(&new.report, &old.report, &mut found);
    // Records may differ in what no library shows.
    found
        .entry(Respect::Libraries)
        .or_insert_with(|| records(new, old));
    sizes(&new.report, &old.report, &mut found);
    let differences = found.into_iter().filter(|(_, changes)| !changes.is_empty());
    differences
        .map(|(respect, changes)| Difference { respect, changes })
        .collect()
}

type Found = BTreeMap<Respect, Vec<Change>>;

fn settings(new: &Report, old: &Report, found: &mut Found) {
    let (now, before) = (&new.config, &old.config);
    let mut one = |respect, new: &str, old: &str| {
        if new != old {
            let text = |text: &str| (!text.is_empty()).then(|| printable(text));
            found.entry(respect).or_default().push(Change {
                item: None,
                new: text(new),
                old: text(old),
            });
        }
    };
    one(Respect::Platform, &new.runs_on(), &old.runs_on());
    one(Respect::User, &now.user, &before.user);
    one(
        Respect::Entrypoint,
        &command(&now.entrypoint),
        &command(&before.entrypoint),
    );
    one(Respect::Cmd, &command(&now.cmd), &command(&before.cmd));
    // Runtimes start in `/` where nothing else is said.
    let workdir = |text: &str| {
        if text.is_empty() {
            "/".to_owned()
        } else {
            text.to_owned()
        }
    };
    one(
        Respect::Workdir,
        &workdir(&now.workdir),
        &workdir(&before.workdir),
    );
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    one(
        Respect::StopSignal,
        &text(&now.stop_signal),
        &text(&before.stop_signal),
    );
    one(
        Respect::StopTimeout,
        &text(&now.stop_timeout),
        &text(&before.stop_timeout),
    );
    one(
        Respect::Hostname,
        &text(&now.hostname),
        &text(&before.hostname),
    );
    one(
        Respect::Healthcheck,
        &now.healthcheck_text(),
        &before.healthcheck_text(),
    );
    one(
        Respect::Shell,
        &command(&now.shell),
        &command(&before.shell),
    );
    // Each is a line of its own.
    one(
        Respect::Onbuild,
        &now.on_build.join("; "),
        &before.on_build.join("; "),
    );
    maps(
        Respect::Env,
        &variables(&now.env),
        &variables(&before.env),
        found,
    );
    maps(
        Respect::Ports,
        &ports(&now.ports),
        &ports(&before.ports),
        found,
    );
    maps(
        Respect::Volumes,
        &set(&now.volumes),
        &set(&before.volumes),
        found,
    );
    maps(Respect::Labels, &now.labels, &before.labels, found);
}

/// What a configuration says of a variable.
#[derive(PartialEq, Eq)]
enum Variable {
    /// Behind the equals sign.
    Value(String),
    /// There is none: some runtimes pass the name on, and some an empty value.
    Bare,
}

impl fmt::Display for Variable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Value(value) => value,
            Self::Bare => "a name without `=`",
        })
    }
}

fn variables(env: &[String]) -> BTreeMap<String, Variable> {
    // Of two with one name, processes see the last.
    let pairs = env.iter().map(|pair| match pair.split_once('=') {
        Some((name, value)) => (name.to_owned(), Variable::Value(value.to_owned())),
        None => (pair.clone(), Variable::Bare),
    });
    pairs.collect()
}

fn ports(ports: &[String]) -> BTreeMap<String, String> {
    let whole = |port: &String| match port.split_once('/') {
        Some(_) => port.clone(),
        None => format!("{port}/tcp"),
    };
    ports
        .iter()
        .map(|port| (whole(port), String::new()))
        .collect()
}

fn set(items: &[String]) -> BTreeMap<String, String> {
    items
        .iter()
        .map(|item| (item.clone(), String::new()))
        .collect()
}

/// Names that only one has, or whose values differ.
fn maps<V: PartialEq + fmt::Display>(
    respect: Respect,
    new: &BTreeMap<String, V>,
    old: &BTreeMap<String, V>,
    found: &mut Found,
) {
    let names: BTreeSet<&String> = new.keys().chain(old.keys()).collect();
    for name in names {
        let (now, before) = (new.get(name), old.get(name));
        if now != before {
            found.entry(respect).or_default().push(Change {
                item: Some(printable(name)),
                new: now.map(|value| printable(&value.to_string())),
                old: before.map(|value| printable(&value.to_string())),
            });
        }
    }
}

/// Files other than libraries and records of packages, which are compared as such; and the attributes of
/// all.
fn files(new: &Inspected, old: &Inspected, found: &mut Found) {
    let mut old_nodes = old.files.iter().peekable();
    let mut add = |respect, path: &[u8], new: Option<String>, old: Option<String>| {
        found.entry(respect).or_default().push(Change {
            item: Some(shown(path)),
            new,
            old,
        });
    };
    let mut alone = |path: &[u8], new: Option<&FileNode>, old: Option<&FileNode>| {
        if !is_elsewhere(path, new.or(old)) {
            add(Respect::Files, path, new.map(words), old.map(words));
        }
    };
    let mut both = Vec::new();
    for (path, node) in new.files.iter() {
        while let Some((old_path, old_node)) = old_nodes.next_if(|(old_path, _)| *old_path < path) {
            alone(old_path, None, Some(old_node));
        }
        match old_nodes.next_if(|(old_path, _)| *old_path == path) {
            Some((_, old_node)) => both.push((path, node, old_node)),
            None => alone(path, Some(node), None),
        }
    }
    for (old_path, old_node) in old_nodes {
        alone(old_path, None, Some(old_node));
    }
    attributes(b"", new.files.root(), old.files.root(), &mut add);
    for (path, new, old) in both {
        pair(path, new, old, &mut add);
    }
    if let Some(changes) = found.get_mut(&Respect::Files) {
        changes.sort_by(|one, other| one.item.cmp(&other.item));
    }
}

/// One path that both images have.
fn pair(
    path: &[u8],
    new: &FileNode,
    old: &FileNode,
    add: &mut impl FnMut(Respect, &[u8], Option<String>, Option<String>),
) {
    if let (FileKind::Link(now), FileKind::Link(before)) = (&new.kind, &old.kind) {
        if now != before {
            let text = |target: &[u8]| Some(printable(&String::from_utf8_lossy(target)));
            add(Respect::Links, path, text(now), text(before));
        }
        // A link's own mode and owner mean nothing.
        return;
    }
    let both_files = matches!(
        (&new.kind, &old.kind),
        (FileKind::File(_), FileKind::File(_))
    );
    let is_told_elsewhere = both_files && (is_library(path) || is_record(path));
    if !is_told_elsewhere && !has_same_content(&new.kind, &old.kind) {
        add(Respect::Files, path, Some(words(new)), Some(words(old)));
        if !both_files {
            return;
        }
    }
    attributes(path, new.attributes, old.attributes, add);
}

/// What may be done with what both images have, and whose it is.
fn attributes(
    path: &[u8],
    now: Attributes,
    before: Attributes,
    add: &mut impl FnMut(Respect, &[u8], Option<String>, Option<String>),
) {
    if (now.mode, now.rights) != (before.mode, before.rights) {
        add(
            Respect::Modes,
            path,
            Some(rights(now)),
            Some(rights(before)),
        );
    }
    if (now.uid, now.gid) != (before.uid, before.gid) {
        let text = |uid, gid| Some(format!("{uid}:{gid}"));
        add(
            Respect::Owners,
            path,
            text(now.uid, now.gid),
            text(before.uid, before.gid),
        );
    }
}

fn rights(attributes: Attributes) -> String {
    let mode = format!("{:04o}", attributes.mode);
    match attributes.rights {
        Some(rights) => format!("{mode} with extended attributes {}", &rights.hex()[..12]),
        None => mode,
    }
}

fn has_same_content(new: &FileKind, old: &FileKind) -> bool {
    match (new, old) {
        (FileKind::File(new), FileKind::File(old)) => new.digest == old.digest,
        (new, old) => new == old,
    }
}

/// Whether a file is compared in another respect.
fn is_elsewhere(path: &[u8], node: Option<&FileNode>) -> bool {
    let is_file = node.is_some_and(|node| matches!(node.kind, FileKind::File(_)));
    is_file && (is_library(path) || is_record(path))
}

fn words(node: &FileNode) -> String {
    match &node.kind {
        FileKind::File(content) => {
            let hex = content.digest.hex();
            format!("{} of {}", size(content.size), &hex[..12])
        }
        FileKind::Special(kind, major, minor) => match kind {
            b'3' => format!("character device {major}:{minor}"),
            b'4' => format!("block device {major}:{minor}"),
            _ => "pipe".to_owned(),
        },
        other => other.word().to_owned(),
    }
}

/// Libraries by their paths, and packages whose files are not among them.
fn libraries(new: &Report, old: &Report, found: &mut Found) {
    let by_path = |report: &Report| -> BTreeMap<String, String> {
        let libraries = report.libraries.iter();
        libraries
            .map(|library| (library.path.clone(), origin(library)))
            .collect()
    };
    maps(Respect::Libraries, &by_path(new), &by_path(old), found);
    let packages = |report: &Report| -> BTreeMap<String, String> {
        let owners = report
            .libraries
            .iter()
            .filter_map(|library| library.package.as_ref());
        let owners: BTreeSet<&String> = owners.collect();
        let others = report
            .packages
            .iter()
            .filter(|package| !owners.contains(&package.name));
        others
            .map(|package| (format!("package {}", package.name), package.version.clone()))
            .collect()
    };
    let (mut now, mut before) = (packages(new), packages(old));
    // What has a library on one side only was told by that library.
    let names: Vec<String> = now.keys().chain(before.keys()).cloned().collect();
    let owned = |report: &Report, name: &str| {
        let owner = |library: &Library| {
            library
                .package
                .as_deref()
                .is_some_and(|owner| name == format!("package {owner}"))
        };
        report.libraries.iter().any(owner)
    };
    for name in names {
        if owned(new, &name) || owned(old, &name) {
            now.remove(&name);
            before.remove(&name);
        }
    }
    maps(Respect::Libraries, &now, &before, found);
}

/// The package managers' own files that differ.
fn records(new: &Inspected, old: &Inspected) -> Vec<Change> {
    let of = |image: &Inspected| -> BTreeMap<String, String> {
        let records = image.files.iter().filter(|(path, _)| is_record(path));
        records
            .map(|(path, node)| (shown(path), words(node)))
            .collect()
    };
    let mut found = Found::new();
    maps(Respect::Libraries, &of(new), &of(old), &mut found);
    found.remove(&Respect::Libraries).unwrap_or_default()
}

fn origin(library: &Library) -> String {
    let package = library.package.as_deref().unwrap_or("no package");
    let version = library.version.as_deref().unwrap_or_default();
    let content = &library.digest.hex()[..12];
    let origin = format!("{package} {version}");
    format!("{}, {} of {content}", origin.trim_end(), size(library.size))
}

fn sizes(new: &Report, old: &Report, found: &mut Found) {
    let layers = |report: &Report| {
        report
            .layers
            .iter()
            .map(|layer| layer.compressed)
            .sum::<u64>()
    };
    let (now, before) = (layers(new), layers(old));
    let limit = TOLERANCE.max(now.max(before) / 100);
    // Engines keep layers unpacked: their sizes say nothing of what would be sent.
    let both_compressed = now < new.unpacked && before < old.unpacked;
    let compressed = both_compressed && now.abs_diff(before) > limit;
    for (item, now, before, counts) in [
        ("compressed", now, before, compressed),
        (
            "unpacked",
            new.unpacked,
            old.unpacked,
            new.unpacked != old.unpacked,
        ),
    ] {
        if counts {
            let (new, old) = told_apart(now, before);
            found.entry(Respect::Size).or_default().push(Change {
                item: Some(item.to_owned()),
                new: Some(new),
                old: Some(old),
            });
        }
    }
}

/// Two sizes as they are read, in bytes where they would read the same.
fn told_apart(new: u64, old: u64) -> (String, String) {
    let round = (size(new), size(old));
    if round.0 == round.1 {
        (format!("{new} bytes"), format!("{old} bytes"))
    } else {
        round
    }
}

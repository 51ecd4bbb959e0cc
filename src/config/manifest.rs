//! The tables of this program in the manifests of a workspace, each manifest read once.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml_edit::{Document, Item};

use super::mistake::Mistakes;
use super::origin::{Origin, Position};
use super::raw::{Entry, Places};
use crate::report::printable;
use crate::workspace::Workspace;

const MAX_MANIFEST: u64 = 4 * 1024 * 1024;

/// What one manifest says to this program.
#[derive(Debug, Default)]
pub(super) struct Manifest {
    /// `[workspace.metadata.lighter]`.
    pub(super) workspace: Vec<Entry>,
    /// `[package.metadata.lighter]`, with `bin`.
    pub(super) package: Vec<Entry>,
}

/// All manifests of a workspace, by path.
#[derive(Debug, Default)]
pub(super) struct Manifests(BTreeMap<PathBuf, Manifest>);

impl Manifests {
    /// Reads the root manifest and those of all members; of `edited`, its new text instead of the file.
    pub(super) fn read(
        workspace: &Workspace,
        edited: Option<(&Path, &str)>,
        mistakes: &mut Mistakes,
    ) -> Self {
        let members = workspace.packages.iter().filter(|package| package.member);
        let members = members.map(|package| &package.manifest);
        let mut manifests = BTreeMap::new();
        for path in std::iter::once(&workspace.manifest).chain(members) {
            if manifests.contains_key(path) {
                continue;
            }
            let text = match edited {
                Some((other, text)) if other == path => Ok(text.to_owned()),
                _ => text(path),
            };
            let manifest = match text {
                Ok(text) => Manifest::parse(&text, &shown(path, &workspace.root), mistakes),
                Err(error) => {
                    let message = printable(&error.to_string());
                    mistakes.add(
                        &Origin::Package(start_of(path, &workspace.root)),
                        message,
                        None,
                    );
                    Manifest::default()
                }
            };
            manifests.insert(path.clone(), manifest);
        }
        Self(manifests)
    }

    pub(super) fn get(&self, path: &Path) -> Option<&Manifest> {
        self.0.get(path)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Manifest> {
        self.0.values()
    }
}

impl Manifest {
    /// Reads the tables in a manifest's text; `file` is what places call it.
    pub(super) fn parse(text: &str, file: &Arc<str>, mistakes: &mut Mistakes) -> Self {
        // Most say nothing to this program, and cargo has read them all. A name may be escaped.
        if !text.contains("lighter") && !text.contains('\\') {
            return Self::default();
        }
        let places = Places::new(file.clone(), text);
        match Document::parse(text) {
            Ok(document) => Self {
                workspace: section(&document, "workspace", &places, Origin::Workspace, mistakes),
                package: section(&document, "package", &places, Origin::Package, mistakes),
            },
            Err(error) => {
                let start = error.span().map_or(0, |span| span.start);
                let message = format!("not TOML: {}", printable(error.message()));
                mistakes.add(&Origin::Package(places.position(start)), message, None);
                Self::default()
            }
        }
    }
}

/// The entries of a whole text.
pub(super) fn table(
    text: &str,
    make: fn(Position) -> Origin,
    mistakes: &mut Mistakes,
) -> Vec<Entry> {
    let places = Places::new(Arc::from(""), text);
    match Document::parse(text) {
        Ok(document) => places.entries(document.as_table(), make, &make(places.position(0))),
        Err(error) => {
            mistakes.add(&make(places.position(0)), printable(error.message()), None);
            Vec::new()
        }
    }
}

/// The entries of `[SECTION.metadata.lighter]`.
fn section(
    document: &Document<&str>,
    name: &str,
    places: &Places,
    make: fn(Position) -> Origin,
    mistakes: &mut Mistakes,
) -> Vec<Entry> {
    let Some(metadata) = document
        .get(name)
        .and_then(Item::as_table_like)
        .and_then(|section| section.get("metadata"))
        .and_then(Item::as_table_like)
    else {
        return Vec::new();
    };
    let Some(item) = metadata.get("lighter") else {
        return Vec::new();
    };
    let place = places.of_key(metadata, "lighter", make);
    let Some(table) = item.as_table_like() else {
        let message = format!("`{name}.metadata.lighter` must be a table");
        let hint = format!("write `[{name}.metadata.lighter]`");
        mistakes.add(&place, message, Some(hint));
        return Vec::new();
    };
    places.entries(table, make, &place)
}

fn text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let file = fs_err::File::open(path)?;
    file.take(MAX_MANIFEST + 1).read_to_string(&mut text)?;
    if u64::try_from(text.len()).is_ok_and(|length| length > MAX_MANIFEST) {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "the manifest is larger than 4 MiB",
        ));
    }
    Ok(text)
}

/// A manifest's path as a person in the workspace would type it.
fn shown(path: &Path, root: &Path) -> Arc<str> {
    let path = path.strip_prefix(root).unwrap_or(path);
    printable(&path.to_string_lossy()).into()
}

/// The place of a manifest as a whole.
pub(super) fn start_of(path: &Path, root: &Path) -> Position {
    Position {
        file: shown(path, root),
        line: 1,
        column: 1,
    }
}

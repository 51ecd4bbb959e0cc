//! Files that a service names: assets for its image, inputs of its build.
//!
//! Nothing here looks at the disk; a path is only kept from leaving the repository by its words.

use std::path::{Component, Path, PathBuf};

use globset::{Glob, GlobBuilder, GlobMatcher};

use super::entries::{one_of, variable_name};
use super::execution::image_path;
use super::origin::Origin;
use super::raw::{Data, Entry, Node};
use super::reader::Context;
use crate::fs::ImagePath;
use crate::report::printable;

const MAX_MODE: u32 = 0o7777;

/// Files in the repository: one file, one directory, or those that a glob matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// As written.
    pub text: String,
    /// Absolute, without `.` and `..`: the file or directory, or the directory in which the glob is
    /// applied.
    pub path: PathBuf,
    /// What stands from the first component with a wildcard on; matches keep their path relative to
    /// `path`.
    pub glob: Option<String>,
}

impl Source {
    /// Matches paths relative to [`Source::path`]; `None` if there is no glob.
    ///
    /// # Errors
    /// Never for a source of a [`Config`](super::Config), whose globs were checked.
    pub fn matcher(&self) -> Result<Option<GlobMatcher>, globset::Error> {
        self.glob
            .as_deref()
            .map(|text| glob(text).map(|glob| glob.compile_matcher()))
            .transpose()
    }
}

/// `*` and `?` stay within one directory, as shells and cargo's `include` have it.
fn glob(text: &str) -> Result<Glob, globset::Error> {
    GlobBuilder::new(text).literal_separator(true).build()
}

/// Files to add to the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Which files.
    pub from: Source,
    /// Where they go.
    pub to: ImagePath,
    /// Whether `to` was written with a `/` at its end: a single file goes into it under its own name.
    pub into_directory: bool,
    /// Permission bits of the files; `None` means those that git knows: 0755 if executable, else 0644.
    pub mode: Option<u32>,
    /// Where it was asked for.
    pub origin: Origin,
}

/// Something the build reads that no scan can see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Files.
    Glob(Source),
    /// A variable of the environment, written `env:NAME`.
    Env(String),
}

pub(super) fn assets(node: &Node, context: &mut Context) -> Option<Vec<Asset>> {
    context.list(node, asset)
}

fn asset(node: &Node, context: &mut Context) -> Option<Asset> {
    let fields = context.entries(node)?;
    let unknown = fields
        .iter()
        .filter(|field| !one_of(field, &["from", "to", "mode"], context))
        .count();
    let from = required("from", node, fields, context)
        .and_then(|node| source(node, &mut context.field("from")));
    let to = required("to", node, fields, context)
        .and_then(|node| image_path(node, &mut context.field("to")));
    let into_directory = field("to", fields)
        .is_some_and(|node| matches!(&node.data, Data::Text(text) if text.ends_with('/')));
    let mode = match field("mode", fields) {
        None => Some(None),
        Some(node) => mode(node, context).map(Some),
    };
    if unknown > 0 {
        return None;
    }
    Some(Asset {
        from: from?,
        to: to?,
        into_directory,
        mode: mode?,
        origin: node.origin.clone(),
    })
}

fn field<'n>(name: &str, fields: &'n [Entry]) -> Option<&'n Node> {
    fields
        .iter()
        .find(|field| field.name == name)
        .map(|field| &field.node)
}

fn required<'n>(
    name: &str,
    asset: &Node,
    fields: &'n [Entry],
    context: &mut Context,
) -> Option<&'n Node> {
    let found = field(name, fields);
    if found.is_none() {
        let message = format!("an asset has no `{name}`");
        let hint = context.example(&asset.origin);
        context.refuse(&asset.origin, message, Some(hint));
    }
    found
}

fn mode(node: &Node, context: &mut Context) -> Option<u32> {
    // An integer is refused, since TOML reads the 755 that was meant in octal as a decimal.
    let text = context.field("mode").text(node)?;
    let octal =
        (3..=5).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
    match u32::from_str_radix(text, 8) {
        Ok(mode @ 0..=MAX_MODE) if octal => Some(mode),
        _ => {
            let message = format!("`mode` `{}` is no octal number", printable(text));
            let hint = context.field("mode").example(&node.origin);
            context.refuse(&node.origin, message, Some(hint));
            None
        }
    }
}

pub(super) fn inputs(node: &Node, context: &mut Context) -> Option<Vec<Input>> {
    context.list(node, |item, context| {
        let text = context.word(item)?;
        match text.strip_prefix("env:") {
            Some(name) => {
                variable_name(name, &item.origin, context).map(|name| Input::Env(name.to_owned()))
            }
            None => source(item, context).map(Input::Glob),
        }
    })
}

fn source(node: &Node, context: &mut Context) -> Option<Source> {
    let text = context.word(node)?;
    let (root, relative) = match text.strip_prefix('/') {
        Some(relative) => (context.roots.workspace, relative),
        None => (context.roots.package, text),
    };
    let (literal, wild) = split_at_wildcard(relative);
    let climbs = wild.split('/').any(|component| component == "..");
    let path = (!climbs).then(|| join(root, literal)).flatten();
    let Some(path) = path.filter(|path| path.starts_with(context.roots.repository)) else {
        let message = format!("`{}` leaves the repository", printable(text));
        let hint =
            "copy the files into the repository: what lies outside is not the same everywhere";
        context.refuse(&node.origin, message, Some(hint.to_owned()));
        return None;
    };
    let glob_text = (!wild.is_empty()).then(|| wild.to_owned());
    if let Some(Err(error)) = glob_text.as_deref().map(glob) {
        let message = format!(
            "`{}` is no glob: {}",
            printable(text),
            printable(&error.kind().to_string())
        );
        let hint = "put `\\` before a wildcard that is part of a name";
        context.refuse(&node.origin, message, Some(hint.to_owned()));
        return None;
    }
    Some(Source {
        text: text.to_owned(),
        path,
        glob: glob_text,
    })
}

/// The components before the first with a wildcard, and the rest.
fn split_at_wildcard(text: &str) -> (&str, &str) {
    let Some(wildcard) = text.find(['*', '?', '[', ']', '{', '}', '\\']) else {
        return (text, "");
    };
    let (before, _) = text.split_at(wildcard);
    text.split_at(before.rfind('/').map_or(0, |slash| slash + 1))
}

/// `root` and then `relative`, `.` and `..` resolved by their words; `None` above the file system.
fn join(root: &Path, relative: &str) -> Option<PathBuf> {
    let mut path = root.to_owned();
    for component in Path::new(relative).components() {
        match component {
            Component::Normal(name) => path.push(name),
            Component::ParentDir => {
                if !path.pop() {
                    return None;
                }
            }
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_begin_the_glob() {
        assert_eq!(split_at_wildcard("static"), ("static", ""));
        assert_eq!(split_at_wildcard("a/b/*.css"), ("a/b/", "*.css"));
        assert_eq!(split_at_wildcard("**/x"), ("", "**/x"));
        assert_eq!(split_at_wildcard("a/b{c,d/e}/f"), ("a/", "b{c,d/e}/f"));
    }

    #[test]
    fn paths_are_joined_by_their_words() {
        let root = Path::new("/repo/services/orders");
        let joined = |relative| join(root, relative);
        assert_eq!(joined("../../x/./y"), Some("/repo/x/y".into()));
        assert_eq!(joined("."), Some(root.into()));
        assert_eq!(joined("../../../../.."), None);
    }
}

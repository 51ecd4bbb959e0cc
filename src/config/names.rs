//! Names of images and tags: patterns that are legal before anything is rendered.

use std::collections::{BTreeMap, BTreeSet};

use super::raw::Node;
use super::reader::Context;
use crate::hint::Hint as _;
use crate::reference::{InvalidName, Repository, Tag, refuse_login};
use crate::report::printable;
use crate::template::Pattern;

/// What `name` may hold in braces.
pub const NAME_PLACEHOLDERS: &[&str] = &["repo", "service", "package", "version"];
/// What `tags` may hold in braces.
pub const TAG_PLACEHOLDERS: &[&str] = &["version", "git.sha", "git.short", "git.branch", "digest"];

/// Stands for a registry where none is configured, to check the rest of a name.
pub(super) const SAMPLE_REPO: &str = "localhost/repo";

/// A registry and a prefix, to which names of images are appended.
pub(super) fn repo(node: &Node, context: &mut Context) -> Option<String> {
    let text = context.word(node)?;
    if let Err(error) = refuse_login(text) {
        return refuse_name(node, context, &error);
    }
    if let Some((scheme, rest)) = text.split_once("://") {
        let message = format!("`repo` must not begin with `{}://`", printable(scheme));
        let hint = format!("write `{}`", printable(rest));
        context.refuse(&node.origin, message, Some(hint));
        return None;
    }
    // A registry alone is a legal prefix although it is no repository.
    match Repository::parse(&format!("{text}/service")) {
        Ok(_) => Some(text.to_owned()),
        Err(InvalidName::Repository { why, .. }) => {
            let name = text.to_owned();
            refuse_name(node, context, &InvalidName::Repository { name, why })
        }
        Err(InvalidName::NoRegistry { .. }) => {
            let name = text.to_owned();
            refuse_name(node, context, &InvalidName::NoRegistry { name })
        }
        Err(error) => refuse_name(node, context, &error),
    }
}

fn refuse_name<T>(node: &Node, context: &mut Context, error: &InvalidName) -> Option<T> {
    let message = context.about(node, &printable(&error.to_string()));
    context.refuse(&node.origin, message, error.hint());
    None
}

/// A pattern of image names whose literal text is legal around legal values.
pub(super) fn name(node: &Node, context: &mut Context) -> Option<Pattern> {
    let pattern = pattern(node, NAME_PLACEHOLDERS, context)?;
    let holds_repo = pattern.placeholders().any(|name| name == "repo");
    if holds_repo && !pattern.begins_with("repo") {
        let message = "`name` must begin with `{repo}`, which holds the registry";
        context.refuse(&node.origin, message, None);
        return None;
    }
    let sample = BTreeMap::from([
        ("repo", SAMPLE_REPO.to_owned()),
        ("service", "service".to_owned()),
        ("package", "package".to_owned()),
        ("version", "1.0.0".to_owned()),
    ]);
    let rendered = pattern.render(&sample).ok()?;
    match check_name(&rendered) {
        Ok(()) => Some(pattern),
        // The rendered sample would puzzle whoever wrote the pattern.
        Err(InvalidName::Repository { why, .. }) => {
            let name = pattern.to_string();
            refuse_name(node, context, &InvalidName::Repository { name, why })
        }
        Err(error) => refuse_name(node, context, &error),
    }
}

/// Whether a rendered name is legal, with or without a registry in front.
pub(super) fn check_name(rendered: &str) -> Result<(), InvalidName> {
    match Repository::parse(rendered) {
        Err(InvalidName::NoRegistry { .. }) => Repository::parse(&format!("localhost/{rendered}")),
        parsed => parsed,
    }
    .map(|_| ())
}

/// Patterns of tags whose literal text is legal around legal values; at least one, each once.
pub(super) fn tags(node: &Node, context: &mut Context) -> Option<Vec<Pattern>> {
    let mut tags = context.list(node, tag)?;
    let mut seen = BTreeSet::new();
    tags.retain(|tag| seen.insert(tag.clone()));
    if tags.is_empty() {
        let hint = context.example(&node.origin);
        context.refuse(&node.origin, "`tags` must not be empty", Some(hint));
        return None;
    }
    Some(tags)
}

fn tag(node: &Node, context: &mut Context) -> Option<Pattern> {
    let pattern = pattern(node, TAG_PLACEHOLDERS, context)?;
    let sample: BTreeMap<&str, String> = TAG_PLACEHOLDERS
        .iter()
        .map(|&name| (name, "0".to_owned()))
        .collect();
    let rendered = pattern.render(&sample).ok()?;
    if Tag::parse(&rendered).is_err() {
        let error = InvalidName::Tag {
            tag: pattern.to_string(),
        };
        return refuse_name(node, context, &error);
    }
    Some(pattern)
}

fn pattern(node: &Node, known: &[&str], context: &mut Context) -> Option<Pattern> {
    let text = context.word(node)?;
    match Pattern::parse(text, known) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            let message = context.about(node, &error.to_string());
            context.refuse(&node.origin, message, error.hint());
            None
        }
    }
}

//! Editing a manifest so that all that is not touched stays as it is.

use std::path::Path;

use toml_edit::{Array, DocumentMut, Item, TableLike, Value};

use super::ManifestError;

/// Reads a manifest's text; `path` is only for the error.
///
/// # Errors
/// [`ManifestError`] where it is not TOML.
pub(in crate::split) fn parse(path: &Path, text: &str) -> Result<DocumentMut, ManifestError> {
    text.parse()
        .map_err(|error| ManifestError::new(path, text, &error))
}

/// The text after `change`: byte for byte the same where nothing changed.
pub(super) fn edit(
    path: &Path,
    text: &str,
    change: impl FnOnce(&mut DocumentMut),
) -> Result<String, ManifestError> {
    Ok(edit_parsed(parse(path, text)?, text, change))
}

/// The same for a text that was read already: manifests of hundreds of lines are, once for each service.
pub(super) fn edit_parsed(
    mut document: DocumentMut,
    text: &str,
    change: impl FnOnce(&mut DocumentMut),
) -> String {
    let before = document.to_string();
    change(&mut document);
    let after = document.to_string();
    if after == before {
        return text.to_owned();
    }
    let after = with_first_comment(&before, after.trim_start_matches('\n'));
    // The parser reads both kinds of line ends and writes one.
    if text.contains("\r\n") {
        after.replace('\n', "\r\n")
    } else {
        after
    }
}

/// A comment that stands alone at the start speaks of the file, but goes with the first table.
fn with_first_comment(before: &str, after: &str) -> String {
    let is_comment = |line: &&str| line.starts_with('#');
    let comment: String = before
        .split_inclusive('\n')
        .take_while(is_comment)
        .collect();
    let is_alone = before[comment.len()..].starts_with('\n');
    if comment.is_empty() || !is_alone || after.starts_with(&comment) {
        return after.to_owned();
    }
    format!("{comment}\n{after}")
}

/// The table at `key`, in any of the forms that TOML has.
pub(super) fn table<'a>(parent: &'a dyn TableLike, key: &str) -> Option<&'a dyn TableLike> {
    parent.get(key)?.as_table_like()
}

/// The same, to be changed.
pub(super) fn table_mut<'a>(
    parent: &'a mut dyn TableLike,
    key: &str,
) -> Option<&'a mut dyn TableLike> {
    parent.get_mut(key)?.as_table_like_mut()
}

/// Keeps the entries that `keep` wants.
pub(super) fn retain(table: &mut dyn TableLike, mut keep: impl FnMut(&str, &Item) -> bool) {
    let gone: Vec<String> = table
        .iter()
        .filter(|(key, item)| !keep(key, item))
        .map(|(key, _)| key.to_owned())
        .collect();
    for key in gone {
        table.remove(&key);
    }
}

/// Keeps the entries that `keep` wants of the table at `key`, however many there are.
pub(super) fn retain_in(
    parent: &mut dyn TableLike,
    key: &str,
    mut keep: impl FnMut(&str, &Item) -> bool,
) {
    match parent.get_mut(key) {
        // One by one, each removal would move all that follow.
        Some(Item::Table(table)) => table.retain(|key, item| keep(key, item)),
        Some(item) => {
            if let Some(table) = item.as_table_like_mut() {
                retain(table, keep);
            }
        }
        None => {}
    }
}

/// Removes the table at `key` when nothing is in it any more.
pub(super) fn remove_empty(parent: &mut dyn TableLike, key: &str) {
    if table(parent, key).is_some_and(TableLike::is_empty) {
        parent.remove(key);
    }
}

/// Sets a value, and leaves alone what stands around it; one that is there already stays as written.
pub(super) fn set(table: &mut dyn TableLike, key: &str, value: Value) {
    match table.get_mut(key) {
        Some(item) => *item = Item::Value(value),
        None => {
            table.insert(key, Item::Value(value));
        }
    }
}

/// Sets a list of texts, one on each line; an empty one is no key.
pub(super) fn set_list(table: &mut dyn TableLike, key: &str, entries: &[String]) {
    if entries.is_empty() {
        table.remove(key);
        return;
    }
    let mut array = Array::new();
    for entry in entries {
        let mut value = Value::from(entry.as_str());
        value.decor_mut().set_prefix("\n    ");
        array.push_formatted(value);
    }
    array.set_trailing("\n");
    array.set_trailing_comma(true);
    set(table, key, Value::Array(array));
}

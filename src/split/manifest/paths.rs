//! Files outside a package that its manifest may name.

use std::collections::BTreeSet;

use toml_edit::{DocumentMut, Item, TableLike, Value};

use super::edit::table;

/// What a package says about itself in words, in patterns for packaging, or about its workspace.
const NO_FILES: [&str; 10] = [
    "authors",
    "categories",
    "description",
    "documentation",
    "exclude",
    "homepage",
    "include",
    "keywords",
    "repository",
    "workspace",
];

/// The texts with a `..` in them that could name a file outside the package, sorted: fields of the
/// package such as `readme` and `build`, all below `package.metadata`, and the paths of targets.
/// Patterns are given as they are. Paths of dependencies are none of them.
pub(in crate::split) fn outside_paths(document: &DocumentMut) -> Vec<String> {
    let root: &dyn TableLike = document.as_table();
    let mut found = BTreeSet::new();
    for package in ["package", "project"]
        .iter()
        .filter_map(|key| table(root, key))
    {
        let fields = package.iter().filter(|(key, _)| !NO_FILES.contains(key));
        fields.for_each(|(_, item)| collect(item, &mut found));
    }
    for targets in ["lib", "bin", "test", "example", "bench"]
        .iter()
        .filter_map(|key| root.get(key))
    {
        let paths = tables(targets)
            .into_iter()
            .filter_map(|target| target.get("path"));
        paths.for_each(|path| collect(path, &mut found));
    }
    found.into_iter().collect()
}

/// `package.workspace`: where a package says its workspace is.
pub(in crate::split) fn workspace_pointer(document: &DocumentMut) -> Option<&str> {
    let root: &dyn TableLike = document.as_table();
    ["package", "project"]
        .iter()
        .find_map(|key| table(root, key)?.get("workspace")?.as_str())
}

/// The paths of dependencies and patches, as written, in whatever table.
pub(in crate::split) fn dependency_paths(document: &DocumentMut) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect_paths(document.as_table(), &mut found);
    found
}

fn collect_paths(table: &dyn TableLike, found: &mut BTreeSet<String>) {
    for (key, item) in table.iter().filter(|(key, _)| *key != "metadata") {
        if let Some(inner) = item.as_table_like() {
            collect_paths(inner, found);
        } else if let ("path", Some(path)) = (key, item.as_str()) {
            found.insert(path.to_owned());
        }
    }
}

/// One table, or all in an array of them.
fn tables(item: &Item) -> Vec<&dyn TableLike> {
    if let Some(array) = item.as_array_of_tables() {
        return array.iter().map(|table| table as &dyn TableLike).collect();
    }
    if let Some(array) = item.as_array() {
        let values = array.iter().filter_map(Value::as_inline_table);
        return values.map(|table| table as &dyn TableLike).collect();
    }
    item.as_table_like().into_iter().collect()
}

fn collect(item: &Item, found: &mut BTreeSet<String>) {
    match item {
        Item::Value(value) => collect_value(value, found),
        Item::Table(table) => table.iter().for_each(|(_, item)| collect(item, found)),
        Item::ArrayOfTables(array) => {
            let items = array.iter().flat_map(|table| table.iter());
            items.for_each(|(_, item)| collect(item, found));
        }
        Item::None => {}
    }
}

fn collect_value(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if leads_up(text.value()) => {
            found.insert(text.value().clone());
        }
        Value::Array(array) => array.iter().for_each(|value| collect_value(value, found)),
        Value::InlineTable(table) => {
            table
                .iter()
                .for_each(|(_, value)| collect_value(value, found));
        }
        _ => {}
    }
}

fn leads_up(path: &str) -> bool {
    path.split(['/', '\\']).any(|part| part == "..")
}

//! What a package takes from its workspace.

use std::collections::BTreeSet;

use toml_edit::{DocumentMut, Item, TableLike};

use super::edit::table;
use super::{DEPENDENCIES, DEV_DEPENDENCIES};

/// The keys of `[workspace.dependencies]` that a manifest inherits, in any of its tables.
pub(in crate::split) fn inherited_dependencies(
    document: &DocumentMut,
    include_dev: bool,
) -> BTreeSet<String> {
    let dev: &[&str] = if include_dev { &DEV_DEPENDENCIES } else { &[] };
    let root: &dyn TableLike = document.as_table();
    let targets = table(root, "target").into_iter().flat_map(TableLike::iter);
    let targets = targets.filter_map(|(_, item)| item.as_table_like());
    std::iter::once(root)
        .chain(targets)
        .flat_map(|parent| {
            let keys = DEPENDENCIES.iter().chain(dev);
            keys.filter_map(move |key| table(parent, key))
        })
        .flat_map(TableLike::iter)
        .filter(|(_, item)| is_inherited(item))
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// Whether a manifest inherits anything: dependencies, fields of its package, badges or lints.
pub(in crate::split) fn inherits(document: &DocumentMut) -> bool {
    let root: &dyn TableLike = document.as_table();
    let of_package = ["package", "project"].into_iter().any(|key| {
        let mut fields = table(root, key).into_iter().flat_map(TableLike::iter);
        fields.any(|(field, item)| field != "metadata" && is_inherited(item))
    });
    let whole = ["lints", "badges"]
        .into_iter()
        .any(|key| root.get(key).is_some_and(is_inherited));
    of_package || whole || !inherited_dependencies(document, true).is_empty()
}

fn is_inherited(item: &Item) -> bool {
    let table = item.as_table_like();
    table.is_some_and(|table| table.get("workspace").and_then(Item::as_bool) == Some(true))
}

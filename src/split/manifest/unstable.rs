//! What only unstable versions of cargo know.

use toml_edit::{DocumentMut, TableLike};

use super::edit::table;
use super::{DEPENDENCIES, DEV_DEPENDENCIES};

/// Fields of a package that change what is compiled, and for what.
const FIELDS: [&str; 3] = ["metabuild", "forced-target", "default-target"];

/// What a manifest uses of it, for people; `None` if nothing.
pub(in crate::split) fn unstable(document: &DocumentMut) -> Option<String> {
    let root: &dyn TableLike = document.as_table();
    let package = table(root, "package")
        .or_else(|| table(root, "project"))
        .and_then(|package| FIELDS.iter().find(|field| package.contains_key(field)));
    if let Some(field) = package {
        return Some(format!("`{field}`"));
    }
    let targets = table(root, "target").into_iter().flat_map(TableLike::iter);
    let targets = targets.filter_map(|(_, item)| item.as_table_like());
    std::iter::once(root)
        .chain(targets)
        .flat_map(|parent| {
            let keys = DEPENDENCIES.iter().chain(&DEV_DEPENDENCIES);
            keys.filter_map(move |key| table(parent, key))
        })
        .flat_map(TableLike::iter)
        .find(|(_, item)| item.get("artifact").is_some())
        .map(|(name, _)| format!("artifact dependencies (`{name}`)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unstable_parts_are_named() {
        let told = |text: &str| unstable(&text.parse().expect("TOML"));
        for (text, what) in [
            ("[package]\nmetabuild = [\"a\"]", "`metabuild`"),
            ("[package]\nforced-target = \"a\"", "`forced-target`"),
            (
                "[target.'cfg(unix)'.build-dependencies]\na = { version = \"1\", artifact = \"bin\" }",
                "artifact dependencies (`a`)",
            ),
        ] {
            assert_eq!(told(text).as_deref(), Some(what));
        }
        let plain = "[package]\nname = \"a\"\n[dependencies]\na = \"1\"\nartifact = \"1\"";
        assert_eq!(told(plain), None);
    }
}

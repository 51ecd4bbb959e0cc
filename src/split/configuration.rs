//! cargo's configuration files, as a split has them.

use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item};

use crate::fs::normalized;

/// Removes the patches of a configuration file that `keep` refuses.
pub(super) fn trim_patches(document: &mut DocumentMut, keep: impl Fn(&str, &str, &Item) -> bool) {
    let Some(patches) = document.get_mut("patch").and_then(Item::as_table_like_mut) else {
        return;
    };
    let sources: Vec<String> = patches
        .iter()
        .map(|(source, _)| source.to_owned())
        .collect();
    for source in sources {
        let Some(table) = patches.get_mut(&source).and_then(Item::as_table_like_mut) else {
            continue;
        };
        let gone: Vec<String> = table
            .iter()
            .filter(|(key, item)| !keep(&source, key, item))
            .map(|(key, _)| key.to_owned())
            .collect();
        for key in gone {
            table.remove(&key);
        }
        if table.is_empty() {
            patches.remove(&source);
        }
    }
    if patches.is_empty() {
        document.remove("patch");
    }
}

/// Removes the directories in `paths` that `keep` refuses: cargo demands that all are there.
pub(super) fn trim_overrides(document: &mut DocumentMut, keep: impl Fn(&str) -> bool) {
    let Some(paths) = document.get_mut("paths").and_then(Item::as_array_mut) else {
        return;
    };
    paths.retain(|path| path.as_str().is_none_or(&keep));
    if paths.is_empty() {
        document.remove("paths");
    }
}

/// Files that a configuration names by a relative path: linkers, runners, wrappers, and paths in
/// `[env]`.
pub(super) fn named_in_configuration(document: &DocumentMut, base: &Path) -> Vec<PathBuf> {
    let mut named: Vec<&str> = Vec::new();
    let table = |name: &str| document.get(name).and_then(Item::as_table_like);
    for (_, target) in table("target").into_iter().flat_map(|table| table.iter()) {
        named.extend(
            ["linker", "runner"]
                .iter()
                .filter_map(|key| target.get(key)?.as_str()),
        );
    }
    if let Some(build) = document.get("build") {
        let keys = ["rustc", "rustc-wrapper", "rustc-workspace-wrapper"];
        named.extend(keys.iter().filter_map(|key| build.get(key)?.as_str()));
    }
    for (_, variable) in table("env").into_iter().flat_map(|table| table.iter()) {
        let is_relative = variable.get("relative").and_then(Item::as_bool) == Some(true);
        named.extend(
            variable
                .get("value")
                .and_then(Item::as_str)
                .filter(|_| is_relative),
        );
    }
    let paths = named.into_iter().filter(|path| path.contains('/'));
    paths
        .chain(words_of_flags(document))
        .map(|path| normalized(&base.join(path)))
        .collect()
}

/// Everything in flags for rustc that could be a file: `-Clink-arg=-Wl,--version-script=ver.map`,
/// `-Clink-arg=-Tlink.x`. Who asks takes only what exists.
fn words_of_flags(document: &DocumentMut) -> Vec<&str> {
    let mut flags: Vec<&Item> = Vec::new();
    flags.extend(
        document
            .get("build")
            .and_then(|build| build.get("rustflags")),
    );
    let targets = document.get("target").and_then(Item::as_table_like);
    for (_, target) in targets.into_iter().flat_map(|table| table.iter()) {
        flags.extend(target.get("rustflags"));
    }
    let texts = flags.into_iter().flat_map(|flags| match flags.as_array() {
        Some(array) => array.iter().filter_map(toml_edit::Value::as_str).collect(),
        None => flags.as_str().into_iter().collect::<Vec<_>>(),
    });
    texts
        .flat_map(|text| text.split(['=', ',', ' ']))
        .flat_map(|word| [word, word.trim_start_matches("-T")])
        .filter(|word| !word.is_empty())
        .collect()
}

//! The root manifest of a split.

use std::collections::BTreeSet;
use std::path::Path;

use toml_edit::{DocumentMut, Item, Table, TableLike};

use super::ManifestError;
use super::edit::{edit_parsed, parse, remove_empty, retain, retain_in, set, set_list, table_mut};

/// What cargo accepts in a manifest without a package. All else would be an error, or nothing to it.
const VIRTUAL: [&str; 5] = ["cargo-features", "workspace", "profile", "patch", "replace"];

const OWN_WORKSPACE: &str =
    "\n# A workspace of its own, also in a directory below another workspace.\n";

/// What a split's root manifest should hold. Directories are relative, with `/`.
pub(in crate::split) struct RootRequest<'a> {
    /// The members, sorted, without the root package.
    pub(in crate::split) members: &'a [String],
    /// The default members; none is no key.
    pub(in crate::split) default_members: &'a [String],
    /// What `exclude` says; none is no key.
    ///
    /// For a package without `[workspace]` these are the directories of its path dependencies below
    /// it: a `[workspace]` would make them members, and their dev-dependencies a part of the lock.
    pub(in crate::split) excludes: &'a [String],
    /// Whether the root package, if there is one, is in the split.
    pub(in crate::split) keep_package: bool,
    /// The resolver that the workspace has, said or inferred.
    pub(in crate::split) resolver: &'a str,
    /// The keys of `[workspace.dependencies]` that something in the split inherits.
    pub(in crate::split) workspace_dependencies: &'a BTreeSet<String>,
    /// Whether a patch stays, by its source (`crates-io`, a URL), key and value.
    pub(in crate::split) patches: &'a dyn Fn(&str, &str, &Item) -> bool,
    /// Whether an entry of `[replace]` stays, by its key and value.
    pub(in crate::split) replacements: &'a dyn Fn(&str, &Item) -> bool,
    /// Whether an override in `[profile.*.package]` stays, by its package specification; `"*"` does
    /// in any case.
    pub(in crate::split) profile_packages: &'a dyn Fn(&str) -> bool,
}

/// The root manifest `text` as a split needs it.
///
/// Without its root package it becomes a virtual manifest, whose resolver is said: cargo would infer
/// it from the package's edition, and take the first one without a package. A manifest without
/// `[workspace]` gets one, so that no workspace above the split adopts it.
///
/// # Errors
/// [`ManifestError`] naming `path` where it is not TOML.
pub(in crate::split) fn rewrite_root(
    path: &Path,
    text: &str,
    request: &RootRequest<'_>,
) -> Result<String, ManifestError> {
    Ok(rewrite_parsed_root(parse(path, text)?, text, request))
}

/// The same for a text that was read already.
pub(in crate::split) fn rewrite_parsed_root(
    document: DocumentMut,
    text: &str,
    request: &RootRequest<'_>,
) -> String {
    edit_parsed(document, text, |document| {
        if !document.contains_key("workspace") {
            add_workspace(document);
        }
        if !request.keep_package {
            retain(document.as_table_mut(), |key, _| VIRTUAL.contains(&key));
        }
        if let Some(workspace) = table_mut(document.as_table_mut(), "workspace") {
            trim_workspace(workspace, request);
        }
        trim_patches(document, request);
        trim_profiles(document, request.profile_packages);
    })
}

fn add_workspace(document: &mut DocumentMut) {
    let mut workspace = Table::new();
    workspace.decor_mut().set_prefix(OWN_WORKSPACE);
    workspace.set_position(Some(isize::MAX));
    document.insert("workspace", Item::Table(workspace));
}

fn trim_workspace(workspace: &mut dyn TableLike, request: &RootRequest<'_>) {
    set_list(workspace, "members", request.members);
    set_list(workspace, "default-members", request.default_members);
    set_list(workspace, "exclude", request.excludes);
    let said = workspace.get("resolver").and_then(Item::as_str);
    if !request.keep_package && said != Some(request.resolver) {
        set(workspace, "resolver", request.resolver.into());
    }
    retain_in(workspace, "dependencies", |key, _| {
        request.workspace_dependencies.contains(key)
    });
    remove_empty(workspace, "dependencies");
}

fn trim_patches(document: &mut DocumentMut, request: &RootRequest<'_>) {
    let root = document.as_table_mut();
    if let Some(patch) = table_mut(root, "patch") {
        let sources: Vec<String> = patch.iter().map(|(key, _)| key.to_owned()).collect();
        for source in sources {
            if let Some(entries) = table_mut(patch, &source) {
                retain(entries, |key, item| (request.patches)(&source, key, item));
            }
            remove_empty(patch, &source);
        }
        remove_empty(root, "patch");
    }
    if let Some(replace) = table_mut(root, "replace") {
        retain(replace, request.replacements);
        remove_empty(root, "replace");
    }
}

/// cargo warns about overrides for packages that it cannot find.
fn trim_profiles(document: &mut DocumentMut, keep: &dyn Fn(&str) -> bool) {
    let root = document.as_table_mut();
    let Some(profiles) = table_mut(root, "profile") else {
        return;
    };
    let names: Vec<String> = profiles.iter().map(|(key, _)| key.to_owned()).collect();
    for name in names {
        let Some(profile) = table_mut(profiles, &name) else {
            continue;
        };
        let Some(packages) = table_mut(profile, "package") else {
            continue;
        };
        retain(packages, |specification, _| {
            specification == "*" || keep(specification)
        });
        remove_empty(profile, "package");
        remove_empty(profiles, &name);
    }
    remove_empty(root, "profile");
}

//! Profiles, as far as they are known without cargo.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use toml_edit::{DocumentMut, Item};

use super::Configuration;

/// Those that cargo has of itself.
const BUILT_IN: [&str; 4] = ["bench", "dev", "release", "test"];
/// Far more than any manifest has, in bytes; who has a larger one is told by cargo.
const MAX_MANIFEST: u64 = 4 * 1024 * 1024;

/// Profiles inherit from one another no deeper than this, as far as we follow.
const MAX_PARENTS: usize = 16;

/// A profile, as far as it matters before cargo runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Profile {
    /// Whether cargo takes all symbols out of executables.
    pub strips: bool,
}

/// Names of all profiles; `None` if the manifest cannot be read as we expect.
pub fn known_profiles(root: &Path, configuration: &Configuration) -> Option<BTreeSet<String>> {
    profiles(root, configuration).map(|known| known.into_keys().collect())
}

/// All profiles that the workspace's root manifest and cargo's configuration define, and those that cargo
/// has, by name; `None` if the manifest cannot be read as we expect.
pub fn profiles(root: &Path, configuration: &Configuration) -> Option<BTreeMap<String, Profile>> {
    let manifest = root.join("Cargo.toml");
    if fs_err::metadata(&manifest).ok()?.len() > MAX_MANIFEST {
        return None;
    }
    let document: DocumentMut = fs_err::read_to_string(manifest).ok()?.parse().ok()?;
    let tables = document.get("profile").map(Item::as_table_like);
    let in_manifest = match tables {
        None => Vec::new(),
        Some(tables) => tables?.iter().map(|(name, _)| name.to_owned()).collect(),
    };
    let built_in = BUILT_IN.map(str::to_owned);
    let names = built_in.into_iter().chain(in_manifest);
    let names = names.chain(configuration.table_keys(&["profile"]));
    let known = names.map(|name| {
        let strips = strips(&name, &document, configuration);
        (name, Profile { strips })
    });
    Some(known.collect())
}

/// Whether a profile or the one it inherits from says `strip = true`, which is `"symbols"`.
fn strips(profile: &str, document: &DocumentMut, configuration: &Configuration) -> bool {
    let mut profile = profile.to_owned();
    for _ in 0..MAX_PARENTS {
        let said = |key: &str| {
            let path = ["profile", &profile, key];
            let configured = configuration.items(&path).into_iter().next();
            configured.map(|(_, item)| item).or_else(|| {
                let mut keys = path.iter();
                keys.try_fold(document.as_item(), |item, key| item.get(key))
            })
        };
        if let Some(strip) = said("strip") {
            return strip.as_bool() == Some(true) || strip.as_str() == Some("symbols");
        }
        let parent = said("inherits").and_then(Item::as_str);
        profile = match (parent, profile.as_str()) {
            (Some(parent), _) => parent.to_owned(),
            (None, "bench") => "release".to_owned(),
            (None, _) => return false,
        };
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Environment;

    #[test]
    fn profiles_strip_as_they_or_their_parents_say() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let root = directory.path();
        let manifest = "[profile.release]\nstrip = \"symbols\"\n[profile.fast]\ninherits = \"release\"\n\
                        [profile.whole]\ninherits = \"fast\"\nstrip = \"debuginfo\"\n\
                        [profile.round]\ninherits = \"round\"\n[profile.small]\ninherits = \"dev\"\n";
        fs_err::write(root.join("Cargo.toml"), manifest).expect("written");
        fs_err::create_dir(root.join(".cargo")).expect("created");
        let configured = "[profile.small]\nstrip = true\n[profile.test]\nstrip = false\n";
        fs_err::write(root.join(".cargo/config.toml"), configured).expect("written");
        let environment = Environment::new(root, []);
        let configuration = Configuration::read(&environment).expect("legal");
        let known = profiles(root, &configuration).expect("readable");
        let stripping: Vec<&str> = known
            .iter()
            .filter(|(_, profile)| profile.strips)
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(stripping, ["bench", "fast", "release", "small"]);
        assert_eq!(known.len(), 8);
    }
}

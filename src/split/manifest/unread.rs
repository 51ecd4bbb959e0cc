//! Tables that no build of a service reads, for hashing what is left.

use std::collections::BTreeSet;

use toml_edit::{DocumentMut, Item, TableLike};

/// Tables of cargo's configuration by which it speaks to people, or which other commands read. An alias
/// may hide `cargo zigbuild`, and is kept if it does.
const CONFIGURATION: [&str; 6] = [
    "cache",
    "cargo-new",
    "doc",
    "future-incompat-report",
    "install",
    "term",
];
const HIDING: &str = "zigbuild";
/// Where each chain of profiles begins, and what cargo itself says of two others.
const BUILT_IN: [(&str, Option<&str>); 4] = [
    ("dev", None),
    ("release", None),
    ("test", Some("dev")),
    ("bench", Some("release")),
];

/// The profiles that one of them reads: itself, and what it inherits from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::split) enum Profiles {
    /// These.
    Of(BTreeSet<String>),
    /// Some of the chain is told elsewhere: it could be any.
    Any,
}

impl Profiles {
    /// Those that `chosen` reads, by what `documents` say: the root manifest and files of cargo's
    /// configuration.
    pub(in crate::split) fn of(chosen: &str, documents: &[&DocumentMut]) -> Self {
        let mut found = BTreeSet::new();
        let mut pending = vec![chosen.to_owned()];
        while let Some(name) = pending.pop() {
            let built_in = BUILT_IN.iter().find(|(known, _)| *known == name);
            let mut above: Vec<String> = documents
                .iter()
                .filter_map(|document| {
                    let inherits = document.get("profile")?.get(&name)?.get("inherits")?;
                    inherits.as_str().map(str::to_owned)
                })
                .collect();
            match built_in {
                Some((_, inherits)) => above.extend(inherits.map(str::to_owned)),
                None if above.is_empty() => return Self::Any,
                None => {}
            }
            if found.insert(name) {
                pending.extend(above);
            }
        }
        Self::Of(found)
    }

    fn retain(&self, document: &mut DocumentMut) {
        let Self::Of(names) = self else {
            return;
        };
        let Some(profiles) = table(document, "profile") else {
            return;
        };
        let others = profiles.iter().map(|(name, _)| name.to_owned());
        let others: Vec<String> = others.filter(|name| !names.contains(name)).collect();
        for name in others {
            profiles.remove(&name);
        }
        remove_empty(document, "profile");
    }
}

/// Leaves of a manifest what a build with one of `profiles` reads. Lints decide whether it ends well, and
/// never what it makes.
pub(in crate::split) fn forget_unread(document: &mut DocumentMut, profiles: &Profiles) {
    document.remove("lints");
    if let Some(workspace) = table(document, "workspace") {
        workspace.remove("lints");
    }
    profiles.retain(document);
}

/// Leaves of a file of cargo's configuration what a build with one of `profiles` reads.
pub(in crate::split) fn forget_unread_configuration(
    document: &mut DocumentMut,
    profiles: &Profiles,
) {
    for name in CONFIGURATION {
        document.remove(name);
    }
    if let Some(aliases) = table(document, "alias") {
        let others = aliases.iter().map(|(name, _)| name.to_owned());
        let others: Vec<String> = others.filter(|name| name != HIDING).collect();
        for name in others {
            aliases.remove(&name);
        }
        remove_empty(document, "alias");
    }
    profiles.retain(document);
}

fn table<'a>(document: &'a mut DocumentMut, name: &str) -> Option<&'a mut dyn TableLike> {
    document.get_mut(name).and_then(Item::as_table_like_mut)
}

fn remove_empty(document: &mut DocumentMut, name: &str) {
    if table(document, name).is_some_and(|table| table.is_empty()) {
        document.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> DocumentMut {
        text.parse().expect("TOML")
    }

    #[test]
    fn a_profile_reads_those_that_it_inherits_from() {
        let root =
            document("[profile]\nrelease.lto = true\ndist.inherits = \"fast\"\nodd.lto = true\n");
        let more = document("[profile.fast]\ninherits = \"release\"\n");
        let of = |chosen: &str| match Profiles::of(chosen, &[&root, &more]) {
            Profiles::Of(names) => names.into_iter().collect::<Vec<_>>().join(" "),
            Profiles::Any => "any".to_owned(),
        };
        assert_eq!(of("release"), "release");
        assert_eq!(of("dev"), "dev");
        assert_eq!(of("bench"), "bench release");
        assert_eq!(of("dist"), "dist fast release");
        // A variable or the user's own configuration says what it inherits from.
        assert_eq!(of("odd"), "any");
        assert_eq!(of("absent"), "any");
    }

    #[test]
    fn a_circle_of_profiles_ends() {
        let root = document("[profile]\na.inherits = \"b\"\nb.inherits = \"a\"\n");
        let Profiles::Of(names) = Profiles::of("a", &[&root]) else {
            panic!("no end");
        };
        assert_eq!(names.len(), 2);
    }

    #[test]
    fn what_no_build_reads_is_forgotten() {
        let release = Profiles::of("release", &[]);
        let mut manifest = document(
            "[package]\nname = \"a\"\n[lints]\nworkspace = true\n[workspace]\n\
             [workspace.lints.rust]\na = 1\n[profile.dev]\nopt-level = 1\n",
        );
        forget_unread(&mut manifest, &release);
        assert_eq!(
            manifest.to_string(),
            "[package]\nname = \"a\"\n[workspace]\n"
        );
        let mut configuration = document(
            "[alias]\nb = \"build\"\n[term]\nquiet = true\n[env]\nA = \"1\"\n[profile.release]\nlto = true\n",
        );
        forget_unread_configuration(&mut configuration, &release);
        assert_eq!(
            configuration.to_string(),
            "[env]\nA = \"1\"\n[profile.release]\nlto = true\n"
        );
        let mut hiding = document("[alias]\nzigbuild = \"build\"\n");
        forget_unread_configuration(&mut hiding, &release);
        assert!(hiding.contains_key("alias"));
    }
}

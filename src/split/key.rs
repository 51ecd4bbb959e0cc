//! Input keys: one digest over everything that can change an image.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use toml_edit::{DocumentMut, Item};

use super::digests::FileDigests;
use super::manifest::{
    Profiles, canonical_document, forget_unread, forget_unread_configuration, parse,
};
use super::sources::read_text;
use super::{Split, SplitError, SplitFile, View};
use crate::digest::Digest;
use crate::fs::relative;

/// Counts up when the same inputs would give another key or another image.
const FORMAT: &str = "1";

/// The value of a variable that is read, and not set.
pub const UNSET: &str = "unset";

/// What kind of input an ingredient is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IngredientKind {
    /// This program's idea of keys and images.
    Format,
    /// A file of the split: permission and digest.
    File,
    /// A manifest or configuration file of the split, by its meaning: comments do not count.
    Manifest,
    /// A package of the lock: version, source, checksum, dependencies.
    Dependency,
    /// How the executable is compiled: target, profile, features, flags, compiler, linker.
    Build,
    /// A variable of the environment, by the digest of its value.
    Variable,
    /// A file that enters the image beside the executable.
    ImageFile,
    /// A setting of the image.
    Setting,
}

impl IngredientKind {
    const ALL: [(Self, &'static str); 8] = [
        (Self::Format, "format"),
        (Self::File, "file"),
        (Self::Manifest, "manifest"),
        (Self::Dependency, "dependency"),
        (Self::Build, "build"),
        (Self::Variable, "variable"),
        (Self::ImageFile, "image-file"),
        (Self::Setting, "setting"),
    ];

    /// What it is called in documents.
    pub fn name(self) -> &'static str {
        let found = Self::ALL.iter().find(|(kind, _)| *kind == self);
        found.map_or("", |(_, name)| name)
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(_, known)| *known == name);
        found.map(|(kind, _)| *kind)
    }
}

/// One input, by name and by what would be seen to change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ingredient {
    /// What it is.
    pub kind: IngredientKind,
    /// Its name among its kind.
    pub name: String,
    /// Its value, or the digest of it.
    pub value: String,
}

/// Everything that can change an image, and the digest of it all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    digest: Digest,
    ingredients: Vec<Ingredient>,
}

/// What is known of a service's inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keyed {
    /// All of them.
    Known(Key),
    /// Something cannot be known: the service is always built.
    Unknown {
        /// Why, for people.
        reason: String,
    },
}

/// How an input of one key differs from that of another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// What it is.
    pub kind: IngredientKind,
    /// Its name.
    pub name: String,
    /// Its value there; `None` if it had none.
    pub before: Option<String>,
    /// Its value here; `None` if it has none.
    pub after: Option<String>,
}

impl Key {
    /// The key of these ingredients, in whatever order they come.
    pub fn new(mut ingredients: Vec<Ingredient>) -> Self {
        ingredients.push(Ingredient::new(IngredientKind::Format, "key", FORMAT));
        ingredients.sort();
        ingredients.dedup();
        let mut bytes = Vec::new();
        for Ingredient { kind, name, value } in &ingredients {
            for text in [kind.name(), name, value] {
                bytes.extend((text.len() as u64).to_be_bytes());
                bytes.extend(text.bytes());
            }
        }
        Self {
            digest: Digest::of(&bytes),
            ingredients,
        }
    }

    /// The key itself.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// What went in, sorted.
    pub fn ingredients(&self) -> &[Ingredient] {
        &self.ingredients
    }
}

/// How the second of two lists differs from the first, sorted, but that another profile is
/// told first: with it, other tables of manifests count.
pub fn differences(before: &[Ingredient], after: &[Ingredient]) -> Vec<Difference> {
    let (then, now) = (by_place(before), by_place(after));
    let places: BTreeSet<Place<'_>> = then.keys().chain(now.keys()).copied().collect();
    let mut found: Vec<Difference> = places
        .into_iter()
        .filter(|place| then.get(place) != now.get(place))
        .map(|place| Difference {
            kind: place.0,
            name: place.1.to_owned(),
            before: then.get(&place).map(told),
            after: now.get(&place).map(told),
        })
        .collect();
    let is_profile = |it: &Difference| it.kind == IngredientKind::Build && it.name == "profile";
    found.sort_by_key(|difference| !is_profile(difference));
    found
}

type Place<'a> = (IngredientKind, &'a str);

/// Values by kind and name: several ingredients may have one name.
fn by_place(ingredients: &[Ingredient]) -> BTreeMap<Place<'_>, BTreeSet<&str>> {
    let mut places: BTreeMap<Place<'_>, BTreeSet<&str>> = BTreeMap::new();
    for Ingredient { kind, name, value } in ingredients {
        places.entry((*kind, name)).or_default().insert(value);
    }
    places
}

fn told(values: &BTreeSet<&str>) -> String {
    values.iter().copied().collect::<Vec<_>>().join("; ")
}

impl Ingredient {
    /// An input.
    pub fn new(kind: IngredientKind, name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
            value: value.into(),
        }
    }
}

impl Split {
    /// What the split contributes to its service's key: files by permission and content, manifests by
    /// their meaning, and the lock by its packages.
    ///
    /// # Errors
    /// [`SplitError`] naming a file that cannot be read.
    pub fn ingredients(&self, digests: &FileDigests) -> Result<Vec<Ingredient>, SplitError> {
        let mut ingredients = Vec::new();
        let workspace = self.manifest.parent().unwrap_or(Path::new(""));
        let profiles = self.profiles()?;
        for (path, file) in &self.files {
            // As seen from the workspace root: a split's root may move up, and its files are the same.
            let name = relative(path, workspace).to_string_lossy().into_owned();
            if path.ends_with("Cargo.lock") && matches!(file, SplitFile::Text(_)) {
                continue;
            }
            let ingredient = match file {
                SplitFile::Text(text) => {
                    let digest = self.meaning(digests, path, text, &profiles)?;
                    Ingredient::new(IngredientKind::Manifest, name, digest.to_string())
                }
                SplitFile::Link(target) => {
                    let value = format!("link to {}", target.display());
                    Ingredient::new(IngredientKind::File, name, value)
                }
                SplitFile::Copy { from, .. } if self.settings.contains(path) => {
                    let text = read_text(from)?;
                    // A toolchain file may be a bare name.
                    let digest = self
                        .meaning(digests, path, &text, &profiles)
                        .unwrap_or_else(|_| Digest::of(text.as_bytes()));
                    let digest = digest.to_string();
                    Ingredient::new(IngredientKind::Manifest, name, digest)
                }
                SplitFile::Copy { from, executable } => {
                    let mode = if *executable { "0755" } else { "0644" };
                    let value = format!("{mode} {}", digests.of(from)?);
                    Ingredient::new(IngredientKind::File, name, value)
                }
            };
            ingredients.push(ingredient);
        }
        for path in self.embedded.keys() {
            let root = self.origin.join(workspace);
            let name = relative(path, &root).to_string_lossy().into_owned();
            let value = format!("as it is {}", digests.of(path)?);
            ingredients.push(Ingredient::new(IngredientKind::File, name, value));
        }
        ingredients.extend(self.dependencies());
        ingredients.extend(self.choices());
        debug_assert!(
            self.view == View::Production,
            "keys are of the production view"
        );
        Ok(ingredients)
    }

    /// Of what a manifest or a file of cargo's configuration means to a build of the service.
    fn meaning(
        &self,
        digests: &FileDigests,
        path: &Path,
        text: &str,
        profiles: &Profiles,
    ) -> Result<Digest, SplitError> {
        let is_setting = self.settings.contains(path);
        let asked = format!("{is_setting} {profiles:?} {text}");
        digests.of_meaning(&asked, || {
            let document = if is_setting {
                let mut document = parse(path, text)?;
                forget_unread_configuration(&mut document, profiles);
                document
            } else {
                let mut document = without_own_metadata(path, text)?;
                forget_unread(&mut document, profiles);
                document
            };
            Ok(canonical_document(&document))
        })
    }

    /// The profiles that count. Those that cargo has by itself inherit from nothing that is written down.
    fn profiles(&self) -> Result<Profiles, SplitError> {
        if ["dev", "release"].contains(&self.profile.as_str()) {
            return Ok(Profiles::of(&self.profile, &[]));
        }
        let mut documents = Vec::new();
        for path in self.settings.iter().chain([&self.manifest]) {
            let text = match self.files.get(path) {
                Some(SplitFile::Text(text)) => text.clone(),
                Some(SplitFile::Copy { from, .. }) => read_text(from)?,
                Some(SplitFile::Link(_)) | None => continue,
            };
            documents.extend(parse(path, &text).ok());
        }
        let documents: Vec<&DocumentMut> = documents.iter().collect();
        Ok(Profiles::of(&self.profile, &documents))
    }

    /// The lock's packages from elsewhere; local ones are manifests and files. Versions of one package
    /// stand together, so that an update reads as one.
    fn dependencies(&self) -> Vec<Ingredient> {
        let packages = &self.lock.packages;
        let mut ingredients: Vec<Ingredient> = Vec::new();
        for package in packages.iter().filter(|package| package.source.is_some()) {
            let source = package.source.as_deref().unwrap_or_default();
            let checksum = package.checksum.as_deref().unwrap_or_default();
            let needs = package.dependencies.iter().map(|index| {
                let needed = &packages[*index];
                format!("{} {}", needed.name, needed.version)
            });
            let needs: Vec<String> = needs.collect();
            let value = format!(
                "{} {source} {checksum} {}",
                package.version,
                needs.join(",")
            );
            if let Some(last) = ingredients
                .last_mut()
                .filter(|last| last.name == package.name)
            {
                last.value.push_str("; ");
                last.value.push_str(&value);
            } else {
                let kind = IngredientKind::Dependency;
                ingredients.push(Ingredient::new(kind, &package.name, value));
            }
        }
        ingredients
    }
}

impl Split {
    /// Which of several versions of one package a local package gets: only the lock says.
    fn choices(&self) -> Vec<Ingredient> {
        let packages = &self.lock.packages;
        let mut choices: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
        for package in packages.iter().filter(|package| package.source.is_none()) {
            for needed in package.dependencies.iter().map(|index| &packages[*index]) {
                let mut called = packages.iter().filter(|other| other.name == needed.name);
                if called.nth(1).is_some() {
                    let versions = choices.entry((&package.name, &needed.name)).or_default();
                    versions.push(&needed.version);
                }
            }
        }
        let choices = choices.into_iter();
        choices
            .map(|((package, needed), versions)| {
                let name = format!("{needed} of {package}");
                Ingredient::new(IngredientKind::Build, name, versions.join(", "))
            })
            .collect()
    }
}

impl fmt::Display for Difference {
    /// What a person calls the difference: `serde 1.0.219 -> 1.0.220`, `src/main.rs changed`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            name,
            before,
            after,
        } = self;
        match (kind, before, after) {
            (IngredientKind::Dependency, Some(before), Some(after)) => {
                let (then, now) = (versions(before), versions(after));
                if then == now {
                    write!(
                        formatter,
                        "{name} {now} with other dependencies or from another source"
                    )
                } else {
                    write!(formatter, "{name} {then} -> {now}")
                }
            }
            (IngredientKind::Dependency, None, Some(after)) => {
                write!(formatter, "{name} {} added", versions(after))
            }
            (IngredientKind::Dependency, Some(before), None) => {
                write!(formatter, "{name} {} removed", versions(before))
            }
            (IngredientKind::Build | IngredientKind::Setting, Some(before), Some(after))
                if is_short(before) && is_short(after) =>
            {
                write!(formatter, "{name} {} -> {}", shown(before), shown(after))
            }
            (IngredientKind::Variable, None, Some(after)) if after == UNSET => {
                write!(formatter, "variable {name} is read now")
            }
            (IngredientKind::Variable, None, _) => {
                write!(formatter, "variable {name} is set or read now")
            }
            (IngredientKind::Variable, _, None) => {
                write!(formatter, "variable {name} is set or read no more")
            }
            (IngredientKind::Variable, ..) => write!(formatter, "variable {name} changed"),
            (IngredientKind::ImageFile, Some(_), Some(_)) => {
                write!(formatter, "{name} of the image changed")
            }
            (_, None, _) => write!(formatter, "{name} added"),
            (_, _, None) => write!(formatter, "{name} removed"),
            _ => write!(formatter, "{name} changed"),
        }
    }
}

/// A manifest without our own tables: what they say counts as settings of the image, where it counts.
fn without_own_metadata(path: &Path, text: &str) -> Result<DocumentMut, SplitError> {
    let mut document = parse(path, text)?;
    if !path.ends_with("Cargo.toml") {
        return Ok(document);
    }
    for table in ["workspace", "package", "project"] {
        let Some(parent) = document.get_mut(table).and_then(Item::as_table_like_mut) else {
            continue;
        };
        let Some(metadata) = parent.get_mut("metadata").and_then(Item::as_table_like_mut) else {
            continue;
        };
        metadata.remove("lighter");
        if metadata.is_empty() {
            parent.remove("metadata");
        }
    }
    Ok(document)
}

/// The versions in a dependency's value.
fn versions(value: &str) -> String {
    let versions = value
        .split("; ")
        .filter_map(|package| package.split(' ').next());
    versions.collect::<Vec<_>>().join(", ")
}

fn shown(value: &str) -> &str {
    if value.is_empty() { "nothing" } else { value }
}

fn is_short(value: &str) -> bool {
    value.len() <= 60 && !value.contains('\n') && !value.contains("sha256:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_tables_do_not_count() {
        let meaning = |text: &str| {
            let path = Path::new("svc/Cargo.toml");
            canonical_document(&without_own_metadata(path, text).expect("TOML"))
        };
        let plain = meaning("[package]\nname = \"a\"\n[workspace]\n");
        for same in [
            "# A comment.\n[workspace]\n[package]\nname = 'a'\n[package.metadata.lighter]\nports = [1]\n",
            "package = { name = \"a\", metadata = { lighter = { skip = true } } }\nworkspace.metadata.lighter.repo = \"r\"",
            "[package]\nname = \"a\"\n[workspace.metadata.lighter.env]\nA = \"b\"\n",
        ] {
            assert_eq!(meaning(same), plain, "{same}");
        }
        let others = "[package]\nname = \"a\"\n[package.metadata.other]\nx = 1\n[workspace]\n";
        assert_ne!(meaning(others), plain);
        let both = format!("{others}[workspace.metadata.lighter]\n");
        assert_eq!(meaning(&both), meaning(others));
    }

    fn key(ingredients: &[(IngredientKind, &str, &str)]) -> Key {
        let ingredients = ingredients
            .iter()
            .map(|(kind, name, value)| Ingredient::new(*kind, *name, *value));
        Key::new(ingredients.collect())
    }

    #[test]
    fn one_of_several_values_of_a_name_counts() {
        use IngredientKind::Build;
        let before = key(&[(Build, "flags", "a"), (Build, "flags", "b")]);
        let after = key(&[(Build, "flags", "a"), (Build, "flags", "c")]);
        let told: Vec<String> = differences(before.ingredients(), after.ingredients())
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(told, ["flags a; b -> a; c"]);
    }

    #[test]
    fn order_does_not_count_and_borders_do() {
        use IngredientKind::{File, Setting};
        let one = key(&[(File, "a", "b"), (Setting, "c", "d")]);
        assert_eq!(one, key(&[(Setting, "c", "d"), (File, "a", "b")]));
        assert_ne!(
            one.digest(),
            key(&[(File, "ab", ""), (Setting, "c", "d")]).digest()
        );
        assert_ne!(
            one.digest(),
            key(&[(File, "a", "b"), (File, "c", "d")]).digest()
        );
    }

    #[test]
    fn differences_read_as_a_person_would_tell_them() {
        use IngredientKind::{Build, Dependency, File, Variable};
        let before = key(&[
            (Dependency, "serde", "1.0.219 registry abc "),
            (Dependency, "old", "0.1.0 registry abc "),
            (File, "src/main.rs", "0644 sha256:1"),
            (Build, "profile", "release"),
            (Build, "rustflags", ""),
            (Variable, "OLD", "sha256:1"),
            (Variable, "TOKEN", "sha256:1"),
        ]);
        let after = key(&[
            (Dependency, "serde", "1.0.220 registry abd "),
            (File, "src/main.rs", "0644 sha256:2"),
            (File, "src/new.rs", "0644 sha256:3"),
            (Build, "profile", "dist"),
            (Build, "rustflags", "--cfg a"),
            (Variable, "NEW", "unset"),
            (Variable, "SET", "sha256:1"),
            (Variable, "TOKEN", "sha256:2"),
        ]);
        let told: Vec<String> = differences(before.ingredients(), after.ingredients())
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            told,
            [
                "profile release -> dist",
                "src/main.rs changed",
                "src/new.rs added",
                "old 0.1.0 removed",
                "serde 1.0.219 -> 1.0.220",
                "rustflags nothing -> --cfg a",
                "variable NEW is read now",
                "variable OLD is set or read no more",
                "variable SET is set or read now",
                "variable TOKEN changed",
            ]
        );
        assert!(differences(after.ingredients(), after.ingredients()).is_empty());
    }
}

//! Dependencies as part of a split, which then builds without network and with an empty cargo home.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use toml_edit::{DocumentMut, Item, Table, TableLike};

use super::manifest::parse;
use super::sources::read_text;
use super::{Sources, Split, SplitError, SplitFile, write};
use crate::cargo::{self, CargoError, LockedPackage};
use crate::fs::sorted_files;
use crate::process::temporary_directory;

/// What cargo calls the directory that stands in for registries.
const SOURCE: &str = "vendored-sources";

/// Sources that splits refer to until they are written: dropping this removes them.
#[derive(Debug)]
pub struct Vendored {
    _directory: TempDir,
}

/// Adds to each of `splits` the sources of all packages that its lock takes from elsewhere, in `vendor`
/// beside the root manifest, and to cargo's configuration there that they are used. A split whose
/// workspace is vendored already is left as it is. What is given back must live until all is written.
///
/// # Errors
/// [`SplitError::Vendor`] with what cargo said, or any other for files that cannot be read or written.
pub fn vendor(sources: &Sources<'_>, splits: &mut [Split]) -> Result<Vendored, SplitError> {
    let directory = tempfile::Builder::new()
        .prefix("cargo-lighter-")
        .tempdir_in(temporary_directory(sources.cargo.environment())?)?;
    // A link on the way to it would make cargo see two names of one file.
    let top = fs_err::canonicalize(directory.path())?;
    // Splits that need the same packages need the same sources.
    let mut known: BTreeMap<Vec<String>, Crates> = BTreeMap::new();
    for split in splits {
        let needed = from_elsewhere(split);
        if needed.is_empty() || is_vendored(split)? {
            continue;
        }
        let place = top.join(known.len().to_string());
        let crates = match known.entry(needed) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(Crates::download(sources, split, &place)?),
        };
        crates.add_to(split)?;
    }
    Ok(Vendored {
        _directory: directory,
    })
}

/// The packages of a split's lock that are not local.
fn from_elsewhere(split: &Split) -> Vec<String> {
    let packages = split.lock.packages.iter();
    let foreign = packages.filter(|package| package.source.is_some());
    foreign.map(LockedPackage::display).collect()
}

/// Whether directories in the split stand in for registries already.
fn is_vendored(split: &Split) -> Result<bool, SplitError> {
    for path in &split.settings {
        // The file of this name may be no TOML.
        if path
            .file_name()
            .is_some_and(|name| name == "rust-toolchain")
        {
            continue;
        }
        let Some(text) = text_of(split, path)? else {
            continue;
        };
        let document = parse(path, &text)?;
        let tables = document.get("source").and_then(Item::as_table_like);
        let mut tables = tables.into_iter().flat_map(TableLike::iter);
        if tables.any(|(_, table)| {
            ["directory", "local-registry"]
                .iter()
                .any(|key| table.get(key).is_some())
        }) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What a file of the split says; `None` where it has none of that name.
fn text_of(split: &Split, path: &Path) -> Result<Option<String>, SplitError> {
    Ok(match split.files.get(path) {
        None => None,
        Some(SplitFile::Text(text)) => Some(text.clone()),
        Some(SplitFile::Copy { from, .. }) => Some(read_text(from)?),
        Some(SplitFile::Link(_)) => Some(read_text(&split.origin.join(path))?),
    })
}

/// The sources of one set of packages.
struct Crates {
    /// Where they are.
    directory: PathBuf,
    /// What cargo's configuration must say.
    configuration: DocumentMut,
}

impl Crates {
    /// Lets cargo copy them to a directory in `place`, for which it needs the split itself there, too.
    fn download(sources: &Sources<'_>, split: &Split, place: &Path) -> Result<Self, SplitError> {
        let failed = |source| SplitError::Vendor {
            service: split.service.clone(),
            source,
        };
        let manifest = write(split, &place.join("split"))?;
        let workspace = manifest.parent().unwrap_or(place);
        let directory = place.join("crates");
        let foreign = &sources.settings.foreign;
        let text = cargo::vendor(&sources.cargo, workspace, &directory, foreign).map_err(failed)?;
        let configuration = text.parse().map_err(|error: toml_edit::TomlError| {
            failed(CargoError::Answer {
                command: "cargo vendor".to_owned(),
                source: error.into(),
            })
        })?;
        Ok(Self {
            directory,
            configuration,
        })
    }

    fn add_to(&self, split: &mut Split) -> Result<(), SplitError> {
        let root = split
            .manifest
            .parent()
            .map(Path::to_owned)
            .unwrap_or_default();
        let name = directory_name(split, &root);
        self.configure(split, &root, name)?;
        for file in sorted_files(&self.directory)? {
            let mode = fs_err::metadata(&file.path)?.permissions().mode();
            let copy = SplitFile::Copy {
                from: file.path,
                executable: mode & 0o100 != 0,
            };
            split
                .files
                .insert(root.join(name).join(file.relative), copy);
        }
        Ok(())
    }

    /// Makes cargo's configuration of the workspace at `root` say that the sources are in `name`.
    fn configure(&self, split: &mut Split, root: &Path, name: &str) -> Result<(), SplitError> {
        // cargo prefers the old name where both exist.
        let names = [".cargo/config", ".cargo/config.toml"].map(|name| root.join(name));
        let present = names.iter().find(|path| split.files.contains_key(*path));
        let path = present.unwrap_or(&names[1]).clone();
        let text = text_of(split, &path)?.unwrap_or_default();
        let mut document = parse(&path, &text)?;
        add_sources(&mut document, &self.configuration, name);
        split
            .files
            .insert(path, SplitFile::Text(document.to_string()));
        Ok(())
    }
}

/// `vendor`, unless the split has something of its own there.
fn directory_name(split: &Split, root: &Path) -> &'static str {
    let place = root.join("vendor");
    let is_taken = split.files.keys().any(|path| path.starts_with(&place));
    if is_taken { ".cargo/vendor" } else { "vendor" }
}

/// Merges the tables of `[source]` that cargo printed, the directory being called `name`.
fn add_sources(document: &mut DocumentMut, printed: &DocumentMut, name: &str) {
    let mut implicit = Table::new();
    implicit.set_implicit(true);
    let sources = document.entry("source").or_insert(Item::Table(implicit));
    let added = printed.get("source").and_then(Item::as_table_like);
    let Some(sources) = sources.as_table_like_mut() else {
        return;
    };
    for (source, table) in added.into_iter().flat_map(TableLike::iter) {
        let merged = sources.entry(source).or_insert(Item::Table(Table::new()));
        let (Some(merged), Some(table)) = (merged.as_table_like_mut(), table.as_table_like())
        else {
            continue;
        };
        for (key, value) in table.iter() {
            merged.insert(key, value.clone());
        }
        if source == SOURCE {
            merged.insert("directory", toml_edit::value(name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(present: &str) -> String {
        let printed = "[source.crates-io]\nreplace-with = \"vendored-sources\"\n\n\
                       [source.\"git+https://host/x?rev=1\"]\ngit = \"https://host/x\"\nrev = \"1\"\n\
                       replace-with = \"vendored-sources\"\n\n\
                       [source.vendored-sources]\ndirectory = \"/tmp/x/crates\"\n";
        let mut document: DocumentMut = present.parse().expect("TOML");
        let printed = printed.parse().expect("TOML");
        add_sources(&mut document, &printed, "vendor");
        document.to_string()
    }

    #[test]
    fn what_the_configuration_says_otherwise_stays() {
        let present = "# ours\n[build]\nrustflags = [\"-Cforce-frame-pointers\"]\n";
        let text = merged(present);
        assert!(text.starts_with(present), "{text}");
        assert!(text.contains("[source.crates-io]\nreplace-with = \"vendored-sources\"\n"));
        assert!(
            text.contains("[source.vendored-sources]\ndirectory = \"vendor\"\n"),
            "{text}"
        );
        assert!(text.contains("rev = \"1\"\n"), "{text}");
        assert!(!text.contains("[source]\n"), "{text}");
    }

    #[test]
    fn a_mirror_is_replaced_and_may_be_written_in_any_form() {
        for present in [
            "[source.crates-io]\nreplace-with = \"mirror\"\n[source.mirror]\nregistry = \"https://host\"\n",
            "source = { crates-io = { replace-with = \"mirror\" } }\n",
            "source.crates-io.replace-with = \"mirror\"\n",
        ] {
            let text = merged(present);
            let document: DocumentMut = text.parse().expect("TOML");
            let name = &document["source"]["crates-io"]["replace-with"];
            assert_eq!(name.as_str(), Some("vendored-sources"), "{text}");
            let directory = &document["source"]["vendored-sources"]["directory"];
            assert_eq!(directory.as_str(), Some("vendor"), "{text}");
        }
    }
}

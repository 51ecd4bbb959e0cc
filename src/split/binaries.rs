//! Executables of a package that a service is not: nothing of them can change it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item};

use crate::workspace::{Package, Purpose, Target};

/// The executables that a build of `kept` (of none, for a package that is only depended on) does not
/// compile. A package that is nothing but executables keeps them all where none is meant: cargo refuses
/// a package without targets.
pub(super) fn others<'a>(package: &'a Package, kept: Option<&str>) -> Vec<&'a Target> {
    let has_library = package
        .targets
        .iter()
        .any(|target| target.purpose == Purpose::Library);
    if kept.is_none() && !has_library {
        return Vec::new();
    }
    let binaries = package.targets.iter();
    binaries
        .filter(|target| target.purpose == Purpose::Binary && Some(target.name.as_str()) != kept)
        .collect()
}

/// The places that only `others` of the package use: their first files, and for `src/bin/NAME.rs` and
/// `src/bin/NAME/main.rs` the directory `src/bin/NAME`. What another target starts from is no such place.
pub(super) fn places(package: &Package, others: &[&Target]) -> BTreeSet<PathBuf> {
    let kept: Vec<&Path> = package
        .targets
        .iter()
        .filter(|target| !others.contains(target))
        .map(|target| target.source.as_path())
        .collect();
    let mut places = BTreeSet::new();
    for target in others {
        let source = &target.source;
        let own = if source.ends_with("main.rs") {
            source.parent().map(Path::to_owned)
        } else {
            Some(source.with_extension(""))
        };
        let is_bin = |place: &Path| {
            let above = place.parent().and_then(Path::file_name);
            above.is_some_and(|name| name == "bin")
        };
        places.extend(own.filter(|place| is_bin(place)));
        places.insert(source.clone());
    }
    places.retain(|place| !kept.iter().any(|kept| kept.starts_with(place)));
    places
}

/// Takes `[[bin]]` of executables that are left out from a manifest: one without a path must have its
/// file (measured), and `default-run` must name one that is there.
pub(super) fn forget(document: &mut DocumentMut, others: &[&Target]) {
    let is_other =
        |name: Option<&str>| others.iter().any(|other| Some(other.name.as_str()) == name);
    let named = |table: &dyn toml_edit::TableLike| {
        table.get("name").and_then(Item::as_str).map(str::to_owned)
    };
    let is_left = match document.get_mut("bin") {
        Some(Item::ArrayOfTables(tables)) => {
            tables.retain(|table| !is_other(named(table).as_deref()));
            !tables.is_empty()
        }
        Some(Item::Value(toml_edit::Value::Array(array))) => {
            array.retain(|value| {
                let name = value.as_inline_table().and_then(|table| named(table));
                !is_other(name.as_deref())
            });
            !array.is_empty()
        }
        _ => true,
    };
    if !is_left {
        document.remove("bin");
    }
    if let Some(package) = document
        .get_mut("package")
        .and_then(Item::as_table_like_mut)
        && is_other(package.get("default-run").and_then(Item::as_str))
    {
        package.remove("default-run");
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn package(targets: &[(&str, Purpose, &str)]) -> Package {
        let target = |(name, purpose, source): &(&str, Purpose, &str)| Target {
            name: (*name).to_owned(),
            purpose: *purpose,
            source: Path::new("/w/p").join(source),
        };
        Package {
            id: "p".to_owned(),
            name: "p".to_owned(),
            version: "0.1.0".to_owned(),
            manifest: "/w/p/Cargo.toml".into(),
            directory: "/w/p".into(),
            facts: BTreeMap::new(),
            binaries: Vec::new(),
            features: BTreeMap::new(),
            member: true,
            procedural: false,
            targets: targets.iter().map(target).collect(),
            dependencies: Vec::new(),
            links: None,
        }
    }

    #[test]
    fn what_a_kept_executable_starts_from_is_never_left_out() {
        use Purpose::{Binary, Library};
        let package = package(&[
            ("p", Library, "src/lib.rs"),
            ("p", Binary, "src/main.rs"),
            ("one", Binary, "src/bin/one.rs"),
            ("two", Binary, "src/bin/two/main.rs"),
            ("odd", Binary, "tools/odd.rs"),
        ]);
        let places = |kept| -> Vec<String> {
            let places = places(&package, &others(&package, kept));
            places
                .iter()
                .map(|place| place.display().to_string())
                .collect()
        };
        assert_eq!(
            places(Some("two")),
            [
                "/w/p/src/bin/one",
                "/w/p/src/bin/one.rs",
                "/w/p/src/main.rs",
                "/w/p/tools/odd.rs"
            ]
        );
        assert_eq!(places(None).len(), 6);
    }

    #[test]
    fn a_package_of_executables_alone_keeps_them_for_those_who_depend_on_it() {
        let package = package(&[("one", Purpose::Binary, "src/main.rs")]);
        assert!(others(&package, None).is_empty());
    }

    #[test]
    fn manifests_lose_the_tables_of_other_executables() {
        let text = "[package]\nname = \"p\"\ndefault-run = \"one\"\n\n[[bin]]\nname = \"one\"\n\n[[bin]]\nname = \"two\"\n";
        let package = package(&[
            ("one", Purpose::Binary, "src/bin/one.rs"),
            ("two", Purpose::Binary, "src/bin/two.rs"),
        ]);
        let mut document: DocumentMut = text.parse().expect("TOML");
        forget(&mut document, &others(&package, Some("two")));
        assert_eq!(
            document.to_string(),
            "[package]\nname = \"p\"\n\n[[bin]]\nname = \"two\"\n"
        );
        forget(&mut document, &others(&package, Some("one")));
        assert_eq!(document.to_string(), "[package]\nname = \"p\"\n");
    }
}

//! One text for all manifests that mean the same.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use proptest::prelude::*;

use crate::split::manifest;

fn canonical(text: &str) -> String {
    let document = manifest::parse(Path::new("Cargo.toml"), text);
    manifest::canonical_document(&document.unwrap_or_else(|error| panic!("{error}\n{text}")))
}

#[test]
fn forms_of_one_meaning_are_equal() {
    let expected = canonical("[a]\nb = { c = 16, d = [\"x\", 'y'] }\n");
    for text in [
        "a.b.d = ['x', \"y\"]\na.b.c = 0x10\n",
        "# one\n[a.b] # two\nd = [\n  'x', # three\n  '''y''',\n]\n\nc = 1_6\n",
        "a = { b.c = 16, b.d = [\"\\u0078\", \"y\"] }",
        "[a.b]\r\nc = 16\r\nd = [\"x\", \"y\"]\r\n",
    ] {
        assert_eq!(canonical(text), expected, "{text}");
    }
    assert_eq!(
        canonical("[[bin]]\nname = \"a\"\n[[bin]]\nname = \"b\"\n"),
        canonical("bin = [{ name = 'a' }, { name = 'b' }]")
    );
}

#[test]
fn every_difference_of_value_shows() {
    let texts = [
        "",
        "a = 1",
        "a = 1.0",
        "a = \"1\"",
        "a = true",
        "a = [1]",
        "a = [[1]]",
        "a = {}",
        "a = []",
        "a = [1, 2]",
        "a = [2, 1]",
        "a = 1979-05-27",
        "a = \"1979-05-27\"",
        "a = '@1979-05-27'",
        "a = '\",\"b\"=\"'",
        "a = ''\nb = ''",
        "a = '\\\"'",
        "a = '\"'",
        "[[a]]",
        "b = 1",
        "a = nan",
        "a = inf",
        "a = \"\\n\"",
        "a = '\\n'",
    ];
    let mut seen = BTreeMap::new();
    for text in texts {
        if let Some(other) = seen.insert(canonical(text), text) {
            panic!("{text:?} and {other:?} are written alike");
        }
    }
}

/// A manifest as tables of values.
type Model = BTreeMap<String, BTreeMap<String, i64>>;

fn model() -> impl Strategy<Value = Model> {
    let table = prop::collection::btree_map("[a-z]{1,3}", any::<i64>(), 1..4);
    prop::collection::btree_map("[a-z]{1,4}", table, 1..4)
}

/// One of the many texts for a model.
fn text(model: &Model, form: u8, noise: &str) -> String {
    let mut tables: Vec<_> = model.iter().collect();
    if form & 1 != 0 {
        tables.reverse();
    }
    let mut text = String::new();
    for (name, table) in tables {
        let mut entries: Vec<_> = table.iter().collect();
        if form & 2 != 0 {
            entries.reverse();
        }
        if form & 4 != 0 {
            let _ = writeln!(text, "\n# {noise}\n[{name}]  # {noise}\n");
        }
        for (key, value) in entries {
            let _ = match form & 4 {
                0 => writeln!(text, "{name} . \"{key}\" = {value}\n#{noise}"),
                _ => writeln!(text, "  {key}={value}"),
            };
        }
    }
    text
}

proptest! {
    #[test]
    fn order_comments_and_forms_never_show(model in model(), form in 0u8..8, noise in "[a-z #\"=]{0,8}") {
        prop_assert_eq!(canonical(&text(&model, form, &noise)), canonical(&text(&model, 4, "")));
    }

    #[test]
    fn values_always_show(model in model(), form in 0u8..8, which in any::<prop::sample::Index>(), by in 1i64..1000) {
        let mut changed = model.clone();
        let mut values: Vec<&mut i64> = changed.values_mut().flat_map(BTreeMap::values_mut).collect();
        let index = which.index(values.len());
        *values[index] = values[index].wrapping_add(by);
        prop_assert_ne!(canonical(&text(&model, form, "")), canonical(&text(&changed, form, "")));
    }

    #[test]
    fn any_text_is_rewritten_or_refused(text in "([\\[\\]{}=\"'.\na-z#,\\-]{0,60}|(\\[\\[?(package|workspace|patch|profile|features)(\\.[a-z]{1,2}){0,2}\\]?\\]\n([a-z]{1,3} = (1|\\[\"a/b\"\\]|\\{ \\})\n){0,2}){0,4})") {
        let path = Path::new("Cargo.toml");
        let left = manifest::Development { tests: true, benches: true, examples: true };
        let stripped = manifest::strip_development(path, &text, left);
        let foreign = manifest::rewrite_foreign_root(path, &text, &["a".to_owned()], false);
        prop_assert_eq!(stripped.is_ok(), manifest::parse(path, &text).is_ok());
        for changed in [stripped, foreign].into_iter().flatten() {
            prop_assert!(manifest::parse(path, &changed).is_ok(), "{}", changed);
        }
        if let Ok(document) = manifest::parse(path, &text) {
            let _ = (manifest::outside_paths(&document), manifest::inherits(&document));
        }
    }
}

/// Nested as deeply as the parser allows, and deeper.
#[test]
fn depth_is_an_error_and_not_the_end() {
    for depth in [10, 1_000, 100_000] {
        for text in [
            format!("{}a = 1", "a.".repeat(depth)),
            format!("a = {}{}", "[".repeat(depth), "]".repeat(depth)),
            format!("a = {}1{}", "{ a = ".repeat(depth), " }".repeat(depth)),
        ] {
            let result = manifest::parse(Path::new("Cargo.toml"), &text)
                .map(|document| manifest::canonical_document(&document));
            assert_eq!(result.is_ok(), depth == 10);
        }
    }
}

//! Whatever stands in a manifest, a variable or a flag, reading it ends with values or mistakes.

use proptest::prelude::*;

use super::world::World;
use crate::config::Overrides;
use crate::config::keys::KEYS;

/// Any value that TOML has, as TOML writes it.
fn toml_value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        Just("1.5".to_owned()),
        Just("1979-05-27T07:32:00Z".to_owned()),
        ".{0,12}".prop_map(|text| toml_edit::Value::from(text).to_string()),
        "[/{}a-z.*:\\[]{0,12}".prop_map(|text| toml_edit::Value::from(text).to_string()),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(", "))),
            prop::collection::btree_map("from|to|mode|[a-z]{1,3}", inner, 0..4).prop_map(|table| {
                let entries: Vec<String> = table
                    .iter()
                    .map(|(name, value)| format!("{name} = {value}"))
                    .collect();
                format!("{{ {} }}", entries.join(", "))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_value_of_any_key_is_read_or_refused(
        key in 0..KEYS.len(),
        value in toml_value(),
    ) {
        let text = format!("[package.metadata.lighter]\n{} = {value}\n", KEYS[key].name);
        let world = World { orders: &text, ..World::default() };
        if let Err(errors) = world.resolve() {
            prop_assert!(!errors.mistakes().is_empty());
            for mistake in errors.mistakes() {
                prop_assert!(!mistake.to_string().contains(char::is_control), "{mistake:?}");
            }
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[\\[\\]{}=\"'.\na-z#,\\- ]{0,80}") {
        let section = format!("[workspace.metadata.lighter]\n{text}");
        let _ = World { root: &section, shared: &text, ..World::default() }.resolve();
    }

    #[test]
    fn any_variable_is_read_or_refused(
        key in 0..KEYS.len(),
        text in "[^\\x00]{0,16}",
        flag in ".{0,16}",
    ) {
        let variable = format!("LIGHTER_{}", KEYS[key].name.to_uppercase().replace('-', "_"));
        let flags = Overrides {
            repo: Some(flag.clone()),
            tags: vec![flag.clone()],
            profile: Some(flag.clone()),
            features: vec![flag],
            ..Overrides::default()
        };
        let variables = [(variable.as_str(), text.as_str())];
        let _ = World { variables: &variables, flags, ..World::default() }.resolve();
    }
}

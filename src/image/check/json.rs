//! JSON of anybody: a field of another type than it should have is told, and loses no other field.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::report::printable;

/// Characters of a value that are shown.
const MAX_SHOWN: usize = 40;

/// A field as it was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Field<T> {
    /// It is not there.
    #[default]
    Missing,
    /// It is `null`, which most readers take for missing.
    Null,
    /// It is what it should be.
    Read(T),
    /// It is something else, in words.
    Wrong(String),
}

/// What a field may hold.
pub(super) trait Shape: DeserializeOwned {
    /// In words, behind "must be".
    const EXPECTED: &'static str;
    /// How its JSON begins.
    const BEGINS: &'static [u8];
}

impl Shape for String {
    const EXPECTED: &'static str = "a string";
    const BEGINS: &'static [u8] = b"\"";
}

impl Shape for u64 {
    const EXPECTED: &'static str = "a whole number";
    const BEGINS: &'static [u8] = b"0123456789";
}

impl Shape for bool {
    const EXPECTED: &'static str = "true or false";
    const BEGINS: &'static [u8] = b"tf";
}

impl<T: Shape> Shape for Vec<Field<T>> {
    const EXPECTED: &'static str = "a list";
    const BEGINS: &'static [u8] = b"[";
}

impl<T: Shape> Shape for BTreeMap<String, Field<T>> {
    const EXPECTED: &'static str = "an object";
    const BEGINS: &'static [u8] = b"{";
}

/// An object, whatever is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object;

impl Shape for Object {
    const EXPECTED: &'static str = "an object";
    const BEGINS: &'static [u8] = b"{";
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

impl<T: Shape> Field<T> {
    /// The document in `bytes`.
    ///
    /// # Errors
    /// In words, when they are no JSON, or name a field of an object twice: readers differ in which they take.
    pub(super) fn document(bytes: &[u8]) -> Result<T, String> {
        let shown = |error: serde_json::Error| printable(&error.to_string());
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        Unique.deserialize(&mut deserializer).map_err(shown)?;
        deserializer.end().map_err(shown)?;
        let raw: &RawValue = serde_json::from_slice(bytes).map_err(shown)?;
        match Self::of(raw) {
            Self::Read(document) => Ok(document),
            Self::Missing | Self::Null => Err(format!("it is null, not {}", T::EXPECTED)),
            Self::Wrong(found) => Err(format!("it is {found}, not {}", T::EXPECTED)),
        }
    }

    fn of(raw: &RawValue) -> Self {
        let text = raw.get();
        if text == "null" {
            return Self::Null;
        }
        let fits = text
            .bytes()
            .next()
            .is_some_and(|first| T::BEGINS.contains(&first));
        let read = if fits {
            serde_json::from_str(text).ok()
        } else {
            None
        };
        read.map_or_else(|| Self::Wrong(shown(text)), Self::Read)
    }
}

impl<'de, T: Shape> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(deserializer).map(Self::of)
    }
}

/// A value as it stands, or what it is where that is long.
fn shown(text: &str) -> String {
    match text.bytes().next() {
        Some(b'{') => "an object".to_owned(),
        Some(b'[') => "a list".to_owned(),
        _ if text.chars().count() <= MAX_SHOWN => format!("`{}`", printable(text)),
        Some(b'"') => "a string".to_owned(),
        _ => "a number".to_owned(),
    }
}

/// Any value in which no object has a key twice.
struct Unique;

impl<'de> DeserializeSeed<'de> for Unique {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unique {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Unique)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if let Some(twice) = seen.replace(key) {
                let error = format!("it has the field `{}` twice", printable(&twice));
                return Err(A::Error::custom(error));
            }
            map.next_value_seed(Unique)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Texts = BTreeMap<String, Field<String>>;

    #[test]
    fn a_field_of_another_type_loses_no_other() {
        let read = Field::<Texts>::document(br#"{"a":1,"b":"x","c":null,"d":[1]}"#);
        let expected = BTreeMap::from([
            ("a".to_owned(), Field::Wrong("`1`".to_owned())),
            ("b".to_owned(), Field::Read("x".to_owned())),
            ("c".to_owned(), Field::Null),
            ("d".to_owned(), Field::Wrong("a list".to_owned())),
        ]);
        assert_eq!(read, Ok(expected));
    }

    #[test]
    fn what_is_no_document_is_told_in_plain_words() {
        for (text, says) in [
            ("[]", "it is a list, not an object"),
            ("null", "it is null, not an object"),
            ("7", "it is `7`, not an object"),
            (r#"{"a":{"b":1,"b":2}}"#, "it has the field `b` twice"),
            (r#"{"a":"\ud800x"}"#, "hex escape"),
            ("{} {}", "trailing characters"),
            ("{", "EOF while parsing an object"),
        ] {
            let error = Field::<Texts>::document(text.as_bytes()).expect_err(text);
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn numbers_are_whole_and_in_range() {
        for (text, whole) in [("0", true), ("-1", false), ("1.0", false), ("1e3", false)] {
            let raw = RawValue::from_string(text.to_owned()).expect("JSON");
            let field: Field<u64> = Field::of(&raw);
            assert_eq!(matches!(field, Field::Read(_)), whole, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_document_or_none_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Field::<Texts>::document(&bytes);
            let _ = Field::<Vec<Field<u64>>>::document(&bytes);
        }

        #[test]
        fn near_documents_are_read_without_a_panic(
            keys in prop::collection::vec("[ab]", 0..4),
            value in r#"(null|-?[0-9]{1,30}|1e[0-9]{1,4}|"[a-z\\u]{0,6}"|\[\]|\{\}|tru|true)"#,
        ) {
            let fields: Vec<String> = keys.iter().map(|key| format!("\"{key}\":{value}")).collect();
            let text = format!("{{{}}}", fields.join(","));
            let read = Field::<Texts>::document(text.as_bytes());
            let unique = keys.iter().collect::<BTreeSet<_>>().len() == keys.len();
            prop_assert!(unique || read.is_err());
        }
    }
}

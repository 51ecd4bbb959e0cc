//! A JSON object whose members stay as they were written: their order, their numbers, their spaces. What others
//! keep in a file beside us is not ours to rewrite.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::ser::PrettyFormatter;
use serde_json::value::RawValue;

/// The members of an object, in order.
#[derive(Default)]
pub(in crate::registry) struct Members(Vec<(String, Box<RawValue>)>);

impl Members {
    /// Those of the object in a text.
    ///
    /// # Errors
    /// When it is no JSON, or no object.
    pub(in crate::registry) fn parse(bytes: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(bytes)
    }

    /// All of them.
    pub(in crate::registry) fn iter(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.0.iter().map(|(key, value)| (key.as_str(), &**value))
    }

    /// The one of a name: of several the last counts, as everywhere.
    pub(in crate::registry) fn get(&self, key: &str) -> Option<&RawValue> {
        let found = self.0.iter().rev().find(|(known, _)| known == key);
        found.map(|(_, value)| &**value)
    }

    /// Puts a member where one of its name was, or at the end.
    pub(in crate::registry) fn set(&mut self, key: &str, value: Box<RawValue>) {
        match self.0.iter_mut().rev().find(|(known, _)| known == key) {
            Some((_, old)) => *old = value,
            None => self.0.push((key.to_owned(), value)),
        }
    }

    /// Keeps the members whose name `keeps` likes; tells whether any went.
    pub(in crate::registry) fn retain(&mut self, keeps: impl Fn(&str) -> bool) -> bool {
        let before = self.0.len();
        self.0.retain(|(key, _)| keeps(key));
        self.0.len() < before
    }

    /// As a text, each member on a line that begins with `indent`.
    ///
    /// # Errors
    /// Never, but for want of memory.
    pub(in crate::registry) fn to_text(&self, indent: &str) -> serde_json::Result<Vec<u8>> {
        let mut text = Vec::new();
        let format = PrettyFormatter::with_indent(indent.as_bytes());
        self.serialize(&mut serde_json::Serializer::with_formatter(
            &mut text, format,
        ))?;
        Ok(text)
    }
}

/// Values may be passwords.
impl fmt::Debug for Members {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Members").finish_non_exhaustive()
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Reading)
    }
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Members;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Members {
        Members::parse(text.as_bytes()).expect("an object")
    }

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).expect("JSON")
    }

    #[test]
    fn what_is_not_touched_stays_byte_for_byte() {
        let text =
            "{\n\t\"z\": {\"b\":  1e400, \"a\": 12345678901234567890.10},\n\t\"a\": [ 1 ]\n}";
        let mut members = parsed(text);
        assert_eq!(members.to_text("\t").expect("written"), text.as_bytes());
        members.set("a", raw("2"));
        members.set("new", raw("3"));
        let expected = text.replace("[ 1 ]", "2,\n\t\"new\": 3");
        assert_eq!(members.to_text("\t").expect("written"), expected.as_bytes());
        assert!(members.retain(|key| key != "new"));
        assert!(!members.retain(|key| key != "new"));
    }

    #[test]
    fn of_several_members_of_a_name_the_last_counts() {
        let mut members = parsed(r#"{"a":1,"b":2,"a":3}"#);
        assert_eq!(members.get("a").expect("there").get(), "3");
        members.set("a", raw("4"));
        assert_eq!(members.get("a").expect("there").get(), "4");
        assert_eq!(members.iter().count(), 3);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in ".*") {
            let _ = Members::parse(text.as_bytes());
        }

        #[test]
        fn any_object_is_written_as_it_means(keys in prop::collection::vec("[a-d\\\\\"é]{0,3}", 0..5)) {
            let members: Vec<String> = keys
                .iter()
                .enumerate()
                .map(|(number, key)| format!("{}:{number}", serde_json::json!(key)))
                .collect();
            let text = format!("{{{}}}", members.join(","));
            let written = parsed(&text).to_text("  ").expect("written");
            let value = |text: &[u8]| serde_json::from_slice::<serde_json::Value>(text).expect("JSON");
            prop_assert_eq!(value(&written), value(text.as_bytes()));
        }
    }
}

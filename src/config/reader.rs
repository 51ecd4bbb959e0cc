//! Reads typed values from layers: the last layer that has a key decides it, but every layer is
//! checked, so that a mistake is found even where another value hides it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::keys::Key;
use super::mistake::Mistakes;
use super::origin::{Origin, Value};
use super::raw::{Data, Entry, Node, printed_key};
use crate::hint::{near_names, quoted_list};
use crate::report::printable;

/// The values of one table, one environment or one command line.
#[derive(Debug, Clone, Default)]
pub(super) struct Layer(BTreeMap<&'static str, Node>);

impl Layer {
    pub(super) fn set(&mut self, key: &'static Key, node: Node) {
        self.0.insert(key.name, node);
    }

    fn get(&self, key: &Key) -> Option<&Node> {
        self.0.get(key.name)
    }
}

/// What paths in a value are relative to; all absolute.
#[derive(Debug, Clone, Copy)]
pub(super) struct Roots<'a> {
    pub(super) package: &'a Path,
    pub(super) workspace: &'a Path,
    pub(super) repository: &'a Path,
}

/// What stands for a value that no layer gives.
pub(super) const UNSET: &str = "unset";

/// One value as `plan -v` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The key; entries of a table stand for themselves: `env.RUST_LOG`.
    pub key: String,
    /// The value as a manifest would write it, or `unset`.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// A stack of layers, lowest first, on its way to typed values.
pub(super) struct Reader<'a> {
    layers: Vec<&'a Layer>,
    roots: Roots<'a>,
    mistakes: &'a mut Mistakes,
    explanation: Vec<Explained>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        layers: Vec<&'a Layer>,
        roots: Roots<'a>,
        mistakes: &'a mut Mistakes,
    ) -> Self {
        Self {
            layers,
            roots,
            mistakes,
            explanation: Vec::new(),
        }
    }

    /// The value of a key that has a default.
    pub(super) fn value<T: Default>(
        &mut self,
        key: &'static Key,
        read: impl Fn(&Node, &mut Context) -> Option<T>,
    ) -> Value<T> {
        self.value_or(key, read, T::default())
    }

    /// The value of a key that may be left unset.
    pub(super) fn optional<T>(
        &mut self,
        key: &'static Key,
        read: impl Fn(&Node, &mut Context) -> Option<T>,
    ) -> Value<Option<T>> {
        self.value(key, |node, context| read(node, context).map(Some))
    }

    /// The value of a key; `absent` is used where no layer has a legal value.
    pub(super) fn value_or<T>(
        &mut self,
        key: &'static Key,
        read: impl Fn(&Node, &mut Context) -> Option<T>,
        absent: T,
    ) -> Value<T> {
        let mut found = Value {
            value: absent,
            origin: Origin::Default,
        };
        let mut printed = UNSET.to_owned();
        for node in self.layers.iter().filter_map(|layer| layer.get(key)) {
            let mut context = Context {
                key,
                roots: self.roots,
                mistakes: self.mistakes,
                part: Part::Whole,
            };
            if let Some(value) = read(node, &mut context) {
                printed = node.to_string();
                found = Value {
                    value,
                    origin: node.origin.clone(),
                };
            }
        }
        self.explanation.push(Explained {
            key: key.name.to_owned(),
            value: printed,
            origin: found.origin.clone(),
        });
        found
    }

    /// A table of strings: each entry is decided by the last layer that has it.
    pub(super) fn table(
        &mut self,
        key: &'static Key,
        read: impl Fn(&Entry, &mut Context) -> Option<String>,
    ) -> Value<BTreeMap<String, String>> {
        let mut entries: BTreeMap<&str, (String, &Origin)> = BTreeMap::new();
        let mut origin = Origin::Default;
        for &layer in &self.layers {
            let Some(node) = layer.get(key) else { continue };
            let mut context = Context {
                key,
                roots: self.roots,
                mistakes: self.mistakes,
                part: Part::Whole,
            };
            let Some(found) = context.entries(node) else {
                continue;
            };
            for entry in found {
                if let Some(value) = read(entry, &mut context) {
                    entries.insert(&entry.name, (value, &entry.origin));
                    origin = node.origin.clone();
                }
            }
        }
        if entries.is_empty() {
            self.explanation.push(Explained {
                key: key.name.to_owned(),
                value: "{}".to_owned(),
                origin: origin.clone(),
            });
        }
        for (name, (value, origin)) in &entries {
            self.explanation.push(Explained {
                key: format!("{}.{}", key.name, printed_key(name)),
                value: format!("{value:?}"),
                origin: (*origin).clone(),
            });
        }
        let value = entries
            .into_iter()
            .map(|(name, (value, _))| (name.to_owned(), value))
            .collect();
        Value { value, origin }
    }

    /// All values read so far, in the order in which they were read.
    pub(super) fn finish(self) -> Vec<Explained> {
        self.explanation
    }
}

/// Reads one value of one key, and notes what is wrong with it.
pub(super) struct Context<'a> {
    pub(super) key: &'static Key,
    pub(super) roots: Roots<'a>,
    pub(super) mistakes: &'a mut Mistakes,
    pub(super) part: Part,
}

/// Which part of a key's value is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// An item of its list.
    Item,
    /// A string in a table in its list.
    Field(&'static str),
}

impl Context<'_> {
    pub(super) fn refuse(
        &mut self,
        place: &Origin,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        self.mistakes.add(place, message.into(), hint);
    }

    /// The same key, reading a field of a table in its list.
    pub(super) fn field(&mut self, name: &'static str) -> Context<'_> {
        Context {
            key: self.key,
            roots: self.roots,
            mistakes: self.mistakes,
            part: Part::Field(name),
        }
    }

    /// A message about the value, which a flag or variable in front of it names well enough.
    pub(super) fn about(&self, node: &Node, what: &str) -> String {
        if node.origin.is_text() {
            what.to_owned()
        } else {
            format!("`{}`: {what}", self.name())
        }
    }

    /// What to call the value.
    pub(super) fn name(&self) -> &'static str {
        match self.part {
            Part::Field(name) => name,
            Part::Whole | Part::Item => self.key.name,
        }
    }

    /// Notes that the value is of another type than the key takes.
    pub(super) fn wrong_type(&mut self, node: &Node) {
        let (name, expects) = (self.name(), self.key.expects);
        let shape = node.data.shape();
        let message = match self.part {
            Part::Field(_) => format!("`{name}` must be a string, not {shape}"),
            Part::Item => format!("`{name}` must be {expects}, but holds {shape}"),
            Part::Whole if node.origin.is_text() => {
                let text = printable(&node.to_string());
                format!("`{name}` must be {expects}, not {text}")
            }
            Part::Whole => format!("`{name}` must be {expects}, not {shape}"),
        };
        let hint = self.example(&node.origin);
        self.refuse(&node.origin, message, Some(hint));
    }

    /// What to write for the key at that place.
    pub(super) fn example(&self, place: &Origin) -> String {
        let plain = || self.key.example.replace(['[', ']', '"'], "");
        let written = match place {
            Origin::Flag { name } => {
                let all = plain();
                format!("{name} {}", all.split(',').next().unwrap_or_default())
            }
            Origin::Environment { variable } => {
                format!("{variable}={}", plain().replace(", ", ","))
            }
            _ => self.key.written(),
        };
        format!("write for example `{written}`")
    }

    pub(super) fn boolean(&mut self, node: &Node) -> Option<bool> {
        if let Data::Boolean(value) = node.data {
            return Some(value);
        }
        self.wrong_type(node);
        None
    }

    pub(super) fn integer(&mut self, node: &Node) -> Option<i64> {
        if let Data::Integer(value) = node.data {
            return Some(value);
        }
        self.wrong_type(node);
        None
    }

    /// A string without NUL, which neither paths nor arguments nor variables can hold.
    pub(super) fn text<'n>(&mut self, node: &'n Node) -> Option<&'n str> {
        let Data::Text(text) = &node.data else {
            self.wrong_type(node);
            return None;
        };
        if text.contains('\0') {
            let message = format!("`{}` must not hold a NUL character", self.name());
            self.refuse(&node.origin, message, None);
            return None;
        }
        Some(text)
    }

    /// A string that says something.
    pub(super) fn word<'n>(&mut self, node: &'n Node) -> Option<&'n str> {
        let text = self.text(node)?;
        if text.is_empty() {
            let message = format!("`{}` must not be empty", self.name());
            let hint = self.example(&node.origin);
            self.refuse(&node.origin, message, Some(hint));
            return None;
        }
        Some(text)
    }

    /// A list; `None` when it is none or any of its items is wrong.
    pub(super) fn list<T>(
        &mut self,
        node: &Node,
        read: impl Fn(&Node, &mut Context) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Data::List(nodes) = &node.data else {
            self.wrong_type(node);
            return None;
        };
        let mut items = Vec::with_capacity(nodes.len());
        for item in nodes {
            let mut context = Context {
                key: self.key,
                roots: self.roots,
                mistakes: self.mistakes,
                part: Part::Item,
            };
            items.extend(read(item, &mut context));
        }
        (items.len() == nodes.len()).then_some(items)
    }

    /// A list in which each item stands once.
    pub(super) fn set<T: Ord>(
        &mut self,
        node: &Node,
        read: impl Fn(&Node, &mut Context) -> Option<T>,
    ) -> Option<Vec<T>> {
        let items = self.list(node, read)?;
        let Data::List(nodes) = &node.data else {
            return None;
        };
        let mut seen = BTreeSet::new();
        for (item, written) in items.iter().zip(nodes) {
            if !seen.insert(item) {
                let text = printable(&written.to_string());
                let message = format!("`{}` holds {text} twice", self.name());
                let hint = Some("leave one out".to_owned());
                self.refuse(&written.origin, message, hint);
            }
        }
        (seen.len() == items.len()).then_some(items)
    }

    /// A table's entries.
    pub(super) fn entries<'n>(&mut self, node: &'n Node) -> Option<&'n [Entry]> {
        if let Data::Table(entries) = &node.data {
            return Some(entries);
        }
        self.wrong_type(node);
        None
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&mut self, node: &Node, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(node)?;
        if let Some((_, value)) = choices.iter().find(|(name, _)| *name == text) {
            return Some(*value);
        }
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let message = format!(
            "`{}` must be {}, not `{}`",
            self.key.name,
            quoted_list(&names),
            printable(text)
        );
        let hint = near_names(text, names)
            .first()
            .map(|near| format!("did you mean `{near}`?"));
        self.refuse(&node.origin, message, hint);
        None
    }
}

//! Values as written, each with its place; whether from TOML, a variable or a flag.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use toml_edit::{Item, TableLike, Value};

use super::origin::{Origin, Position};

/// Deeper than any key needs, so that a hostile manifest cannot exhaust the stack.
const MAX_DEPTH: usize = 8;

/// A value and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) origin: Origin,
    pub(super) data: Data,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Data {
    Boolean(bool),
    Integer(i64),
    Text(String),
    List(Vec<Node>),
    Table(Vec<Entry>),
    /// Something that no key takes, named with its article.
    Other(&'static str),
}

/// A key, its place and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) origin: Origin,
    pub(super) node: Node,
}

impl Entry {
    /// The same entry, read as a part of a binary's table rather than its package's.
    pub(super) fn of_bin(&self) -> Self {
        Self {
            name: self.name.clone(),
            origin: of_bin(&self.origin),
            node: self.node.of_bin(),
        }
    }
}

impl Node {
    fn of_bin(&self) -> Self {
        let data = match &self.data {
            Data::List(nodes) => Data::List(nodes.iter().map(Self::of_bin).collect()),
            Data::Table(entries) => Data::Table(entries.iter().map(Entry::of_bin).collect()),
            other => other.clone(),
        };
        Self {
            origin: of_bin(&self.origin),
            data,
        }
    }
}

fn of_bin(origin: &Origin) -> Origin {
    match origin {
        Origin::Package(position) => Origin::Bin(position.clone()),
        other => other.clone(),
    }
}

impl Data {
    /// What it is, with its article.
    pub(super) fn shape(&self) -> &'static str {
        match self {
            Self::Boolean(_) => "a boolean",
            Self::Integer(_) => "an integer",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other(shape) => shape,
        }
    }
}

/// As a manifest would write it; control characters are escaped.
impl fmt::Display for Node {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.data {
            Data::Boolean(value) => value.fmt(formatter),
            Data::Integer(value) => value.fmt(formatter),
            Data::Text(text) => write!(formatter, "{text:?}"),
            Data::Other(shape) => formatter.write_str(shape),
            Data::List(nodes) => {
                let items: Vec<String> = nodes.iter().map(ToString::to_string).collect();
                write!(formatter, "[{}]", items.join(", "))
            }
            Data::Table(entries) if entries.is_empty() => formatter.write_str("{}"),
            Data::Table(entries) => {
                let items: Vec<String> = entries
                    .iter()
                    .map(|entry| format!("{} = {}", printed_key(&entry.name), entry.node))
                    .collect();
                write!(formatter, "{{ {} }}", items.join(", "))
            }
        }
    }
}

/// A key as TOML writes it: bare where it can be.
pub(super) fn printed_key(name: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !name.is_empty() && name.bytes().all(bare) {
        name.to_owned()
    } else {
        format!("{name:?}")
    }
}

/// Turns TOML with its spans into nodes with their places.
pub(super) struct Places<'a> {
    file: Arc<str>,
    text: &'a str,
    line_starts: Vec<usize>,
}

impl<'a> Places<'a> {
    pub(super) fn new(file: Arc<str>, text: &'a str) -> Self {
        let after_breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            file,
            text,
            line_starts: std::iter::once(0).chain(after_breaks).collect(),
        }
    }

    /// Where a byte of the text stands.
    pub(super) fn position(&self, offset: usize) -> Position {
        let line = self.line_starts.partition_point(|&start| start <= offset);
        let start = line
            .checked_sub(1)
            .and_then(|index| self.line_starts.get(index))
            .copied()
            .unwrap_or_default();
        let before = self.text.get(start..offset).unwrap_or_default();
        Position {
            file: self.file.clone(),
            line,
            column: before.chars().count() + 1,
        }
    }

    /// The entries of a table; `make` says which layer it belongs to.
    pub(super) fn entries(
        &self,
        table: &dyn TableLike,
        make: fn(Position) -> Origin,
        fallback: &Origin,
    ) -> Vec<Entry> {
        let reading = Reading { places: self, make };
        reading.entries(table, fallback, 0)
    }

    /// The place of a table's key.
    pub(super) fn of_key(
        &self,
        table: &dyn TableLike,
        name: &str,
        make: fn(Position) -> Origin,
    ) -> Origin {
        let span = table.key(name).and_then(toml_edit::Key::span);
        make(self.position(span.map_or(0, |span| span.start)))
    }
}

/// One table on its way to nodes.
struct Reading<'a> {
    places: &'a Places<'a>,
    make: fn(Position) -> Origin,
}

impl Reading<'_> {
    fn origin(&self, span: Option<Range<usize>>, fallback: &Origin) -> Origin {
        span.map_or_else(
            || fallback.clone(),
            |span| (self.make)(self.places.position(span.start)),
        )
    }

    fn entries(&self, table: &dyn TableLike, fallback: &Origin, depth: usize) -> Vec<Entry> {
        table
            .iter()
            .filter(|(_, item)| !item.is_none())
            .map(|(name, item)| {
                let span = table.key(name).and_then(toml_edit::Key::span);
                let origin = self.origin(span, fallback);
                Entry {
                    name: name.to_owned(),
                    node: self.item(item, &origin, depth),
                    origin,
                }
            })
            .collect()
    }

    fn item(&self, item: &Item, fallback: &Origin, depth: usize) -> Node {
        match item {
            Item::Value(value) => self.value(value, fallback, depth),
            Item::Table(table) => Node {
                // A header's span begins at its bracket; its last key is what a person looks for.
                origin: fallback.clone(),
                data: nested(depth, |depth| {
                    Data::Table(self.entries(table, fallback, depth))
                }),
            },
            Item::ArrayOfTables(tables) => Node {
                origin: fallback.clone(),
                data: nested(depth, |depth| {
                    let table = |table: &toml_edit::Table| {
                        let origin = self.origin(table.span(), fallback);
                        Node {
                            data: Data::Table(self.entries(table, &origin, depth)),
                            origin,
                        }
                    };
                    Data::List(tables.iter().map(table).collect())
                }),
            },
            Item::None => Node {
                origin: fallback.clone(),
                data: Data::Other("nothing"),
            },
        }
    }

    fn value(&self, value: &Value, fallback: &Origin, depth: usize) -> Node {
        let origin = self.origin(value.span(), fallback);
        let data = match value {
            Value::String(text) => Data::Text(text.value().clone()),
            Value::Integer(number) => Data::Integer(*number.value()),
            Value::Boolean(boolean) => Data::Boolean(*boolean.value()),
            Value::Float(_) => Data::Other("a float"),
            Value::Datetime(_) => Data::Other("a date"),
            Value::Array(values) => nested(depth, |depth| {
                Data::List(
                    values
                        .iter()
                        .map(|value| self.value(value, &origin, depth))
                        .collect(),
                )
            }),
            Value::InlineTable(table) => nested(depth, |depth| {
                Data::Table(self.entries(table, &origin, depth))
            }),
        };
        Node { origin, data }
    }
}

fn nested(depth: usize, data: impl FnOnce(usize) -> Data) -> Data {
    if depth < MAX_DEPTH {
        data(depth + 1)
    } else {
        Data::Other("a deeply nested value")
    }
}

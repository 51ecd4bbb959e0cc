//! A proposal as text, as JSON, and in a manifest of which nothing else changes.

use toml_edit::{DocumentMut, InlineTable, Item, Table, TableLike, Value};

use super::proposal::Proposal;
use crate::adopt::error::AdoptError;
use crate::report::printable;

const HEAD: [&str; 3] = ["package", "metadata", "lighter"];

/// A manifest with the proposal in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// All of it.
    pub text: String,
    /// Keys that were added, such as `user` and `env.RUST_LOG`.
    pub added: Vec<String>,
    /// Keys that stay as they were.
    pub kept: Vec<Kept>,
}

/// A key that says something else already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The key.
    pub key: String,
    /// What the manifest says.
    pub value: String,
    /// What the Dockerfile says.
    pub proposed: String,
}

impl Proposal {
    /// `package.metadata.lighter`, or the table of a binary in it.
    pub fn table_name(&self) -> String {
        let mut name = HEAD.join(".");
        if self.of_binary {
            let bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
            let binary = if self.binary.bytes().all(bare) {
                self.binary.clone()
            } else {
                Value::from(self.binary.as_str()).to_string()
            };
            name = format!("{name}.bin.{binary}");
        }
        name
    }

    fn path(&self) -> Vec<&str> {
        let mut path = HEAD.to_vec();
        if self.of_binary {
            path.extend(["bin", self.binary.as_str()]);
        }
        path
    }
}

/// The table as a manifest would hold it; empty if there is nothing to say.
pub fn text(proposal: &Proposal) -> String {
    if proposal.table.is_empty() {
        return String::new();
    }
    let mut document = DocumentMut::new();
    let mut table = proposal.table.clone();
    // A table that only holds tables has no line of its own.
    let has_values = table.iter().any(|(_, item)| item.is_value());
    table.set_implicit(!has_values);
    let mut inner = Item::Table(table);
    for name in proposal.path().into_iter().rev() {
        let mut outer = Table::new();
        outer.set_implicit(true);
        outer.insert(name, inner);
        inner = Item::Table(outer);
    }
    if let Item::Table(table) = inner {
        *document.as_table_mut() = table;
    }
    document.to_string().trim_start_matches('\n').to_owned()
}

/// Keys and values as JSON.
pub fn json(proposal: &Proposal) -> serde_json::Value {
    table_json(&proposal.table)
}

fn table_json(table: &dyn TableLike) -> serde_json::Value {
    let entries = table
        .iter()
        .map(|(key, item)| (key.to_owned(), item_json(item)));
    serde_json::Value::Object(entries.collect())
}

fn item_json(item: &Item) -> serde_json::Value {
    match item {
        Item::Value(value) => value_json(value),
        Item::Table(table) => table_json(table),
        Item::ArrayOfTables(tables) => tables.iter().map(|table| table_json(table)).collect(),
        Item::None => serde_json::Value::Null,
    }
}

fn value_json(value: &Value) -> serde_json::Value {
    match value {
        Value::String(text) => text.value().as_str().into(),
        Value::Integer(number) => (*number.value()).into(),
        Value::Boolean(truth) => (*truth.value()).into(),
        Value::Array(list) => list.iter().map(value_json).collect(),
        Value::InlineTable(table) => table_json(table),
        // No key of ours takes these.
        Value::Float(_) | Value::Datetime(_) => value.to_string().into(),
    }
}

/// Puts the proposal into a manifest's text. What is there stays, byte for byte, and what says
/// something else is told.
///
/// # Errors
/// [`AdoptError::Manifest`] where the text is no TOML, or something that is no table is in the way.
pub fn edit(proposal: &Proposal, manifest: &str) -> Result<Edited, AdoptError> {
    let refuse = |why: String| AdoptError::Manifest {
        path: proposal.manifest.clone(),
        why: printable(&why),
    };
    let mut document: DocumentMut = manifest
        .parse()
        .map_err(|error: toml_edit::TomlError| refuse(error.message().to_owned()))?;
    let before = document.to_string();
    let mut edited = Edited {
        text: String::new(),
        added: Vec::new(),
        kept: Vec::new(),
    };
    if !proposal.table.is_empty() {
        let mut item = document.as_item_mut();
        let mut walked = Vec::new();
        let path = proposal.path();
        for (depth, name) in path.iter().enumerate() {
            walked.push(*name);
            let is_last = depth + 1 == path.len();
            item = descend(item, name, is_last)
                .ok_or_else(|| refuse(format!("`{}` is no table", walked.join("."))))?;
        }
        merge(item, &proposal.table, "", &mut edited);
    }
    edited.text = if edited.added.is_empty() {
        manifest.to_owned()
    } else {
        with_line_ends(manifest, &before, &document.to_string())
    };
    match edited.text.parse::<DocumentMut>() {
        Ok(_) => Ok(edited),
        Err(error) => Err(refuse(error.message().to_owned())),
    }
}

/// The table of that name, made if it is not there.
fn descend<'t>(outer: &'t mut Item, name: &str, is_last: bool) -> Option<&'t mut Item> {
    let one_line = is_one_line(outer);
    let table = outer.as_table_like_mut()?;
    if !table.contains_key(name) {
        let item = if one_line {
            Item::Value(InlineTable::new().into())
        } else {
            let mut inner = Table::new();
            inner.set_implicit(!is_last);
            Item::Table(inner)
        };
        table.insert(name, item);
    }
    table.get_mut(name).filter(|item| item.is_table_like())
}

/// Whether a table stands in its parent's, so that tables in it have no header of their own.
fn is_one_line(item: &Item) -> bool {
    item.is_value() || item.as_table().is_some_and(Table::is_dotted)
}

fn merge(into: &mut Item, from: &Table, prefix: &str, edited: &mut Edited) {
    let one_line = is_one_line(into);
    let Some(table) = into.as_table_like_mut() else {
        return;
    };
    if from.iter().any(|(key, _)| !table.contains_key(key)) && one_line {
        // The blank before a closing brace belongs to the last value, which is last no more.
        for (_, item) in table.iter_mut() {
            if let Item::Value(value) = item
                && value.decor().suffix().and_then(|text| text.as_str()) == Some(" ")
            {
                value.decor_mut().set_suffix("");
            }
        }
    }
    for (key, item) in from {
        let name = format!("{prefix}{key}");
        match (table.get_mut(key), item) {
            (None, _) => {
                let item = match item {
                    Item::Table(inner) if one_line => {
                        Item::Value(inner.clone().into_inline_table().into())
                    }
                    other => other.clone(),
                };
                table.insert(key, item);
                edited.added.push(name);
            }
            (Some(there), Item::Table(inner)) if there.is_table_like() => {
                merge(there, inner, &format!("{name}."), edited);
            }
            (Some(there), _) if item_json(there) == item_json(item) => {}
            (Some(there), _) => edited.kept.push(Kept {
                key: name,
                value: item_json(there).to_string(),
                proposed: item_json(item).to_string(),
            }),
        }
    }
}

/// `after`, where each line of `before` is written as in the original: the parser reads both kinds of
/// line ends, and a mark of byte order, and writes neither.
fn with_line_ends(original: &str, before: &str, after: &str) -> String {
    let end = if original.contains("\r\n") {
        "\r\n"
    } else {
        "\n"
    };
    let mut originals = original.split_inclusive('\n');
    let mut befores = before.split_inclusive('\n').peekable();
    let mut text = String::with_capacity(after.len() + 64);
    let mut lines = after.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        let is_same = befores
            .peek()
            .is_some_and(|old| old.trim_end_matches('\n') == line.trim_end_matches('\n'));
        if is_same {
            befores.next();
            let old = originals.next().unwrap_or_default();
            text.push_str(old);
            // The last line may have had no end, and needs one where another follows.
            if lines.peek().is_some() && !old.ends_with('\n') {
                text.push_str(end);
            }
            continue;
        }
        text.push_str(line.trim_end_matches(['\r', '\n']));
        if line.ends_with('\n') {
            text.push_str(end);
        }
    }
    text
}

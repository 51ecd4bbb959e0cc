//! One text for all manifests that mean the same.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use toml_edit::{DocumentMut, Item, TableLike, Value};

/// A document without comments and formatting, its keys sorted and its tables in one form: equal for
/// documents that say the same, different where any value, or the order in an array, differs. For hashing;
/// it is not TOML.
pub(in crate::split) fn canonical_document(document: &DocumentMut) -> String {
    let mut written = String::new();
    write_table(document.as_table(), &mut written);
    written.push('\n');
    written
}

fn write_item(item: &Item, to: &mut String) {
    match item {
        Item::None => {}
        Item::Value(value) => write_value(value, to),
        Item::Table(table) => write_table(table, to),
        Item::ArrayOfTables(array) => {
            to.push('[');
            for table in array {
                write_table(table, to);
                to.push(',');
            }
            to.push(']');
        }
    }
}

fn write_table(table: &dyn TableLike, to: &mut String) {
    let entries: BTreeMap<&str, &Item> = table.iter().collect();
    to.push('{');
    for (key, item) in entries {
        write_text(key, to);
        to.push('=');
        write_item(item, to);
        to.push(',');
    }
    to.push('}');
}

fn write_value(value: &Value, to: &mut String) {
    // Writing to a text cannot fail.
    let _ = match value {
        Value::String(text) => {
            write_text(text.value(), to);
            Ok(())
        }
        Value::Integer(number) => write!(to, "{}", number.value()),
        // The form for debugging has a point or an exponent, so that no float looks like an integer.
        Value::Float(number) => write!(to, "{:?}", number.value()),
        Value::Boolean(truth) => write!(to, "{}", truth.value()),
        Value::Datetime(time) => write!(to, "@{}", time.value()),
        Value::Array(array) => {
            to.push('[');
            for value in array {
                write_value(value, to);
                to.push(',');
            }
            to.push(']');
            Ok(())
        }
        Value::InlineTable(table) => {
            write_table(table, to);
            Ok(())
        }
    };
}

/// Quotes and backslashes are marked, so that no text looks like two, or like anything else.
fn write_text(text: &str, to: &mut String) {
    to.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            to.push('\\');
        }
        to.push(c);
    }
    to.push('"');
}

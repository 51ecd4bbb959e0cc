//! A proposal while it grows: every key is tried on the configuration before it is taken.

use std::collections::BTreeMap;

use toml_edit::{Array, InlineTable, Item, Table, Value};

use super::places::{Places, Thing};
use crate::adopt::remark::Remark;
use crate::config::{self, Linkage, ServiceConfig, keys};
use crate::hint::Hint as _;
use crate::workspace::{Package, Workspace};

/// A list of no key is as long as this.
const MAX_ITEMS: usize = 256;

/// Settings and remarks so far.
pub(in crate::adopt) struct Draft<'a> {
    workspace: &'a Workspace,
    package: &'a Package,
    current: Option<&'a ServiceConfig>,
    values: BTreeMap<String, Value>,
    tables: BTreeMap<String, BTreeMap<String, Value>>,
    pub(in crate::adopt) remarks: Vec<Remark>,
    places: Places,
}

impl<'a> Draft<'a> {
    pub(in crate::adopt) fn new(
        workspace: &'a Workspace,
        package: &'a Package,
        current: Option<&'a ServiceConfig>,
    ) -> Self {
        Self {
            workspace,
            package,
            current,
            values: BTreeMap::new(),
            tables: BTreeMap::new(),
            remarks: Vec::new(),
            places: Places::default(),
        }
    }

    /// Takes a value, unless the configuration refuses it, or has it without being told.
    pub(in crate::adopt) fn set(
        &mut self,
        line: usize,
        key: &str,
        value: impl Into<Value>,
    ) -> bool {
        let value = value.into();
        if self.holds_already(key, &value) {
            self.values.remove(key);
            return true;
        }
        if !self.accepts(line, key, &value) {
            return false;
        }
        self.values.insert(key.to_owned(), value);
        true
    }

    /// Takes those items of a list that the configuration accepts.
    pub(in crate::adopt) fn list<V: Into<Value>>(
        &mut self,
        key: &str,
        items: impl IntoIterator<Item = (usize, V)>,
    ) {
        let mut list = Array::new();
        let mut first = None;
        for (line, item) in items {
            let item = item.into();
            if list.len() >= MAX_ITEMS {
                self.lost(
                    line,
                    &format!("`{key}` has more than {MAX_ITEMS} items"),
                    "",
                );
                break;
            }
            let known = list.iter().any(|other| written(other) == written(&item));
            let alone = Value::Array(Array::from_iter([item.clone()]));
            if !known && self.accepts(line, key, &alone) {
                list.push(item);
                first.get_or_insert(line);
            }
        }
        if let Some(line) = first {
            self.set(line, key, list);
        }
    }

    /// Whether something may stand at a path of the image; tells why not.
    pub(in crate::adopt) fn stands(
        &mut self,
        line: usize,
        what: &str,
        path: &str,
        thing: Thing,
    ) -> bool {
        self.stand(line, what, &[(path.to_owned(), thing)])
    }

    /// The same of several paths, such as those of a directory.
    pub(in crate::adopt) fn stand(
        &mut self,
        line: usize,
        what: &str,
        things: &[(String, Thing)],
    ) -> bool {
        let has_libraries = !self.is_static();
        let Err(error) = self.places.put(things, has_libraries) else {
            return true;
        };
        let hint = error.hint().unwrap_or_default();
        self.lost(line, &format!("{what} is not proposed: {error}"), &hint);
        false
    }

    /// Whether the executable will link no library.
    fn is_static(&self) -> bool {
        match self.values.get("linkage") {
            Some(value) => value.as_str() == Some("static"),
            None => self
                .current
                .is_some_and(|current| current.linkage.value == Linkage::Static),
        }
    }

    /// Takes an entry of `env` or `labels`.
    pub(in crate::adopt) fn entry(&mut self, line: usize, key: &str, name: &str, value: &str) {
        let mut table = InlineTable::new();
        table.insert(name, value.into());
        if self.accepts(line, key, &table.into()) {
            let entries = self.tables.entry(key.to_owned()).or_default();
            entries.insert(name.to_owned(), value.into());
        }
    }

    /// Whether something was taken for a key.
    pub(in crate::adopt) fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// Whether an entry of `env` or `labels` was taken.
    pub(in crate::adopt) fn has_entry(&self, key: &str, name: &str) -> bool {
        let entries = self.tables.get(key);
        entries.is_some_and(|entries| entries.contains_key(name))
    }

    pub(in crate::adopt) fn package(&self) -> &'a Package {
        self.package
    }

    pub(in crate::adopt) fn lost(&mut self, line: usize, message: &str, advice: &str) {
        self.remarks.push(Remark::lost(line, message, advice));
    }

    pub(in crate::adopt) fn changed(&mut self, line: usize, message: &str, advice: &str) {
        self.remarks.push(Remark::changed(line, message, advice));
    }

    /// Whether the configuration takes the value, without a word.
    pub(in crate::adopt) fn takes(&self, key: &str, value: &Value) -> bool {
        self.check(key, value).is_ok()
    }

    fn check(&self, key: &str, value: &Value) -> Result<(), config::ConfigErrors> {
        let mut table = Table::new();
        table.insert(key, Item::Value(value.clone()));
        config::check(self.workspace, self.package, &table.to_string())
    }

    /// Whether the configuration takes the value; what it says against it becomes a remark.
    fn accepts(&mut self, line: usize, key: &str, value: &Value) -> bool {
        let Err(errors) = self.check(key, value) else {
            return true;
        };
        for mistake in errors.mistakes() {
            let advice = mistake.hint.as_deref().unwrap_or_default();
            self.lost(line, &mistake.message, advice);
        }
        false
    }

    /// Whether that is the built-in value, and nothing else is configured.
    fn holds_already(&self, key: &str, value: &Value) -> bool {
        let Some(default) = keys::find(key).and_then(|key| key.default) else {
            return false;
        };
        let rows = self.current.map_or(&[][..], ServiceConfig::explain);
        let current = rows.iter().find(|row| row.key == key);
        written(value) == default && current.is_none_or(|row| row.value == default)
    }

    /// All of it, keys in the order of the manual.
    pub(in crate::adopt) fn finish(self) -> (Table, Vec<Remark>) {
        let Self {
            values,
            tables,
            mut remarks,
            ..
        } = self;
        let mut table = Table::new();
        for key in keys::KEYS {
            if let Some(value) = values.get(key.name) {
                table.insert(key.name, Item::Value(spread(key.name, value.clone())));
            }
        }
        for key in keys::KEYS {
            if let Some(entries) = tables.get(key.name) {
                let mut inner = Table::new();
                for (name, value) in entries {
                    inner.insert(name, Item::Value(value.clone()));
                }
                table.insert(key.name, Item::Table(inner));
            }
        }
        remarks.sort();
        remarks.dedup();
        (table, remarks)
    }
}

/// A list of assets has one a line.
fn spread(key: &str, mut value: Value) -> Value {
    if let ("assets", Some(list)) = (key, value.as_array_mut()) {
        for item in list.iter_mut() {
            item.decor_mut().set_prefix("\n    ");
        }
        list.set_trailing("\n");
        list.set_trailing_comma(true);
    }
    value
}

fn written(value: &Value) -> String {
    value.clone().decorated("", "").to_string()
}

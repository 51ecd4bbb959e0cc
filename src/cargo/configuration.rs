//! cargo's configuration hierarchy, as far as it must be known before cargo runs.
//!
//! cargo itself applies it; `cargo config get` would answer but is not stable. Only what decides
//! where extra flags belong, which target is meant and which linker is needed is read here: the files
//! `.cargo/config.toml` (or `config`) of the directory and all above it, then the one of `$CARGO_HOME`,
//! each with what it includes. Earlier files win.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use cargo_platform::{Cfg, CfgExpr};
use toml_edit::{DocumentMut, Item, TableLike, Value};

use super::CargoError;
use crate::process::Environment;

const MAX_FILE: u64 = 4 * 1024 * 1024;
const MAX_INCLUDES: usize = 16;

/// The files of the hierarchy, those that win first.
#[derive(Debug, Clone, Default)]
pub struct Configuration {
    files: Vec<(PathBuf, DocumentMut)>,
}

impl Configuration {
    /// Reads the hierarchy as cargo sees it from `environment`'s directory.
    ///
    /// # Errors
    /// [`CargoError::Configuration`] naming a file that cannot be read or parsed.
    pub fn read(environment: &Environment) -> Result<Self, CargoError> {
        let mut configuration = Self::default();
        let above = environment
            .directory()
            .ancestors()
            .map(|directory| directory.join(".cargo"));
        let home = cargo_home(environment);
        for directory in above.chain(home.into_iter().filter(|home| !is_above(environment, home))) {
            // cargo prefers the old name where both exist.
            let candidates = [directory.join("config"), directory.join("config.toml")];
            if let Some(path) = candidates.into_iter().find(|path| path.is_file()) {
                configuration.add(&path, 0)?;
            }
        }
        Ok(configuration)
    }

    /// Adds a file and, below it in precedence, what it includes.
    fn add(&mut self, path: &Path, depth: usize) -> Result<(), CargoError> {
        let refuse = |source: Box<dyn std::error::Error + Send + Sync>| CargoError::Configuration {
            path: path.to_owned(),
            source,
        };
        if depth > MAX_INCLUDES {
            return Err(refuse(
                "it includes itself, or more than 16 files deep".into(),
            ));
        }
        let size = fs_err::metadata(path)
            .map_err(|error| refuse(error.into()))?
            .len();
        if size > MAX_FILE {
            return Err(refuse("it is larger than 4 MiB".into()));
        }
        let text = fs_err::read_to_string(path).map_err(|error| refuse(error.into()))?;
        let document: DocumentMut = text
            .parse()
            .map_err(|error: toml_edit::TomlError| refuse(error.into()))?;
        let includes = included(&document)
            .ok_or_else(|| refuse("`include` is neither a path nor a list of paths".into()))?;
        self.files.push((path.to_owned(), document));
        let directory = path.parent().unwrap_or(Path::new("/"));
        // Later includes win over earlier ones.
        for (include, optional) in includes.into_iter().rev() {
            let target = directory.join(include);
            if optional && !target.exists() {
                continue;
            }
            self.add(&target, depth + 1)?;
        }
        Ok(())
    }

    /// The winning value at `keys`, for values that do not merge.
    pub fn string(&self, keys: &[&str]) -> Option<&str> {
        self.items(keys)
            .into_iter()
            .find_map(|(_, item)| item.as_str())
    }

    /// A winning value that names a program or file: one with a slash is relative to the directory
    /// that holds its `.cargo`.
    pub fn path(&self, keys: &[&str]) -> Option<PathBuf> {
        let (file, value) = self
            .items(keys)
            .into_iter()
            .find_map(|(file, item)| Some((file, item.as_str()?)))?;
        let base = file.parent().and_then(Path::parent);
        match base {
            Some(base) if value.contains('/') => Some(base.join(value)),
            _ => Some(PathBuf::from(value)),
        }
    }

    /// The keys of `[target]` that are expressions and hold for `cfgs`.
    pub fn matching_tables(&self, cfgs: &[Cfg]) -> Vec<String> {
        let holds = |key: &String| {
            let expression = key
                .strip_prefix("cfg(")
                .and_then(|rest| rest.strip_suffix(')'));
            expression
                .is_some_and(|text| CfgExpr::from_str(text).is_ok_and(|cfg| cfg.matches(cfgs)))
        };
        self.table_keys(&["target"])
            .into_iter()
            .filter(holds)
            .collect()
    }

    /// `build.target`: `Some(None)` where it names several, or a specification file.
    pub fn build_target(&self) -> Option<Option<&str>> {
        let items = self.items(&["build", "target"]);
        let (_, item) = items.first()?;
        let only = match item.as_array() {
            Some(array) if array.len() == 1 => array.get(0).and_then(Value::as_str),
            Some(_) => None,
            None => item.as_str(),
        };
        Some(only.filter(|target| !target.contains(".json")))
    }

    /// All values at `keys`, the winning one first.
    pub fn items<'a>(&'a self, keys: &[&str]) -> Vec<(&'a Path, &'a Item)> {
        let found = self.files.iter().filter_map(|(path, document)| {
            let item = keys
                .iter()
                .try_fold(document.as_item(), |item, key| item.get(key))?;
            Some((path.as_path(), item))
        });
        found.collect()
    }

    /// The keys of all tables at `keys`, such as the target names of `[target]`.
    pub fn table_keys(&self, keys: &[&str]) -> Vec<String> {
        let mut names: Vec<String> = self
            .items(keys)
            .into_iter()
            .filter_map(|(_, item)| item.as_table_like())
            .flat_map(|table| table.iter().map(|(key, _)| key.to_owned()))
            .collect();
        names.sort();
        names.dedup();
        names
    }
}

/// cargo's home as cargo finds it: `$CARGO_HOME`, else `~/.cargo`.
pub fn cargo_home(environment: &Environment) -> Option<PathBuf> {
    environment
        .os("CARGO_HOME")
        .map(|home| environment.resolve(home))
        .or_else(|| environment.home().map(|home| home.join(".cargo")))
}

fn is_above(environment: &Environment, home: &Path) -> bool {
    environment
        .directory()
        .ancestors()
        .any(|directory| directory.join(".cargo") == home)
}

/// `include`, each with whether it may be absent; `None` for a shape that cargo does not know.
fn included(document: &DocumentMut) -> Option<Vec<(String, bool)>> {
    let of_table = |table: &dyn TableLike| {
        let optional = table
            .get("optional")
            .and_then(Item::as_bool)
            .unwrap_or(false);
        Some((table.get("path")?.as_str()?.to_owned(), optional))
    };
    let of_value = |value: &Value| match value {
        Value::String(path) => Some((path.value().clone(), false)),
        Value::InlineTable(table) => of_table(table),
        _ => None,
    };
    match document.get("include") {
        None => Some(Vec::new()),
        Some(Item::Value(Value::Array(array))) => array.iter().map(of_value).collect(),
        Some(Item::Value(value)) => of_value(value).map(|include| vec![include]),
        Some(Item::ArrayOfTables(tables)) => tables.iter().map(|table| of_table(table)).collect(),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str) {
        fs_err::create_dir_all(path.parent().expect("has a parent")).expect("created");
        fs_err::write(path, text).expect("written");
    }

    #[test]
    fn nearer_files_win_and_includes_lie_below_their_file() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let inner = root.path().join("a/b");
        write(
            &root.path().join(".cargo/config.toml"),
            "[build]\ntarget = 'outer'\nrustc = './rustc'\n",
        );
        write(
            &root.path().join("a/.cargo/config.toml"),
            "include = ['extra.toml', { path = 'absent.toml', optional = true }]\n[build]\njobs = 1\n",
        );
        write(
            &root.path().join("a/.cargo/extra.toml"),
            "[build]\ntarget = 'included'\n",
        );
        fs_err::create_dir_all(&inner).expect("created");
        let environment = Environment::new(&inner, []);
        let configuration = Configuration::read(&environment).expect("readable");
        assert_eq!(configuration.string(&["build", "target"]), Some("included"));
        assert_eq!(
            configuration.path(&["build", "rustc"]),
            Some(root.path().join("./rustc"))
        );
    }

    #[test]
    fn includes_may_be_an_array_of_tables() {
        let root = tempfile::tempdir().expect("a temporary directory");
        write(
            &root.path().join(".cargo/config.toml"),
            "[[include]]\npath = 'more.toml'\n",
        );
        write(
            &root.path().join(".cargo/more.toml"),
            "[build]\ntarget = ['one']\n",
        );
        let configuration =
            Configuration::read(&Environment::new(root.path(), [])).expect("readable");
        assert_eq!(configuration.build_target(), Some(Some("one")));
    }

    #[test]
    fn several_configured_targets_are_no_target() {
        let root = tempfile::tempdir().expect("a temporary directory");
        for text in ["['a', 'b']", "'x.json'"] {
            write(
                &root.path().join(".cargo/config.toml"),
                &format!("[build]\ntarget = {text}\n"),
            );
            let configuration =
                Configuration::read(&Environment::new(root.path(), [])).expect("readable");
            assert_eq!(configuration.build_target(), Some(None), "{text}");
        }
    }

    #[test]
    fn a_file_that_includes_itself_is_an_error() {
        let root = tempfile::tempdir().expect("a temporary directory");
        write(
            &root.path().join(".cargo/config.toml"),
            "include = 'config.toml'\n",
        );
        let result = Configuration::read(&Environment::new(root.path(), []));
        assert!(matches!(result, Err(CargoError::Configuration { .. })));
    }
}

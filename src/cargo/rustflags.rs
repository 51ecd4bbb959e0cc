//! Where further flags for rustc belong.
//!
//! cargo takes flags from exactly one of four places, the first that is set:
//! `CARGO_ENCODED_RUSTFLAGS`, `RUSTFLAGS`, all `target.<triple>` and matching `target.<cfg>` tables
//! together, `build.rustflags`. Flags added in another place than the winning one would silence the
//! user's, or be silent themselves.

use std::ffi::OsStr;

use super::{Configuration, Toolchain};
use crate::process::{Environment, Program};

/// The place cargo takes flags from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RustflagsTable {
    /// The environment, or a configuration value that cargo cannot append to, with the flags it holds.
    Environment(Vec<String>),
    /// The tables of a target; cargo appends to them.
    Target(String),
    /// `build.rustflags`; cargo appends to it.
    Build,
}

/// Separates flags in `CARGO_ENCODED_RUSTFLAGS`.
const SEPARATOR: &str = "\u{1f}";

/// Flags to add, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flags {
    /// The winning place.
    pub table: RustflagsTable,
    /// What to add there.
    pub added: Vec<String>,
}

/// The user's flags for one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserFlags {
    /// Where cargo takes them from.
    pub table: RustflagsTable,
    /// All of them, in cargo's order.
    pub words: Vec<String>,
}

/// The user's flags for `target`, as cargo finds them.
pub fn user_flags(
    configuration: &Configuration,
    environment: &Environment,
    toolchain: &Toolchain,
    target: &str,
) -> UserFlags {
    // cargo takes a variable that is set to nothing for the wish to have no flags.
    if let Some(words) = from_variables(environment) {
        return UserFlags {
            table: RustflagsTable::Environment(words.clone()),
            words,
        };
    }
    let variable = target_variable(target, "RUSTFLAGS");
    let mut found = configured(configuration, &["target", target, "rustflags"]);
    found.words.extend(split(environment.raw(&variable)));
    for name in configuration.matching_tables(&toolchain.cfgs) {
        found.extend(configured(configuration, &["target", &name, "rustflags"]));
    }
    // cargo asks whether there are flags, not whether there is a table.
    let table = if found.words.is_empty() {
        found = configured(configuration, &["build", "rustflags"]);
        found
            .words
            .extend(split(environment.raw("CARGO_BUILD_RUSTFLAGS")));
        RustflagsTable::Build
    } else {
        RustflagsTable::Target(target.to_owned())
    };
    let words = found.words;
    let table = if found.is_text {
        RustflagsTable::Environment(words.clone())
    } else {
        table
    };
    UserFlags { table, words }
}

/// Flags of the two variables that replace all configuration.
fn from_variables(environment: &Environment) -> Option<Vec<String>> {
    if let Some(encoded) = environment.raw("CARGO_ENCODED_RUSTFLAGS") {
        let encoded = encoded.to_string_lossy();
        let words = encoded.split(SEPARATOR).map(str::to_owned);
        return Some(if encoded.is_empty() {
            Vec::new()
        } else {
            words.collect()
        });
    }
    environment.raw("RUSTFLAGS").map(|flags| split(Some(flags)))
}

fn split(flags: Option<&OsStr>) -> Vec<String> {
    let flags = flags.map(OsStr::to_string_lossy).unwrap_or_default();
    flags.split_whitespace().map(str::to_owned).collect()
}

/// Flags of a configuration key.
#[derive(Debug, Default)]
struct Configured {
    words: Vec<String>,
    /// Whether any is written as one text, to which cargo cannot append a list.
    is_text: bool,
}

impl Configured {
    fn extend(&mut self, other: Self) {
        self.words.extend(other.words);
        self.is_text |= other.is_text;
    }
}

/// cargo joins lists of all files, the winning one last; a text stands alone.
fn configured(configuration: &Configuration, keys: &[&str]) -> Configured {
    let items = configuration.items(keys);
    if let Some(text) = items.first().and_then(|(_, item)| item.as_str()) {
        return Configured {
            words: split(Some(OsStr::new(text))),
            is_text: true,
        };
    }
    let arrays = items.iter().rev().filter_map(|(_, item)| item.as_array());
    let words = arrays
        .flatten()
        .filter_map(|value| value.as_str().map(str::to_owned));
    Configured {
        words: words.collect(),
        is_text: false,
    }
}

/// `CARGO_TARGET_<TRIPLE>_<NAME>`.
pub fn target_variable(target: &str, name: &str) -> String {
    format!(
        "CARGO_TARGET_{}_{name}",
        target.to_uppercase().replace(['-', '.'], "_")
    )
}

impl Flags {
    /// `program` with the flags added.
    #[must_use]
    pub fn apply(&self, program: Program) -> Program {
        if self.added.is_empty() {
            return program;
        }
        match &self.table {
            RustflagsTable::Environment(present) => {
                let all: Vec<&str> = present
                    .iter()
                    .chain(&self.added)
                    .map(String::as_str)
                    .collect();
                program.env("CARGO_ENCODED_RUSTFLAGS", all.join(SEPARATOR))
            }
            RustflagsTable::Target(target) => program.arg("--config").arg(format!(
                "target.{}.rustflags={}",
                quoted(target),
                self.array()
            )),
            RustflagsTable::Build => program
                .arg("--config")
                .arg(format!("build.rustflags={}", self.array())),
        }
    }

    fn array(&self) -> String {
        let array: toml_edit::Array = self.added.iter().map(String::as_str).collect();
        toml_edit::Value::Array(array).to_string()
    }
}

fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use std::str::FromStr as _;

    use cargo_platform::Cfg;

    use super::*;

    const TARGET: &str = "x86_64-unknown-linux-gnu";

    fn table(config: &str, variables: &[(&str, &str)]) -> RustflagsTable {
        let root = tempfile::tempdir().expect("a temporary directory");
        fs_err::create_dir(root.path().join(".cargo")).expect("created");
        fs_err::write(root.path().join(".cargo/config.toml"), config).expect("written");
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()));
        let environment = Environment::new(root.path(), variables);
        let configuration = Configuration::read(&environment).expect("readable");
        let toolchain = Toolchain {
            cfgs: ["unix", "target_os=\"linux\""]
                .iter()
                .filter_map(|cfg| Cfg::from_str(cfg).ok())
                .collect(),
            ..Toolchain::default()
        };
        user_flags(&configuration, &environment, &toolchain, TARGET).table
    }

    #[test]
    fn the_environment_wins() {
        let flags = |words: &[&str]| {
            RustflagsTable::Environment(words.iter().map(|w| (*w).to_owned()).collect())
        };
        assert_eq!(table("", &[("RUSTFLAGS", "-C  a")]), flags(&["-C", "a"]));
        let encoded = [
            ("RUSTFLAGS", "-C a"),
            ("CARGO_ENCODED_RUSTFLAGS", "--cfg\u{1f}b c"),
        ];
        assert_eq!(table("", &encoded), flags(&["--cfg", "b c"]));
    }

    #[test]
    fn a_variable_set_to_nothing_means_no_flags() {
        let config = "[build]\nrustflags = ['-A']\n";
        for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"] {
            let none = RustflagsTable::Environment(Vec::new());
            assert_eq!(table(config, &[(variable, "")]), none);
        }
    }

    #[test]
    fn a_target_table_with_flags_masks_the_build_table() {
        let target = RustflagsTable::Target(TARGET.to_owned());
        let build = "[build]\nrustflags = ['-A']\n";
        let masking = |more: &str| table(&format!("{build}{more}"), &[]);
        assert_eq!(table(build, &[]), RustflagsTable::Build);
        assert_eq!(
            masking(&format!("[target.{TARGET}]\nrustflags = ['-B']\n")),
            target
        );
        assert_eq!(
            masking(&format!("[target.{TARGET}]\nrustflags = []\n")),
            RustflagsTable::Build
        );
        assert_eq!(
            masking("[target.'cfg(unix)']\nrustflags = ['-B']\n"),
            target
        );
        assert_eq!(
            masking("[target.'cfg(windows)']\nrustflags = ['-B']\n"),
            RustflagsTable::Build
        );
        let variable = ("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS", "-B");
        assert_eq!(table(build, &[variable]), target);
    }

    #[test]
    fn flags_written_as_one_text_travel_in_the_environment() {
        let words = RustflagsTable::Environment(vec!["--cfg".to_owned(), "foo".to_owned()]);
        assert_eq!(table("[build]\nrustflags = '--cfg foo'\n", &[]), words);
        assert_eq!(
            table(
                &format!("[target.{TARGET}]\nrustflags = '--cfg foo'\n"),
                &[]
            ),
            words
        );
    }
}

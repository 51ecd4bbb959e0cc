//! Where further flags for rustc belong.
//!
//! cargo takes flags from exactly one of four places, the first that is set:
//! `CARGO_ENCODED_RUSTFLAGS`, `RUSTFLAGS`, all `target.<triple>` and matching `target.<cfg>` tables
//! together, `build.rustflags`. Flags added in another place than the winning one would silence the
//! user's, or be silent themselves.

use std::str::FromStr as _;

use cargo_platform::{Cfg, CfgExpr};

use super::{Configuration, Toolchain};
use crate::process::{Environment, Program};

/// The place cargo takes flags from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RustflagsTable {
    /// The environment, with the flags it holds.
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

/// The place that wins for `target`.
pub fn winning_table(
    configuration: &Configuration,
    environment: &Environment,
    toolchain: &Toolchain,
    target: &str,
) -> RustflagsTable {
    if let Some(encoded) = environment.get("CARGO_ENCODED_RUSTFLAGS") {
        return RustflagsTable::Environment(encoded.split(SEPARATOR).map(str::to_owned).collect());
    }
    if let Some(flags) = environment.get("RUSTFLAGS") {
        return RustflagsTable::Environment(flags.split_whitespace().map(str::to_owned).collect());
    }
    let variable = format!(
        "CARGO_TARGET_{}_RUSTFLAGS",
        target.to_uppercase().replace(['-', '.'], "_")
    );
    let set_for = |name: &str| {
        !configuration
            .items(&["target", name, "rustflags"])
            .is_empty()
    };
    let by_target = environment.os(&variable).is_some() || set_for(target);
    let by_expression = || {
        let names = configuration.table_keys(&["target"]);
        names
            .iter()
            .any(|name| matches_target(name, target, &toolchain.cfgs) && set_for(name))
    };
    if by_target || by_expression() {
        RustflagsTable::Target(target.to_owned())
    } else {
        RustflagsTable::Build
    }
}

/// Whether a key of `[target]` is a `cfg(…)` that holds for the target.
fn matches_target(key: &str, target: &str, cfgs: &[Cfg]) -> bool {
    let Some(expression) = key
        .strip_prefix("cfg(")
        .and_then(|rest| rest.strip_suffix(')'))
    else {
        return key == target;
    };
    CfgExpr::from_str(expression).is_ok_and(|expression| expression.matches(cfgs))
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
        winning_table(&configuration, &environment, &toolchain, TARGET)
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
    fn a_target_table_masks_the_build_table() {
        let target = RustflagsTable::Target(TARGET.to_owned());
        let build = "[build]\nrustflags = ['-A']\n";
        assert_eq!(table(build, &[]), RustflagsTable::Build);
        assert_eq!(
            table(
                &format!("{build}[target.{TARGET}]\nrustflags = '-B'\n"),
                &[]
            ),
            target
        );
        assert_eq!(
            table(
                &format!("{build}[target.'cfg(unix)']\nrustflags = ['-B']\n"),
                &[]
            ),
            target
        );
        assert_eq!(
            table("[target.'cfg(windows)']\nrustflags = ['-B']\n", &[]),
            RustflagsTable::Build
        );
        assert_eq!(
            table(
                build,
                &[("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS", "-B")]
            ),
            target
        );
    }
}

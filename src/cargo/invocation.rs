//! Which cargo runs, where, and with which environment.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::CargoError;
use super::error::Said;
use crate::process::{Environment, Interrupt, Program};

/// `cargo metadata` may have to fetch an index; nothing that only answers takes longer.
const ANSWER_LIMIT: Duration = Duration::from_mins(10);

/// How far cargo may reach out. The lock is always taken as it is (`--locked`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Network {
    /// `--offline` or `--frozen`.
    pub offline: bool,
}

/// cargo as it runs for one workspace.
#[derive(Debug, Clone)]
pub struct Cargo {
    program: PathBuf,
    environment: Environment,
    network: Network,
    interrupt: Interrupt,
}

impl Cargo {
    /// cargo for whoever stands in `environment`'s directory.
    ///
    /// `$CARGO` is used. Where rustup chose the toolchain for the directory in which the user typed
    /// (`RUSTUP_TOOLCHAIN` without a word of the user), that choice is dropped together with the
    /// `$CARGO` it led to, and rustup is asked again in the workspace, whose toolchain file rules. It
    /// must be asked through its `cargo` proxy: a bare toolchain's cargo would start `rustc` proxies in
    /// each dependency's own directory, where other toolchains may rule.
    pub fn new(environment: &Environment, network: Network, interrupt: &Interrupt) -> Self {
        let chosen_by_rustup = toolchain_chosen_by_rustup(environment);
        let mut cleaned = environment.clone();
        if chosen_by_rustup {
            cleaned = cleaned
                .without("RUSTUP_TOOLCHAIN")
                .without("RUSTUP_TOOLCHAIN_SOURCE");
        }
        let named = environment.os("CARGO").map(PathBuf::from);
        let proxy = cleaned.find_program("cargo");
        let program = match (chosen_by_rustup, named, proxy) {
            (true, _, Some(proxy)) => proxy,
            (_, Some(named), _) => named,
            (_, None, proxy) => proxy.unwrap_or_else(|| PathBuf::from("cargo")),
        };
        // Set by cargo for its subcommands; a further cargo sets its own.
        let cleaned = with_absolute_paths(cleaned.without("CARGO"));
        Self {
            program,
            environment: cleaned,
            network,
            interrupt: interrupt.clone(),
        }
    }

    /// The same cargo, run in `directory`: configuration and toolchain files are found from there.
    #[must_use]
    pub fn at(&self, directory: &Path) -> Self {
        Self {
            environment: self.environment.clone().at(directory),
            ..self.clone()
        }
    }

    /// The same cargo without the network.
    #[must_use]
    pub fn offline(&self) -> Self {
        Self {
            network: Network { offline: true },
            ..self.clone()
        }
    }

    /// The same cargo with another home: where downloads and the user's configuration are.
    #[must_use]
    pub fn with_home(&self, home: &Path) -> Self {
        Self {
            environment: self.environment.clone().with("CARGO_HOME", home),
            ..self.clone()
        }
    }

    /// What cargo and its children see.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// What stops cargo.
    pub fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// Whether cargo may use the network.
    pub fn network(&self) -> Network {
        self.network
    }

    /// A cargo command that may write a lock, for directories of our own.
    pub(super) fn unlocked_command(&self, name: &str) -> Program {
        Program::new(&self.program, &self.environment)
            .interrupted_by(&self.interrupt)
            .arg(name)
    }

    /// A cargo command with the flags that hold for all.
    pub fn command(&self, name: &str) -> Program {
        let program = self.unlocked_command(name).arg("--locked");
        if self.network.offline {
            program.arg("--offline")
        } else {
            program
        }
    }

    /// Another program that belongs to the toolchain.
    pub fn companion(&self, path: impl Into<PathBuf>) -> Program {
        Program::new(path, &self.environment)
            .interrupted_by(&self.interrupt)
            .time_limit(ANSWER_LIMIT)
    }

    /// Runs a program that only answers, and gives its standard output.
    ///
    /// # Errors
    /// [`CargoError::Failed`] with what it said when it fails.
    pub fn answer(program: Program) -> Result<Vec<u8>, CargoError> {
        let program = program.time_limit(ANSWER_LIMIT);
        let captured = program.capture(b"")?;
        if captured.status.success() {
            return Ok(captured.stdout);
        }
        Err(CargoError::Failed {
            command: program.command_line(),
            said: Said::new(&captured.stderr),
        })
    }
}

/// Paths in variables are meant as seen from where the user stands, and cargo runs elsewhere.
fn with_absolute_paths(environment: Environment) -> Environment {
    const NAMES: [&str; 12] = [
        "RUSTC",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "CARGO_BUILD_RUSTC",
        "CARGO_BUILD_RUSTC_WRAPPER",
        "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER",
        "CARGO_HOME",
        "RUSTUP_HOME",
        "CARGO_TARGET_DIR",
        "CARGO_BUILD_TARGET_DIR",
        "CARGO_BUILD_BUILD_DIR",
        "CC",
    ];
    let names_a_path = |name: &str| {
        NAMES.contains(&name) || (name.starts_with("CARGO_TARGET_") && name.ends_with("_LINKER"))
    };
    let directories = [
        "CARGO_HOME",
        "RUSTUP_HOME",
        "CARGO_TARGET_DIR",
        "CARGO_BUILD_TARGET_DIR",
    ];
    let relative: Vec<(String, PathBuf)> = environment
        .variables()
        .filter_map(|(name, value)| {
            let (name, path) = (name.to_str()?, Path::new(value));
            let bare = path.components().count() == 1 && !directories.contains(&name);
            let relative = names_a_path(name) && path.is_relative() && !value.is_empty() && !bare;
            relative.then(|| (name.to_owned(), environment.resolve(path)))
        })
        .collect();
    relative
        .into_iter()
        .fold(environment, |environment, (name, path)| {
            environment.with(name, path)
        })
}

/// Whether `RUSTUP_TOOLCHAIN` is rustup's own word. Newer rustup says so in
/// `RUSTUP_TOOLCHAIN_SOURCE`; before, only a subcommand started by cargo (`CARGO` is set) can have got
/// it from rustup.
fn toolchain_chosen_by_rustup(environment: &Environment) -> bool {
    if environment.os("RUSTUP_TOOLCHAIN").is_none() {
        return false;
    }
    match environment.get("RUSTUP_TOOLCHAIN_SOURCE") {
        Some(source) => !matches!(source, "env" | "cli"),
        None => environment.os("CARGO").is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cargo(variables: &[(&str, &str)]) -> Cargo {
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()));
        Cargo::new(
            &Environment::new("/", variables),
            Network::default(),
            &Interrupt::new(),
        )
    }

    #[test]
    fn the_users_own_toolchain_is_kept() {
        for variables in [
            &[("RUSTUP_TOOLCHAIN", "nightly")][..],
            &[
                ("RUSTUP_TOOLCHAIN", "nightly"),
                ("RUSTUP_TOOLCHAIN_SOURCE", "cli"),
                ("CARGO", "/c"),
            ],
        ] {
            assert_eq!(
                cargo(variables).environment().get("RUSTUP_TOOLCHAIN"),
                Some("nightly")
            );
        }
    }

    #[test]
    fn rustups_own_choice_is_dropped() {
        for variables in [
            &[("RUSTUP_TOOLCHAIN", "stable"), ("CARGO", "/c")][..],
            &[
                ("RUSTUP_TOOLCHAIN", "stable"),
                ("RUSTUP_TOOLCHAIN_SOURCE", "default"),
                ("CARGO", "/c"),
            ],
        ] {
            assert_eq!(cargo(variables).environment().get("RUSTUP_TOOLCHAIN"), None);
        }
    }

    #[test]
    fn relative_paths_keep_their_meaning_in_another_directory() {
        let cargo = cargo(&[
            ("RUSTC", "tools/rustc"),
            ("RUSTC_WRAPPER", "sccache"),
            ("CARGO_TARGET_DIR", "t"),
        ]);
        let moved = cargo.at(Path::new("/elsewhere"));
        let value = |name| moved.environment().get(name).map(str::to_owned);
        assert_eq!(value("RUSTC").as_deref(), Some("/tools/rustc"));
        assert_eq!(value("RUSTC_WRAPPER").as_deref(), Some("sccache"));
        assert_eq!(value("CARGO_TARGET_DIR").as_deref(), Some("/t"));
    }

    #[test]
    fn cargo_is_the_one_that_started_us() {
        assert_eq!(
            cargo(&[("CARGO", "/opt/cargo")]).program,
            PathBuf::from("/opt/cargo")
        );
        assert_eq!(cargo(&[]).program, PathBuf::from("cargo"));
    }
}

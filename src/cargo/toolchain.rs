//! What the compiler is.

use std::path::PathBuf;
use std::str::FromStr as _;
use std::thread;

use cargo_platform::Cfg;

use super::{Cargo, CargoError, Configuration};

/// The compiler that cargo will use, as far as it must be known beforehand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Toolchain {
    /// All of `rustc -vV`.
    pub version: String,
    /// The triple of this machine.
    pub host: String,
    /// The compiler's commit, where it knows it.
    pub commit: Option<String>,
    /// Its installation.
    pub sysroot: PathBuf,
    /// Where the target's standard library is, or would be.
    pub target_libraries: PathBuf,
    /// What holds for the target in `cfg(…)`.
    pub cfgs: Vec<Cfg>,
}

/// Variables that name another compiler than `rustc`, the strongest first (the Cargo book, "Configuration",
/// `build.rustc`).
pub const RUSTC_VARIABLES: [&str; 2] = ["RUSTC", "CARGO_BUILD_RUSTC"];

impl Toolchain {
    /// Asks the compiler of the workspace that `cargo` stands in about `target` (this machine's when
    /// `None`).
    ///
    /// # Errors
    /// When there is no compiler, or it does not know the target.
    pub fn ask(
        cargo: &Cargo,
        configuration: &Configuration,
        target: Option<&str>,
    ) -> Result<Self, CargoError> {
        let rustc = RUSTC_VARIABLES
            .iter()
            .find_map(|name| cargo.environment().os(name))
            .map(PathBuf::from)
            .or_else(|| configuration.path(&["build", "rustc"]))
            .unwrap_or_else(|| PathBuf::from("rustc"));
        let prints = [
            "--print",
            "sysroot",
            "--print",
            "target-libdir",
            "--print",
            "cfg",
            "--target",
        ];
        let print = |target: &str| Cargo::answer(cargo.companion(&rustc).args(prints).arg(target));
        let ask_version = || Cargo::answer(cargo.companion(&rustc).arg("-vV"));
        // Beside each other where that can be: a compiler takes longer to start than to answer.
        let (version, printed) = match target {
            Some(target) => thread::scope(|scope| {
                let printed = scope.spawn(|| print(target));
                (ask_version(), printed.join().ok())
            }),
            None => (ask_version(), None),
        };
        let version = version?;
        let version = String::from_utf8_lossy(&version).into_owned();
        let field = |name: &str| {
            let value = version
                .lines()
                .find_map(|line| line.strip_prefix(name))?
                .trim();
            (value != "unknown").then(|| value.to_owned())
        };
        let host = field("host:").unwrap_or_default();
        let answer = match printed {
            Some(printed) => printed?,
            None => print(target.unwrap_or(&host))?,
        };
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let mut lines = answer.lines();
        Ok(Self {
            host,
            commit: field("commit-hash:"),
            sysroot: lines.next().map(PathBuf::from).unwrap_or_default(),
            target_libraries: lines.next().map(PathBuf::from).unwrap_or_default(),
            cfgs: lines.filter_map(|line| Cfg::from_str(line).ok()).collect(),
            version,
        })
    }

    /// Whether a standard library for the target is installed.
    pub fn has_target(&self) -> bool {
        let Ok(entries) = fs_err::read_dir(&self.target_libraries) else {
            return false;
        };
        entries
            .filter_map(Result::ok)
            .any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-"))
    }
}

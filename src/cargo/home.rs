//! What cargo keeps in its home.

use std::path::{Path, PathBuf};

use super::cargo_home;
use crate::fs::normalized;
use crate::process::Environment;

/// What cargo, rustup and the usual tools put there. `config.toml` is the user's own.
const NAMES: [&str; 8] = [
    "bin",
    "config",
    "config.toml",
    "env",
    "env.fish",
    "git",
    "registry",
    "target",
];
/// How the names of more begin: `.package-cache-mutate`, `.crates2.json`, `advisory-dbs`.
const BEGINNINGS: [&str; 5] = [
    ".crates",
    ".global-cache",
    ".package-cache",
    "advisory-db",
    "credentials",
];

/// cargo's home where it lies inside of a repository, as caches of CI systems want it. What cargo put
/// there is nobody's source, whatever git thinks of it, unless it is tracked.
#[derive(Debug, Clone, Default)]
pub struct HomeInside(Option<PathBuf>);

impl HomeInside {
    /// The home, if it lies below `repository`, by whatever name it is reached.
    pub fn of(environment: &Environment, repository: &Path) -> Self {
        let Some(home) = cargo_home(environment).map(|home| normalized(&home)) else {
            return Self(None);
        };
        if home.starts_with(repository) {
            return Self(Some(home));
        }
        let real = |path: &Path| fs_err::canonicalize(path).ok();
        let inside = real(&home).and_then(|home| {
            let inside = home.strip_prefix(real(repository)?).ok()?;
            Some(repository.join(inside))
        });
        Self(inside)
    }

    /// Whether something at `path` that is not tracked is cargo's.
    pub fn holds(&self, path: &Path) -> bool {
        let inside = self.0.as_ref().map(|home| path.strip_prefix(home));
        let Some(Ok(inside)) = inside else {
            return false;
        };
        let Some(first) = inside.components().next() else {
            return false;
        };
        let name = first.as_os_str().to_string_lossy();
        NAMES.contains(&&*name) || BEGINNINGS.iter().any(|begin| name.starts_with(begin))
    }

    /// Whether `path` is cargo's, or a directory in which everything is.
    pub fn is_all_of(&self, path: &Path) -> bool {
        let is_home = self.0.as_deref() == Some(path);
        let all = || {
            let mut entries = fs_err::read_dir(path).ok()?;
            Some(entries.all(|entry| entry.is_ok_and(|entry| self.holds(&entry.path()))))
        };
        self.holds(path) || (is_home && all() == Some(true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_cargo_puts_into_its_home_is_its_own() {
        let environment = Environment::new("/r", [("CARGO_HOME".into(), "sub/../.cargo".into())]);
        let home = HomeInside::of(&environment, Path::new("/r"));
        for path in [
            "/r/.cargo/registry/src/x/lib.rs",
            "/r/.cargo/bin/cargo-deny",
            "/r/.cargo/.package-cache-mutate",
            "/r/.cargo/credentials.toml",
        ] {
            assert!(home.holds(Path::new(path)), "{path}");
        }
        for path in [
            "/r/.cargo/more.toml",
            "/r/.cargo",
            "/r/bin/x",
            "/r/registry",
        ] {
            assert!(!home.holds(Path::new(path)), "{path}");
        }
        let elsewhere = HomeInside::of(&environment, Path::new("/other"));
        assert!(!elsewhere.holds(Path::new("/r/.cargo/bin/x")));
    }
}

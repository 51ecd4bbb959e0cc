//! The flags this program adds to the user's.

use std::path::{Path, PathBuf};

use crate::cargo::Toolchain;

/// Directories whose absolute paths could reach an executable, and what stands there instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Remapping {
    /// The workspace root.
    pub(super) workspace: PathBuf,
    /// The root of the repository around it.
    pub(super) repository: PathBuf,
    /// The target directory of the build.
    pub(super) target_directory: PathBuf,
    /// cargo's home, where dependencies' sources are.
    pub(super) cargo_home: Option<PathBuf>,
}

impl Remapping {
    /// One flag for each directory, those that lie inside others last: rustc takes the last that fits.
    pub(super) fn flags(&self, toolchain: &Toolchain) -> Vec<String> {
        let sources = toolchain.sysroot.join("lib/rustlib/src/rust");
        let library = format!(
            "/rustc/{}",
            toolchain.commit.as_deref().unwrap_or("unknown")
        );
        let mut pairs: Vec<(PathBuf, &str)> = Vec::new();
        let mut add = |path: &Path, name: &'static str| {
            pairs.push((path.to_owned(), name));
            // rustc sees whichever name cargo was given, the link's or the directory's own.
            if let Ok(real) = path.canonicalize()
                && real != path
            {
                pairs.push((real, name));
            }
        };
        if let Some(home) = &self.cargo_home {
            add(home, "/cargo");
        }
        if self.repository != self.workspace {
            add(&self.repository, "/repository");
        }
        add(&self.workspace, "/workspace");
        add(&self.target_directory, "/target");
        pairs.push((sources, &library));
        pairs.sort_by_key(|(path, _)| path.components().count());
        pairs
            .iter()
            .map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()))
            .collect()
    }
}

/// Links the C library into the executable.
pub(super) const STATIC: &str = "-Ctarget-feature=+crt-static";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_directories_come_last() {
        let remapping = Remapping {
            workspace: "/w/shop".into(),
            repository: "/w".into(),
            target_directory: "/w/shop/target/lighter/build".into(),
            cargo_home: Some("/home/me/.cargo".into()),
        };
        let toolchain = Toolchain {
            sysroot: "/r".into(),
            commit: Some("abc".to_owned()),
            ..Toolchain::default()
        };
        assert_eq!(
            remapping.flags(&toolchain),
            [
                "--remap-path-prefix=/w=/repository",
                "--remap-path-prefix=/w/shop=/workspace",
                "--remap-path-prefix=/home/me/.cargo=/cargo",
                "--remap-path-prefix=/w/shop/target/lighter/build=/target",
                "--remap-path-prefix=/r/lib/rustlib/src/rust=/rustc/abc",
            ]
        );
    }
}

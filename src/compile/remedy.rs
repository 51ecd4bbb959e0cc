//! What to install where a linker or C compiler is missing: one table for the errors of a build and for
//! what is found before one.

use crate::hint::{Packages, System};

/// What cargo-zigbuild is installed with, and on any system.
const ZIGBUILD: Packages<'static> = Packages {
    debian: "",
    alpine: "cargo-zigbuild",
    fedora: "",
    homebrew: "cargo-zigbuild",
};
/// The same where no package manager has it.
pub(super) const INSTALL_ZIGBUILD: &str = "pip install ziglang cargo-zigbuild";

/// How to have a program that compiles C or links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    /// Those that have the program.
    packages: Packages<'static>,
    /// Debian's, where its name follows from that of the program.
    debian: Option<String>,
    /// Whether cargo-zigbuild does without it.
    zigbuild: bool,
}

impl Remedy {
    /// How to have `program`, which compiles or links for `target`.
    pub fn of(program: &str, target: &str) -> Self {
        let cross = |packages| Self {
            packages,
            debian: None,
            zigbuild: true,
        };
        match program {
            "cc" | "gcc" => Self {
                packages: Packages {
                    debian: "gcc libc6-dev",
                    alpine: "gcc musl-dev",
                    fedora: "gcc glibc-devel",
                    homebrew: "gcc",
                },
                debian: None,
                zigbuild: false,
            },
            "musl-gcc" => cross(Packages {
                debian: "musl-tools",
                alpine: "gcc musl-dev",
                fedora: "musl-gcc",
                homebrew: "",
            }),
            // Fedora's compilers of these names come without a C library, and are for kernels only.
            _ if program.ends_with("-gcc") && !program.contains('/') && target.contains("-gnu") => {
                let stem = program.trim_end_matches("-gcc").replace('_', "-");
                Self {
                    debian: Some(format!("gcc-{stem}")),
                    ..cross(Packages::default())
                }
            }
            _ => cross(Packages::default()),
        }
    }

    fn packages(&self) -> Packages<'_> {
        Packages {
            debian: self.debian.as_deref().unwrap_or(self.packages.debian),
            ..self.packages
        }
    }

    /// What to type on each system: the package manager's command, else what installs cargo-zigbuild.
    pub fn commands(&self) -> Vec<(System, String)> {
        let mut commands = self.packages().commands();
        let packaged = if self.zigbuild {
            ZIGBUILD.commands()
        } else {
            Vec::new()
        };
        for system in System::ALL.into_iter().filter(|_| self.zigbuild) {
            if commands.iter().any(|(of, _)| *of == system) {
                continue;
            }
            let command = packaged.iter().find(|(of, _)| *of == system);
            let command = command.map_or(INSTALL_ZIGBUILD, |(_, command)| command);
            commands.push((system, command.to_owned()));
        }
        commands.sort();
        commands
    }

    /// What else to do on any system.
    pub fn instead(&self) -> Option<String> {
        let words = "with cargo-zigbuild, set `builder = \"zigbuild\"`: it links for any target";
        self.zigbuild.then(|| words.to_owned())
    }

    /// All of it in one sentence, which begins with a verb.
    pub fn sentence(&self) -> String {
        let packages = self.packages().sentence();
        let install = (!packages.is_empty()).then(|| format!("install it: {packages}"));
        let words = format!("set `builder = \"zigbuild\"` (`{INSTALL_ZIGBUILD}`)");
        let instead = self.zigbuild.then_some(words);
        let parts: Vec<String> = install.into_iter().chain(instead).collect();
        parts.join("; or ")
    }
}

/// How to have cargo-zigbuild: what to type where a package manager has it.
pub fn zigbuild_commands() -> Vec<(System, String)> {
    ZIGBUILD.commands()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_system_has_a_command_for_a_compiler_that_is_missing() {
        for (program, target) in [
            ("cc", "x86_64-unknown-linux-gnu"),
            ("musl-gcc", "x86_64-unknown-linux-musl"),
            ("aarch64-linux-gnu-gcc", "aarch64-unknown-linux-gnu"),
            ("aarch64-linux-musl-gcc", "aarch64-unknown-linux-musl"),
            ("my-linker", "aarch64-unknown-linux-gnu"),
        ] {
            let commands = Remedy::of(program, target).commands();
            let systems: Vec<_> = commands.iter().map(|(system, _)| *system).collect();
            assert_eq!(systems, System::ALL, "{program}");
        }
    }

    #[test]
    fn a_missing_cross_compiler_is_told_with_what_does_without_it() {
        let remedy = Remedy::of("aarch64-linux-gnu-gcc", "aarch64-unknown-linux-gnu");
        assert_eq!(
            remedy.sentence(),
            "install it: `apt-get install gcc-aarch64-linux-gnu` on Debian; or set `builder = \"zigbuild\"` \
             (`pip install ziglang cargo-zigbuild`)"
        );
        assert_eq!(
            Remedy::of("cc", "x86_64-unknown-linux-gnu").sentence(),
            "install it: `apt-get install gcc libc6-dev` on Debian, `apk add gcc musl-dev` on Alpine, \
             `dnf install gcc glibc-devel` on Fedora, `brew install gcc` on macOS"
        );
    }
}

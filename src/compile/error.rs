//! Why nothing can be compiled, or was not.

use std::io;

use super::remedy::{INSTALL_ZIGBUILD, Remedy};
use crate::cargo::{CargoError, target_variable};
use crate::hint::{Hint, near_names};

/// A service cannot be compiled here, or its compilation failed.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// cargo or rustc did not answer.
    #[error(transparent)]
    Cargo(#[from] CargoError),
    /// A profile that neither cargo has nor anybody defines.
    #[error("no profile `{profile}`, which service `{service}` is to be built with")]
    UnknownProfile {
        /// The service.
        service: String,
        /// What was asked for.
        profile: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// The target's standard library is not installed.
    #[error("the standard library of target `{target}` is not installed for this toolchain")]
    TargetMissing {
        /// The target.
        target: String,
    },
    /// The configured linker is not there.
    #[error("the linker `{linker}` of target `{target}` is not on PATH")]
    LinkerMissing {
        /// The program.
        linker: String,
        /// The target.
        target: String,
        /// Whether the environment or cargo's configuration names it: then another name may be the mend.
        chosen: bool,
    },
    /// This machine's own linker cannot link for the target, and no other is configured.
    #[error(
        "no linker is configured for target `{target}`, and this machine's own links for `{host}`"
    )]
    NoLinker {
        /// The target.
        target: String,
        /// This machine.
        host: String,
    },
    /// `builder = "zigbuild"` without cargo-zigbuild.
    #[error("`builder = \"zigbuild\"` needs `cargo-zigbuild`, which is not on PATH")]
    ZigbuildMissing,
    /// A glibc version behind the target, which cargo itself does not understand.
    #[error(
        "only `builder = \"zigbuild\"` can build for `{target}`, a target with a glibc version"
    )]
    GlibcVersion {
        /// The target.
        target: String,
    },
    /// The compiler said no; its messages were shown.
    #[error("cargo's messages are above")]
    Failed,
    /// The executable cannot be set aside.
    #[error("cannot set the executable of `{service}` aside")]
    SetAside {
        /// The service.
        service: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

impl Hint for CompileError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Cargo(error) => error.hint(),
            Self::UnknownProfile { profile, known, .. } => {
                Some(unknown_profile_hint(profile, known))
            }
            Self::TargetMissing { target } => Some(format!("run `rustup target add {target}`")),
            Self::LinkerMissing { linker, target, .. } => {
                let remedy = Remedy::of(linker, target).sentence();
                Some(match self.another_linker() {
                    Some(other) => format!("{other}; or {remedy}"),
                    None => remedy,
                })
            }
            Self::NoLinker { target, .. } => {
                let remedy = Remedy::of(&cross_compiler(target), target).sentence();
                let other = self.another_linker()?;
                Some(format!("{other}; {remedy}"))
            }
            Self::GlibcVersion { .. } => {
                Some("set `builder = \"zigbuild\"`, or leave the version away".to_owned())
            }
            Self::ZigbuildMissing => Some(format!("run `{INSTALL_ZIGBUILD}`")),
            Self::SetAside { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                Some("free some space, or choose another disk with `--target-dir`".to_owned())
            }
            Self::Failed | Self::SetAside { .. } => None,
        }
    }
}

impl CompileError {
    /// How another linker is named, where that may be the mend.
    pub fn another_linker(&self) -> Option<String> {
        match self {
            Self::LinkerMissing {
                target,
                chosen: true,
                ..
            } => Some(format!(
                "name one that is there in `{}`, or in the `linker` of cargo's configuration",
                target_variable(target, "LINKER")
            )),
            Self::NoLinker { target, .. } => Some(format!(
                "name one that is installed, such as `{}={}`",
                target_variable(target, "LINKER"),
                cross_compiler(target)
            )),
            _ => None,
        }
    }
}

/// The name that a C compiler for `target` has on most systems.
pub fn cross_compiler(target: &str) -> String {
    let processor = match target.split('-').next().unwrap_or_default() {
        "armv7" | "thumbv7neon" | "armv5te" => "arm",
        "riscv64gc" => "riscv64",
        "i586" => "i686",
        other => other,
    };
    let libc = target.split_once("-linux-").map_or("gnu", |(_, libc)| libc);
    format!("{processor}-linux-{libc}-gcc")
}

fn unknown_profile_hint(profile: &str, known: &[String]) -> String {
    let near = near_names(profile, known.iter().map(String::as_str));
    match near.first() {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!(
            "there are {}; define `[profile.{profile}]` in the workspace's Cargo.toml",
            known
                .iter()
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", ")
        ),
    }
}

//! The build stage: the toolchain's image, and cargo's command.

use std::path::Path;

use super::DockerfileError;
use super::place::Place;
use super::quote::shell;
use crate::cargo::{Cargo, Configuration, Toolchain, user_flags};
use crate::compile::CompileError;
use crate::config::Linkage;
use crate::plan::{Plan, PlannedService};

/// The target directory in the build stage, named as `build` names its own.
const TARGET_DIRECTORY: &str = "/target";
const STATIC: &str = "-Ctarget-feature=+crt-static";

/// What this machine says about the build of one service.
#[derive(Debug)]
pub(super) struct Compiler {
    /// The image with the toolchain of the workspace.
    pub(super) image: String,
    /// The user's flags, with the path of the workspace as it is in the build stage.
    flags: Vec<String>,
}

impl Compiler {
    /// Asks the toolchain of the workspace.
    pub(super) fn ask(
        cargo: &Cargo,
        plan: &Plan,
        service: &PlannedService,
        place: &Place,
    ) -> Result<Self, CompileError> {
        let cargo = cargo.at(&plan.workspace_root);
        let configuration = Configuration::read(cargo.environment())?;
        let target = plain(&service.target);
        let toolchain = Toolchain::ask(&cargo, &configuration, Some(target))?;
        let flags = user_flags(&configuration, cargo.environment(), &toolchain, target);
        let here = plan.workspace_root.to_string_lossy().into_owned();
        let there = place.workspace.to_string_lossy().into_owned();
        Ok(Self {
            image: image(&toolchain.version),
            flags: flags
                .words
                .iter()
                .map(|word| word.replace(&here, &there))
                .collect(),
        })
    }

    /// `cargo build` for the service, over several lines.
    pub(super) fn command(
        &self,
        service: &PlannedService,
        place: &Place,
    ) -> Result<String, DockerfileError> {
        let config = &service.config;
        let mut flags = self.flags.clone();
        if config.remap_paths.value {
            let remapped = place.remapped.iter();
            flags.extend(
                remapped.map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display())),
            );
        }
        if config.linkage.value == Linkage::Static {
            flags.push(STATIC.to_owned());
        }
        let mut lines = vec![format!("{}cargo build --locked", variable(&flags)?)];
        let package = format!("{}@{}", service.package, service.version);
        lines.push(format!(
            "--package {} --bin {}",
            shell(&package)?,
            shell(&service.binary)?
        ));
        let profile = shell(&config.profile.value)?;
        let target = shell(plain(&service.target))?;
        lines.push(format!(
            "--profile {profile} --target {target} --target-dir {TARGET_DIRECTORY}"
        ));
        let selection = &service.selection;
        if !selection.features.is_empty() {
            lines.push(format!(
                "--features {}",
                shell(&selection.features.join(","))?
            ));
        }
        if selection.all_features {
            lines.push("--all-features".to_owned());
        }
        if selection.no_default_features {
            lines.push("--no-default-features".to_owned());
        }
        Ok(lines.join(" \\\n    "))
    }
}

/// Where cargo puts the executable in the build stage.
pub(super) fn executable(service: &PlannedService) -> String {
    // cargo-profiles: the built-in profiles share two directories.
    let directory = match service.config.profile.value.as_str() {
        "dev" | "test" => "debug",
        "bench" => "release",
        other => other,
    };
    let target = plain(&service.target);
    format!("{TARGET_DIRECTORY}/{target}/{directory}/{}", service.binary)
}

/// The instruction that adds the standard library of a target which the image has not by itself.
pub(super) fn add_target(service: &PlannedService) -> Result<String, DockerfileError> {
    let target = plain(&service.target);
    if service.platform.target("gnu").as_deref() == Some(target) {
        return Ok(String::new());
    }
    Ok(format!("RUN rustup target add {}\n", shell(target)?))
}

/// The target without the glibc version that only zigbuild understands.
pub(super) fn plain(target: &str) -> &str {
    target.split('.').next().unwrap_or(target)
}

/// The official image with the compiler that `rustc -vV` tells of.
fn image(version: &str) -> String {
    let release = version
        .lines()
        .find_map(|line| line.strip_prefix("release: "));
    let release = release.unwrap_or_default().trim();
    match release.split_once('-') {
        Some(_) => "rustlang/rust:nightly-bookworm".to_owned(),
        None if release.is_empty() => "rust:bookworm".to_owned(),
        None => format!("rust:{release}-bookworm"),
    }
}

/// The flags as the variable that wins over cargo's configuration, whose flags are among them.
fn variable(flags: &[String]) -> Result<String, DockerfileError> {
    if flags.is_empty() {
        return Ok(String::new());
    }
    if flags.iter().any(|flag| flag.contains(char::is_whitespace)) {
        let encoded: Vec<String> = flags
            .iter()
            .map(|flag| flag.replace('\\', r"\\").replace('%', "%%"))
            .collect();
        let format = shell(&encoded.join("\\037"))?;
        return Ok(format!(
            "CARGO_ENCODED_RUSTFLAGS=\"$(printf {format})\" \\\n    "
        ));
    }
    Ok(format!("RUSTFLAGS={} \\\n    ", shell(&flags.join(" "))?))
}

/// The path as text of a Dockerfile.
pub(super) fn shown(path: &Path) -> Result<String, DockerfileError> {
    super::quote::word(&path.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_image_has_the_toolchain_of_the_workspace() {
        let told =
            "rustc 1.95.0 (abc 2026-01-01)\nbinary: rustc\nrelease: 1.95.0\nLLVM version: 21\n";
        assert_eq!(image(told), "rust:1.95.0-bookworm");
        assert_eq!(
            image("release: 1.97.0-nightly\n"),
            "rustlang/rust:nightly-bookworm"
        );
    }

    #[test]
    fn flags_with_spaces_stay_whole() {
        let flags = ["-Clink-arg=a b".to_owned(), "-Cdebuginfo=100%".to_owned()];
        let written = variable(&flags).expect("writable");
        assert!(
            written.starts_with(
                r#"CARGO_ENCODED_RUSTFLAGS="$(printf '-Clink-arg=a b\037-Cdebuginfo=100%%')""#
            ),
            "{written}"
        );
        let plain = variable(&["-a".to_owned(), "-b".to_owned()]).expect("writable");
        assert!(plain.starts_with("RUSTFLAGS='-a -b' "), "{plain}");
    }
}

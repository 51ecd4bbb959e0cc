//! One `cargo build` as a stream of messages.

use std::ffi::OsString;
use std::path::PathBuf;

use cargo_metadata::{Message, TargetKind};

use super::{Cargo, CargoError, Flags};
use crate::process::Program;

/// Which features cargo builds with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// Named features.
    pub features: Vec<String>,
    /// `--all-features`.
    pub all_features: bool,
    /// `--no-default-features`.
    pub no_default_features: bool,
}

/// One executable to build.
#[derive(Debug, Clone)]
pub struct BuildRequest {
    /// cargo's id of the package.
    pub package_id: String,
    /// The binary target.
    pub binary: String,
    /// The target triple, given to cargo even where it is this machine's: otherwise build scripts and
    /// procedural macros would get the flags meant for the executable.
    pub target: String,
    /// cargo's profile.
    pub profile: String,
    /// Features.
    pub selection: Selection,
    /// The target directory, or cargo's own choice.
    pub target_directory: Option<PathBuf>,
    /// Flags to add.
    pub flags: Flags,
    /// `cargo zigbuild` instead of `cargo build`.
    pub zigbuild: bool,
    /// `-j`.
    pub jobs: Option<u32>,
    /// Whether cargo's messages may have colours.
    pub colors: bool,
    /// Whether cargo shows the compiler's messages only, and none of its own.
    pub quiet: bool,
}

/// What a build gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The executable.
    pub executable: PathBuf,
    /// Whether nothing had to be compiled for it.
    pub fresh: bool,
}

impl BuildRequest {
    /// The command as cargo gets it.
    pub fn program(&self, cargo: &Cargo) -> Program {
        let name = if self.zigbuild { "zigbuild" } else { "build" };
        let mut program = cargo
            .command(name)
            .args(["--package", &self.package_id, "--bin", &self.binary])
            .args(["--profile", &self.profile, "--target", &self.target])
            .arg("--message-format=json-render-diagnostics")
            .args(["--color", if self.colors { "always" } else { "never" }]);
        if self.quiet {
            program = program.arg("--quiet");
        }
        if !self.selection.features.is_empty() {
            program = program
                .arg("--features")
                .arg(self.selection.features.join(","));
        }
        if self.selection.all_features {
            program = program.arg("--all-features");
        }
        if self.selection.no_default_features {
            program = program.arg("--no-default-features");
        }
        if let Some(jobs) = self.jobs {
            program = program.arg("--jobs").arg(jobs.to_string());
        }
        if let Some(directory) = &self.target_directory {
            let path: OsString = directory.clone().into();
            // `build.build-dir` would put intermediate files, and so generated sources, elsewhere.
            program = program
                .arg("--target-dir")
                .arg(path.clone())
                .env("CARGO_BUILD_BUILD_DIR", path);
        }
        self.flags.apply(program)
    }
}

/// Builds, handing each line of cargo's standard error to `on_line`, and to `on_crate` the name of each
/// crate that is compiled, or need not be. `None` when the compilation failed: cargo's lines have told why.
///
/// # Errors
/// [`CargoError`] when cargo cannot be run, is interrupted, or names no executable.
pub fn build(
    cargo: &Cargo,
    request: &BuildRequest,
    on_line: impl FnMut(&str),
    on_crate: impl Fn(&str),
) -> Result<Option<Built>, CargoError> {
    let program = request.program(cargo);
    let mut built = None;
    let status = program.stream(
        |line| {
            let Ok(Message::CompilerArtifact(artifact)) = serde_json::from_str(line) else {
                return;
            };
            if !artifact.target.kind.contains(&TargetKind::CustomBuild) {
                on_crate(&artifact.target.name);
            }
            built = executable(artifact, request).or_else(|| built.take());
        },
        on_line,
    )?;
    if !status.success() {
        return Ok(None);
    }
    built.map(Some).ok_or_else(|| CargoError::Answer {
        command: program.command_line(),
        source: format!("it named no executable for `{}`", request.binary).into(),
    })
}

/// The executable, if it is what was built.
fn executable(artifact: cargo_metadata::Artifact, request: &BuildRequest) -> Option<Built> {
    let ours = artifact.package_id.repr == request.package_id
        && artifact.target.name == request.binary
        && artifact.target.kind.contains(&TargetKind::Bin);
    let executable = artifact.executable.filter(|_| ours)?;
    Some(Built {
        executable: executable.into(),
        fresh: artifact.fresh,
    })
}

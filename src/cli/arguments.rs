//! What can be typed. Parsing does nothing else.

use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Effects, Styles};
use clap::{ArgAction, Args, CommandFactory as _, Parser, Subcommand, ValueEnum};

use super::Failure;
use super::choice::Choice;
use super::commands;
use super::duration::Seconds;
use super::jobs::Jobs;
use crate::config::{Builder, Compression, Linkage};
use crate::hint::Hint;
use crate::reference::refuse_login;

/// cargo's colours of help.
const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().effects(Effects::BOLD))
    .usage(AnsiColor::Green.on_default().effects(Effects::BOLD))
    .literal(AnsiColor::Cyan.on_default().effects(Effects::BOLD))
    .placeholder(AnsiColor::Cyan.on_default());

/// What `--help` shows last.
const EXAMPLES: &str = "Examples:
  The services of this workspace:
    cargo lighter list
  An image of each, in target/lighter/oci:
    cargo lighter build
  The same to a registry:
    cargo lighter push --repo ghcr.io/acme
  All about one command:
    cargo lighter help push

Exit codes: 0 all well; 1 a service, a destination or the machine failed;
2 the command line or the configuration makes no sense; 3 a check found a
difference, or `doctor` something missing; 101 a compilation failed.";

/// Ships the microservices of a Cargo workspace as minimal, reproducible OCI images
///
/// Finds the binaries of the workspace, compiles each, puts what it needs to run around it, and delivers the
/// images to registries, directories, archives and container engines. No Docker, no Dockerfile, no base image and no root are needed, and
/// nothing has to be configured.
#[derive(Debug, Parser)]
#[command(name = "cargo lighter", bin_name = "cargo lighter", version, styles = STYLES, max_term_width = 80, after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) global: GlobalArguments,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// Flags of every command.
#[derive(Debug, Clone, Args)]
pub(super) struct GlobalArguments {
    /// Say more: commands as they run
    #[arg(short, long, global = true, conflicts_with = "quiet", action = ArgAction::Count)]
    pub(super) verbose: u8,
    /// Say nothing but warnings and errors
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
    /// Coloring
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(super) color: Color,
}

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    Auto,
    Always,
    Never,
}

/// One variant and one arm a command, whose help stands at its arguments.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    List(commands::list::Arguments),
    Plan(commands::plan::Arguments),
    Split(commands::split::Arguments),
    Deps(commands::deps::Arguments),
    Build(commands::build::Arguments),
    Push(commands::push::Arguments),
    Inspect(commands::inspect::Arguments),
    Adopt(commands::adopt::Arguments),
    Doctor(commands::doctor::Arguments),
    Auth(commands::auth::Arguments),
    Login(commands::login::Arguments),
    Logout(commands::logout::Arguments),
    Completions(commands::completions::Arguments),
    Man(commands::man::Arguments),
}

/// Where the workspace is, and how far cargo may reach.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Manifest Options")]
pub(super) struct WorkspaceArguments {
    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH")]
    pub(super) manifest_path: Option<PathBuf>,
    /// Accepted as cargo's; Cargo.lock is always taken as it is
    #[arg(long)]
    pub(super) locked: bool,
    /// Run without accessing the network (but for the registries that images go to)
    #[arg(long)]
    pub(super) offline: bool,
    /// The same as `--locked --offline`
    #[arg(long)]
    pub(super) frozen: bool,
}

/// Which services.
#[derive(Debug, Clone, Args)]
pub(super) struct SelectionArguments {
    /// Services, globs allowed; none means all
    #[arg(value_name = "SERVICE")]
    pub(super) services: Vec<String>,
    /// The services of these packages, globs allowed
    #[arg(
        short,
        long = "package",
        value_name = "SPEC",
        help_heading = "Package Selection"
    )]
    pub(super) packages: Vec<String>,
    /// But not the services of these packages
    #[arg(long, value_name = "SPEC", help_heading = "Package Selection")]
    pub(super) exclude: Vec<String>,
}

/// Which features.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Feature Selection")]
pub(super) struct FeatureArguments {
    /// Space or comma separated list of features to activate
    #[arg(short = 'F', long, value_name = "FEATURES")]
    pub(super) features: Vec<String>,
    /// Activate all available features
    #[arg(long)]
    pub(super) all_features: bool,
    /// Do not activate the `default` feature
    #[arg(long)]
    pub(super) no_default_features: bool,
}

/// How executables are compiled.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Compilation Options")]
pub(super) struct CompileArguments {
    /// Build with the `release` profile (the default)
    #[arg(short, long, conflicts_with = "profile")]
    pub(super) release: bool,
    /// Build with the given profile
    #[arg(long, value_name = "PROFILE-NAME")]
    pub(super) profile: Option<String>,
    /// Build for the target triple (a Linux one)
    #[arg(long, value_name = "TRIPLE", conflicts_with = "platform")]
    pub(super) target: Option<String>,
    /// Build for the platform, such as linux/arm64
    #[arg(long, value_name = "PLATFORM")]
    pub(super) platform: Option<String>,
    /// Directory for all generated artifacts
    #[arg(long, value_name = "DIRECTORY")]
    pub(super) target_dir: Option<PathBuf>,
    /// Number of parallel jobs, defaults to the number of CPUs; a negative N leaves so many unused
    #[arg(short, long, value_name = "N", allow_negative_numbers = true)]
    pub(super) jobs: Option<Jobs>,
    /// What compiles
    #[arg(long, value_name = "BUILDER", value_parser = Choice::of(Builder::NAMED))]
    pub(super) builder: Option<String>,
    /// How to link the C library
    #[arg(long, value_name = "LINKAGE", value_parser = Choice::of(Linkage::NAMED))]
    pub(super) linkage: Option<String>,
}

/// What images are called and how they are packed.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Image Options")]
pub(super) struct ImageArguments {
    /// Registry and prefix, such as ghcr.io/acme
    #[arg(long, value_name = "REPO")]
    pub(super) repo: Option<String>,
    /// Tag, or pattern with {version} {git.sha} {git.short} {git.branch} {digest}
    #[arg(short, long = "tag", value_name = "TAG")]
    pub(super) tags: Vec<String>,
    /// How to compress layers
    #[arg(long, value_name = "NAME", value_parser = Choice::of(Compression::NAMED))]
    pub(super) compression: Option<String>,
    /// How hard to compress
    #[arg(long, value_name = "LEVEL", allow_negative_numbers = true)]
    pub(super) compression_level: Option<i64>,
}

/// Everything that decides what a plan holds.
#[derive(Debug, Clone, Args)]
pub(super) struct PlanArguments {
    #[command(flatten)]
    pub(super) selection: SelectionArguments,
    #[command(flatten)]
    pub(super) workspace: WorkspaceArguments,
    #[command(flatten)]
    pub(super) features: FeatureArguments,
    #[command(flatten)]
    pub(super) compile: CompileArguments,
    #[command(flatten)]
    pub(super) image: ImageArguments,
    /// Destination: `docker://HOST/PREFIX`, `oci:DIRECTORY`, `oci-archive:FILE`, `docker-archive:FILE`,
    /// `docker-daemon:` or `containers-storage:`; may be given several times
    #[arg(
        long = "to",
        value_name = "DESTINATION",
        help_heading = "Image Options"
    )]
    pub(super) destinations: Vec<String>,
}

/// How a run goes on and what it leaves behind.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output Options")]
pub(super) struct RunArguments {
    /// Go on with other services after one failed
    #[arg(long)]
    pub(super) keep_going: bool,
    /// What goes to standard output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) message_format: MessageFormat,
    /// Write a JSON summary of the run to this file
    #[arg(long, value_name = "PATH")]
    pub(super) metadata_file: Option<PathBuf>,
    /// Write the reference of each image, one a line, to this file
    #[arg(long, value_name = "PATH")]
    pub(super) image_refs: Option<PathBuf>,
    #[command(flatten)]
    pub(super) push: PushArguments,
}

/// How registries are dealt with.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Registry Options")]
pub(super) struct PushArguments {
    /// Take a registry's word for what was pushed, instead of looking for it afterwards
    #[arg(long)]
    pub(super) no_verify_push: bool,
    /// Give up what is left to push when registries took this long, compiling not counted: 90s, 10m, 2h
    #[arg(long, value_name = "TIME")]
    pub(super) timeout: Option<Seconds>,
    #[command(flatten)]
    pub(super) insecure: InsecureArguments,
}

/// Which registries are spoken to in the open.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Registry Options")]
pub(super) struct InsecureArguments {
    /// Speak plain HTTP to this registry, passwords included (repeatable)
    #[arg(long = "insecure-registry", value_name = "HOST")]
    registries: Vec<String>,
}

impl InsecureArguments {
    /// The registries' names.
    ///
    /// # Errors
    /// A name with a scheme or a path, which would be that of no registry.
    pub(super) fn hosts(&self) -> Result<Vec<String>, Failure> {
        for name in &self.registries {
            refuse_login(name).map_err(Failure::usage)?;
            let bare = name.split_once("://").map_or(&**name, |(_, bare)| bare);
            let host = bare.split('/').next().unwrap_or_default();
            if host != name || host.is_empty() {
                let (name, host) = (name.clone(), host.to_owned());
                return Err(Failure::usage(NoHost { name, host }));
            }
        }
        Ok(self.registries.clone())
    }
}

/// A registry whose name would be that of none.
#[derive(Debug, thiserror::Error)]
#[error(
    "`--insecure-registry` takes a host, perhaps with a port, and `{name}` is more or less than that"
)]
struct NoHost {
    name: String,
    host: String,
}

impl Hint for NoHost {
    fn hint(&self) -> Option<String> {
        let host = match &*self.host {
            "" => "HOST:PORT",
            host => host,
        };
        Some(format!("type `--insecure-registry {host}`"))
    }
}

/// `--message-format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum MessageFormat {
    Text,
    Json,
}

/// The grammar under the program's own name, which shells and manuals know it by.
pub(super) fn of_program() -> clap::Command {
    Arguments::command()
        .name("cargo-lighter")
        .bin_name("cargo-lighter")
}

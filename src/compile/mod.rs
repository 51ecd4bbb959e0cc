//! From a plan to executables: flags, checks before the first compile, and one cargo run a service.
//!
//! Every service is its own `cargo build -p PACKAGE --bin BIN`: one run for several would turn on the
//! union of their features in shared crates, and so build other executables. All runs share one target
//! directory, where crates built with equal features are reused.

mod artifact;
mod error;
mod flags;
mod identity;
mod linker;
mod prepare;
mod profile;
mod remedy;

pub use artifact::{Artifact, run};
pub use error::{CompileError, cross_compiler};
pub use identity::{Identity, identify};
pub use prepare::{Missing, Options, Preparation, PreparedBuild, missing, prepare};
pub use remedy::{Remedy, zigbuild_commands};

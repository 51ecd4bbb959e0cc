//! What cargo says: metadata, effective configuration, toolchain, and builds as a stream of messages.
//!
//! Nothing here imitates cargo where cargo can be asked.

mod build;
mod configuration;
mod error;
mod home;
mod invocation;
mod lockfile;
mod metadata;
mod profiles;
mod rustflags;
mod toolchain;
mod update;
mod vendor;

pub use build::{BuildRequest, Built, Selection, build};
pub use configuration::{Configuration, cargo_home};
pub use error::{CargoError, Said};
pub use home::HomeInside;
pub use invocation::{Cargo, Network};
pub use lockfile::{LockedPackage, Lockfile, LockfileError, UnusedPatch, with_version};
pub use metadata::{metadata, package, resolved};
pub use profiles::{Profile, known_profiles, profiles};
pub use rustflags::{Flags, RustflagsTable, UserFlags, target_variable, user_flags};
pub use toolchain::{RUSTC_VARIABLES, Toolchain};
pub use update::{minimise_lock, version};
pub use vendor::vendor;

//! The services of a Cargo workspace, and the packages they are made of.

mod closure;
mod complete;
mod discover;
mod error;
mod naming;
mod package;
mod select;
mod service;

pub use discover::discover;
pub use error::{Known, WorkspaceError};
pub use package::{Dependency, Package, Purpose, Target};
pub use select::ServiceFilter;
pub use service::{LeftOut, NameOrigin, Service, Workspace};

//! The services of a Cargo workspace, and the packages they are made of.

mod package;
mod service;

pub use package::Package;
pub use service::{LeftOut, NameOrigin, Service, Workspace};

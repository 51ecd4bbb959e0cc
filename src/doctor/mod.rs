//! What this workspace needs on this machine and has not, found before anything is compiled.
//!
//! cargo's metadata, PATH, pkg-config and the registry are asked; nothing is compiled and nothing written.
//! What crates need beside a Rust compiler is known from one table, since their manifests do not say it.

mod compiler;
mod crates;
mod examine;
mod finding;
mod native;
mod registry;
mod report;
mod runtime;
mod rust;
mod system;
mod table;

#[cfg(test)]
mod tests;

pub use examine::{Machine, examine};
pub use finding::Finding;
pub use registry::reachable;
pub use report::{to_json, to_text};
pub use rust::rust;
pub use system::detect;

//! Raw layers of configuration, and the validated [`Config`] of each service.
//!
//! `keys` lists what can be set; `manifest`, `layers` and `outside` read it as written, each value
//! with its place; `reader` picks the layer that wins and checks all of them; `checks` compares
//! values with each other. Every mistake is collected, none ends the reading.

mod assets;
mod checks;
mod display;
mod entries;
mod execution;
pub mod keys;
mod layers;
mod manifest;
mod mistake;
mod names;
mod origin;
mod outside;
mod raw;
mod reader;
mod resolve;
mod service;
mod values;

#[cfg(test)]
mod tests;

pub use assets::{Asset, Input, Source};
pub use mistake::{ConfigErrors, Mistake};
pub use names::{NAME_PLACEHOLDERS, TAG_PLACEHOLDERS};
pub use origin::{Origin, Position, Value};
pub use outside::Overrides;
pub use reader::Explained;
pub use resolve::{Config, check, resolve, resolve_edited};
pub use service::ServiceConfig;
pub use values::{Builder, Compression, Created, Linkage, Port, Protocol, User};

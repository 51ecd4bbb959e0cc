//! Looking into images: what they run, what they are made of and what each part costs; whether they keep to
//! the specification; and in what two of them differ.
//!
//! Images may be anybody's. Layers are read once, as streams, with limits on everything that is kept; what
//! they delete of lower layers is deleted before files are compared.

mod compare;
mod config;
mod differences;
mod error;
mod files;
mod layer;
mod layout;
mod libraries;
mod records;
mod report;
mod text;
mod verify;

pub use compare::{Change, Difference, Respect, compare};
pub use config::Execution;
pub use differences::differences_text;
pub use error::InspectError;
pub use layout::Page;
pub use libraries::{Library, Package};
pub use report::{BigFile, Inspected, Inspector, LayerReport, Report, share};
pub use verify::{Verified, verify};

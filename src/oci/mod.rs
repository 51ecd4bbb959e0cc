//! Image-spec data as this program writes it.
//!
//! Maps are sorted and fields have one order, because the bytes are hashed: each document is
//! serialized once by [`Document::new`], and those bytes are what is stored, pushed and hashed. Types
//! of other libraries keep labels in hash maps, whose order differs from run to run.

mod config;
mod descriptor;
mod document;
mod kind;
mod layout;
mod manifest;
pub mod media_type;
mod platform;

pub use config::{Empty, Execution, Healthcheck, History, ImageConfig, RootFs};
pub use descriptor::Descriptor;
pub use document::Document;
pub use kind::{Family, Kind, LayerCompression, classify, may_not_be_handed_on};
pub use layout::{LAYOUT_FILE, LayoutHeader};
pub use manifest::{Index, Manifest};
pub use platform::{Platform, UnknownPlatform, host_target};

//! From a Dockerfile to the configuration of the service it builds.
//!
//! `source` makes the text ready for the parser, `read` adds up the instructions of each stage, `choose`
//! finds the service, and `propose` says what becomes of everything: a table for the manifest, each key
//! tried on the configuration first, and a remark for each thing that no key can say. `write` puts the
//! table into a manifest. Nothing of the Dockerfile is run.

mod absent;
mod accounts;
mod arguments;
mod asked;
mod asset;
mod assets;
mod base;
mod build;
mod changes;
mod choose;
mod context;
mod cut;
mod draft;
mod elsewhere;
mod error;
mod filled;
mod health;
mod ignored;
mod launch;
mod listing;
mod locate;
mod making;
mod moved;
mod names;
mod packages;
mod paths;
mod propose;
mod read;
mod rearranged;
mod redacted;
mod remark;
mod runs;
mod script;
mod secret;
mod secret_file;
mod settings;
mod shell;
mod shelled;
mod siblings;
mod source;
mod stage;
mod standing;
mod syntax;
mod unshelled;
mod users;
mod words;
mod write;
mod zone;

#[cfg(test)]
mod tests;

pub use error::AdoptError;
pub use propose::{Proposal, Request, propose};
pub use remark::{Remark, Weight};
pub use source::MAX_DOCKERFILE;
pub use write::{Edited, Kept, edit, json, text};

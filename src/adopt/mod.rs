//! From a Dockerfile to the configuration of the service it builds. Nothing of the Dockerfile is run.
//!
//! The way of a proposal: `dockerfile` reads the text, `launch` finds what a container starts, `layers` what
//! is in the old image, `assets` which of its files the new one needs; `proposal` leads through all of it,
//! and `manifest` has the table that comes of it: each key tried on the configuration first, and a remark
//! for each thing that no key can say.
//!
//! The parts, each of which imports only parts above it (`tests/architecture.rs` holds the order):
//!
//! | part | what it is about |
//! |---|---|
//! | `error`, `paths`, `remark` | words that all parts may speak of |
//! | `secrets` | what looks like a secret, and is neither taken over nor printed |
//! | `shell` | commands of scripts, with their words filled in |
//! | `dockerfile` | from text to stages |
//! | `manifest` | the table, and how it is written |
//! | `launch` | the command of a container, without shells and inits |
//! | `layers` | files, executables and users of the old image |
//! | `assets` | files of the new image |
//! | `proposal` | the service, and each group of its settings |

mod assets;
mod dockerfile;
mod error;
mod launch;
mod layers;
mod manifest;
mod paths;
mod proposal;
mod remark;
mod secrets;
mod shell;

#[cfg(test)]
mod tests;

pub use dockerfile::MAX_DOCKERFILE;
pub use error::AdoptError;
pub use manifest::{Edited, Kept, Proposal, edit, json, text};
pub use proposal::{Request, propose};
pub use remark::{Remark, Weight};

//! From a Dockerfile to a proposal: takes the text, chooses the service that it is for, and has each group of
//! settings put into the draft of a table.

mod base;
mod choice;
mod compilation;
mod flags;
mod health;
mod home;
mod propose;
mod runs;
mod settings;
mod siblings;

pub use propose::{Request, propose};

//! The command line: what the user typed, what is meant by it, and how the program ends.

mod arguments;
mod choice;
mod commands;
mod context;
mod destinations;
mod duration;
mod exit;
mod failure;
#[cfg(test)]
mod help_tests;
mod jobs;
mod run;
mod since;

pub use exit::Exit;
use failure::{Failure, StreamError};
pub use run::{run, run_process};

//! Child programs: what they see, how long they may run, how much they may say, and how they stop.

mod environment;
mod interrupt;
mod output;
mod program;

pub use environment::Environment;
pub use interrupt::{Interrupt, Signal};
pub use program::{Captured, Program, ProgramError};

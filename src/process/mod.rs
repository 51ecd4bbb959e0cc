//! Child programs: what they see, how long they may run, how much they may say, and how they stop.

mod environment;
mod feed;
mod git;
mod interrupt;
mod output;
mod program;
mod temporary;

pub use environment::{Environment, REGISTRY_PASSWORD, REGISTRY_USER};
pub use feed::Feed;
pub use git::Git;
pub use interrupt::{Interrupt, Signal};
pub use program::{Captured, Program, ProgramError};
pub use temporary::{NoTemporaryDirectory, temporary_directory};

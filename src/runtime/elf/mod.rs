//! ELF files as the program loader sees them: by their program headers.
//!
//! Section headers are never read, because stripped and packed files may lack them (System V gABI,
//! chapter 5: only the program headers matter for loading). Nothing is read beyond what is asked
//! for, and every count and length has a limit.

mod error;
mod file;
mod machine;
mod parse;
mod versions;

pub use error::ElfError;
pub(super) use file::ElfFile;
pub(super) use machine::Machine;

#[cfg(all(test, target_os = "linux"))]
mod tests;

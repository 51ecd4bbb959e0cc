//! What an executable needs around it: libraries, certificates, users.
//!
//! [`find`] reads an executable and a [`LibraryRoot`], the file system it was linked for, and gives
//! one tree of files for each layer below the application. It runs no program and reads nothing of
//! this machine besides the two.

mod base;
mod certificates;
mod closure;
mod dpkg;
mod elf;
mod error;
mod find;
mod fixed;
#[cfg(all(test, target_os = "linux"))]
mod fixture;
mod glibc;
mod loader_config;
mod os_release;
mod owners;
mod packages;
mod placement;
mod root;
mod search;
mod time_zones;
mod users;

pub use elf::ElfError;
pub use error::{MissingLibrary, RuntimeError, UnownedLibrary};
pub use find::{Linkage, Request, RuntimeFiles, find};
pub use fixed::{FixedFiles, debian_glibc, fixed_files, fixed_libraries};
pub use packages::{loadable_libraries, packages_digest};
pub use root::LibraryRoot;

//! What is in the old image: takes the stages, gives where each file comes from, which executables are there and
//! what they are called, and who its users are.

mod absent;
mod base_users;
mod contents;
mod context;
mod destinations;
mod directories;
mod executables;
mod names;
mod origin;
mod packages;
mod transfer;
mod user_changes;
mod user_flags;
mod users;

pub(super) use absent::is_absent;
pub(super) use contents::Contents;
pub(super) use context::{follow_parents, likely_context, see_files};
pub(super) use destinations::see_directories;
pub(super) use directories::{is_setting, made};
pub(super) use executables::{Placed, executables, is_put, linked, started};
pub(super) use names::{Names, Naming};
pub(super) use origin::{
    Origin, context_path, destination, is_bare, is_output, is_pattern, operands, origin,
};
pub(super) use packages::{Packages, installed};
pub(super) use transfer::makes_directories;
pub(super) use users::{Numbers, Users};

//! What integration tests share: runs of the program, workspaces, registries, and other tools.

pub(crate) mod cli;
pub(crate) mod registry;
pub(crate) mod tools;
pub(crate) mod workspace;

//! What integration tests share: runs of the program, workspaces, registries, and other tools.

pub(crate) mod affected;
pub(crate) mod authority;
pub(crate) mod check;
pub(crate) mod cli;
pub(crate) mod disk;
pub(crate) mod engines;
pub(crate) mod http2;
pub(crate) mod proxy;
pub(crate) mod refusal;
pub(crate) mod registry;
pub(crate) mod scripted;
pub(crate) mod serving;
pub(crate) mod terminal;
pub(crate) mod tools;
pub(crate) mod workspace;

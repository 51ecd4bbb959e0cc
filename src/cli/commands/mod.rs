//! One file a command: its arguments, and what it does.

pub(super) mod adopt;
pub(super) mod auth;
pub(super) mod build;
pub(super) mod completions;
pub(super) mod deps;
pub(super) mod doctor;
pub(super) mod inspect;
pub(super) mod list;
pub(super) mod login;
pub(super) mod logout;
pub(super) mod man;
pub(super) mod plan;
pub(super) mod push;
pub(super) mod split;

//! What the rooms below use: a blocking client, its threads, and logins.

pub(super) mod client;
pub(super) mod engine;
pub(super) mod login;

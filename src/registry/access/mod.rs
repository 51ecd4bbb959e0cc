//! What a run knows of registries: how they want to be asked, tokens, and which blobs are where.

pub(super) mod challenge;
pub(super) mod core;
pub(super) mod knowledge;
pub(super) mod known;
pub(super) mod ready;
pub(super) mod session;
pub(super) mod token;

//! What servers say and what of it may be told: words, warnings and notes, without any secret.

pub(super) mod notes;
pub(super) mod recent;
pub(super) mod redaction;
pub(super) mod server_words;
pub(super) mod view;
pub(super) mod warnings;

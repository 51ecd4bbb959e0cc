//! What looks like a secret: takes names, values and paths, gives whether they may be taken over, and words fit
//! for a message.

mod file;
mod redacted;
mod value;
mod word;

pub(super) use file::is_secret_file;
pub(super) use redacted::{shown, shown_address, shown_words};
pub(super) use word::{holds_secret, is_secret, is_secret_flag, is_secret_pair};

#[cfg(test)]
mod tests;

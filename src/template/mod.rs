//! Text with placeholders: strict patterns, which never render what they do not know.

mod pattern;

pub use pattern::{Pattern, PatternError};

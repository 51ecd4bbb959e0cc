//! The only place that prints: events and data to the user's streams.
//!
//! Standard output carries data only; everything else goes to standard error in cargo's style.

mod bars;
mod console;
mod json;
mod rate;
mod reading;
mod screen;
mod streams;
mod style;
mod table;
mod text;

pub use console::{Console, Format, Verbosity};
pub use streams::Streams;

//! Everything that is wrong with a configuration, reported at once.

use std::cmp::Ordering;
use std::fmt;

use super::origin::Origin;
use crate::hint::Hint;

/// More than these are counted, not listed.
const MAX_LISTED: usize = 50;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where to change something.
    pub place: Origin,
    /// What is wrong, as a lower-case fragment.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl Mistake {
    fn order(&self, other: &Self) -> Ordering {
        self.place
            .reading_order(&other.place)
            .then_with(|| (&self.message, &self.hint).cmp(&(&other.message, &other.hint)))
    }
}

/// `services/orders/Cargo.toml:14:5: unknown key …`.
impl fmt::Display for Mistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place.position() {
            Some(at) => write!(formatter, "{}:{}:{}", at.file, at.line, at.column)?,
            None => write!(formatter, "{}", self.place)?,
        }
        write!(formatter, ": {}", self.message)
    }
}

/// Mistakes while they are collected.
#[derive(Debug, Default)]
pub(super) struct Mistakes(Vec<Mistake>);

impl Mistakes {
    pub(super) fn add(&mut self, place: &Origin, message: String, hint: Option<String>) {
        self.0.push(Mistake {
            place: place.clone(),
            message,
            hint,
        });
    }

    /// All of them, sorted by file and line; what several services share is told once.
    ///
    /// # Errors
    /// When there are any.
    pub(super) fn finish(mut self) -> Result<(), ConfigErrors> {
        if self.0.is_empty() {
            return Ok(());
        }
        self.0.sort_by(Mistake::order);
        self.0.dedup();
        Err(ConfigErrors(self.0))
    }

    /// Adds those of another collection.
    pub(super) fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }
}

/// All mistakes of all manifests, the environment and the flags, sorted by place; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(Vec<Mistake>);

impl ConfigErrors {
    /// Each mistake, manifests by file and line first, then the environment, then flags.
    pub fn mistakes(&self) -> &[Mistake] {
        &self.0
    }
}

impl std::error::Error for ConfigErrors {}

/// A single mistake in one line; several as a list, each with its hint in brackets.
impl fmt::Display for ConfigErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = self.0.as_slice() {
            return only.fmt(formatter);
        }
        write!(formatter, "{} mistakes in the configuration", self.0.len())?;
        for mistake in self.0.iter().take(MAX_LISTED) {
            write!(formatter, "\n  {mistake}")?;
            if let Some(hint) = &mistake.hint {
                write!(formatter, " ({hint})")?;
            }
        }
        match self.0.len().checked_sub(MAX_LISTED) {
            None | Some(0) => Ok(()),
            Some(more) => write!(formatter, "\n  … and {more} more"),
        }
    }
}

impl Hint for ConfigErrors {
    fn hint(&self) -> Option<String> {
        match self.0.as_slice() {
            [only] => only.hint.clone(),
            _ => None,
        }
    }
}

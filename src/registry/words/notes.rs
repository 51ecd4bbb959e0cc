//! What only those hear who ask for detail (`-v`): whose word goes to which host, and why a helper failed.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Notes of a run, each once.
#[derive(Debug, Default)]
pub(in crate::registry) struct Notes(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    known: BTreeSet<String>,
    /// Not yet taken by the caller.
    waiting: Vec<String>,
}

impl Notes {
    /// Keeps a line, unless it was told before.
    pub(in crate::registry) fn note(&self, line: String) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.known.insert(line.clone()) {
            told.waiting.push(line);
        }
    }

    /// Those that were not taken yet, in the order in which they came.
    pub(in crate::registry) fn take(&self) -> Vec<String> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut told.waiting)
    }
}

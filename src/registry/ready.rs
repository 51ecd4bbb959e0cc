//! What a run learned of repositories before the first compile, kept for their pushes.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::upload::Session;
use crate::digest::Digest;
use crate::reference::Tag;

/// Answers that were asked for early; each is used once.
#[derive(Debug, Default)]
pub(super) struct Ready(Mutex<Answers>);

/// What a tag leads to, which may be nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen(pub(super) Option<Digest>);

#[derive(Debug, Default)]
struct Answers {
    /// What tags lead to, by the repository's path and the tag.
    tags: BTreeMap<(String, Tag), Option<Digest>>,
    /// Open uploads by the repository's path, with their numbers among all that are open.
    uploads: BTreeMap<String, (Session, u64)>,
}

impl Ready {
    /// Keeps what a tag leads to.
    pub(super) fn saw(&self, path: &str, tag: &Tag, found: Option<Digest>) {
        let place = (path.to_owned(), tag.clone());
        self.lock().tags.insert(place, found);
    }

    /// What a tag leads to, if that was asked and not used yet.
    pub(super) fn seen(&self, path: &str, tag: &Tag) -> Option<Seen> {
        let place = (path.to_owned(), tag.clone());
        self.lock().tags.remove(&place).map(Seen)
    }

    /// Keeps an open upload.
    pub(super) fn opened(&self, path: &str, session: Session, number: u64) {
        let place = path.to_owned();
        self.lock().uploads.insert(place, (session, number));
    }

    /// An upload that was opened and not used yet.
    pub(super) fn upload(&self, path: &str) -> Option<(Session, u64)> {
        self.lock().uploads.remove(path)
    }

    fn lock(&self) -> MutexGuard<'_, Answers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! What a run learned of repositories before the first compile, kept for their pushes.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::session::Session;
use crate::digest::Digest;
use crate::reference::Tag;

/// How long an answer about a tag is believed: no longer than a single request may take to be answered. A
/// compile may take an hour, in which tags move and images are thrown away.
const LASTING: Duration = Duration::from_mins(1);

/// Answers that were asked for early; each is used once.
#[derive(Debug, Default)]
pub(in crate::registry) struct Ready(Mutex<Answers>);

/// What a tag leads to, which may be nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::registry) struct Seen(pub(in crate::registry) Option<Digest>);

#[derive(Debug, Default)]
struct Answers {
    /// What tags lead to, by the repository's path and the tag, and when that was so.
    tags: BTreeMap<(String, Tag), (Seen, Duration)>,
    /// Open uploads by the repository's path.
    uploads: BTreeMap<String, Session>,
}

impl Ready {
    /// Keeps what a tag leads to.
    pub(in crate::registry) fn saw(
        &self,
        path: &str,
        tag: &Tag,
        found: Option<Digest>,
        now: Duration,
    ) {
        let place = (path.to_owned(), tag.clone());
        self.lock().tags.insert(place, (Seen(found), now));
    }

    /// What a tag leads to, if that was asked, not used yet, and is not so long ago that others may have
    /// moved it.
    pub(in crate::registry) fn seen(&self, path: &str, tag: &Tag, now: Duration) -> Option<Seen> {
        let place = (path.to_owned(), tag.clone());
        let (seen, at) = self.lock().tags.remove(&place)?;
        (now.saturating_sub(at) <= LASTING).then_some(seen)
    }

    /// Keeps an open upload.
    pub(in crate::registry) fn opened(&self, path: &str, session: Session) {
        self.lock().uploads.insert(path.to_owned(), session);
    }

    /// An upload that was opened and not used yet.
    pub(in crate::registry) fn upload(&self, path: &str) -> Option<Session> {
        self.lock().uploads.remove(path)
    }

    fn lock(&self) -> MutexGuard<'_, Answers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! Uploads that are open, so that an interrupted run can close them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use reqwest::Url;
use reqwest::header::HeaderValue;

use super::endpoint::Endpoint;

/// What closing an upload takes.
#[derive(Debug, Clone)]
pub(super) struct OpenUpload {
    /// Where it is.
    pub(super) url: Url,
    /// The registry that opened it.
    pub(super) endpoint: Endpoint,
    /// What it was opened with; nothing for an upload at another origin.
    pub(super) authorization: Option<HeaderValue>,
}

/// The open uploads of a run.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<BTreeMap<u64, OpenUpload>>);

impl Sessions {
    /// Takes note of an upload, and gives it a number.
    pub(super) fn opened(&self, upload: OpenUpload) -> u64 {
        let mut open = self.lock();
        let number = open.last_key_value().map_or(0, |(number, _)| number + 1);
        open.insert(number, upload);
        number
    }

    /// An upload ended, in whatever way: there is nothing to close.
    pub(super) fn ended(&self, number: u64) {
        self.lock().remove(&number);
    }

    /// All that are open, which are then nobody's any more.
    pub(super) fn take(&self) -> Vec<OpenUpload> {
        std::mem::take(&mut *self.lock()).into_values().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, OpenUpload>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

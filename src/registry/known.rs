//! Which repositories of a registry have which blob, as far as this run knows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Mutex as AsyncMutex;

use crate::digest::Digest;

/// The repositories that have a blob, by their paths.
pub(super) type Holders = BTreeSet<String>;

/// All blobs that this run saw in a registry.
///
/// Whoever pushes a blob holds its lock meanwhile: others who need it wait, and then find it in their
/// own repository or have it taken over, instead of sending it at the same time.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<BTreeMap<Digest, Arc<AsyncMutex<Holders>>>>);

impl Known {
    /// The holders of a blob.
    pub(super) fn holders(&self, digest: &Digest) -> Arc<AsyncMutex<Holders>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(*digest).or_default())
    }

    /// Notes that a repository has a blob, unless somebody is about to find that out.
    pub(super) fn note(&self, digest: &Digest, repository: &str) {
        if let Ok(mut holders) = self.holders(digest).try_lock() {
            holders.insert(repository.to_owned());
        }
    }
}

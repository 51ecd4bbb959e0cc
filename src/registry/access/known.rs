//! Which repositories of a registry have which blob, as far as this run knows, and whose turn it is to
//! bring one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Mutex as AsyncMutex;

use crate::digest::Digest;

/// How a registry says that it got a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::registry) enum How {
    /// From another of its repositories.
    Mounted,
    /// From us.
    Uploaded,
}

/// The repositories that have a blob, by their paths.
pub(in crate::registry) type Holders = BTreeSet<String>;

/// Held by whoever does what others need to be done once.
pub(in crate::registry) type Turn = Arc<AsyncMutex<()>>;

/// All blobs that this run saw in a registry.
///
/// Whoever brings a blob has its turn meanwhile: others who need it in the same repository wait, and then
/// find it there. Others who need it elsewhere wait as long as no repository has it; from then on all of them
/// have it taken over at the same time.
#[derive(Debug, Default)]
pub(in crate::registry) struct Known {
    holders: Mutex<BTreeMap<Digest, Holders>>,
    /// Blobs that a repository got by the registry's own account, and that nobody looked for since.
    acknowledged: Mutex<BTreeMap<(Digest, String), How>>,
    /// By blob, and by repository; `None` is the first one that gets it.
    turns: Mutex<BTreeMap<(Digest, Option<String>), Turn>>,
}

impl Known {
    /// Those that have a blob.
    pub(in crate::registry) fn holders(&self, digest: &Digest) -> Holders {
        locked(&self.holders)
            .get(digest)
            .cloned()
            .unwrap_or_default()
    }

    /// Whether a repository has a blob.
    pub(in crate::registry) fn has(&self, digest: &Digest, repository: &str) -> bool {
        let holders = locked(&self.holders);
        holders
            .get(digest)
            .is_some_and(|holders| holders.contains(repository))
    }

    /// Notes that a repository has a blob.
    pub(in crate::registry) fn note(&self, digest: &Digest, repository: &str) {
        let mut holders = locked(&self.holders);
        let of_blob = holders.entry(*digest).or_default();
        of_blob.insert(repository.to_owned());
    }

    /// Forgets that a repository has a blob.
    pub(in crate::registry) fn forget(&self, digest: &Digest, repository: &str) {
        if let Some(of_blob) = locked(&self.holders).get_mut(digest) {
            of_blob.remove(repository);
        }
    }

    /// Notes that a repository got a blob by the registry's own account.
    pub(in crate::registry) fn acknowledge(&self, digest: &Digest, repository: &str, how: How) {
        locked(&self.acknowledged).insert((*digest, repository.to_owned()), how);
    }

    /// How a repository got a blob that nobody looked for since.
    pub(in crate::registry) fn acknowledged(
        &self,
        digest: &Digest,
        repository: &str,
    ) -> Option<How> {
        let key = (*digest, repository.to_owned());
        locked(&self.acknowledged).get(&key).copied()
    }

    /// Notes that a blob was found in a repository.
    pub(in crate::registry) fn confirm(&self, digest: &Digest, repository: &str) {
        locked(&self.acknowledged).remove(&(*digest, repository.to_owned()));
    }

    /// The turn to bring a blob into a repository.
    pub(in crate::registry) fn turn(&self, digest: &Digest, repository: &str) -> Turn {
        self.turn_of((*digest, Some(repository.to_owned())))
    }

    /// The turn to bring a blob that no repository has yet.
    pub(in crate::registry) fn first_turn(&self, digest: &Digest) -> Turn {
        self.turn_of((*digest, None))
    }

    fn turn_of(&self, key: (Digest, Option<String>)) -> Turn {
        Arc::clone(locked(&self.turns).entry(key).or_default())
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

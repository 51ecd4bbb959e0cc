//! What a run knows of one registry: who we are there, how it wants to be told, and current tokens.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, OnceCell};

use super::challenge::Challenge;
use super::credential::{Credential, CredentialSource};
use super::endpoint::Endpoint;
use super::server_words::ServerWords;
use super::token::{Scope, Token};

/// A place for the token of one scope. Holding its lock while asking for a token makes everybody
/// else wait for the answer instead of asking too.
pub(super) type TokenSlot = Arc<AsyncMutex<Option<Token>>>;

/// How a registry wants to be told who we are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scheme {
    /// It does not.
    Open,
    /// In this way.
    Asking(Challenge),
}

/// One registry, shared by all calls of a run.
#[derive(Debug)]
pub(super) struct Access {
    endpoint: Endpoint,
    /// Looked up once; `None` is anonymous.
    pub(super) credential: OnceCell<Option<(Credential, CredentialSource)>>,
    /// Learned from the first answer; the lock is held while asking.
    pub(super) scheme: AsyncMutex<Option<Scheme>>,
    tokens: Mutex<BTreeMap<Scope, TokenSlot>>,
    refusal: Mutex<Option<ServerWords>>,
    accepted: AtomicBool,
}

impl Access {
    /// Nothing known yet.
    pub(super) fn new(endpoint: Endpoint) -> Arc<Self> {
        Self::with(endpoint, OnceCell::new())
    }

    /// With this credential instead of what the configuration holds.
    pub(super) fn with_credential(endpoint: Endpoint, credential: Credential) -> Arc<Self> {
        let given = Some((credential, CredentialSource::Given));
        Self::with(endpoint, OnceCell::new_with(Some(given)))
    }

    fn with(
        endpoint: Endpoint,
        credential: OnceCell<Option<(Credential, CredentialSource)>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            endpoint,
            credential,
            scheme: AsyncMutex::new(None),
            tokens: Mutex::default(),
            refusal: Mutex::default(),
            accepted: AtomicBool::new(false),
        })
    }

    /// Where the registry listens.
    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The place for a scope's token.
    pub(super) fn token(&self, scope: &Scope) -> TokenSlot {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(tokens.entry(scope.clone()).or_default())
    }

    /// Remembers that the credential is wrong, so that nobody shows it again: accounts get locked.
    pub(super) fn remember_refusal(&self, words: ServerWords) {
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
    }

    /// Remembers that the registry took the credential: a later 401 is about one repository.
    pub(super) fn remember_acceptance(&self) {
        self.accepted.store(true, Ordering::Relaxed);
    }

    /// Whether the registry ever took the credential.
    pub(super) fn is_accepted(&self) -> bool {
        self.accepted.load(Ordering::Relaxed)
    }

    /// What the registry said when it refused the credential, if it did.
    pub(super) fn refusal(&self) -> Option<ServerWords> {
        let refusal = self.refusal.lock().unwrap_or_else(PoisonError::into_inner);
        refusal.clone()
    }
}

//! What a run knows of one registry: who we are there, how it wants to be told, and current tokens.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, OnceCell};

use super::challenge::Challenge;
use super::known::Known;
use super::ready::Ready;
use super::token::{Scope, Token};
use crate::registry::addresses::endpoint::Endpoint;
use crate::registry::credential::{Credential, CredentialSource};
use crate::registry::words::server_words::ServerWords;

/// A scope is part of an address, which must not become too long.
const MAX_SIBLINGS: usize = 15;

/// A place for the token of one scope. Holding its lock while asking for a token makes everybody
/// else wait for the answer instead of asking too.
pub(in crate::registry) type TokenSlot = Arc<AsyncMutex<Option<Token>>>;

/// How a registry wants to be told who we are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::registry) enum Scheme {
    /// It does not.
    Open,
    /// In this way.
    Asking(Challenge),
}

/// What the ping told of a registry, whoever asks. The lock is held while asking, so that nobody else does.
pub(in crate::registry) type Greeting = Arc<AsyncMutex<Option<Scheme>>>;

/// One registry, shared by all calls of a run.
#[derive(Debug)]
pub(in crate::registry) struct Access {
    endpoint: Endpoint,
    /// Looked up once; `None` is anonymous.
    pub(in crate::registry) credential: OnceCell<Option<(Credential, CredentialSource)>>,
    /// Learned from the first answer.
    pub(in crate::registry) scheme: Greeting,
    tokens: Mutex<BTreeMap<Scope, TokenSlot>>,
    refusal: Mutex<Option<ServerWords>>,
    accepted: AtomicBool,
    /// Held by whoever shows the credential to a token service that never took it: others wait for what
    /// it says.
    pub(in crate::registry) first: AsyncMutex<()>,
    /// Which blobs are where.
    pub(in crate::registry) known: Known,
    /// What pushes need not ask again.
    pub(in crate::registry) ready: Ready,
    /// How often it refused to take a blob over.
    pub(in crate::registry) declined: AtomicU32,
    /// Paths of the repositories that this run pushes to.
    siblings: Mutex<BTreeSet<String>>,
    batching: Mutex<Batching>,
    /// Scopes that a registry asked for in place of ours.
    wider: Mutex<BTreeMap<Scope, String>>,
}

/// Whether one token may be asked for with several scopes: some token services grant only one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Batching {
    #[default]
    Untried,
    Works,
    Fails,
}

impl Access {
    /// Nothing known yet but what the registry told others.
    pub(in crate::registry) fn new(endpoint: Endpoint, greeting: Greeting) -> Arc<Self> {
        Self::with(endpoint, OnceCell::new(), greeting)
    }

    /// As nobody, whatever the configuration holds.
    pub(in crate::registry) fn anonymous(endpoint: Endpoint, greeting: Greeting) -> Arc<Self> {
        Self::with(endpoint, OnceCell::new_with(Some(None)), greeting)
    }

    /// With this credential instead of what the configuration holds.
    pub(in crate::registry) fn with_credential(
        endpoint: Endpoint,
        credential: Credential,
    ) -> Arc<Self> {
        let given = Some((credential, CredentialSource::Given));
        let given = OnceCell::new_with(Some(given));
        Self::with(endpoint, given, Greeting::default())
    }

    fn with(
        endpoint: Endpoint,
        credential: OnceCell<Option<(Credential, CredentialSource)>>,
        scheme: Greeting,
    ) -> Arc<Self> {
        Arc::new(Self {
            endpoint,
            credential,
            scheme,
            tokens: Mutex::default(),
            refusal: Mutex::default(),
            accepted: AtomicBool::new(false),
            first: AsyncMutex::new(()),
            known: Known::default(),
            ready: Ready::default(),
            declined: AtomicU32::new(0),
            siblings: Mutex::default(),
            batching: Mutex::default(),
            wider: Mutex::default(),
        })
    }

    /// Where the registry listens.
    pub(in crate::registry) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The place for a scope's token.
    pub(in crate::registry) fn token(&self, scope: &Scope) -> TokenSlot {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(tokens.entry(scope.clone()).or_default())
    }

    /// Remembers that the credential is wrong, so that nobody shows it again: accounts get locked.
    pub(in crate::registry) fn remember_refusal(&self, words: ServerWords) {
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
    }

    /// Remembers that the registry took the credential: a later 401 is about one repository.
    pub(in crate::registry) fn remember_acceptance(&self) {
        self.accepted.store(true, Ordering::Relaxed);
    }

    /// Whether the registry ever took the credential.
    pub(in crate::registry) fn is_accepted(&self) -> bool {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Takes note of a repository that this run pushes to.
    pub(in crate::registry) fn expect(&self, path: String) {
        let mut siblings = self.siblings.lock().unwrap_or_else(PoisonError::into_inner);
        siblings.insert(path);
    }

    /// Repositories, other than this, that a token for it should be able to read, so that blobs can be
    /// taken over from them.
    pub(in crate::registry) fn siblings_of(&self, path: &str) -> Vec<String> {
        let siblings = self.siblings.lock().unwrap_or_else(PoisonError::into_inner);
        let others = siblings.iter().filter(|sibling| *sibling != path);
        others.take(MAX_SIBLINGS).cloned().collect()
    }

    /// Remembers that tokens of several scopes are granted.
    pub(in crate::registry) fn remember_batches(&self) {
        *self.batching() = Batching::Works;
    }

    /// Takes a refused token of several scopes for a sign that they are not granted, unless they were.
    pub(in crate::registry) fn doubt_batches(&self) {
        let mut batching = self.batching();
        if *batching == Batching::Untried {
            *batching = Batching::Fails;
        }
    }

    /// Remembers that tokens of several scopes are not given.
    pub(in crate::registry) fn refuse_batches(&self) {
        *self.batching() = Batching::Fails;
    }

    /// Whether tokens of several scopes may be asked for.
    pub(in crate::registry) fn batches(&self) -> bool {
        *self.batching() != Batching::Fails
    }

    fn batching(&self) -> MutexGuard<'_, Batching> {
        self.batching.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers that a registry wants another scope in place of ours.
    pub(in crate::registry) fn widen(&self, scope: &Scope, wanted: String) {
        let mut wider = self.wider.lock().unwrap_or_else(PoisonError::into_inner);
        wider.insert(scope.clone(), wanted);
    }

    /// What to ask a token for, if anything in particular.
    pub(in crate::registry) fn wording(&self, scope: &Scope) -> Option<String> {
        let wider = self.wider.lock().unwrap_or_else(PoisonError::into_inner);
        let ours = || scope.text().map(str::to_owned);
        wider.get(scope).cloned().or_else(ours)
    }

    /// What the registry said when it refused the credential, if it did.
    pub(in crate::registry) fn refusal(&self) -> Option<ServerWords> {
        let refusal = self.refusal.lock().unwrap_or_else(PoisonError::into_inner);
        refusal.clone()
    }
}

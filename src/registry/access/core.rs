//! What all calls of a run share.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::knowledge::{Access, Greeting};
use crate::process::{Environment, Interrupt};
use crate::reference::Repository;
use crate::registry::addresses::endpoint::Endpoint;
use crate::registry::addresses::server_key::server_key;
use crate::registry::addresses::vouched::Vouched;
use crate::registry::credentials::keychain;
use crate::registry::errors::error::RegistryError;
use crate::registry::options::Options;
use crate::registry::patience::budget::Budget;
use crate::registry::patience::limit::Limit;
use crate::registry::patience::waits::Patience;
use crate::registry::wire::certificates;
use crate::registry::wire::transport::Transport;
use crate::registry::words::notes::Notes;
use crate::registry::words::recent::Recent;
use crate::registry::words::warnings::Warnings;
use crate::report::Clock;

/// Blobs that are on their way at the same time.
const MOST_TRANSFERS: usize = 8;

/// The shared part of the client.
#[derive(Debug)]
pub(in crate::registry) struct Core {
    /// Where credentials are looked up.
    pub(in crate::registry) environment: Environment,
    /// Tokens expire by it.
    pub(in crate::registry) clock: Clock,
    /// Ends every wait.
    pub(in crate::registry) interrupt: Interrupt,
    /// The connections.
    pub(in crate::registry) transport: Transport,
    /// The waits.
    pub(in crate::registry) patience: Patience,
    /// Whether what was sent is looked for afterwards.
    pub(in crate::registry) confirm: bool,
    insecure: Vec<String>,
    /// The time for all calls.
    pub(in crate::registry) budget: Budget,
    /// Each upload is one, and so is taking a blob over, of which one may come.
    pub(in crate::registry) transfers: Limit,
    /// What registries say besides.
    pub(in crate::registry) warnings: Warnings,
    /// What only those hear who want detail.
    pub(in crate::registry) notes: Notes,
    /// What servers were told lately.
    pub(in crate::registry) recent: Recent,
    /// Where token services may be besides.
    pub(in crate::registry) vouched: Vouched,
    accesses: Mutex<Accesses>,
    /// Whether the modes of files with credentials were looked at.
    looked: OnceLock<()>,
}

/// What is known of registries. One may know us by several names, each for a part of its repositories.
#[derive(Debug, Default)]
struct Accesses {
    by_repository: BTreeMap<String, Arc<Access>>,
    by_credential: BTreeMap<(String, String), Arc<Access>>,
    /// By registry.
    greetings: BTreeMap<String, Greeting>,
    /// By registry: those that read without saying who we are.
    anonymous: BTreeMap<String, Arc<Access>>,
    /// Repositories that nobody may read without a login.
    closed: BTreeSet<String>,
}

impl Accesses {
    /// What a registry told before, and will tell.
    fn greeting(&mut self, registry: &str) -> Greeting {
        let greetings = &mut self.greetings;
        Arc::clone(greetings.entry(registry.to_owned()).or_default())
    }
}

impl Core {
    /// Nothing known yet.
    pub(in crate::registry) fn new(
        environment: &Environment,
        clock: Clock,
        interrupt: &Interrupt,
        options: Options,
    ) -> Result<Self, RegistryError> {
        Ok(Self {
            environment: environment.clone(),
            patience: Patience::new(clock.clone(), options.seed, options.listener),
            confirm: options.confirm,
            insecure: options.insecure,
            budget: Budget::new(options.budget, clock.clone()),
            clock,
            interrupt: interrupt.clone(),
            transport: Transport::new(environment, options.limits)?,
            transfers: Limit::of(MOST_TRANSFERS, 1),
            warnings: Warnings::default(),
            notes: Notes::default(),
            recent: Recent::default(),
            vouched: Vouched::of(environment),
            accesses: Mutex::default(),
            looked: OnceLock::new(),
        })
    }

    /// Where a registry listens: over plain http if the caller said so, over TLS wherever it is if there
    /// are certificates for it.
    pub(in crate::registry) fn endpoint(&self, registry: &str) -> Result<Endpoint, RegistryError> {
        let key = server_key(registry);
        if self
            .insecure
            .iter()
            .any(|insecure| server_key(insecure) == key)
        {
            Endpoint::over("http", registry)
        } else if certificates::directory(&self.environment, registry).is_some() {
            Endpoint::over("https", registry)
        } else {
            Endpoint::of(registry)
        }
    }

    /// What is known of a repository's registry without saying who we are; nothing where that is known
    /// to be in vain.
    pub(in crate::registry) fn anonymous(
        &self,
        repository: &Repository,
    ) -> Result<Option<Arc<Access>>, RegistryError> {
        let mut accesses = self.accesses();
        if accesses.closed.contains(&repository.to_string()) {
            return Ok(None);
        }
        let registry = repository.registry();
        if let Some(access) = accesses.anonymous.get(registry) {
            return Ok(Some(Arc::clone(access)));
        }
        let greeting = accesses.greeting(registry);
        let access = Access::anonymous(self.endpoint(registry)?, greeting);
        let name = registry.to_owned();
        accesses.anonymous.insert(name, Arc::clone(&access));
        Ok(Some(access))
    }

    /// Remembers that a repository wants a login.
    pub(in crate::registry) fn remember_closed(&self, repository: &Repository) {
        self.accesses().closed.insert(repository.to_string());
    }

    fn accesses(&self) -> MutexGuard<'_, Accesses> {
        self.accesses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Warns, once, of files with credentials that are not their owner's alone.
    fn look_who_else_reads(&self) {
        self.looked.get_or_init(|| {
            // What cannot be read is told when a credential is needed.
            for exposed in keychain::exposed_files(&self.environment).unwrap_or_default() {
                let hint = exposed.hint();
                self.warnings.add(format!("{exposed}: {hint}"));
            }
        });
    }

    /// What is known of a repository's registry.
    pub(in crate::registry) fn access(
        &self,
        repository: &Repository,
    ) -> Result<Arc<Access>, RegistryError> {
        let mut accesses = self.accesses();
        let name = repository.to_string();
        if let Some(access) = accesses.by_repository.get(&name) {
            return Ok(Arc::clone(access));
        }
        self.look_who_else_reads();
        // What is wrong with a configuration is said when a credential is needed.
        let scope = keychain::scope_of(&self.environment, &name).unwrap_or_default();
        let place = (repository.registry().to_owned(), scope);
        let access = if let Some(access) = accesses.by_credential.get(&place) {
            Arc::clone(access)
        } else {
            let greeting = accesses.greeting(repository.registry());
            Access::new(self.endpoint(repository.registry())?, greeting)
        };
        accesses.by_credential.insert(place, Arc::clone(&access));
        accesses.by_repository.insert(name, Arc::clone(&access));
        Ok(access)
    }
}

//! One call of the face: sends requests with the right permit, repeats them, counts them, and turns
//! what went wrong into errors that name what was tried.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use reqwest::header::{HeaderValue, LOCATION, WARNING};
use reqwest::{Method, StatusCode, Url};

use super::authorize::Permit;
use super::redirect::MAX_REDIRECTS;
use crate::reference::Repository;
use crate::registry::access::core::Core;
use crate::registry::access::knowledge::Access;
use crate::registry::access::token::Scope;
use crate::registry::addresses::address::host_of;
use crate::registry::addresses::location;
use crate::registry::errors::error::{Attempt, RegistryError, User};
use crate::registry::patience::limit::{Limit, Running};
use crate::registry::patience::retry::{self, Decision, Ending};
use crate::registry::wire::reply::Reply;
use crate::registry::wire::request::Request;
use crate::report::printable;

/// How hard to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::registry) enum Persistence {
    /// Repeat what [`retry`] finds worth it.
    Patient,
    /// The same once, and no silence: there is another way.
    Brief,
    /// One answer is enough; the caller decides what follows.
    Once,
}

/// Who a request says that we are.
#[derive(Debug)]
pub(in crate::registry) enum Who<'a> {
    /// Nobody.
    Nobody,
    /// Whoever this value of `Authorization` names.
    Named(&'a HeaderValue),
    /// The user, by the permit that is good when the request's turn comes; it is left here.
    User(&'a mut Permit),
}

impl<'a> Who<'a> {
    /// By a value of `Authorization`, if there is one.
    pub(in crate::registry) fn of(authorization: Option<&'a HeaderValue>) -> Self {
        authorization.map_or(Self::Nobody, Self::Named)
    }

    fn header(&self) -> Option<&HeaderValue> {
        match self {
            Self::Nobody => None,
            Self::Named(header) => Some(header),
            Self::User(permit) => permit.header(),
        }
    }
}

/// One call on behalf of one repository, or of none for a login.
#[derive(Debug)]
pub(in crate::registry) struct Call<'a> {
    /// What all calls share.
    pub(in crate::registry) core: &'a Core,
    /// What is known of the registry.
    pub(in crate::registry) access: Arc<Access>,
    /// What permits are asked for.
    pub(in crate::registry) scope: Scope,
    repository: Option<&'a Repository>,
    requests: AtomicU64,
}

impl<'a> Call<'a> {
    /// A call that concerns a repository.
    pub(in crate::registry) fn new(
        core: &'a Core,
        repository: &'a Repository,
    ) -> Result<Self, RegistryError> {
        let access = core.access(repository)?;
        access.expect(access.endpoint().api_path(repository));
        Ok(Self {
            scope: Scope::push(access.endpoint(), repository),
            core,
            access,
            repository: Some(repository),
            requests: AtomicU64::new(0),
        })
    }

    /// A call that only reads from a repository, as whoever `access` knows.
    pub(in crate::registry) fn reading(
        core: &'a Core,
        repository: &'a Repository,
        access: Arc<Access>,
    ) -> Self {
        Self {
            scope: Scope::pull(access.endpoint(), repository),
            core,
            access,
            repository: Some(repository),
            requests: AtomicU64::new(0),
        }
    }

    /// A call that only shows who we are.
    pub(in crate::registry) fn login(core: &'a Core, access: Arc<Access>) -> Self {
        Self {
            core,
            access,
            scope: Scope::login(),
            repository: None,
            requests: AtomicU64::new(0),
        }
    }

    /// The repository, or the registry of a call that concerns none: what credentials are looked up for.
    pub(in crate::registry) fn name(&self) -> String {
        match self.repository {
            Some(repository) => repository.to_string(),
            None => self.access.endpoint().registry().to_owned(),
        }
    }

    /// Requests this call sent, including those for tokens.
    pub(in crate::registry) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// The repository's path as the API wants it.
    pub(in crate::registry) fn path(&self) -> String {
        let endpoint = self.access.endpoint();
        self.repository
            .map(|repository| endpoint.api_path(repository))
            .unwrap_or_default()
    }

    /// The URL of something in the repository, such as `blobs/uploads/`.
    pub(in crate::registry) fn url(&self, rest: &str) -> Url {
        let endpoint = self.access.endpoint();
        match self.repository {
            Some(repository) => endpoint.of_repository(repository, rest),
            None => endpoint.root(),
        }
    }

    /// Sends a request. To the registry's own origin it goes with a permit, and once more with a
    /// fresh one after a 401; to any other origin it goes without, whatever that origin answers,
    /// and so it goes to any address that another origin named.
    pub(in crate::registry) async fn perform(
        &self,
        request: &Request,
        persistence: Persistence,
    ) -> Result<Reply, RegistryError> {
        if request.stranger || !self.access.endpoint().owns(&request.url) {
            return self.persist(request, Who::Nobody, persistence).await;
        }
        let mut permit = self.permit().await?;
        let user = Who::User(&mut permit);
        let reply = self.persist(request, user, persistence).await?;
        if says_who_we_are(reply.status) {
            match permit {
                Permit::Basic(_) => self.access.remember_acceptance(),
                Permit::Bearer { batched: true, .. } => self.access.remember_batches(),
                Permit::Bearer { .. } | Permit::Anonymous => {}
            }
        }
        if !self.may_be_expired(&permit, &reply).await || !self.learn(&permit, &reply).await? {
            return Ok(reply);
        }
        let mut fresh = self.permit().await?;
        if fresh == permit {
            return Ok(reply);
        }
        let user = Who::User(&mut fresh);
        let reply = self.persist(request, user, persistence).await?;
        if reply.status == StatusCode::UNAUTHORIZED {
            self.learn(&fresh, &reply).await?;
        }
        Ok(reply)
    }

    /// Sends a request that reads, following redirects to wherever the registry may send us.
    pub(in crate::registry) async fn follow(
        &self,
        request: Request,
    ) -> Result<Reply, RegistryError> {
        let mut request = request;
        for _ in 0..=MAX_REDIRECTS {
            let reply = self.perform(&request, Persistence::Patient).await?;
            let redirected = matches!(reply.status.as_u16(), 301 | 302 | 303 | 307 | 308);
            let reads = matches!(request.method, Method::GET | Method::HEAD);
            if !redirected || !reads {
                return Ok(reply);
            }
            let url = self.location(&request.action, &reply)?;
            request.sent_on(url, &reply, self.access.endpoint());
        }
        Err(self.endless(&request.action))
    }

    /// The address that an answer sends us on to.
    pub(in crate::registry) fn location(
        &self,
        action: &str,
        reply: &Reply,
    ) -> Result<Url, RegistryError> {
        let text = reply.text(&LOCATION).ok_or_else(|| {
            let what = "the answer has no usable `Location`".to_owned();
            self.protocol(action, what)
        })?;
        let resolved = location::resolve(&reply.url, text, self.access.endpoint());
        let url = resolved.map_err(|bad| RegistryError::SentAway {
            attempt: Box::new(self.attempt(action)),
            what: bad.to_string(),
        })?;
        self.core.recent.keep_address(&url);
        Ok(url)
    }

    /// Sends a request, as often as `persistence` allows.
    pub(in crate::registry) async fn persist(
        &self,
        request: &Request,
        mut who: Who<'_>,
        persistence: Persistence,
    ) -> Result<Reply, RegistryError> {
        let host = host_of(&request.url);
        let patience = &self.core.patience;
        let limit = patience.limit(&host);
        let mut attempt = 0;
        self.note_receiver(request, who.header(), &host);
        loop {
            let mut running = None;
            if request.waits {
                running = Some(patience.turn(&host, &limit).await);
                if let Who::User(permit) = &mut who {
                    // A token may have ended while it waited.
                    **permit = Box::pin(self.permit()).await?;
                }
            } else {
                patience.pass_gate(&host).await;
            }
            self.requests.fetch_add(1, Ordering::Relaxed);
            let sent = &self.core.transport;
            let sent = sent
                .send(request, who.header(), self.access.endpoint())
                .await;
            let result = sent.map_err(|failure| {
                let plain = request.url.scheme() == "http";
                failure.explain(self.attempt_of(request), host.clone(), plain)
            });
            let first_wait = self.core.transport.limits.first_wait;
            let ending = Ending::of(&result);
            if let Ok(reply) = &result {
                self.hear(reply);
                if let Some(running) = &running {
                    self.heed(reply, ending, &limit, running);
                }
            }
            let decision = retry::next(attempt, ending, first_wait, patience.share());
            if let Decision::AgainAfter(wait) = decision {
                patience.close_gate(&host, wait);
            }
            drop(running);
            match (persistence, decision) {
                (Persistence::Once, _) | (_, Decision::Stop) => return result,
                (Persistence::Brief, _) if attempt > 0 || ending == Ending::Silent => {
                    return result;
                }
                (_, Decision::Again(pause)) => patience.pause(pause).await,
                (_, Decision::AgainAfter(_)) => {}
            }
            attempt += 1;
        }
    }

    /// Takes note of who sees a password or an identity token. Other tokens are worth little to anybody else.
    fn note_receiver(&self, request: &Request, authorization: Option<&HeaderValue>, host: &str) {
        let shown = authorization.is_some_and(|value| value.as_bytes().starts_with(b"Basic "));
        let exchanged = request.token_service.is_some() && request.method == Method::POST;
        if let Some(user) = self.user().filter(|_| shown || exchanged) {
            let registry = self.access.endpoint().registry();
            let name = printable(&user.name);
            let source = &user.source;
            let line = format!(
                "`{host}` is shown the credential of `{name}` for `{registry}`, from {source}"
            );
            self.core.notes.note(line);
        }
    }

    /// Asks for less at a time where an answer says that it is too much, and for more where all is well.
    fn heed(&self, reply: &Reply, ending: Ending, limit: &Limit, running: &Running<'_>) {
        if matches!(reply.status.as_u16(), 429 | 503) {
            if limit.slow_down(running) {
                self.core.transfers.halve();
            }
        } else if ending == Ending::Final {
            limit.went_well();
        }
    }

    /// Takes note of what an answer says beside what was asked.
    fn hear(&self, reply: &Reply) {
        let endpoint = self.access.endpoint();
        if endpoint.owns(&reply.url) && reply.headers.contains_key(WARNING) {
            let secrets = self.secrets(reply);
            let warnings = &self.core.warnings;
            warnings.note(endpoint.registry(), &reply.headers, &secrets);
        }
    }

    /// What was tried, for an error.
    pub(in crate::registry) fn attempt(&self, action: &str) -> Attempt {
        Attempt {
            registry: self.access.endpoint().registry().to_owned(),
            repository: self
                .repository
                .map(|repository| repository.path().to_owned()),
            action: action.to_owned(),
            token_service: None,
        }
    }

    /// What a request tried, for an error.
    pub(in crate::registry) fn attempt_of(&self, request: &Request) -> Attempt {
        Attempt {
            token_service: request.token_service.clone(),
            ..self.attempt(&request.action)
        }
    }

    /// Who we are here, as far as it was looked up.
    pub(in crate::registry) fn user(&self) -> Option<User> {
        let (credential, source) = self.access.credential.get()?.as_ref()?;
        Some(User {
            // Whatever stands in a file, line ends included.
            name: printable(credential.user()),
            source: source.clone(),
        })
    }

    /// The error for an answer that breaks the protocol.
    pub(in crate::registry) fn protocol(&self, action: &str, what: String) -> RegistryError {
        RegistryError::Protocol {
            attempt: Box::new(self.attempt(action)),
            what,
        }
    }

    /// The error for an answer that is no success.
    pub(in crate::registry) fn refused(&self, action: &str, reply: &Reply) -> RegistryError {
        self.refusal(self.attempt(action), reply)
    }

    /// The error for an answer to `attempt` that is no success.
    pub(in crate::registry) fn refusal(&self, attempt: Attempt, reply: &Reply) -> RegistryError {
        let attempt = Box::new(attempt);
        let words = Box::new(self.words(reply));
        let status = reply.status.as_u16();
        match status {
            401 | 403 => RegistryError::Unauthorized {
                attempt,
                status,
                user: self.user().map(Box::new),
                words,
            },
            404 => RegistryError::NotFound { attempt, words },
            429 | 503 => RegistryError::Busy {
                attempt,
                status,
                wait: reply.retry_after(),
                words,
            },
            400 if words.mention("HTTPS server") => RegistryError::NotPlain {
                attempt,
                serves_tls: true,
            },
            _ => RegistryError::Refused {
                attempt,
                status,
                words,
            },
        }
    }
}

/// Whether an answer comes only after the password was found right. Busy and broken servers answer
/// before they look.
fn says_who_we_are(status: StatusCode) -> bool {
    status.as_u16() < 500 && !matches!(status.as_u16(), 400 | 401 | 407 | 408 | 429)
}

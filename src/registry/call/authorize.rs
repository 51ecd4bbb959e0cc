//! Getting the permit for a request to a registry's own origin: the part of a call that knows
//! challenges and credentials. Tokens come from `token_service`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::StatusCode;
use reqwest::header::HeaderValue;

use super::sending::{Call, Persistence, Who};
use crate::registry::access::challenge::{self, Challenge};
use crate::registry::access::knowledge::Scheme;
use crate::registry::access::known::Holders;
use crate::registry::access::token::Token;
use crate::registry::credential::{Credential, CredentialError, CredentialSource};
use crate::registry::credentials::keychain::{credential_source, out_of_reach};
use crate::registry::errors::error::{Attempt, RegistryError};
use crate::registry::wire::reply::Reply;
use crate::registry::wire::request::Request;
use crate::registry::words::redaction::Secrets;
use crate::registry::words::server_words::ServerWords;

/// What goes into `Authorization`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::registry) enum Permit {
    /// Nothing.
    Anonymous,
    /// Name and password.
    Basic(HeaderValue),
    /// A token.
    Bearer {
        /// The header's value.
        header: HeaderValue,
        /// Whether it was asked for with several scopes.
        batched: bool,
    },
}

impl Permit {
    fn of_token(token: &Token) -> Self {
        Self::Bearer {
            header: token.header().clone(),
            batched: !token.readable().is_empty(),
        }
    }

    /// The header's value.
    pub(in crate::registry) fn header(&self) -> Option<&HeaderValue> {
        match self {
            Self::Anonymous => None,
            Self::Basic(header) | Self::Bearer { header, .. } => Some(header),
        }
    }
}

/// Whether a text is a single scope of the repository that `ours` begins with.
fn is_one_scope(scope: &str, ours: &str) -> bool {
    let actions = scope.strip_prefix(ours).unwrap_or_default();
    let legal = |c: char| c.is_ascii_lowercase() || matches!(c, ',' | '*');
    !actions.is_empty() && actions.len() <= 100 && actions.chars().all(legal)
}

impl Call<'_> {
    /// The permit for this call's scope.
    ///
    /// # Errors
    /// When the credential is known to be wrong, or no permit can be had.
    pub(in crate::registry) async fn permit(&self) -> Result<Permit, RegistryError> {
        match self.scheme().await? {
            Scheme::Open => Ok(Permit::Anonymous),
            Scheme::Asking(Challenge::Basic) => self.basic().await,
            Scheme::Asking(Challenge::Bearer { realm, service }) => {
                self.bearer(&realm, service.as_deref()).await
            }
        }
    }

    /// Whether an answer may mean that the permit is no longer good. Some registries say 403 then.
    pub(in crate::registry) async fn may_be_expired(&self, permit: &Permit, reply: &Reply) -> bool {
        if reply.status != StatusCode::FORBIDDEN {
            return reply.status == StatusCode::UNAUTHORIZED;
        }
        let slot = self.access.token(&self.scope);
        let token = slot.lock().await;
        token.as_ref().is_some_and(|token| {
            Some(token.header()) == permit.header() && token.is_old(self.core.clock.now())
        })
    }

    /// A repository that is known to have a blob and that we may read, to take the blob over from.
    pub(in crate::registry) async fn readable(
        &self,
        holders: &Holders,
    ) -> Result<Option<String>, RegistryError> {
        let Permit::Bearer { batched, .. } = self.permit().await? else {
            return Ok(holders.first().cloned());
        };
        let may_be_batched = self.access.is_accepted() && self.access.batches();
        if !batched && may_be_batched && !self.access.siblings_of(&self.path()).is_empty() {
            // It was asked for when nobody knew yet whether the password is right, with our own scope alone.
            *self.access.token(&self.scope).lock().await = None;
            self.permit().await?;
        }
        let slot = self.access.token(&self.scope);
        let token = slot.lock().await;
        let readable = token.iter().flat_map(Token::readable);
        Ok(readable
            .filter(|path| holders.contains(*path))
            .min()
            .cloned())
    }

    /// Another token in place of one that may have ended, if there is one to be had.
    pub(in crate::registry) async fn renewed(
        &self,
        permit: &Permit,
    ) -> Result<Option<Permit>, RegistryError> {
        let Permit::Bearer { .. } = permit else {
            return Ok(None);
        };
        self.forget(permit).await;
        let fresh = self.permit().await?;
        Ok((fresh != *permit).then_some(fresh))
    }

    /// Forgets the token of a permit, unless others got another one meanwhile.
    async fn forget(&self, permit: &Permit) {
        let slot = self.access.token(&self.scope);
        let mut token = slot.lock().await;
        if token.as_ref().map(Token::header) == permit.header() {
            *token = None;
        }
    }

    /// Learns from a 401 to `permit`: forgets the token, takes up a new challenge. Says whether a
    /// fresh permit may help.
    ///
    /// # Errors
    /// [`RegistryError::LoginRefused`] when the 401 answers a password that was never taken.
    pub(in crate::registry) async fn learn(
        &self,
        permit: &Permit,
        reply: &Reply,
    ) -> Result<bool, RegistryError> {
        if let Permit::Basic(_) = permit {
            if self.access.is_accepted() {
                return Ok(false);
            }
            return Err(self.refuse_login(reply));
        }
        if let Permit::Bearer { batched: true, .. } = permit {
            self.access.doubt_batches();
        }
        self.forget(permit).await;
        // Of our own repository only: what else a token may do is not for the registry to say.
        let ours = format!("repository:{}:", self.path());
        let missing = challenge::missing_scope(&reply.headers);
        if missing.is_some() && !self.scope.pushes() {
            // Whoever may read got a token to read with; another one would be the same.
            return Ok(false);
        }
        if let Some(wanted) = missing.filter(|scope| is_one_scope(scope, &ours)) {
            self.access.widen(&self.scope, wanted);
        }
        let challenge = challenge::read(&reply.headers);
        let renewable = challenge.is_some() || matches!(permit, Permit::Bearer { .. });
        if let Some(challenge) = challenge {
            *self.access.scheme.lock().await = Some(Scheme::Asking(challenge));
        }
        Ok(renewable)
    }

    /// Who we are here, looked up once.
    pub(in crate::registry) async fn credential(
        &self,
    ) -> Result<Option<&(Credential, CredentialSource)>, RegistryError> {
        let look_up = || async {
            for path in out_of_reach(&self.core.environment) {
                let path = path.display();
                let note =
                    format!("no credentials are looked for in `{path}`, which is out of reach");
                self.core.notes.note(note);
            }
            let environment = self.core.environment.clone();
            let name = self.name();
            let interrupt = self.core.interrupt.clone();
            // Helpers are programs that may take their time.
            tokio::task::spawn_blocking(move || credential_source(&environment, &name, &interrupt))
                .await
                .unwrap_or(Err(CredentialError::Interrupted))
        };
        let found = self.access.credential.get_or_try_init(look_up).await;
        match found {
            Ok(credential) => {
                if let Some((credential, _)) = credential {
                    let secret = credential.secret().expose();
                    self.core.recent.keep_credential(credential.user(), secret);
                }
                Ok(credential.as_ref())
            }
            Err(CredentialError::Interrupted) => Err(RegistryError::Interrupted),
            Err(error) => {
                if let Some(detail) = error.detail() {
                    self.core.notes.note(detail);
                }
                Err(error.into())
            }
        }
    }

    /// How the registry wants to be told who we are; asked once.
    async fn scheme(&self) -> Result<Scheme, RegistryError> {
        let mut known = self.access.scheme.lock().await;
        if let Some(scheme) = known.as_ref() {
            return Ok(scheme.clone());
        }
        let request = Request::for_challenge(self.access.endpoint().root());
        let action = request.action.clone();
        let send = async |request: &Request| {
            let patient = Persistence::Patient;
            self.persist(request, Who::Nobody, patient).await
        };
        let reply = self.at_home(request, send).await?;
        let scheme = if reply.is_success() {
            Scheme::Open
        } else if reply.status == StatusCode::UNAUTHORIZED {
            let challenge = challenge::read(&reply.headers).ok_or_else(|| {
                self.protocol(&action, "it asks for a login in no known way".to_owned())
            })?;
            Scheme::Asking(challenge)
        } else {
            let attempt = Attempt {
                repository: None,
                ..self.attempt(&action)
            };
            return Err(self.refusal(attempt, &reply));
        };
        *known = Some(scheme.clone());
        Ok(scheme)
    }

    /// The permit of a name and a password, where there is one.
    pub(in crate::registry) async fn basic(&self) -> Result<Permit, RegistryError> {
        self.check_refusal()?;
        match self.credential().await? {
            Some((credential @ Credential::Password { .. }, _)) => {
                Ok(Permit::Basic(basic_of(credential)?))
            }
            _ => Ok(Permit::Anonymous),
        }
    }

    async fn bearer(&self, realm: &str, service: Option<&str>) -> Result<Permit, RegistryError> {
        let slot = self.access.token(&self.scope);
        let mut current = slot.lock().await;
        if let Some(token) = current.as_ref()
            && token.is_fresh(self.core.clock.now())
        {
            return Ok(Permit::of_token(token));
        }
        let token = self.fetch_token(realm, service).await?;
        let permit = Permit::of_token(&token);
        *current = Some(token);
        Ok(permit)
    }

    /// Remembers that the credential is wrong.
    pub(in crate::registry) fn refuse_login(&self, reply: &Reply) -> RegistryError {
        let words = self.words(reply);
        self.access.remember_refusal(words.clone());
        self.login_refused(words)
    }

    /// Fails if the credential was refused before in this run.
    pub(in crate::registry) fn check_refusal(&self) -> Result<(), RegistryError> {
        let refusal = self.access.refusal();
        refusal.map_or(Ok(()), |words| Err(self.login_refused(words)))
    }

    fn login_refused(&self, words: ServerWords) -> RegistryError {
        let registry = self.access.endpoint().registry().to_owned();
        match self.user() {
            Some(user) => RegistryError::LoginRefused {
                registry,
                user: Box::new(user),
                words: Box::new(words),
            },
            None => self.protocol("log in", "it refuses a login that was not shown".to_owned()),
        }
    }

    /// What a server said, without the secrets it was told.
    pub(in crate::registry) fn words(&self, reply: &Reply) -> ServerWords {
        ServerWords::read(&reply.body, &self.secrets(reply))
    }

    /// What a server was told and no message may repeat.
    pub(in crate::registry) fn secrets(&self, reply: &Reply) -> Secrets {
        let mut secrets = reply.secrets();
        self.core.recent.add_to(&mut secrets);
        if let Some(Some((credential, _))) = self.access.credential.get() {
            let secret = credential.secret().expose();
            secrets.keep_pair(&format!("{}:{secret}", credential.user()));
            secrets.keep(secret);
        }
        secrets
    }
}

/// The `Authorization` of a name and a secret (RFC 7617).
pub(in crate::registry) fn basic_of(credential: &Credential) -> Result<HeaderValue, RegistryError> {
    let secret = credential.secret().expose();
    let pair = STANDARD.encode(format!("{}:{secret}", credential.user()));
    let value = HeaderValue::from_str(&format!("Basic {pair}"));
    let mut value = value.map_err(|_| RegistryError::InvalidUser)?;
    value.set_sensitive(true);
    Ok(value)
}

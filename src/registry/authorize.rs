//! Getting the permit for a request to a registry's own origin: the part of a call that knows
//! challenges, credentials and token services.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, StatusCode, Url};
use url::form_urlencoded;

use super::access::Scheme;
use super::call::{Call, Persistence};
use super::challenge::{self, Challenge};
use super::content::Content;
use super::credential::{Credential, CredentialError, CredentialSource};
use super::error::{Attempt, RegistryError};
use super::keychain::credential_source;
use super::known::Holders;
use super::reply::Reply;
use super::request::Request;
use super::server_words::ServerWords;
use super::token::Token;

/// Answers of a token service that hold no token.
const MAX_UNREADABLE: u32 = 3;
const MAX_TOKEN_BODY: usize = 64 * 1024;
/// By what name a token service knows this program (RFC 6749, `client_id`).
const CLIENT_ID: &str = "cargo-lighter";

/// What goes into `Authorization`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Permit {
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
    pub(super) fn header(&self) -> Option<&HeaderValue> {
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
    pub(super) async fn permit(&self) -> Result<Permit, RegistryError> {
        match self.scheme().await? {
            Scheme::Open => Ok(Permit::Anonymous),
            Scheme::Asking(Challenge::Basic) => self.basic().await,
            Scheme::Asking(Challenge::Bearer { realm, service }) => {
                self.bearer(&realm, service.as_deref()).await
            }
        }
    }

    /// Whether an answer may mean that the permit is no longer good. Some registries say 403 then.
    pub(super) async fn may_be_expired(&self, permit: &Permit, reply: &Reply) -> bool {
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
    pub(super) async fn readable(
        &self,
        holders: &Holders,
    ) -> Result<Option<String>, RegistryError> {
        if !matches!(self.permit().await?, Permit::Bearer { .. }) {
            return Ok(holders.first().cloned());
        }
        let slot = self.access.token(&self.scope);
        let token = slot.lock().await;
        let readable = token.iter().flat_map(Token::readable);
        Ok(readable
            .filter(|path| holders.contains(*path))
            .min()
            .cloned())
    }

    /// Learns from a 401 to `permit`: forgets the token, takes up a new challenge. Says whether a
    /// fresh permit may help.
    ///
    /// # Errors
    /// [`RegistryError::LoginRefused`] when the 401 answers a password that was never taken.
    pub(super) async fn learn(
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
        let slot = self.access.token(&self.scope);
        let mut token = slot.lock().await;
        if token.as_ref().map(Token::header) == permit.header() {
            *token = None;
        }
        drop(token);
        // Of our own repository only: what else a token may do is not for the registry to say.
        let ours = format!("repository:{}:", self.path());
        let missing = challenge::missing_scope(&reply.headers);
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
    pub(super) async fn credential(
        &self,
    ) -> Result<Option<&(Credential, CredentialSource)>, RegistryError> {
        let look_up = || async {
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
            Ok(credential) => Ok(credential.as_ref()),
            Err(CredentialError::Interrupted) => Err(RegistryError::Interrupted),
            Err(error) => Err(error.into()),
        }
    }

    /// How the registry wants to be told who we are; asked once.
    async fn scheme(&self) -> Result<Scheme, RegistryError> {
        let mut known = self.access.scheme.lock().await;
        if let Some(scheme) = known.as_ref() {
            return Ok(scheme.clone());
        }
        let request = Request::new(
            Method::GET,
            self.access.endpoint().root(),
            "use the registry",
        );
        let reply = self.persist(&request, None, Persistence::Patient).await?;
        let scheme = if reply.is_success() {
            Scheme::Open
        } else if reply.status == StatusCode::UNAUTHORIZED {
            let challenge = challenge::read(&reply.headers).ok_or_else(|| {
                self.protocol(
                    &request.action,
                    "it asks for a login in no known way".to_owned(),
                )
            })?;
            Scheme::Asking(challenge)
        } else {
            let attempt = Attempt {
                repository: None,
                ..self.attempt(&request.action)
            };
            return Err(self.refusal(attempt, &reply));
        };
        *known = Some(scheme.clone());
        Ok(scheme)
    }

    async fn basic(&self) -> Result<Permit, RegistryError> {
        self.check_refusal()?;
        match self.credential().await? {
            Some((Credential::Password { username, password }, _)) => {
                let pair = STANDARD.encode(format!("{username}:{}", password.expose()));
                let mut value = HeaderValue::from_str(&format!("Basic {pair}"))
                    .map_err(|_| RegistryError::InvalidUser)?;
                value.set_sensitive(true);
                Ok(Permit::Basic(value))
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

    async fn fetch_token(
        &self,
        realm: &str,
        service: Option<&str>,
    ) -> Result<Token, RegistryError> {
        self.check_refusal()?;
        let url = challenge::realm(realm, self.access.endpoint()).map_err(|bad| {
            let what = format!("it names a token service {bad}; no credential was sent");
            self.protocol("get a token", what)
        })?;
        let mut readable = match self.scope.text() {
            Some(_) if self.access.batches() => self.access.siblings_of(&self.path()),
            _ => Vec::new(),
        };
        let mut request = self.token_request(url.clone(), service, &readable).await?;
        let authorization = match self.basic().await? {
            Permit::Basic(value) => Some(value),
            _ => None,
        };
        let mut attempts = 0;
        let reply = loop {
            let reply = self
                .persist(&request, authorization.as_ref(), Persistence::Patient)
                .await?;
            if !reply.is_success() {
                // Some refuse all of it where a part is not granted, such as what does not exist yet.
                if !readable.is_empty() && matches!(reply.status.as_u16(), 400 | 403 | 404) {
                    readable.clear();
                    self.access.refuse_batches();
                    request = self.token_request(url.clone(), service, &readable).await?;
                    continue;
                }
                break reply;
            }
            if self.user().is_some() {
                self.access.remember_acceptance();
            }
            if let Some(token) = Token::read(&reply.body, self.core.clock.now()) {
                return Ok(token.reading(readable));
            }
            attempts += 1;
            if attempts == MAX_UNREADABLE {
                return Err(RegistryError::Protocol {
                    attempt: Box::new(self.attempt_of(&request)),
                    what: "its answer holds no usable token".to_owned(),
                });
            }
            self.core.patience.pause(self.settling(attempts)).await;
        };
        let words = self.words(&reply);
        let wrong = reply.status == StatusCode::UNAUTHORIZED || words.has_code("invalid_grant");
        if wrong && self.user().is_some() && !self.access.is_accepted() {
            return Err(self.refuse_login(&reply));
        }
        Err(self.refusal(self.attempt_of(&request), &reply))
    }

    /// Asks with GET, or with POST where an identity token is to be exchanged.
    async fn token_request(
        &self,
        mut url: Url,
        service: Option<&str>,
        readable: &[String],
    ) -> Result<Request, RegistryError> {
        let mut pairs = Vec::new();
        pairs.extend(service.map(|service| ("service", service)));
        // What is pushed to comes first: some services look only at one.
        let siblings = readable
            .iter()
            .map(|path| format!("repository:{path}:pull"));
        let ours = self.access.wording(&self.scope);
        let scopes: Vec<String> = ours.into_iter().chain(siblings).collect();
        let joined = scopes.join(" ");
        let credential = self.credential().await?.map(|(credential, _)| credential);
        if let Some(Credential::IdentityToken(token)) = credential {
            // A form has one scope, a query has many.
            pairs.extend(self.scope.text().map(|_| ("scope", joined.as_str())));
            pairs.push(("grant_type", "refresh_token"));
            pairs.push(("client_id", CLIENT_ID));
            pairs.push(("refresh_token", token.expose()));
            let form = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(pairs)
                .finish();
            let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
            return Ok(Request::for_token(Method::POST, url)
                .header(CONTENT_TYPE, form_type)
                .content(Content::Bytes(Bytes::from(form)))
                .whole(MAX_TOKEN_BODY));
        }
        pairs.extend(scopes.iter().map(|scope| ("scope", scope.as_str())));
        pairs.extend(credential.map(|credential| ("account", credential.user())));
        if !pairs.is_empty() {
            url.query_pairs_mut().extend_pairs(pairs);
        }
        Ok(Request::for_token(Method::GET, url).whole(MAX_TOKEN_BODY))
    }

    /// Remembers that the credential is wrong.
    fn refuse_login(&self, reply: &Reply) -> RegistryError {
        let words = self.words(reply);
        self.access.remember_refusal(words.clone());
        self.login_refused(words)
    }

    /// Fails if the credential was refused before in this run.
    fn check_refusal(&self) -> Result<(), RegistryError> {
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
    pub(super) fn words(&self, reply: &Reply) -> ServerWords {
        let sent = reply.sent.as_ref().and_then(|value| value.to_str().ok());
        let mut secrets: Vec<&str> = sent
            .and_then(|value| value.split_once(' '))
            .map(|(_, secret)| secret)
            .into_iter()
            .collect();
        if let Some(Some((credential, _))) = self.access.credential.get() {
            secrets.push(credential.secret().expose());
        }
        ServerWords::read(&reply.body, &secrets)
    }
}

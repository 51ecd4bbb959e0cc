//! Asking a token service: with GET, or with POST where an identity token is to be exchanged.

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, StatusCode, Url};
use url::form_urlencoded;

use super::authorize::{Permit, basic_of};
use super::sending::{Call, Persistence, Who};
use crate::registry::access::challenge;
use crate::registry::access::token::Token;
use crate::registry::credential::Credential;
use crate::registry::errors::error::RegistryError;
use crate::registry::wire::content::Content;
use crate::registry::wire::reply::Reply;
use crate::registry::wire::request::Request;

/// Answers of a token service that hold no token.
const MAX_UNREADABLE: u32 = 3;
const MAX_TOKEN_BODY: usize = 64 * 1024;
/// By what name a token service knows this program (RFC 6749, `client_id`).
const CLIENT_ID: &str = "cargo-lighter";

/// What is asked of a token service: less and less, where it does not answer to all of it.
struct Question<'a> {
    url: Url,
    service: Option<&'a str>,
    /// Repositories to read besides the call's own.
    readable: Vec<String>,
    /// Whether an identity token is to be exchanged, and not shown like a password.
    exchanges: bool,
}

impl Call<'_> {
    /// A token for this call's scope, and to read the repositories that blobs may be taken over from.
    pub(in crate::registry) async fn fetch_token(
        &self,
        realm: &str,
        service: Option<&str>,
    ) -> Result<Token, RegistryError> {
        self.check_refusal()?;
        let url = self.token_service(realm)?;
        // A 401 to several scopes could mean any of them. Where it may be the password that is wrong, no more
        // is asked for than is needed, so that it is shown only once.
        let nobody = self.credential().await?.is_none();
        let _first = if nobody || self.access.is_accepted() {
            None
        } else {
            let first = self.access.first.lock().await;
            self.check_refusal()?;
            Some(first)
        };
        let sure = nobody || self.access.is_accepted();
        let mut question = Question {
            url,
            service,
            readable: if sure && self.scope.pushes() && self.access.batches() {
                self.access.siblings_of(&self.path())
            } else {
                Vec::new()
            },
            exchanges: true,
        };
        let mut unreadable = 0;
        loop {
            let (request, authorization) = self.ask_for_token(&question).await?;
            let patient = Persistence::Patient;
            let reply = self
                .persist(&request, Who::of(authorization.as_ref()), patient)
                .await?;
            if !reply.is_success() {
                if self.ask_for_less(&mut question, &request, &reply).await? {
                    continue;
                }
                return Err(self.no_token(&request, &reply));
            }
            if self.user().is_some() {
                self.access.remember_acceptance();
            }
            if let Some(token) = Token::read(&reply.body, self.core.clock.now()) {
                self.core.recent.keep_token(token.header());
                return Ok(token.reading(question.readable));
            }
            unreadable += 1;
            if unreadable == MAX_UNREADABLE {
                return Err(RegistryError::Protocol {
                    attempt: Box::new(self.attempt_of(&request)),
                    what: "its answer holds no usable token".to_owned(),
                });
            }
            self.core.patience.pause(self.settling(unreadable)).await;
        }
    }

    /// Takes something off a question that was refused; tells whether anything was left to take off.
    async fn ask_for_less(
        &self,
        question: &mut Question<'_>,
        request: &Request,
        reply: &Reply,
    ) -> Result<bool, RegistryError> {
        let status = reply.status.as_u16();
        // Not every service knows how to exchange; then the token is as good as a password.
        if question.exchanges
            && request.method == Method::POST
            && matches!(status, 404 | 405)
            && self.credential().await?.is_some()
        {
            question.exchanges = false;
            return Ok(true);
        }
        // Some refuse all of it where a part is not granted, such as what does not exist yet.
        if !question.readable.is_empty() && matches!(status, 400 | 401 | 403 | 404) {
            question.readable.clear();
            self.access.refuse_batches();
            return Ok(true);
        }
        Ok(false)
    }

    /// What a refusal means: a wrong password is not shown again.
    fn no_token(&self, request: &Request, reply: &Reply) -> RegistryError {
        let words = self.words(reply);
        let wrong = reply.status == StatusCode::UNAUTHORIZED || words.has_code("invalid_grant");
        if wrong && self.user().is_some() && !self.access.is_accepted() {
            return self.refuse_login(reply);
        }
        self.refusal(self.attempt_of(request), reply)
    }

    /// The address of the token service that a registry names.
    fn token_service(&self, realm: &str) -> Result<Url, RegistryError> {
        let (endpoint, vouched) = (self.access.endpoint(), &self.core.vouched);
        challenge::realm(realm, endpoint, vouched).map_err(|bad| RegistryError::BadTokenService {
            attempt: Box::new(self.attempt("get a token")),
            what: bad.to_string(),
            service: challenge::may_be_vouched_for(realm, endpoint, &bad),
        })
    }

    /// The request of a question, with what is shown to the service: GET, or POST where an identity token is to be
    /// exchanged.
    async fn ask_for_token(
        &self,
        question: &Question<'_>,
    ) -> Result<(Request, Option<HeaderValue>), RegistryError> {
        let credential = self.credential().await?.map(|(credential, _)| credential);
        let authorization = match (question.exchanges, credential) {
            (false, Some(credential)) => Some(basic_of(credential)?),
            _ => match self.basic().await? {
                Permit::Basic(value) => Some(value),
                _ => None,
            },
        };
        Ok((self.token_request(question, credential), authorization))
    }

    fn token_request(&self, question: &Question<'_>, credential: Option<&Credential>) -> Request {
        let mut url = question.url.clone();
        let mut pairs = Vec::new();
        pairs.extend(question.service.map(|service| ("service", service)));
        // What is pushed to comes first: some services look only at one.
        let siblings = question
            .readable
            .iter()
            .map(|path| format!("repository:{path}:pull"));
        let ours = self.access.wording(&self.scope);
        let scopes: Vec<String> = ours.into_iter().chain(siblings).collect();
        let joined = scopes.join(" ");
        if let Some(Credential::IdentityToken(token)) = credential
            && question.exchanges
        {
            // A form has one scope, a query has many.
            pairs.extend(self.scope.text().map(|_| ("scope", joined.as_str())));
            pairs.push(("grant_type", "refresh_token"));
            pairs.push(("client_id", CLIENT_ID));
            pairs.push(("refresh_token", token.expose()));
            let form = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(pairs)
                .finish();
            let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
            return Request::for_token(Method::POST, url)
                .header(CONTENT_TYPE, form_type)
                .content(Content::Bytes(Bytes::from(form)))
                .whole(MAX_TOKEN_BODY);
        }
        pairs.extend(scopes.iter().map(|scope| ("scope", scope.as_str())));
        pairs.extend(credential.map(|credential| ("account", credential.user())));
        if !pairs.is_empty() {
            url.query_pairs_mut().extend_pairs(pairs);
        }
        Request::for_token(Method::GET, url).whole(MAX_TOKEN_BODY)
    }
}

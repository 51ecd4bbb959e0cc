//! Asking a token service: with GET, or with POST where an identity token is to be exchanged.

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, StatusCode, Url};
use url::form_urlencoded;

use super::authorize::{Permit, basic_of};
use super::call::{Call, Persistence};
use super::challenge;
use super::content::Content;
use super::credential::Credential;
use super::error::RegistryError;
use super::request::Request;
use super::token::Token;

/// Answers of a token service that hold no token.
const MAX_UNREADABLE: u32 = 3;
const MAX_TOKEN_BODY: usize = 64 * 1024;
/// By what name a token service knows this program (RFC 6749, `client_id`).
const CLIENT_ID: &str = "cargo-lighter";

impl Call<'_> {
    /// A token for this call's scope, and to read the repositories that blobs may be taken over from.
    pub(super) async fn fetch_token(
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
        let mut readable = if sure && self.scope.pushes() && self.access.batches() {
            self.access.siblings_of(&self.path())
        } else {
            Vec::new()
        };
        let mut exchanges = true;
        let mut request = self
            .token_request(url.clone(), service, &readable, exchanges)
            .await?;
        let mut authorization = match self.basic().await? {
            Permit::Basic(value) => Some(value),
            _ => None,
        };
        let mut attempts = 0;
        let reply = loop {
            let reply = self
                .persist(&request, authorization.as_ref(), Persistence::Patient)
                .await?;
            if !reply.is_success() {
                // Not every service knows how to exchange; then the token is as good as a password.
                if exchanges
                    && request.method == Method::POST
                    && matches!(reply.status.as_u16(), 404 | 405)
                    && let Some((credential, _)) = self.credential().await?
                {
                    exchanges = false;
                    authorization = Some(basic_of(credential)?);
                    request = self
                        .token_request(url.clone(), service, &readable, exchanges)
                        .await?;
                    continue;
                }
                // Some refuse all of it where a part is not granted, such as what does not exist yet.
                if !readable.is_empty() && matches!(reply.status.as_u16(), 400 | 401 | 403 | 404) {
                    readable.clear();
                    self.access.refuse_batches();
                    request = self
                        .token_request(url.clone(), service, &readable, exchanges)
                        .await?;
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

    /// The address of the token service that a registry names.
    fn token_service(&self, realm: &str) -> Result<Url, RegistryError> {
        let (endpoint, vouched) = (self.access.endpoint(), &self.core.vouched);
        challenge::realm(realm, endpoint, vouched).map_err(|bad| RegistryError::BadTokenService {
            attempt: Box::new(self.attempt("get a token")),
            what: bad.to_string(),
            service: challenge::may_be_vouched_for(realm, endpoint, &bad),
        })
    }

    /// Asks with GET, or with POST where an identity token is to be exchanged, if this `exchanges`.
    async fn token_request(
        &self,
        mut url: Url,
        service: Option<&str>,
        readable: &[String],
        exchanges: bool,
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
        if let Some(Credential::IdentityToken(token)) = credential
            && exchanges
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
}

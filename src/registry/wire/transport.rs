//! Sending one request once: time limits and size limits. Connections, TLS and proxies are those of `clients`.
//!
//! Plain http exists for registries of this machine and for those that `--insecure-registry` names, and never uses a
//! proxy. Redirects are never followed
//! here: whoever sends decides about the next address. Certificate authorities are those of
//! `SSL_CERT_FILE` and `SSL_CERT_DIR` where the environment names them, else the system's, and those that
//! stand in a directory for the host.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, HeaderValue, RANGE};
use reqwest::{Client, ClientBuilder, Method, RequestBuilder, Response, Url};

use super::clients::Clients;
use super::content::Progress;
use super::opening::{Abandoned, Awaited, Opener, Opening};
use super::reply::Reply;
use super::request::{Request, Wanted};
use super::sessions::Sessions;
use crate::process::Environment;
use crate::registry::addresses::endpoint::Endpoint;
use crate::registry::errors::error::{Cause, ProxyTrouble, RegistryError};
use crate::registry::errors::failure::Failure;
use crate::registry::options::Limits;
use crate::report::Meter;

const USER_AGENT: &str = concat!("cargo-lighter/", env!("CARGO_PKG_VERSION"));
/// Time for the body of a refusal, which is only for the message.
const ERROR_BODY_TIME: Duration = Duration::from_secs(10);
/// Time for a body that nobody wants. Most are there with the head, and once they are read the connection can be
/// used again.
const UNWANTED_BODY_TIME: Duration = Duration::from_millis(200);

/// The connections of a run.
#[derive(Debug)]
pub(in crate::registry) struct Transport {
    /// The limits in force.
    pub(in crate::registry) limits: Limits,
    clients: Clients,
    requests: AtomicU64,
    /// Origins that answered before.
    known: Mutex<BTreeSet<String>>,
    /// Uploads that are open.
    pub(in crate::registry) sessions: Sessions,
    /// Uploads that are being opened for nobody.
    pub(in crate::registry) abandoned: Abandoned,
}

impl Transport {
    /// No connection yet.
    ///
    /// # Errors
    /// [`RegistryError::Setup`] when the client library refuses its settings.
    pub(in crate::registry) fn new(
        environment: &Environment,
        limits: Limits,
    ) -> Result<Self, RegistryError> {
        Ok(Self {
            limits,
            clients: Clients::new(environment, limits)?,
            requests: AtomicU64::new(0),
            known: Mutex::default(),
            sessions: Sessions::default(),
            abandoned: Abandoned::default(),
        })
    }

    /// Requests sent so far.
    pub(in crate::registry) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Sends a request once and reads the answer as far as it is wanted.
    /// `endpoint` is the registry on whose behalf, or on whose word, it goes out.
    pub(in crate::registry) async fn send(
        &self,
        request: &Request,
        authorization: Option<&HeaderValue>,
        endpoint: &Endpoint,
    ) -> Result<Reply, Failure> {
        let attempt = request.meter.as_ref().map(Meter::attempt);
        let progress = Progress::new(attempt.as_ref().map(|attempt| attempt.meter().clone()));
        let client = self.clients.of(&request.url, endpoint).await;
        let client = client.map_err(Failure::Setup)?;
        let builder = prepare(&client, request, authorization, &progress).await?;
        self.requests.fetch_add(1, Ordering::Relaxed);
        let patience = request.patience.unwrap_or(self.limits.answer);
        let opener = request.opens.then(|| Opener {
            url: request.url.clone(),
            endpoint: endpoint.clone(),
            authorization: authorization.cloned(),
        });
        let stalled = progress.stalled(self.limits.idle, patience);
        let sent = self.head(builder, opener.as_ref(), stalled).await?;
        let mut response = match (sent, progress.failure()) {
            (_, Some(error)) => return Err(Failure::Content(error)),
            (Some(Err(error)), None) => return Err(self.failure_of(&error, &request.url)),
            (None, None) => {
                let cause = Cause("the request came to no end".to_owned());
                return Err(Failure::Lost(cause));
            }
            (Some(Ok(response)), None) => response,
        };
        self.remember(&request.url);
        let upload = opener.and_then(|opener| opener.upload(response.status(), response.headers()));
        let number = upload.map(|upload| self.sessions.opened(upload));
        let body = self.read_body(&mut response, request).await?;
        if let Some(attempt) = attempt.filter(|_| response.status().is_success()) {
            attempt.succeeded();
        }
        Ok(Reply {
            status: response.status(),
            headers: std::mem::take(response.headers_mut()),
            body,
            url: request.url.clone(),
            sent: authorization.cloned(),
            opened: number,
        })
    }

    /// Waits for the head of the answer, as long as the server is not `stalled`; `None` where the request came to no
    /// end.
    async fn head(
        &self,
        builder: RequestBuilder,
        opener: Option<&Opener>,
        stalled: impl Future<Output = Duration>,
    ) -> Result<Option<reqwest::Result<Response>>, Failure> {
        let stalled = std::pin::pin!(stalled);
        let Some(opener) = opener else {
            return match select(std::pin::pin!(builder.send()), stalled).await {
                Either::Left((sent, _)) => Ok(Some(sent)),
                Either::Right((limit, _)) => Err(Failure::TimedOut(limit)),
            };
        };
        let opening = Opening::send(builder.send(), opener.clone());
        match select(Awaited::new(opening, &self.abandoned), stalled).await {
            Either::Left((sent, _)) => Ok(sent),
            Either::Right((limit, mut awaited)) => {
                awaited.give_up();
                Err(Failure::TimedOut(limit))
            }
        }
    }

    async fn read_body(
        &self,
        response: &mut Response,
        request: &Request,
    ) -> Result<Vec<u8>, Failure> {
        let succeeds = response.status().is_success();
        if let Wanted::File(sink) = &request.wanted
            && succeeds
        {
            let explain = |error: &reqwest::Error| self.failure_of(error, &request.url);
            sink.take(response, self.limits.idle, explain).await?;
            return Ok(Vec::new());
        }
        let strict = matches!(request.wanted, Wanted::Whole(_)) && succeeds;
        let (limit, time) = if strict {
            (request.wanted.limit(), self.limits.answer)
        } else if succeeds {
            (Wanted::Head.limit(), UNWANTED_BODY_TIME)
        } else {
            (
                Wanted::Head.limit(),
                ERROR_BODY_TIME.min(self.limits.answer),
            )
        };
        let mut body = Vec::new();
        let outcome = tokio::time::timeout(time, read_up_to(response, limit, &mut body)).await;
        match outcome {
            _ if !strict => {}
            Ok(Ok(true)) => {}
            Ok(Ok(false)) => return Err(Failure::TooMuch(limit)),
            Ok(Err(error)) => return Err(self.failure_of(&error, &request.url)),
            Err(_) => return Err(Failure::TimedOut(time)),
        }
        Ok(body)
    }

    fn failure_of(&self, error: &reqwest::Error, url: &Url) -> Failure {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.contains(&url.origin().ascii_serialization());
        let proxy = self.clients.proxy_variable();
        let failure = Failure::of(error, self.limits.connect, known, proxy);
        // Where NO_PROXY names the host, the proxy may be of any kind.
        if let Failure::Proxy(_, ProxyTrouble::Absent, _) = failure
            && let Some(error) = self.clients.unsupported_proxy()
        {
            return Failure::Setup(error);
        }
        failure
    }

    fn remember(&self, url: &Url) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(url.origin().ascii_serialization());
    }
}

async fn prepare(
    client: &Client,
    request: &Request,
    authorization: Option<&HeaderValue>,
    progress: &Progress,
) -> Result<RequestBuilder, Failure> {
    let mut builder = client
        .request(request.method.clone(), request.url.clone())
        .headers(request.headers.clone())
        // What is read is hashed as it comes.
        .header(ACCEPT_ENCODING, "identity");
    if matches!(request.method, Method::GET | Method::HEAD) {
        progress.finish();
    } else {
        let body = request.content.open(progress).await;
        builder = builder
            .header(CONTENT_LENGTH, request.content.size())
            .body(body.map_err(Failure::Content)?);
    }
    if let Some(value) = authorization {
        builder = builder.header(AUTHORIZATION, value.clone());
    }
    if let Wanted::File(sink) = &request.wanted {
        let position = sink.position().await;
        if position > 0 {
            builder = builder.header(RANGE, format!("bytes={position}-"));
        }
    }
    Ok(builder)
}

/// What all clients have in common.
pub(in crate::registry) fn common(limits: Limits) -> ClientBuilder {
    Client::builder()
        .user_agent(USER_AGENT)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(limits.connect)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(limits.ping)
        .http2_keep_alive_timeout(limits.ping)
        .referer(false)
}

/// Reads at most `limit` bytes into `body`; says whether that was all.
async fn read_up_to(
    response: &mut Response,
    limit: usize,
    body: &mut Vec<u8>,
) -> reqwest::Result<bool> {
    while let Some(chunk) = response.chunk().await? {
        let room = limit - body.len();
        if chunk.len() > room {
            body.extend_from_slice(&chunk[..room]);
            return Ok(false);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(true)
}

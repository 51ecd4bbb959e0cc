//! Sending one request once: connections, TLS, proxies, time limits and size limits.
//!
//! Plain http exists for this machine only and never uses a proxy. Redirects are never followed
//! here: whoever sends decides about the next address. Certificate authorities are those of
//! `SSL_CERT_FILE` and `SSL_CERT_DIR` where the environment names them, else the system's, and those that
//! stand in a directory for the host.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderValue, RANGE};
use reqwest::{Client, ClientBuilder, Method, NoProxy, Proxy, RequestBuilder, Response, Url};
use rustls::crypto::CryptoProvider;

use super::address::host_of;
use super::certificates;
use super::content::Progress;
use super::endpoint::Endpoint;
use super::error::{Cause, RegistryError};
use super::failure::{Failure, last_cause};
use super::options::Limits;
use super::reply::Reply;
use super::request::{Request, Wanted};
use super::resolver::GuardedResolver;
use super::trust;
use crate::process::Environment;
use crate::report::Meter;

const USER_AGENT: &str = concat!("cargo-lighter/", env!("CARGO_PKG_VERSION"));
const PROXY_VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
/// Never reached through a proxy, whatever `NO_PROXY` says.
const NEVER_PROXIED: &str = "localhost,127.0.0.0/8,::1";
/// Time for the body of a refusal, which is only for the message.
const ERROR_BODY_TIME: Duration = Duration::from_secs(10);

/// The connections of a run.
#[derive(Debug)]
pub(super) struct Transport {
    environment: Environment,
    /// The limits in force.
    pub(super) limits: Limits,
    plain: Client,
    /// Made when first needed: a machine without certificates can use a registry of its own.
    secure: Mutex<BTreeMap<Way, Client>>,
    requests: AtomicU64,
    /// Origins that answered before.
    known: Mutex<BTreeSet<String>>,
}

/// What makes connections differ: certificates of their own, and whose word leads to a host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Way {
    /// The directory of certificates for the host.
    certificates: Option<PathBuf>,
    /// The registry that named the host, whose name must not lead inside on its word.
    named_by: Option<String>,
}

impl Transport {
    /// No connection yet.
    ///
    /// # Errors
    /// [`RegistryError::Setup`] when the client library refuses its settings.
    pub(super) fn new(environment: &Environment, limits: Limits) -> Result<Self, RegistryError> {
        // Somebody else's provider is as good; only none at all is a mistake.
        let _ = CryptoProvider::install_default(rustls::crypto::ring::default_provider());
        let plain = common(limits)
            .no_proxy()
            .tls_certs_only([])
            .build()
            .map_err(|error| setup(&error))?;
        Ok(Self {
            environment: environment.clone(),
            limits,
            plain,
            secure: Mutex::default(),
            requests: AtomicU64::new(0),
            known: Mutex::default(),
        })
    }

    /// Requests sent so far.
    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Sends a request once and reads the answer as far as it is wanted.
    /// `endpoint` is the registry on whose behalf, or on whose word, it goes out.
    pub(super) async fn send(
        &self,
        request: &Request,
        authorization: Option<&HeaderValue>,
        endpoint: &Endpoint,
    ) -> Result<Reply, Failure> {
        let attempt = request.meter.as_ref().map(Meter::attempt);
        let progress = Progress::new(attempt.as_ref().map(|attempt| attempt.meter().clone()));
        let client = self.client_for(&request.url, endpoint);
        let client = client.map_err(Failure::Setup)?;
        let builder = prepare(&client, request, authorization, &progress).await?;
        self.requests.fetch_add(1, Ordering::Relaxed);
        let patience = request.patience.unwrap_or(self.limits.answer);
        let sending = std::pin::pin!(builder.send());
        let stalled = std::pin::pin!(progress.stalled(self.limits.idle, patience));
        let sent = match select(sending, stalled).await {
            Either::Left((sent, _)) => sent,
            Either::Right((limit, _)) => return Err(Failure::TimedOut(limit)),
        };
        let mut response = match (sent, progress.failure()) {
            (_, Some(error)) => return Err(Failure::Content(error)),
            (Err(error), None) => return Err(self.failure_of(&error, &request.url)),
            (Ok(response), None) => response,
        };
        self.remember(&request.url);
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
        })
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
        let proxy = self.proxy_set().map(|(variable, _)| variable);
        Failure::of(error, self.limits.connect, known, proxy)
    }

    fn remember(&self, url: &Url) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(url.origin().ascii_serialization());
    }

    fn client_for(&self, url: &Url, endpoint: &Endpoint) -> Result<Client, RegistryError> {
        if url.scheme() == "http" {
            return Ok(self.plain.clone());
        }
        let foreign = !endpoint.owns(url) && !endpoint.is_loopback();
        let way = Way {
            certificates: certificates::directory(&self.environment, &host_of(url)),
            named_by: foreign.then(|| endpoint.host().to_owned()),
        };
        let mut secure = self.secure.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = secure.get(&way) {
            return Ok(client.clone());
        }
        let client = self.make_secure(&way)?;
        secure.insert(way, client.clone());
        Ok(client)
    }

    fn make_secure(&self, way: &Way) -> Result<Client, RegistryError> {
        let mut builder = common(self.limits).https_only(true).no_proxy();
        if let Some(certificates) = trust::certificates(&self.environment)? {
            builder = builder.tls_certs_only(certificates);
        }
        if let Some(directory) = &way.certificates {
            let own = certificates::read(directory)?;
            builder = builder.tls_certs_merge(own.authorities);
            if let Some(identity) = own.identity {
                builder = builder.identity(identity);
            }
        }
        if let Some(proxy) = self.proxy()? {
            builder = builder.proxy(proxy);
        }
        if let Some(registry) = &way.named_by {
            let resolver = GuardedResolver::new(registry, self.proxy_host());
            builder = builder.dns_resolver(Arc::new(resolver));
        }
        builder.build().map_err(|error| setup(&error))
    }

    fn proxy_host(&self) -> Option<String> {
        let (_, address) = self.proxy_set()?;
        let url = Url::parse(address).or_else(|_| Url::parse(&format!("http://{address}")));
        Some(url.ok()?.host_str()?.to_owned())
    }

    /// The variable that names a proxy, and the proxy's address.
    fn proxy_set(&self) -> Option<(&'static str, &str)> {
        let set = |name: &&'static str| Some((*name, self.environment.get(name)?));
        PROXY_VARIABLES.iter().find_map(set)
    }

    fn proxy(&self) -> Result<Option<Proxy>, RegistryError> {
        let Some((variable, address)) = self.proxy_set() else {
            return Ok(None);
        };
        let excluded = ["NO_PROXY", "no_proxy"]
            .iter()
            .find_map(|name| self.environment.get(name))
            .unwrap_or("");
        let excluded = NoProxy::from_string(&format!("{excluded},{NEVER_PROXIED}"));
        let proxy = Proxy::all(address).map_err(|_| RegistryError::Proxy { variable })?;
        Ok(Some(proxy.no_proxy(excluded)))
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
        .headers(request.headers.clone());
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

fn common(limits: Limits) -> ClientBuilder {
    Client::builder()
        .user_agent(USER_AGENT)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(limits.connect)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(limits.ping)
        .http2_keep_alive_timeout(limits.ping)
        .referer(false)
}

fn setup(error: &reqwest::Error) -> RegistryError {
    RegistryError::Setup {
        source: Cause(last_cause(error)),
    }
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

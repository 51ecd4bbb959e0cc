//! A request as data: what is sent can be sent again.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};

use super::content::Content;
use super::reply::Reply;
use super::sink::Sink;
use crate::registry::addresses::endpoint::Endpoint;
use crate::report::{Meter, printable};

/// Bodies of refusals are read up to here.
const MAX_ERROR_BODY: usize = 64 * 1024;

/// How much of an answer is wanted.
#[derive(Debug, Clone)]
pub(in crate::registry) enum Wanted {
    /// Status and headers; what follows is read up to 64 KiB, for messages.
    Head,
    /// All of a body of at most this many bytes.
    Whole(usize),
    /// All of a body, which goes to a file as it comes.
    File(Arc<Sink>),
}

impl Wanted {
    /// The most bytes to keep in memory.
    pub(in crate::registry) fn limit(&self) -> usize {
        match self {
            Self::Head | Self::File(_) => MAX_ERROR_BODY,
            Self::Whole(limit) => *limit,
        }
    }
}

/// One request, without credentials: those are added for the origin they belong to.
#[derive(Debug, Clone)]
pub(in crate::registry) struct Request {
    /// What it is for, as words that follow "cannot".
    pub(in crate::registry) action: String,
    /// The verb.
    pub(in crate::registry) method: Method,
    /// Where it goes.
    pub(in crate::registry) url: Url,
    /// Headers other than Authorization and Content-Length.
    pub(in crate::registry) headers: HeaderMap,
    /// Whether somebody else than the registry named the address: then it goes without a permit, wherever
    /// that is.
    pub(in crate::registry) stranger: bool,
    /// What it carries.
    pub(in crate::registry) content: Content,
    /// Time for the answer's headers, from the moment all content is sent.
    pub(in crate::registry) patience: Option<Duration>,
    /// How much of the answer is wanted.
    pub(in crate::registry) wanted: Wanted,
    /// Counts what is sent, if somebody wants to know.
    pub(in crate::registry) meter: Option<Meter>,
    /// Whether a success opens an upload, which has to be closed even if nobody waits for the answer.
    pub(in crate::registry) opens: bool,
    /// Whether it waits for its turn at a host. What others need while they have theirs does not.
    pub(in crate::registry) waits: bool,
    /// The token service it goes to, where it is not for the registry, as errors name it.
    pub(in crate::registry) token_service: Option<String>,
}

impl Request {
    /// A request without content.
    pub(in crate::registry) fn new(method: Method, url: Url, action: impl Into<String>) -> Self {
        Self {
            action: action.into(),
            method,
            url,
            headers: HeaderMap::new(),
            stranger: false,
            content: Content::None,
            patience: None,
            wanted: Wanted::Head,
            meter: None,
            opens: false,
            waits: true,
            token_service: None,
        }
    }

    /// A request to open an upload.
    pub(in crate::registry) fn to_open(url: Url, action: &str) -> Self {
        Self {
            opens: true,
            ..Self::new(Method::POST, url, action)
        }
    }

    /// The question how a registry wants to be told who we are.
    pub(in crate::registry) fn for_challenge(url: Url) -> Self {
        Self {
            waits: false,
            ..Self::new(Method::GET, url, "use the registry")
        }
    }

    /// A request for a token. What errors say of its address leaves out the query, which may hold
    /// secrets.
    pub(in crate::registry) fn for_token(method: Method, url: Url) -> Self {
        let mut shown = url.clone();
        shown.set_query(None);
        shown.set_fragment(None);
        Self {
            token_service: Some(printable(shown.as_str())),
            waits: false,
            ..Self::new(method, url, "get a token")
        }
    }

    /// The same with a header.
    pub(in crate::registry) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The same for another address, which an answer of `by` named.
    pub(in crate::registry) fn sent_on(&mut self, url: Url, by: &Reply, endpoint: &Endpoint) {
        self.stranger |= !endpoint.owns(&by.url);
        self.url = url;
    }

    /// The same carrying `content`.
    pub(in crate::registry) fn content(mut self, content: Content) -> Self {
        self.content = content;
        self
    }

    /// The same, counted by `meter`.
    pub(in crate::registry) fn metered(mut self, meter: &Meter) -> Self {
        self.meter = Some(meter.clone());
        self
    }

    /// The same with another limit for the answer's headers.
    pub(in crate::registry) fn patience(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// The same, wanting the answer's body.
    pub(in crate::registry) fn whole(mut self, limit: usize) -> Self {
        self.wanted = Wanted::Whole(limit);
        self
    }

    /// The same, wanting the answer's body in a file.
    pub(in crate::registry) fn into_file(mut self, sink: &Arc<Sink>) -> Self {
        self.wanted = Wanted::File(Arc::clone(sink));
        self
    }
}

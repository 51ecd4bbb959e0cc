//! Requests that open an upload. Whoever waits for the answer may be ended by then, by an interrupt or because
//! another part of the push failed; the registry opens the upload all the same, and somebody has to close it.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use reqwest::header::{HeaderValue, LOCATION};
use reqwest::{Response, StatusCode, Url};
use tokio::task::JoinHandle;

use super::endpoint::Endpoint;
use super::location;
use super::sessions::OpenUpload;

/// Openings whose answers nobody waits for any more.
#[derive(Debug, Default)]
pub(super) struct Abandoned(Mutex<Vec<Opening>>);

/// A request under way that opens an upload. It goes on wherever it is kept.
#[derive(Debug)]
pub(super) struct Opening {
    answer: JoinHandle<reqwest::Result<Response>>,
    url: Url,
    endpoint: Endpoint,
    authorization: Option<HeaderValue>,
}

impl Abandoned {
    /// All of them, which are then nobody's any more.
    pub(super) fn take(&self) -> Vec<Opening> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn keep(&self, opening: Opening) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push(opening);
    }
}

impl Opening {
    /// Sends a request to `url` that opens an upload on behalf of `endpoint`. To be called on the threads of the
    /// client.
    pub(super) fn send(
        request: impl Future<Output = reqwest::Result<Response>> + Send + 'static,
        url: &Url,
        endpoint: &Endpoint,
        authorization: Option<&HeaderValue>,
    ) -> Self {
        Self {
            answer: tokio::spawn(request),
            url: url.clone(),
            endpoint: endpoint.clone(),
            authorization: authorization.cloned(),
        }
    }

    /// The upload that it opened, once that is known. One at another origin is not ours to close.
    pub(super) async fn upload(self) -> Option<OpenUpload> {
        let response = self.answer.await.ok()?.ok()?;
        // What was taken over instead names the blob.
        if response.status() != StatusCode::ACCEPTED {
            return None;
        }
        let place = response.headers().get(LOCATION)?.to_str().ok()?;
        let url = location::resolve(&self.url, place, &self.endpoint).ok()?;
        let ours = self.endpoint.owns(&self.url) && self.endpoint.owns(&url);
        ours.then_some(OpenUpload {
            url,
            endpoint: self.endpoint,
            authorization: self.authorization,
        })
    }
}

/// Somebody who waits for an opening, and abandons it when dropped before the answer.
#[derive(Debug)]
pub(super) struct Awaited<'a> {
    abandoned: &'a Abandoned,
    opening: Option<Opening>,
}

impl<'a> Awaited<'a> {
    /// Waits for `opening`, or leaves it to `abandoned`.
    pub(super) fn new(opening: Opening, abandoned: &'a Abandoned) -> Self {
        Self {
            abandoned,
            opening: Some(opening),
        }
    }
}

impl Future for Awaited<'_> {
    /// `None` where the request came to no end, which its own failures do not cause.
    type Output = Option<reqwest::Result<Response>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(opening) = &mut self.opening else {
            return Poll::Ready(None);
        };
        let answer = Pin::new(&mut opening.answer).poll(context);
        answer.map(|answer| {
            self.opening = None;
            answer.ok()
        })
    }
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        if let Some(opening) = self.opening.take() {
            self.abandoned.keep(opening);
        }
    }
}

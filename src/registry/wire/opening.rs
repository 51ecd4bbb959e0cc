//! Requests that open an upload. Whoever waits for the answer may be ended by then, by an interrupt or because
//! another part of the push failed; the registry opens the upload all the same, and somebody has to close it.
//!
//! Only uploads at the registry's own origin are closed, with the `Authorization` that opened them: an address
//! at another one may be the object itself by then.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use reqwest::header::{HeaderMap, HeaderValue, LOCATION};
use reqwest::{Response, StatusCode, Url};
use tokio::task::JoinHandle;

use super::sessions::OpenUpload;
use crate::registry::addresses::endpoint::Endpoint;
use crate::registry::addresses::location;

/// Openings whose answers nobody waits for any more.
#[derive(Debug, Default)]
pub(in crate::registry) struct Abandoned(Mutex<Vec<Opening>>);

/// Where an upload is opened, and as whom.
#[derive(Debug, Clone)]
pub(in crate::registry) struct Opener {
    /// Where the request goes.
    pub(in crate::registry) url: Url,
    /// The registry on whose behalf.
    pub(in crate::registry) endpoint: Endpoint,
    /// What it carries.
    pub(in crate::registry) authorization: Option<HeaderValue>,
}

/// A request under way that opens an upload. It goes on wherever it is kept.
#[derive(Debug)]
pub(in crate::registry) struct Opening {
    answer: JoinHandle<reqwest::Result<Response>>,
    opener: Opener,
}

impl Abandoned {
    /// All of them, which are then nobody's any more.
    pub(in crate::registry) fn take(&self) -> Vec<Opening> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn keep(&self, opening: Opening) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push(opening);
    }
}

impl Opener {
    /// The upload that an answer opens, if it is ours to close.
    pub(in crate::registry) fn upload(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
    ) -> Option<OpenUpload> {
        // What was taken over instead names the blob.
        if status != StatusCode::ACCEPTED {
            return None;
        }
        let place = headers.get(LOCATION)?.to_str().ok()?;
        let url = location::resolve(&self.url, place, &self.endpoint).ok()?;
        let ours = self.endpoint.owns(&self.url) && self.endpoint.owns(&url);
        ours.then(|| OpenUpload {
            url,
            endpoint: self.endpoint.clone(),
            authorization: self.authorization.clone(),
        })
    }
}

impl Opening {
    /// Sends a request that opens an upload. To be called where the client's threads are entered.
    pub(in crate::registry) fn send(
        request: impl Future<Output = reqwest::Result<Response>> + Send + 'static,
        opener: Opener,
    ) -> Self {
        Self {
            answer: tokio::spawn(request),
            opener,
        }
    }

    /// The upload that it opened, once that is known.
    pub(in crate::registry) async fn upload(self) -> Option<OpenUpload> {
        let response = self.answer.await.ok()?.ok()?;
        self.opener.upload(response.status(), response.headers())
    }
}

/// Somebody who waits for an opening, and abandons it when dropped before the answer.
#[derive(Debug)]
pub(in crate::registry) struct Awaited<'a> {
    abandoned: &'a Abandoned,
    opening: Option<Opening>,
}

impl<'a> Awaited<'a> {
    /// Waits for `opening`, or leaves it to `abandoned`.
    pub(in crate::registry) fn new(opening: Opening, abandoned: &'a Abandoned) -> Self {
        Self {
            abandoned,
            opening: Some(opening),
        }
    }

    /// Waits no longer, nor will anybody else: the server has said nothing for too long.
    pub(in crate::registry) fn give_up(&mut self) {
        self.opening = None;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_upload_at_the_registry_s_own_origin_is_ours_to_close_and_by_whom_it_was_opened() {
        let endpoint = Endpoint::of("ghcr.io").expect("legal");
        let opener = |url: &str| Opener {
            url: Url::parse(url).expect("an URL"),
            endpoint: endpoint.clone(),
            authorization: Some(HeaderValue::from_static("Bearer opener")),
        };
        let home = "https://ghcr.io/v2/shop/blobs/uploads/";
        let upload = |from: &str, status: u16, place: &str| {
            let status = StatusCode::from_u16(status).expect("a status");
            let place = HeaderValue::from_str(place).expect("a header");
            let headers = HeaderMap::from_iter([(LOCATION, place)]);
            opener(from).upload(status, &headers)
        };
        let ours = upload(home, 202, "/v2/shop/blobs/uploads/1?state=x").expect("an upload");
        assert_eq!(
            ours.url.as_str(),
            "https://ghcr.io/v2/shop/blobs/uploads/1?state=x"
        );
        assert_eq!(ours.authorization.expect("one"), "Bearer opener");
        for (from, status, place) in [
            // A blob that was taken over.
            (home, 201, "/v2/shop/blobs/sha256:00"),
            (home, 202, "https://store.example/object"),
            (home, 202, "http://ghcr.io/v2/shop/blobs/uploads/1"),
            (home, 202, "https://10.0.0.1/"),
            (
                "https://other.example/v2/",
                202,
                "https://ghcr.io/v2/shop/blobs/uploads/1",
            ),
        ] {
            assert!(
                upload(from, status, place).is_none(),
                "{from} {status} {place}"
            );
        }
    }
}

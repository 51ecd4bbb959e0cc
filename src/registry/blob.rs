//! Blobs: is it there, and putting it there (distribution-spec, "Pushing blobs").
//!
//! An upload is POST, then one PUT with the whole content: chunked uploads are broken in more
//! registries than not. A PUT that got no answer, or whose session is gone, may have worked: the
//! blob is looked for before a new session begins.

use std::io;

use reqwest::Method;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use reqwest::{StatusCode, Url};

use super::call::{Call, Persistence};
use super::content::Content;
use super::error::RegistryError;
use super::location;
use super::reply::Reply;
use super::request::Request;
use super::retry::{self, Decision, Outcome};
use crate::digest::Digest;
use crate::oci::Descriptor;

const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// What pushing a blob came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlobOutcome {
    /// The registry had it.
    Existed {
        /// Requests sent for it.
        requests: u64,
    },
    /// It was sent.
    Uploaded {
        /// Its size.
        bytes: u64,
        /// Requests sent for it.
        requests: u64,
    },
}

impl BlobOutcome {
    /// Bytes of the blob if it was sent, else 0.
    pub fn uploaded_bytes(self) -> u64 {
        match self {
            Self::Existed { .. } => 0,
            Self::Uploaded { bytes, .. } => bytes,
        }
    }

    /// Requests sent for it, including those for tokens.
    pub fn requests(self) -> u64 {
        match self {
            Self::Existed { requests } | Self::Uploaded { requests, .. } => requests,
        }
    }
}

impl Call<'_> {
    /// Whether the registry has a blob of this digest and size. An answer that says nothing clear
    /// counts as no: sending the blob again is never wrong.
    pub(super) async fn blob_exists(
        &self,
        digest: &Digest,
        size: u64,
    ) -> Result<bool, RegistryError> {
        let action = format!("look for blob `{digest}`");
        let request = Request::new(Method::HEAD, self.url(&format!("blobs/{digest}")), action);
        let action = request.action.clone();
        let reply = self.follow(request).await?;
        match reply.status.as_u16() {
            200..=299 => {
                let length = reply.text(&CONTENT_LENGTH);
                Ok(length.and_then(|length| length.parse().ok()) == Some(size))
            }
            // Proxies and restricted tokens answer so even where a push works.
            400 | 403..=405 => Ok(false),
            _ => Err(self.refused(&action, &reply)),
        }
    }

    /// Makes sure that the registry has a blob.
    pub(super) async fn push_blob(
        &self,
        blob: &Descriptor,
        content: &Content,
    ) -> Result<BlobOutcome, RegistryError> {
        if content.size() != blob.size {
            let (found, size) = (content.size(), blob.size);
            let why = format!("it has {found} bytes, and its descriptor says {size}");
            return Err(RegistryError::File {
                attempt: Box::new(self.attempt(&format!("upload blob `{}`", blob.digest))),
                source: io::Error::other(why),
            });
        }
        let existed = self.blob_exists(&blob.digest, blob.size).await?;
        if !existed {
            let _transfer = self.core.transfers.acquire().await;
            self.upload(blob, content).await?;
        }
        let requests = self.requests();
        Ok(if existed {
            BlobOutcome::Existed { requests }
        } else {
            let bytes = blob.size;
            BlobOutcome::Uploaded { bytes, requests }
        })
    }

    /// Opens an upload; the session's URL may be on another host.
    pub(super) async fn open_upload(&self) -> Result<Url, RegistryError> {
        let request = Request::new(Method::POST, self.url("blobs/uploads/"), "open an upload");
        let reply = self.perform(&request, Persistence::Patient).await?;
        if reply.is_success() {
            self.location(&request.action, &reply)
        } else {
            Err(self.refused(&request.action, &reply))
        }
    }

    async fn upload(&self, blob: &Descriptor, content: &Content) -> Result<(), RegistryError> {
        let action = format!("upload blob `{}`", blob.digest);
        let mut attempt = 0;
        loop {
            let session = self.open_upload().await?;
            let url = location::with_digest(&session, &blob.digest);
            let request = Request::new(Method::PUT, url, action.clone())
                .header(CONTENT_TYPE, OCTETS)
                .content(content.clone())
                .patience(self.core.transport.limits.commit);
            let result = self.perform(&request, Persistence::Once).await;
            if let Ok(reply) = &result
                && reply.is_success()
            {
                return self.check_digest(&action, &blob.digest, reply);
            }
            let first_wait = self.core.transport.limits.first_wait;
            match retry::next(attempt, outcome_of_commit(&result), first_wait) {
                Decision::Stop => {
                    return Err(match result {
                        Ok(reply) => self.refused(&action, &reply),
                        Err(error) => error,
                    });
                }
                Decision::Again(pause) => tokio::time::sleep(pause).await,
            }
            if self.blob_exists(&blob.digest, blob.size).await? {
                return Ok(());
            }
            attempt += 1;
        }
    }

    /// Fails if an answer names another digest than ours. Digests of other algorithms say nothing.
    pub(super) fn check_digest(
        &self,
        action: &str,
        ours: &Digest,
        reply: &Reply,
    ) -> Result<(), RegistryError> {
        let Some(theirs) = reply.content_digest() else {
            return Ok(());
        };
        if theirs == ours.to_string() || !theirs.starts_with("sha256:") {
            return Ok(());
        }
        Err(RegistryError::DigestMismatch {
            attempt: Box::new(self.attempt(action)),
            ours: *ours,
            theirs: theirs.parse().ok(),
        })
    }
}

/// As for any request, except that a session nobody knows (any more) is like no answer.
fn outcome_of_commit(result: &Result<Reply, RegistryError>) -> Outcome {
    match result {
        Ok(reply) if reply.status == StatusCode::NOT_FOUND => Outcome::NoAnswer,
        _ => Outcome::of(result),
    }
}

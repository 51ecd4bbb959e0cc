//! Blobs: is it there, and putting it there (distribution-spec, "Pushing blobs"). What follows what is
//! decided in `course`; this carries it out.

use std::io;
use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::CONTENT_LENGTH;

use super::call::{Call, Persistence};
use super::content::Content;
use super::course::{Course, End, Outcome, Step};
use super::error::RegistryError;
use super::known::Holders;
use super::reply::Reply;
use super::request::Request;
use super::retry;
use super::upload::Session;
use crate::digest::Digest;
use crate::oci::Descriptor;
use crate::report::{Attempt, Meter};

/// A registry that refused to take over so many blobs is not asked again.
const MAX_DECLINED: u32 = 2;

/// What pushing a blob came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlobOutcome {
    /// The registry had it.
    Existed {
        /// Requests sent for it.
        requests: u64,
    },
    /// The registry took it over from another of its repositories.
    Mounted {
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
            Self::Existed { .. } | Self::Mounted { .. } => 0,
            Self::Uploaded { bytes, .. } => bytes,
        }
    }

    /// Requests sent for it, including those for tokens.
    pub fn requests(self) -> u64 {
        match self {
            Self::Existed { requests }
            | Self::Mounted { requests }
            | Self::Uploaded { requests, .. } => requests,
        }
    }
}

/// How a blob got into a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// It was there.
    Existed,
    /// It was taken over from another repository.
    Mounted,
    /// It was sent.
    Uploaded,
}

/// What is done beside the course: the open session, and the last error.
#[derive(Default)]
struct Hands {
    session: Option<Session>,
    error: Option<RegistryError>,
    /// The bytes that were sent last.
    sent: Option<Attempt>,
}

impl Hands {
    /// Counts the bytes that are sent from now on; those of an earlier try are taken back.
    fn begin(&mut self, meter: &Meter, blob: &Descriptor) -> Meter {
        if self.sent.take().is_none() {
            meter.expect(blob.size);
        }
        let attempt = meter.attempt();
        let counted = attempt.meter().clone();
        self.sent = Some(attempt);
        counted
    }
}

impl Call<'_> {
    /// Makes sure that the registry has a blob.
    pub(super) async fn push_one_blob(
        &self,
        blob: &Descriptor,
        content: &Content,
    ) -> Result<BlobOutcome, RegistryError> {
        let arrival = self
            .push_blob(blob, content, false, &Meter::default())
            .await?;
        let (bytes, requests) = (blob.size, self.requests());
        Ok(match arrival {
            Arrival::Existed => BlobOutcome::Existed { requests },
            Arrival::Mounted => BlobOutcome::Mounted { requests },
            Arrival::Uploaded => BlobOutcome::Uploaded { bytes, requests },
        })
    }

    /// The same; a blob that the registry lost is sent without a look.
    pub(super) async fn push_blob(
        &self,
        blob: &Descriptor,
        content: &Content,
        lost: bool,
        meter: &Meter,
    ) -> Result<Arrival, RegistryError> {
        if content.size() != blob.size {
            let (found, size) = (content.size(), blob.size);
            let why = format!("it has {found} bytes, and its descriptor says {size}");
            return Err(RegistryError::File {
                attempt: Box::new(self.attempt(&format!("upload blob `{}`", blob.digest))),
                source: io::Error::other(why),
            });
        }
        let slot = self.access.known.holders(&blob.digest);
        let mut holders = slot.lock().await;
        let path = self.path();
        if lost {
            holders.remove(&path);
        } else if holders.contains(&path) {
            return Ok(Arrival::Existed);
        }
        let arrival = self.bring(blob, content, lost, &holders, meter).await?;
        holders.insert(path);
        Ok(arrival)
    }

    /// Follows the course to its end.
    async fn bring(
        &self,
        blob: &Descriptor,
        content: &Content,
        lost: bool,
        holders: &Holders,
        meter: &Meter,
    ) -> Result<Arrival, RegistryError> {
        let source = self.source(holders, lost).await?;
        let mut course = Course::new(lost, source.is_some(), self.core.confirm);
        let mut hands = Hands::default();
        let mut transfer = None;
        loop {
            self.rest(&course).await;
            match course.step {
                Step::Mount | Step::Open if transfer.is_none() => {
                    transfer = Some(self.core.transfers.begin().await);
                }
                // Its bytes are there: somebody else's may come while we ask for it.
                Step::Confirm => transfer = None,
                _ => {}
            }
            let outcome = match course.step {
                Step::Look | Step::Again => self.look_for_blob(&blob.digest, blob.size).await?,
                Step::Mount => match &source {
                    Some(source) => self.mount(&blob.digest, source, &mut hands).await?,
                    None => Outcome::Declined,
                },
                Step::Open => {
                    hands.session = Some(self.open_upload().await?);
                    Outcome::Opened
                }
                Step::Put => match hands.session.take() {
                    Some(session) => {
                        let sent = hands.begin(meter, blob);
                        let put = self.put(session, blob, content, course.shape, &sent);
                        let (outcome, error) = put.await;
                        hands.error = error;
                        outcome
                    }
                    None => Outcome::SessionGone,
                },
                Step::Confirm => self.confirm_blob(&blob.digest, blob.size).await?,
                Step::End(end) => {
                    if matches!(end, End::Mounted | End::Uploaded) {
                        self.core.transfers.went_well();
                    }
                    return self.end(end, blob, hands);
                }
            };
            course = course.after(outcome);
        }
    }

    fn end(&self, end: End, blob: &Descriptor, hands: Hands) -> Result<Arrival, RegistryError> {
        let action = || format!("upload blob `{}`", blob.digest);
        match end {
            End::Existed => Ok(Arrival::Existed),
            End::Mounted => Ok(Arrival::Mounted),
            End::Uploaded => {
                if let Some(sent) = hands.sent {
                    // It may have arrived with a request whose answer did not.
                    sent.succeeded_with(blob.size);
                }
                Ok(Arrival::Uploaded)
            }
            End::NotStored => Err(RegistryError::NotStored {
                attempt: Box::new(self.attempt(&action())),
            }),
            End::Failed => Err(hands.error.unwrap_or_else(|| {
                self.protocol(&action(), "the upload came to no end".to_owned())
            })),
        }
    }

    /// The pause that a course asks for. After an acknowledged upload it is one of whole seconds, which
    /// is what the parts of a registry may need to agree.
    async fn rest(&self, course: &Course) {
        let pause = match (course.pause, course.step) {
            (0, _) => Duration::ZERO,
            (count, Step::Confirm) => self.settling(count),
            (count, _) => {
                let first_wait = self.core.transport.limits.first_wait;
                retry::backoff(count - 1, first_wait).mul_f64(self.core.patience.share())
            }
        };
        self.core.patience.pause(pause).await;
    }

    /// Pause number `count` for a registry whose parts do not agree yet: 1, 2, 4, 8 seconds.
    pub(super) fn settling(&self, count: u32) -> Duration {
        retry::backoff(count, self.core.transport.limits.first_wait)
    }

    /// Whether the registry has a blob of this digest and size. An answer that says nothing clear does
    /// not count as one: sending the blob again is never wrong.
    pub(super) async fn look_for_blob(
        &self,
        digest: &Digest,
        size: u64,
    ) -> Result<Outcome, RegistryError> {
        let request = self.blob_request(Method::HEAD, digest);
        let action = request.action.clone();
        let reply = self.follow(request).await?;
        match reply.status.as_u16() {
            200..=299 if length_of(&reply) == Some(size) => Ok(Outcome::Present),
            404 => Ok(Outcome::Absent),
            // Proxies and restricted tokens answer so even where a push works.
            200..=299 | 400 | 403 | 405 => Ok(Outcome::Unclear),
            _ => Err(self.refused(&action, &reply)),
        }
    }

    /// Whether a look finds a blob.
    pub(super) async fn is_there(&self, blob: &Descriptor) -> Result<bool, RegistryError> {
        Ok(self.look_for_blob(&blob.digest, blob.size).await? == Outcome::Present)
    }

    /// The same after an upload, where an answer that says nothing clear makes us ask for the blob
    /// itself, without reading it.
    async fn confirm_blob(&self, digest: &Digest, size: u64) -> Result<Outcome, RegistryError> {
        let looked = self.look_for_blob(digest, size).await?;
        if looked != Outcome::Unclear {
            return Ok(looked);
        }
        let reply = self.follow(self.blob_request(Method::GET, digest)).await?;
        Ok(match reply.status.as_u16() {
            200..=299 if length_of(&reply).is_none_or(|length| length == size) => Outcome::Present,
            200..=299 | 404 => Outcome::Absent,
            _ => Outcome::Unclear,
        })
    }

    fn blob_request(&self, method: Method, digest: &Digest) -> Request {
        let action = format!("look for blob `{digest}`");
        Request::new(method, self.url(&format!("blobs/{digest}")), action)
    }

    /// A repository that has a blob and that our permit may read, to take the blob over from.
    async fn source(&self, holders: &Holders, lost: bool) -> Result<Option<String>, RegistryError> {
        let declined = self.access.declined.load(Ordering::Relaxed);
        if lost || holders.is_empty() || declined >= MAX_DECLINED {
            return Ok(None);
        }
        self.readable(holders).await
    }

    /// Asks the registry to take a blob over. It may open a session instead, and may refuse for reasons
    /// that do not stand in the way of a plain upload.
    async fn mount(
        &self,
        digest: &Digest,
        source: &str,
        hands: &mut Hands,
    ) -> Result<Outcome, RegistryError> {
        let mut url = self.url("blobs/uploads/");
        // A digest and a repository's path have no characters that would have to be escaped.
        url.set_query(Some(&format!("mount={digest}&from={source}")));
        let request = Request::new(Method::POST, url, "take over a blob");
        let permit = self.permit().await?;
        let reply = self
            .persist(&request, permit.header(), Persistence::Patient)
            .await?;
        match reply.status.as_u16() {
            202 => {
                hands.session = self.session(&request.action, &reply).ok();
                let opened = hands.session.is_some();
                Ok(if opened {
                    Outcome::Opened
                } else {
                    Outcome::Declined
                })
            }
            200..=299 => Ok(Outcome::Mounted),
            _ => {
                self.access.declined.fetch_add(1, Ordering::Relaxed);
                Ok(Outcome::Declined)
            }
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

fn length_of(reply: &Reply) -> Option<u64> {
    reply.text(&CONTENT_LENGTH)?.parse().ok()
}

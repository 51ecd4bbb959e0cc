//! Blobs: is it there, and putting it there (distribution-spec, "Pushing blobs"). What follows what is
//! decided in `course`; this carries it out.

use std::io;
use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::header::CONTENT_LENGTH;
use reqwest::{Method, StatusCode};

use super::course::{Course, End, Foreknowledge, Outcome, Step};
use crate::digest::Digest;
use crate::oci::Descriptor;
use crate::registry::access::challenge;
use crate::registry::access::known::{Holders, How};
use crate::registry::access::session::Session;
use crate::registry::addresses::address::host_of;
use crate::registry::call::sending::{Call, Persistence, Who};
use crate::registry::errors::error::{LOOK, RegistryError};
use crate::registry::patience::retry;
use crate::registry::wire::content::Content;
use crate::registry::wire::reply::Reply;
use crate::registry::wire::request::Request;
use crate::report::{Attempt, Meter};

/// As much of a blob is read to be sure that it is there.
const MOST_READ: usize = 1024 * 1024;
/// A registry that refused to take over so many blobs is not asked again; what is under way goes on.
const MAX_DECLINED: u32 = 2;

/// How a blob got into a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::registry) enum Arrival {
    /// It was there.
    Existed,
    /// It was taken over from another repository.
    Mounted,
    /// It was sent.
    Uploaded,
}

impl Arrival {
    /// How the registry says that it got the blob; nothing where it was found.
    fn acknowledged(self) -> Option<How> {
        match self {
            Self::Existed => None,
            Self::Mounted => Some(How::Mounted),
            Self::Uploaded => Some(How::Uploaded),
        }
    }
}

/// What is done beside the course: the open session, and the last error.
#[derive(Default)]
struct Hands {
    /// Whether anything was sent.
    has_sent: bool,
    /// Whether its bytes were counted before, and lost.
    lost: bool,
    session: Option<Session>,
    error: Option<RegistryError>,
    /// The bytes that were sent last.
    sent: Option<Attempt>,
}

impl Hands {
    /// Counts the bytes that are sent from now on; those of an earlier try are taken back.
    fn begin(&mut self, meter: &Meter, blob: &Descriptor) -> Meter {
        if self.sent.take().is_none() {
            if std::mem::take(&mut self.lost) {
                meter.take_back(blob.size);
            } else {
                meter.expect(blob.size);
            }
        }
        let attempt = meter.attempt();
        let counted = attempt.meter().clone();
        self.sent = Some(attempt);
        self.has_sent = true;
        counted
    }
}

impl Call<'_> {
    /// Whether the repository has a blob, as far as this run knows or a look tells.
    pub(in crate::registry) async fn has_blob(
        &self,
        blob: &Descriptor,
    ) -> Result<bool, RegistryError> {
        let (known, path) = (&self.access.known, self.path());
        let turn = known.turn(&blob.digest, &path);
        let _mine = turn.lock().await;
        let has = known.has(&blob.digest, &path) || self.is_there(blob).await?;
        if has {
            known.note(&blob.digest, &path);
        }
        Ok(has)
    }

    /// Brings a blob into the registry, unless it is there. That it arrived has to be asked with
    /// [`Call::confirm_arrival`], once it should stay.
    pub(in crate::registry) async fn push_blob(
        &self,
        blob: &Descriptor,
        content: &Content,
        foreknowledge: Foreknowledge,
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
        let (known, path) = (&self.access.known, self.path());
        let turn = known.turn(&blob.digest, &path);
        let _mine = turn.lock().await;
        if foreknowledge == Foreknowledge::Lost {
            known.forget(&blob.digest, &path);
        } else if known.has(&blob.digest, &path) {
            return Ok(Arrival::Existed);
        }
        let first_turn = known.first_turn(&blob.digest);
        let first = first_turn.lock().await;
        let holders = known.holders(&blob.digest);
        let _first = holders.is_empty().then_some(first);
        let arrival = self
            .bring(blob, content, foreknowledge, &holders, meter)
            .await?;
        known.note(&blob.digest, &path);
        self.note_arrival(&blob.digest, arrival);
        Ok(arrival)
    }

    /// Notes that a blob should be looked for, unless it was found.
    pub(in crate::registry) fn note_arrival(&self, blob: &Digest, arrival: Arrival) {
        if let Some(how) = arrival.acknowledged() {
            self.access.known.acknowledge(blob, &self.path(), how);
        }
    }

    /// Makes sure that a blob is there which the registry said it took; gives whether it had to be sent again.
    /// Nothing is asked where nobody brought it, or where somebody made sure of it before.
    pub(in crate::registry) async fn confirm_arrival(
        &self,
        blob: &Descriptor,
        content: &Content,
        meter: &Meter,
    ) -> Result<bool, RegistryError> {
        let (known, path) = (&self.access.known, self.path());
        let turn = known.turn(&blob.digest, &path);
        let _mine = turn.lock().await;
        let Some(how) = known.acknowledged(&blob.digest, &path) else {
            return Ok(false);
        };
        let course = Course::new(Foreknowledge::Acknowledged(how), false, true);
        let mut hands = Hands {
            lost: how == How::Uploaded,
            ..Hands::default()
        };
        let arrived = self
            .walk(course, None, blob, content, &mut hands, meter)
            .await;
        match &arrived {
            Ok(_) => known.confirm(&blob.digest, &path),
            Err(_) => known.forget(&blob.digest, &path),
        }
        arrived.map(|_| hands.has_sent)
    }

    /// Brings a blob that is not known to be there.
    async fn bring(
        &self,
        blob: &Descriptor,
        content: &Content,
        foreknowledge: Foreknowledge,
        holders: &Holders,
        meter: &Meter,
    ) -> Result<Arrival, RegistryError> {
        let source = match foreknowledge {
            Foreknowledge::Lost => None,
            _ => self.source(holders).await?,
        };
        // A blob that was lost before is not believed to be there now.
        let confirms = self.core.confirm && foreknowledge == Foreknowledge::Lost;
        let course = Course::new(foreknowledge, source.is_some(), confirms);
        let mut hands = Hands::default();
        self.walk(course, source, blob, content, &mut hands, meter)
            .await
    }

    /// Follows a course to its end.
    async fn walk(
        &self,
        mut course: Course,
        source: Option<String>,
        blob: &Descriptor,
        content: &Content,
        hands: &mut Hands,
        meter: &Meter,
    ) -> Result<Arrival, RegistryError> {
        let known = &self.access.known;
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
                    Some(source) => {
                        let may_be_new = course.mounts_again
                            && known.acknowledged(&blob.digest, source).is_some();
                        let mounted = self.mount(&blob.digest, source, may_be_new, hands);
                        mounted.await?
                    }
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

    fn end(
        &self,
        end: End,
        blob: &Descriptor,
        hands: &mut Hands,
    ) -> Result<Arrival, RegistryError> {
        let action = || format!("upload blob `{}`", blob.digest);
        match end {
            End::Existed => Ok(Arrival::Existed),
            End::Mounted => Ok(Arrival::Mounted),
            End::Uploaded => {
                if let Some(sent) = hands.sent.take() {
                    // It may have arrived with a request whose answer did not.
                    sent.succeeded_with(blob.size);
                }
                Ok(Arrival::Uploaded)
            }
            End::NotStored => Err(RegistryError::NotStored {
                attempt: Box::new(self.attempt(&action())),
            }),
            End::Failed => Err(hands.error.take().unwrap_or_else(|| {
                self.protocol(&action(), "the upload came to no end".to_owned())
            })),
        }
    }

    /// The pause that a course asks for. Where a registry acknowledged a blob it is one of whole seconds,
    /// which is what its parts may need to agree.
    async fn rest(&self, course: &Course) {
        let pause = match (course.pause, course.step) {
            (0, _) => Duration::ZERO,
            (count, Step::Confirm | Step::Mount) => self.settling(count),
            (count, _) => {
                let first_wait = self.core.transport.limits.first_wait;
                retry::backoff(count - 1, first_wait).mul_f64(self.core.patience.share())
            }
        };
        self.core.patience.pause(pause).await;
    }

    /// Pause number `count` for a registry whose parts do not agree yet: 1, 2, 4, 8 seconds.
    pub(in crate::registry) fn settling(&self, count: u32) -> Duration {
        retry::backoff(count, self.core.transport.limits.first_wait)
    }

    /// Whether the registry has a blob of this digest and size. An answer that says nothing clear does
    /// not count as one: sending the blob again is never wrong.
    pub(in crate::registry) async fn look_for_blob(
        &self,
        digest: &Digest,
        size: u64,
    ) -> Result<Outcome, RegistryError> {
        let request = self.blob_request(Method::HEAD, digest);
        let action = request.action.clone();
        let reply = match self.follow(request).await {
            Ok(reply) => reply,
            Err(error) if self.leads_nowhere(&error) => return Ok(Outcome::Unclear),
            // Some break off only where nothing but a head is asked for.
            Err(RegistryError::Lost { .. }) => return Ok(Outcome::Unclear),
            Err(error) => return Err(error),
        };
        let of_registry = self.access.endpoint().owns(&reply.url);
        match reply.status.as_u16() {
            200..=299 if length_of(&reply) == Some(size) && !is_of_another(&reply, digest) => {
                Ok(Outcome::Present)
            }
            404 => Ok(Outcome::Absent),
            // Whoever wants a login or to be left alone wants it before an upload, too.
            401 | 429 if of_registry => Err(self.refused(&action, &reply)),
            _ if of_registry && reply.retry_after().is_some() => Err(self.refused(&action, &reply)),
            // Proxies, stores and restricted tokens answer so even where a push works.
            _ => Ok(Outcome::Unclear),
        }
    }

    /// Whether a look failed because of where the registry sends those who look: in a circle, inside, or to
    /// somebody who does not answer.
    fn leads_nowhere(&self, error: &RegistryError) -> bool {
        let registry = host_of(&self.access.endpoint().root());
        let elsewhere = error.silent_host().is_some_and(|host| host != registry);
        let is_wrong = matches!(
            error,
            RegistryError::Protocol { .. } | RegistryError::SentAway { .. }
        );
        elsewhere || is_wrong
    }

    /// Whether a look finds a blob.
    pub(in crate::registry) async fn is_there(
        &self,
        blob: &Descriptor,
    ) -> Result<bool, RegistryError> {
        Ok(self.look_for_blob(&blob.digest, blob.size).await? == Outcome::Present)
    }

    /// The same after an upload, where an answer that says nothing clear makes us ask for the blob
    /// itself, of which no more is read than it takes to be sure.
    async fn confirm_blob(&self, digest: &Digest, size: u64) -> Result<Outcome, RegistryError> {
        let looked = self.look_for_blob(digest, size).await?;
        let outcome = match looked {
            Outcome::Unclear => self.look_into_blob(digest, size).await?,
            clear => clear,
        };
        if outcome == Outcome::Unclear {
            self.warn_of_its_word();
        }
        Ok(outcome)
    }

    /// The answer to a request that may be sent on; nothing where that leads nowhere.
    async fn answer_to(&self, request: Request) -> Result<Option<Reply>, RegistryError> {
        match self.follow(request).await {
            Ok(reply) => Ok(Some(reply)),
            Err(error) if self.leads_nowhere(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn look_into_blob(&self, digest: &Digest, size: u64) -> Result<Outcome, RegistryError> {
        let request = self.blob_request(Method::GET, digest);
        let action = request.action.clone();
        let Some(reply) = self.answer_to(request).await? else {
            return Ok(Outcome::Unclear);
        };
        match reply.status.as_u16() {
            200..=299 => Ok(match length_of(&reply) {
                Some(length) if length == size && !is_of_another(&reply, digest) => {
                    Outcome::Present
                }
                Some(_) => Outcome::Absent,
                None => self.read_to_be_sure(digest, size).await?,
            }),
            404 => Ok(Outcome::Absent),
            // That nobody may look is one thing, that it is broken another.
            500 | 502..=599 => Err(self.refused(&action, &reply)),
            _ => Ok(Outcome::Unclear),
        }
    }

    /// Whether an answer that does not say how long it is holds the blob: the whole is read, if it is not too
    /// much. What takes a page for everything is found out by its length.
    async fn read_to_be_sure(&self, digest: &Digest, size: u64) -> Result<Outcome, RegistryError> {
        let request = self.blob_request(Method::GET, digest).whole(MOST_READ);
        let Some(reply) = self.answer_to(request).await? else {
            return Ok(Outcome::Unclear);
        };
        let is_it = reply.body.len() as u64 == size && Digest::of(&reply.body) == *digest;
        Ok(match reply.status.as_u16() {
            200..=299 if reply.encoding().is_some() => Outcome::Unclear,
            200..=299 if is_it => Outcome::Present,
            200..=299 | 404 => Outcome::Absent,
            _ => Outcome::Unclear,
        })
    }

    /// Says that nobody could look for what was pushed.
    pub(in crate::registry) fn warn_of_its_word(&self) {
        let registry = self.access.endpoint().registry();
        let line = format!(
            "{registry} does not let us look at what it stored: only its word says that all of it arrived"
        );
        self.core.warnings.add(line);
    }

    fn blob_request(&self, method: Method, digest: &Digest) -> Request {
        let action = format!("{LOOK}blob `{digest}`");
        Request::new(method, self.url(&format!("blobs/{digest}")), action)
    }

    /// A repository that has a blob and that our permit may read, to take the blob over from.
    async fn source(&self, holders: &Holders) -> Result<Option<String>, RegistryError> {
        let declined = self.access.declined.load(Ordering::Relaxed);
        if holders.is_empty() || declined >= MAX_DECLINED {
            return Ok(None);
        }
        self.readable(holders).await
    }

    /// Asks the registry to take a blob over. It may open a session instead, and may refuse for reasons
    /// that do not stand in the way of a plain upload. A source that `may_be_new` to parts of the registry
    /// may be asked for later; that it is unknown says nothing of others.
    async fn mount(
        &self,
        digest: &Digest,
        source: &str,
        may_be_new: bool,
        hands: &mut Hands,
    ) -> Result<Outcome, RegistryError> {
        let mut url = self.url("blobs/uploads/");
        // A digest and a repository's path have no characters that would have to be escaped.
        url.set_query(Some(&format!("mount={digest}&from={source}")));
        let request = Request::to_open(url, "take over a blob");
        let reply = match self.ask_to_mount(&request).await {
            Ok(reply) => reply,
            Err(error) if error.is_of_a_server() => {
                self.access.declined.fetch_add(1, Ordering::Relaxed);
                return Ok(Outcome::Declined);
            }
            Err(error) => return Err(error),
        };
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
            404 if may_be_new => Ok(Outcome::NotYet),
            _ => {
                self.access.declined.fetch_add(1, Ordering::Relaxed);
                Ok(Outcome::Declined)
            }
        }
    }

    /// Sends a request to take a blob over, and once more with another token if that may be why it is refused.
    /// Nothing else is learned from a refusal: what this takes is more than an upload does.
    async fn ask_to_mount(&self, request: &Request) -> Result<Reply, RegistryError> {
        let brief = Persistence::Brief;
        let mut permit = self.permit().await?;
        let user = Who::User(&mut permit);
        let reply = self.persist(request, user, brief).await?;
        let may_have_ended = reply.status == StatusCode::UNAUTHORIZED
            && challenge::missing_scope(&reply.headers).is_none();
        if !may_have_ended {
            return Ok(reply);
        }
        match self.renewed(&permit).await? {
            Some(mut fresh) => self.persist(request, Who::User(&mut fresh), brief).await,
            None => Ok(reply),
        }
    }

    /// Fails if an answer names another digest than ours. Digests of other algorithms say nothing, and what is
    /// no digest is not counted as one where `confirmed` by a look afterwards.
    pub(in crate::registry) fn check_digest(
        &self,
        action: &str,
        ours: &Digest,
        reply: &Reply,
        confirmed: bool,
    ) -> Result<(), RegistryError> {
        let Some(theirs) = reply.content_digest() else {
            return Ok(());
        };
        let of_ours = theirs
            .get(..7)
            .is_some_and(|algorithm| algorithm.eq_ignore_ascii_case("sha256:"));
        let parsed = reply.digest();
        if parsed == Some(*ours) || !of_ours || parsed.is_none() && confirmed {
            return Ok(());
        }
        Err(RegistryError::DigestMismatch {
            attempt: Box::new(self.attempt(action)),
            ours: *ours,
            theirs: parsed,
        })
    }
}

fn length_of(reply: &Reply) -> Option<u64> {
    reply.text(&CONTENT_LENGTH)?.parse().ok()
}

/// Whether an answer says itself that it is about other content. Digests of other algorithms say nothing.
fn is_of_another(reply: &Reply, digest: &Digest) -> bool {
    reply.digest().is_some_and(|theirs| theirs != *digest)
}

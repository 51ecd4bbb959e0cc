//! Sending a blob's content into an open session, in one of the shapes that registries take.

use reqwest::header::{CONTENT_RANGE, CONTENT_TYPE, HeaderValue, RANGE};
use reqwest::{Method, StatusCode};

use super::course::{Outcome, Shape};
use crate::oci::Descriptor;
use crate::registry::access::session::Session;
use crate::registry::addresses::address::host_of;
use crate::registry::addresses::location;
use crate::registry::call::redirect::MAX_REDIRECTS;
use crate::registry::call::sending::{Call, Persistence};
use crate::registry::errors::error::RegistryError;
use crate::registry::patience::retry;
use crate::registry::wire::content::Content;
use crate::registry::wire::reply::Reply;
use crate::registry::wire::request::Request;
use crate::report::Meter;

const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");
/// The smallest piece that a registry takes, unless it is the last (distribution-spec, "Pushing a blob
/// in chunks").
const MINIMUM: &str = "oci-chunk-min-length";
/// More than this is asked of nobody.
const MAX_MINIMUM: u64 = 512 * 1024 * 1024;

/// How a request of an upload ended, with the error where one is to be told.
type Sent = (Outcome, Option<RegistryError>);

impl Call<'_> {
    /// An open upload: one that was opened before the first compile, or a new one.
    pub(in crate::registry) async fn open_upload(&self) -> Result<Session, RegistryError> {
        if let Some(session) = self.access.ready.upload(&self.path()) {
            return Ok(session);
        }
        self.open_new_upload().await
    }

    /// Opens an upload.
    pub(in crate::registry) async fn open_new_upload(&self) -> Result<Session, RegistryError> {
        let (session, _) = self.ask_to_upload().await?;
        Ok(session)
    }

    /// The same, with the status of the answer.
    pub(in crate::registry) async fn ask_to_upload(&self) -> Result<(Session, u16), RegistryError> {
        let request = Request::to_open(self.url("blobs/uploads/"), "open an upload");
        let action = request.action.clone();
        let send = async |request: &Request| self.perform(request, Persistence::Patient).await;
        let reply = self.at_home(request, send).await?;
        if reply.is_success() {
            Ok((self.session(&action, &reply)?, reply.status.as_u16()))
        } else {
            Err(self.refused(&action, &reply))
        }
    }

    /// The session that an answer opens.
    pub(in crate::registry) fn session(
        &self,
        action: &str,
        reply: &Reply,
    ) -> Result<Session, RegistryError> {
        let minimum = reply
            .headers
            .get(MINIMUM)
            .and_then(|value| value.to_str().ok());
        Ok(Session {
            url: self.location(action, reply)?,
            stranger: !self.access.endpoint().owns(&reply.url),
            minimum: minimum.and_then(|text| text.parse().ok()).unwrap_or(0),
            number: reply.opened,
        })
    }

    /// Sends all of a blob.
    pub(in crate::registry) async fn put(
        &self,
        session: Session,
        blob: &Descriptor,
        content: &Content,
        shape: Shape,
        meter: &Meter,
    ) -> Sent {
        let action = action(blob);
        let foreign = !self.access.endpoint().owns(&session.url);
        let host = host_of(&session.url);
        let number = session.number;
        let mut sent = match shape {
            Shape::Whole => self.commit(&session, blob, content, meter).await,
            Shape::Patch => {
                self.put_pieces(session, blob, content, u64::MAX, meter)
                    .await
            }
            Shape::Pieces(size) => {
                let size = size.max(session.minimum.min(MAX_MINIMUM));
                self.put_pieces(session, blob, content, size, meter).await
            }
        };
        match sent.0 {
            // These leave the upload open, and registries limit how many are.
            Outcome::Refused | Outcome::TooLarge | Outcome::ShapeRefused => {
                self.close(number).await;
            }
            // It is gone, or nobody knows: it may be the blob by now.
            _ => self.ended(number),
        }
        // What is put together from pieces is another content where one of them got lost.
        if shape != Shape::Whole
            && sent
                .1
                .as_ref()
                .is_some_and(RegistryError::is_digest_invalid)
        {
            sent.0 = Outcome::SessionGone;
        }
        match sent {
            (outcome, Some(source)) if foreign && source.is_of_a_server() => {
                let attempt = Box::new(self.attempt(&action));
                let source = Box::new(source);
                let elsewhere = RegistryError::Elsewhere {
                    attempt,
                    host,
                    source,
                };
                (outcome, Some(elsewhere))
            }
            sent => sent,
        }
    }

    /// There is nothing more to close.
    fn ended(&self, number: Option<u64>) {
        if let Some(number) = number {
            self.core.transport.sessions.ended(number);
        }
    }

    /// Closes an upload, if it is ours to close, as far as that can be done in a moment.
    async fn close(&self, number: Option<u64>) {
        let transport = &self.core.transport;
        if let Some(upload) = number.and_then(|number| transport.sessions.get(number)) {
            let courtesy = transport.limits.courtesy;
            let _ = tokio::time::timeout(courtesy, upload.close(transport)).await;
            self.ended(number);
        }
    }

    /// Closes an upload that nothing was sent into.
    pub(in crate::registry) async fn leave(&self, session: Session) {
        self.close(session.number).await;
    }

    /// The last request of an upload, carrying everything or nothing.
    async fn commit(
        &self,
        session: &Session,
        blob: &Descriptor,
        content: &Content,
        meter: &Meter,
    ) -> Sent {
        let action = &action(blob);
        let url = location::with_digest(&session.url, &blob.digest);
        let mut request = Request::new(Method::PUT, url, action)
            .header(CONTENT_TYPE, OCTETS)
            .content(content.clone())
            .metered(meter)
            .patience(self.core.transport.limits.commit);
        request.stranger = session.stranger;
        let mut redirects = 0;
        loop {
            let result = self.perform(&request, Persistence::Once).await;
            let reply = match &result {
                Ok(reply) if matches!(reply.status.as_u16(), 307 | 308) => reply,
                Ok(reply) if reply.is_success() => {
                    return match self.check_digest(action, &blob.digest, reply, self.core.confirm) {
                        Ok(()) => (Outcome::Taken, None),
                        Err(error) => (Outcome::Refused, Some(error)),
                    };
                }
                _ => return self.judge(action, result),
            };
            // The same content goes to where the registry says.
            redirects += 1;
            match self.location(action, reply) {
                Ok(url) if redirects <= MAX_REDIRECTS => {
                    request.sent_on(url, reply, self.access.endpoint());
                }
                Ok(_) => return self.judge(action, result),
                Err(error) => return (Outcome::Refused, Some(error)),
            }
        }
    }

    async fn put_pieces(
        &self,
        mut session: Session,
        blob: &Descriptor,
        content: &Content,
        size: u64,
        meter: &Meter,
    ) -> Sent {
        let action = &action(blob);
        let mut sent = 0;
        while sent < blob.size {
            let piece = content.piece(sent, size);
            let end = sent + piece.size();
            let mut request = Request::new(Method::PATCH, session.url.clone(), action)
                .header(CONTENT_TYPE, OCTETS)
                .content(piece)
                .metered(meter);
            request.stranger = session.stranger;
            if size < u64::MAX
                && let Ok(range) = HeaderValue::from_str(&format!("{sent}-{}", end - 1))
            {
                request = request.header(CONTENT_RANGE, range);
            }
            let result = self.perform(&request, Persistence::Once).await;
            let reply = match result {
                Ok(reply) if reply.is_success() => reply,
                result => return self.judge(action, result),
            };
            // Some took less than was sent, and some say so in ways of their own: all of it again. More than was
            // sent it cannot have; some count one too many.
            if size < u64::MAX && took(&reply).is_some_and(|took| took < end) {
                let what = "it took less than was sent".to_owned();
                return (Outcome::SessionGone, Some(self.protocol(action, what)));
            }
            if reply.headers.contains_key("location") {
                match self.location(action, &reply) {
                    Ok(url) => {
                        session.stranger |= !self.access.endpoint().owns(&reply.url);
                        if let Some(number) = session.number {
                            self.core.transport.sessions.moved(number, &url);
                        }
                        session.url = url;
                    }
                    Err(error) => return (Outcome::Refused, Some(error)),
                }
            }
            sent = end;
        }
        self.commit(&session, blob, &Content::None, meter).await
    }

    /// What a result that is no success means for the upload.
    fn judge(&self, action: &str, result: Result<Reply, RegistryError>) -> Sent {
        let passing = retry::Ending::of(&result);
        let outcome = match (&result, passing) {
            (_, retry::Ending::Silent) => Outcome::Silent,
            (_, retry::Ending::Broken) => Outcome::Passing,
            (_, outcome @ retry::Ending::Unavailable { .. }) => {
                if outcome.is_too_long() {
                    Outcome::Refused
                } else {
                    Outcome::Passing
                }
            }
            (Ok(reply), _) => self.judge_refusal(reply),
            (Err(_), _) => Outcome::Refused,
        };
        let error = match result {
            Ok(reply) if outcome == Outcome::SessionGone => self.lost_upload(action, &reply),
            Ok(reply) => self.refused(action, &reply),
            Err(error) => error,
        };
        (outcome, Some(error))
    }

    /// The error for an upload that is not known any more, unless it is the repository that is not.
    fn lost_upload(&self, action: &str, reply: &Reply) -> RegistryError {
        let words = self.words(reply);
        if words.has_code("NAME_UNKNOWN") {
            return self.refused(action, reply);
        }
        RegistryError::UploadLost {
            attempt: Box::new(self.attempt(action)),
            status: reply.status.as_u16(),
            words: Box::new(words),
        }
    }

    fn judge_refusal(&self, reply: &Reply) -> Outcome {
        const GONE: [&str; 3] = [
            "BLOB_UPLOAD_UNKNOWN",
            "BLOB_UPLOAD_INVALID",
            "RANGE_INVALID",
        ];
        match reply.status {
            StatusCode::NOT_FOUND | StatusCode::RANGE_NOT_SATISFIABLE => Outcome::SessionGone,
            StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::NOT_IMPLEMENTED
            | StatusCode::UNSUPPORTED_MEDIA_TYPE => Outcome::ShapeRefused,
            StatusCode::PAYLOAD_TOO_LARGE => Outcome::TooLarge,
            StatusCode::BAD_REQUEST => {
                let words = self.words(reply);
                if GONE.iter().any(|code| words.has_code(code)) {
                    Outcome::SessionGone
                } else {
                    Outcome::Refused
                }
            }
            _ => Outcome::Refused,
        }
    }
}

fn action(blob: &Descriptor) -> String {
    format!("upload blob `{}`", blob.digest)
}

/// How many bytes of an upload a registry has by its own account: `Range: 0-LAST`.
fn took(reply: &Reply) -> Option<u64> {
    let (_, last) = reply.text(&RANGE)?.split_once('-')?;
    last.trim().parse::<u64>().ok()?.checked_add(1)
}

//! Redirects: how far they are followed, and what stays the same on the way.
//!
//! What reads may be sent to stores of the registry (`Call::follow`), and so may the content of a blob
//! (`upload`). Everything else is for the registry alone, and is followed only within its own origin:
//! elsewhere it would be put where nobody looks for it, and a challenge from there is nothing to answer.

use reqwest::{Method, StatusCode};

use super::sending::Call;
use crate::registry::addresses::address::host_of;
use crate::registry::errors::error::RegistryError;
use crate::registry::wire::reply::Reply;
use crate::registry::wire::request::Request;

/// Addresses after the first.
pub(in crate::registry) const MAX_REDIRECTS: usize = 5;

/// Whether an answer sends the same request, with its method and content, to another address. 303 asks for
/// something else instead.
fn sends_on(method: &Method, status: StatusCode) -> bool {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    matches!(status.as_u16(), 301 | 302 | 307 | 308) || reads && status == StatusCode::SEE_OTHER
}

impl Call<'_> {
    /// Sends a request by `send`, and again to wherever the registry's own origin sends it on.
    pub(in crate::registry) async fn at_home(
        &self,
        request: Request,
        send: impl AsyncFn(&Request) -> Result<Reply, RegistryError>,
    ) -> Result<Reply, RegistryError> {
        let mut request = request;
        for _ in 0..=MAX_REDIRECTS {
            let reply = send(&request).await?;
            if !sends_on(&request.method, reply.status) {
                return Ok(reply);
            }
            let url = self.location(&request.action, &reply)?;
            if !self.access.endpoint().owns(&url) {
                return Err(RegistryError::Moved {
                    attempt: Box::new(self.attempt(&request.action)),
                    host: host_of(&url),
                });
            }
            request.url = url;
        }
        Err(self.endless(&request.action))
    }

    /// The error for redirects without an end.
    pub(in crate::registry) fn endless(&self, action: &str) -> RegistryError {
        let what = format!("the registry redirects more than {MAX_REDIRECTS} times");
        self.protocol(action, what)
    }
}

//! Uploads that are open, so that an interrupted run can close them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use reqwest::header::HeaderValue;
use reqwest::{Method, Url};

use super::request::Request;
use super::transport::Transport;
use crate::registry::addresses::endpoint::Endpoint;

/// What closing an upload takes.
#[derive(Debug, Clone)]
pub(in crate::registry) struct OpenUpload {
    /// Where it is.
    pub(in crate::registry) url: Url,
    /// The registry that opened it.
    pub(in crate::registry) endpoint: Endpoint,
    /// What it was opened with; nothing for an upload at another origin.
    pub(in crate::registry) authorization: Option<HeaderValue>,
}

impl OpenUpload {
    /// Tells the registry that nothing more will come. Registries drop abandoned uploads by themselves, and some
    /// want more rights for this, so that it does not matter what comes of it.
    pub(in crate::registry) async fn close(&self, transport: &Transport) {
        let request = Request::new(Method::DELETE, self.url.clone(), "close an upload");
        let sent = transport.send(&request, self.authorization.as_ref(), &self.endpoint);
        let _ = sent.await;
    }
}

/// The open uploads of a run.
#[derive(Debug, Default)]
pub(in crate::registry) struct Sessions(Mutex<Numbered>);

#[derive(Debug, Default)]
struct Numbered {
    open: BTreeMap<u64, OpenUpload>,
    /// Never given twice: whoever kept the number of an upload that was closed must not end another.
    next: u64,
}

impl Sessions {
    /// Takes note of an upload, and gives it a number.
    pub(in crate::registry) fn opened(&self, upload: OpenUpload) -> u64 {
        let mut numbered = self.lock();
        let number = numbered.next;
        numbered.next += 1;
        numbered.open.insert(number, upload);
        number
    }

    /// An upload ended, in whatever way: there is nothing to close.
    pub(in crate::registry) fn ended(&self, number: u64) {
        self.lock().open.remove(&number);
    }

    /// What closing an upload takes.
    pub(in crate::registry) fn get(&self, number: u64) -> Option<OpenUpload> {
        self.lock().open.get(&number).cloned()
    }

    /// An upload goes on at another address.
    pub(in crate::registry) fn moved(&self, number: u64, url: &Url) {
        let mut numbered = self.lock();
        let Some(upload) = numbered.open.get_mut(&number) else {
            return;
        };
        if upload.endpoint.owns(url) {
            upload.url = url.clone();
        } else {
            numbered.open.remove(&number);
        }
    }

    /// All that are open, which are then nobody's any more.
    pub(in crate::registry) fn take(&self) -> Vec<OpenUpload> {
        std::mem::take(&mut self.lock().open)
            .into_values()
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Numbered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_never_given_twice() {
        let upload = || OpenUpload {
            url: Url::parse("https://ghcr.io/v2/x/blobs/uploads/1").expect("an URL"),
            endpoint: Endpoint::of("ghcr.io").expect("legal"),
            authorization: None,
        };
        let sessions = Sessions::default();
        let first = sessions.opened(upload());
        assert_eq!(sessions.take().len(), 1);
        let second = sessions.opened(upload());
        sessions.ended(first);
        assert_ne!(first, second);
        assert_eq!(sessions.take().len(), 1);
    }
}

//! One request and its answer: connections, certificates, bodies, and limits on all of them.

pub(super) mod certificates;
pub(super) mod clients;
pub(super) mod content;
pub(super) mod opening;
pub(super) mod reply;
pub(super) mod request;
pub(super) mod resolver;
pub(super) mod sessions;
pub(super) mod sink;
pub(super) mod transport;
pub(super) mod trust;

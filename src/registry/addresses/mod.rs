//! Where registries listen, and which addresses something may be sent to.

pub(super) mod address;
pub(super) mod endpoint;
pub(super) mod location;
pub(super) mod server_key;
pub(super) mod vouched;

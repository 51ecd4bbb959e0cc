//! Requests with the right permit, repeated where that helps, and followed where they are sent on.

pub(super) mod authorize;
pub(super) mod redirect;
pub(super) mod sending;
pub(super) mod token_service;

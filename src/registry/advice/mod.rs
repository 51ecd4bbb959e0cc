//! What a person can do about an error: hints, and those that only a vendor's users need.

pub(super) mod hints;
pub(super) mod vendor;

//! When something is asked again, how much at the same time, and how long all of it may take.

pub(super) mod budget;
pub(super) mod limit;
pub(super) mod retry;
pub(super) mod waits;

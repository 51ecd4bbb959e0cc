//! An upload as the registry opened it.

use reqwest::Url;

/// An upload that is open.
#[derive(Debug, Clone)]
pub(super) struct Session {
    /// Where content goes; it may be on another host.
    pub(super) url: Url,
    /// Whether another host than the registry named that address.
    pub(super) stranger: bool,
    /// The smallest piece.
    pub(super) minimum: u64,
    /// Its number among those that an end of the run closes.
    pub(super) number: Option<u64>,
}

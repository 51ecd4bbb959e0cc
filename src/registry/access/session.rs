//! An upload as the registry opened it.

use reqwest::Url;

/// An upload that is open.
#[derive(Debug, Clone)]
pub(in crate::registry) struct Session {
    /// Where content goes; it may be on another host.
    pub(in crate::registry) url: Url,
    /// Whether another host than the registry named that address.
    pub(in crate::registry) stranger: bool,
    /// The smallest piece.
    pub(in crate::registry) minimum: u64,
    /// Its number among those that an end of the run closes.
    pub(in crate::registry) number: Option<u64>,
}

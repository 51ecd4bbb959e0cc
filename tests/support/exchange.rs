//! The log: every request that came in.

/// Which of the two servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The registry itself.
    Registry,
    /// The server beside it: a store of objects, or somebody who should learn nothing.
    Other,
}

/// A request, and the status that it got.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    pub(crate) origin: Origin,
    pub(crate) method: String,
    pub(crate) path: String,
    /// As it was sent.
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
    /// Bytes of the body that were read.
    pub(crate) body: u64,
    /// Nothing where no answer was given.
    pub(crate) status: Option<u16>,
}

impl Exchange {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Whether the method is `method` and the path has `part`; an empty text fits all.
    pub(crate) fn is(&self, method: &str, part: &str) -> bool {
        (method.is_empty() || self.method == method) && self.path.contains(part)
    }
}

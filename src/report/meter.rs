//! Bytes on their way, counted while they move.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that one service moves to one destination. Shared between whoever moves them and whoever shows
/// how far they got.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    expected: AtomicU64,
    moved: AtomicU64,
    /// Counts the same bytes among others.
    whole: Option<Meter>,
}

impl Meter {
    /// Bytes that will have moved at the end, as far as is known by now.
    pub fn expected(&self) -> u64 {
        self.0.expected.load(Ordering::Relaxed)
    }

    /// Bytes that moved.
    pub fn moved(&self) -> u64 {
        self.0.moved.load(Ordering::Relaxed)
    }

    /// So many more bytes are to be moved.
    pub fn expect(&self, bytes: u64) {
        self.0.expected.fetch_add(bytes, Ordering::Relaxed);
    }

    /// So many more bytes moved.
    pub fn advance(&self, bytes: u64) {
        self.0.moved.fetch_add(bytes, Ordering::Relaxed);
        if let Some(whole) = &self.0.whole {
            whole.advance(bytes);
        }
    }

    /// A try to move some of them, which counts only if it succeeds.
    pub fn attempt(&self) -> Attempt {
        let part = Counts {
            whole: Some(self.clone()),
            ..Counts::default()
        };
        Attempt {
            meter: Self(Arc::new(part)),
            succeeded: false,
        }
    }

    /// Bytes that seemed to have moved did not, and will be moved again.
    pub fn take_back(&self, bytes: u64) {
        let back = |moved: u64| Some(moved.saturating_sub(bytes));
        let moved = &self.0.moved;
        let _ = moved.fetch_update(Ordering::Relaxed, Ordering::Relaxed, back);
        if let Some(whole) = &self.0.whole {
            whole.take_back(bytes);
        }
    }
}

/// Two are the same if they count the same bytes.
impl PartialEq for Meter {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// One try to move bytes. What it counted is taken back when it is dropped without success.
#[derive(Debug)]
pub struct Attempt {
    meter: Meter,
    succeeded: bool,
}

impl Attempt {
    /// Counts the bytes of this try, and those of the whole.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Its bytes arrived.
    pub fn succeeded(mut self) {
        self.succeeded = true;
    }

    /// So many bytes arrived, whatever was counted.
    pub fn succeeded_with(self, bytes: u64) {
        self.meter.advance(bytes.saturating_sub(self.meter.moved()));
        self.succeeded();
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if !self.succeeded {
            self.meter.take_back(self.meter.moved());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_failed_attempt_moved_is_taken_back() {
        let meter = Meter::default();
        meter.expect(30);
        let failed = meter.attempt();
        failed.meter().advance(20);
        assert_eq!((meter.moved(), meter.expected()), (20, 30));
        drop(failed);
        assert_eq!((meter.moved(), meter.expected()), (0, 30));

        let upload = meter.attempt();
        let request = upload.meter().attempt();
        request.meter().advance(30);
        request.succeeded();
        assert_eq!((meter.moved(), meter.expected()), (30, 30));
        // Every request was answered well, and what they carried is not there.
        drop(upload);
        assert_eq!(meter.moved(), 0);
    }
}

//! Time for reports and expiry, passed in so that tests can move it. No output byte depends on it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Tells how much time went by since some fixed moment.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Duration + Send + Sync>);

impl Clock {
    /// The machine's monotonic clock.
    pub fn monotonic() -> Self {
        let start = Instant::now();
        Self(Arc::new(move || start.elapsed()))
    }

    /// A clock that `now` tells.
    pub fn from_fn(now: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// Time since the clock's fixed moment.
    pub fn now(&self) -> Duration {
        (self.0)()
    }

    /// Begins to measure.
    pub fn start(&self) -> Stopwatch {
        Stopwatch {
            clock: self.clone(),
            started: self.now(),
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Clock").field(&self.now()).finish()
    }
}

/// Measures from the moment it was made.
#[derive(Debug, Clone)]
pub struct Stopwatch {
    clock: Clock,
    started: Duration,
}

impl Stopwatch {
    /// Seconds since the start.
    pub fn seconds(&self) -> f64 {
        self.clock.now().saturating_sub(self.started).as_secs_f64()
    }
}

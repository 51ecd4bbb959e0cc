//! Time for reports, expiry and waits, passed in so that tests can move it. No output byte depends on
//! it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Tells how much time went by since some fixed moment.
#[derive(Clone)]
pub struct Clock(Hands);

#[derive(Clone)]
enum Hands {
    /// Since the clock was made.
    Monotonic(Instant),
    /// Whatever it was moved to.
    Moved(Arc<Mutex<Duration>>),
}

impl Clock {
    /// The machine's monotonic clock.
    pub fn monotonic() -> Self {
        Self(Hands::Monotonic(Instant::now()))
    }

    /// A clock that stands still until it is moved.
    pub fn by_hand() -> Self {
        Self(Hands::Moved(Arc::default()))
    }

    /// Time since the clock's fixed moment.
    pub fn now(&self) -> Duration {
        match &self.0 {
            Hands::Monotonic(start) => start.elapsed(),
            Hands::Moved(now) => *now.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Moves a clock that is moved by hand, and says whether it is one. Whoever has to wait asks this
    /// first: if it is, the wait is over.
    pub fn advance(&self, time: Duration) -> bool {
        match &self.0 {
            Hands::Monotonic(_) => false,
            Hands::Moved(now) => {
                *now.lock().unwrap_or_else(PoisonError::into_inner) += time;
                true
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_moved_by_hand_goes_with_all_its_copies() {
        let clock = Clock::by_hand();
        let watch = clock.clone().start();
        assert!(clock.advance(Duration::from_secs(3)));
        assert_eq!(clock.now(), Duration::from_secs(3));
        assert!((watch.seconds() - 3.0).abs() < f64::EPSILON);
        assert!(!Clock::monotonic().advance(Duration::from_secs(3)));
    }
}

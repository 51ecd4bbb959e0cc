//! The time that all calls of a run may take together.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::registry::errors::error::RegistryError;
use crate::report::Clock;

/// How often a waiting call looks whether the run was told to stop.
pub(in crate::registry) const INTERRUPT_POLL: Duration = Duration::from_millis(50);

/// Time for registries. It goes by only while a call is under way: how long compiling takes is nothing
/// that a push could be blamed for.
#[derive(Debug)]
pub(in crate::registry) struct Budget {
    whole: Option<Duration>,
    clock: Clock,
    spent: Mutex<Spent>,
}

#[derive(Debug, Default)]
struct Spent {
    /// In times that are over.
    before: Duration,
    /// Calls that are under way.
    running: u32,
    /// Since when at least one is.
    since: Duration,
}

/// A call under way, which ends when this is dropped.
#[derive(Debug)]
pub(in crate::registry) struct Spending<'a>(&'a Budget);

impl Budget {
    /// As much as `whole`, or no end of it.
    pub(in crate::registry) fn new(whole: Option<Duration>, clock: Clock) -> Self {
        Self {
            whole,
            clock,
            spent: Mutex::default(),
        }
    }

    /// A call begins.
    pub(in crate::registry) fn spend(&self) -> Spending<'_> {
        let now = self.clock.now();
        let mut spent = self.spent();
        if spent.running == 0 {
            spent.since = now;
        }
        spent.running += 1;
        Spending(self)
    }

    /// Waits until it is used up, which may be never.
    pub(in crate::registry) async fn used_up(&self) -> RegistryError {
        let Some(whole) = self.whole else {
            return std::future::pending().await;
        };
        while self.so_far() < whole {
            tokio::time::sleep(INTERRUPT_POLL).await;
        }
        RegistryError::OutOfTime {
            seconds: whole.as_secs(),
        }
    }

    fn so_far(&self) -> Duration {
        let now = self.clock.now();
        let spent = self.spent();
        let running = if spent.running > 0 {
            now.saturating_sub(spent.since)
        } else {
            Duration::ZERO
        };
        spent.before.saturating_add(running)
    }

    fn spent(&self) -> MutexGuard<'_, Spent> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Spending<'_> {
    fn drop(&mut self) {
        let so_far = self.0.so_far();
        let mut spent = self.0.spent();
        spent.running -= 1;
        if spent.running == 0 {
            spent.before = so_far;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_without_a_call_is_not_counted_and_that_of_two_only_once() {
        let clock = Clock::by_hand();
        let budget = Budget::new(Some(Duration::from_secs(10)), clock.clone());
        let pass = |seconds| clock.advance(Duration::from_secs(seconds));
        pass(100);
        let first = budget.spend();
        pass(3);
        let second = budget.spend();
        pass(2);
        drop(first);
        pass(1);
        drop(second);
        pass(100);
        assert_eq!(budget.so_far(), Duration::from_secs(6));
        let _third = budget.spend();
        pass(1);
        assert_eq!(budget.so_far(), Duration::from_secs(7));
    }
}

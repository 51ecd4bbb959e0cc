//! How much of a kind is under way at the same time: half as much after an answer that says "too
//! much", one more after a while in which all went well. Whoever waits longest is next.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

/// A limit that learns.
#[derive(Debug)]
pub(in crate::registry) struct Limit {
    /// Never more, however well it goes.
    most: usize,
    /// For each that may be under way, so many have to go well before one more may be.
    caution: usize,
    slots: Semaphore,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// From 1 to the most.
    allowed: usize,
    /// Those that went well since `allowed` changed.
    well: usize,
    /// Slots that are no longer there, and still taken.
    owed: usize,
    /// How often it was halved.
    halved: u64,
}

impl Limit {
    /// A limit that is never more than `most`, which it begins with. It grows by one after as many as may be
    /// under way went well `caution` times.
    pub(in crate::registry) fn of(most: usize, caution: usize) -> Self {
        Self {
            most,
            caution,
            slots: Semaphore::new(most),
            state: Mutex::new(State {
                allowed: most,
                well: 0,
                owed: 0,
                halved: 0,
            }),
        }
    }

    /// Waits until one more may begin. It goes on until the value is dropped.
    pub(in crate::registry) async fn begin(&self) -> Running<'_> {
        // Nobody closes it.
        let slot = self.slots.acquire().await.ok();
        let since = self.state().halved;
        Running {
            limit: self,
            slot,
            since,
        }
    }

    /// A server says to `one` that it is asked too much. What it says to several that began before it could be
    /// heeded counts once. Says whether it counted.
    pub(in crate::registry) fn slow_down(&self, one: &Running<'_>) -> bool {
        let counts = one.since == self.state().halved;
        if counts {
            self.halve();
        }
        counts
    }

    /// From now on half as many, but one.
    pub(in crate::registry) fn halve(&self) {
        let mut state = self.state();
        let allowed = (state.allowed / 2).max(1);
        let fewer = state.allowed - allowed;
        state.owed += fewer - self.slots.forget_permits(fewer);
        state.allowed = allowed;
        state.well = 0;
        state.halved += 1;
    }

    /// One of them went well.
    pub(in crate::registry) fn went_well(&self) {
        let mut state = self.state();
        state.well += 1;
        if state.well < state.allowed * self.caution || state.allowed == self.most {
            return;
        }
        state.allowed += 1;
        state.well = 0;
        if state.owed > 0 {
            state.owed -= 1;
        } else {
            self.slots.add_permits(1);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One that is under way.
#[derive(Debug)]
pub(in crate::registry) struct Running<'a> {
    limit: &'a Limit,
    slot: Option<SemaphorePermit<'a>>,
    /// How often the limit was halved when it began.
    since: u64,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut state = self.limit.state();
        if state.owed > 0
            && let Some(slot) = self.slot.take()
        {
            state.owed -= 1;
            slot.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use proptest::prelude::*;

    use super::*;

    const MOST: usize = 8;

    /// How many begin at once.
    fn at_once(limit: &Limit) -> usize {
        let begun = std::iter::from_fn(|| limit.begin().now_or_never());
        begun.take(MOST + 1).collect::<Vec<_>>().len()
    }

    #[test]
    fn each_halving_is_made_up_for_one_by_one() {
        let limit = Limit::of(MOST, 1);
        assert_eq!(at_once(&limit), 8);
        let mut allowed = Vec::new();
        for _ in 0..4 {
            limit.halve();
            allowed.push(at_once(&limit));
        }
        assert_eq!(allowed, [4, 2, 1, 1]);
        allowed.clear();
        for _ in 0..8 {
            limit.went_well();
            allowed.push(at_once(&limit));
        }
        assert_eq!(allowed, [2, 2, 3, 3, 3, 4, 4, 4]);
    }

    #[test]
    fn with_caution_it_takes_as_many_times_longer() {
        let limit = Limit::of(MOST, 8);
        for _ in 0..3 {
            limit.halve();
        }
        let grown: Vec<usize> = (0..24)
            .map(|_| {
                limit.went_well();
                at_once(&limit)
            })
            .collect();
        assert_eq!(grown[6..8], [1, 2]);
        assert_eq!(grown[22..], [2, 3]);
    }

    #[test]
    fn one_burst_halves_once() {
        let limit = Limit::of(MOST, 1);
        let burst: Vec<_> = (0..MOST)
            .map(|_| limit.begin().now_or_never().expect("free"))
            .collect();
        let counted = burst.iter().filter(|one| limit.slow_down(one)).count();
        assert_eq!(counted, 1);
        // Those that are under way are more than may be now.
        assert_eq!(at_once(&limit), 0);
        drop(burst);
        assert_eq!(at_once(&limit), 4);
        let next = limit.begin().now_or_never().expect("free");
        assert!(limit.slow_down(&next));
    }

    #[test]
    fn whoever_waits_longest_begins_next() {
        let limit = Limit::of(1, 1);
        let first = limit.begin().now_or_never().expect("free");
        let mut second = std::pin::pin!(limit.begin());
        assert!(second.as_mut().now_or_never().is_none());
        drop(first);
        // Not somebody who comes later and is quicker to ask.
        assert!(limit.begin().now_or_never().is_none());
        assert!(second.as_mut().now_or_never().is_some());
    }

    #[test]
    fn growth_lets_one_more_begin_that_waits() {
        let limit = Limit::of(2, 1);
        limit.halve();
        let _first = limit.begin().now_or_never().expect("free");
        let mut second = std::pin::pin!(limit.begin());
        assert!(second.as_mut().now_or_never().is_none());
        limit.went_well();
        assert!(second.as_mut().now_or_never().is_some());
    }

    proptest! {
        #[test]
        fn there_is_always_one_and_never_more_than_the_most(
            steps in prop::collection::vec((any::<bool>(), 0..MOST), 0..40),
        ) {
            let limit = Limit::of(MOST, 1);
            for (busy, running) in steps {
                let begun: Vec<_> = std::iter::from_fn(|| limit.begin().now_or_never())
                    .take(running)
                    .collect();
                if busy { limit.halve() } else { limit.went_well() }
                drop(begun);
                prop_assert!((1..=MOST).contains(&at_once(&limit)));
            }
        }
    }
}

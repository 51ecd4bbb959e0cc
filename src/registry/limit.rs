//! How much of a kind is under way at the same time: half as much after each answer that says "too
//! much", one more after a while in which all went well.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// A limit that learns.
#[derive(Debug)]
pub(super) struct Limit {
    /// Never more, however well it goes.
    most: usize,
    /// For each that may be under way, so many have to go well before one more may be.
    caution: usize,
    state: Mutex<State>,
    /// Told whenever one more may begin.
    freed: Notify,
}

#[derive(Debug)]
struct State {
    running: usize,
    /// From 1 to the most.
    allowed: usize,
    /// Those that went well since `allowed` changed.
    well: usize,
}

impl Limit {
    /// A limit that is never more than `most`, which it begins with. It grows by one after as many as may be
    /// under way went well `caution` times.
    pub(super) fn of(most: usize, caution: usize) -> Self {
        Self {
            most,
            caution,
            state: Mutex::new(State {
                running: 0,
                allowed: most,
                well: 0,
            }),
            freed: Notify::new(),
        }
    }

    /// Waits until one more may begin. It goes on until the value is dropped.
    pub(super) async fn begin(&self) -> Running<'_> {
        loop {
            let freed = self.freed.notified();
            let mut freed = std::pin::pin!(freed);
            // From here on no notice is missed.
            freed.as_mut().enable();
            if self.try_begin() {
                return Running(self);
            }
            freed.await;
        }
    }

    /// A server says that it is asked too much.
    pub(super) fn slow_down(&self) {
        let mut state = self.state();
        state.allowed = (state.allowed / 2).max(1);
        state.well = 0;
    }

    /// One of them went well.
    pub(super) fn went_well(&self) {
        let mut state = self.state();
        state.well += 1;
        if state.well >= state.allowed * self.caution && state.allowed < self.most {
            state.allowed += 1;
            state.well = 0;
            drop(state);
            self.freed.notify_waiters();
        }
    }

    fn try_begin(&self) -> bool {
        let mut state = self.state();
        let may = state.running < state.allowed;
        state.running += usize::from(may);
        may
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One that is under way.
#[derive(Debug)]
pub(super) struct Running<'a>(&'a Limit);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.state().running -= 1;
        self.0.freed.notify_waiters();
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
    fn each_busy_answer_halves_them_and_success_brings_them_back_one_by_one() {
        let limit = Limit::of(MOST, 1);
        assert_eq!(at_once(&limit), 8);
        let mut allowed = Vec::new();
        for _ in 0..4 {
            limit.slow_down();
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
    fn whoever_waits_begins_when_another_ends() {
        let limit = Limit::of(MOST, 1);
        for _ in 0..3 {
            limit.slow_down();
        }
        let first = limit.begin().now_or_never().expect("free");
        let mut second = std::pin::pin!(limit.begin());
        assert!(second.as_mut().now_or_never().is_none());
        drop(first);
        assert!(second.as_mut().now_or_never().is_some());
    }

    proptest! {
        #[test]
        fn there_is_always_one_and_never_more_than_the_most(steps in prop::collection::vec(any::<bool>(), 0..40)) {
            let limit = Limit::of(MOST, 1);
            for busy in steps {
                if busy { limit.slow_down() } else { limit.went_well() }
                prop_assert!((1..=MOST).contains(&at_once(&limit)));
            }
        }
    }
}

//! How many blobs are on their way at the same time: half as many after each answer that says "too
//! much", one more after as many that went well as there may be.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Never more, however well it goes.
const MOST: usize = 8;

/// The limit on transfers of a run.
#[derive(Debug)]
pub(super) struct Transfers {
    state: Mutex<State>,
    /// Told whenever one more may begin.
    freed: Notify,
}

#[derive(Debug)]
struct State {
    running: usize,
    /// From 1 to [`MOST`].
    allowed: usize,
    /// Transfers that went well since `allowed` changed.
    well: usize,
}

impl Default for Transfers {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                running: 0,
                allowed: MOST,
                well: 0,
            }),
            freed: Notify::new(),
        }
    }
}

impl Transfers {
    /// Waits until one more transfer may begin. It goes on until the value is dropped.
    pub(super) async fn begin(&self) -> Transfer<'_> {
        loop {
            let freed = self.freed.notified();
            let mut freed = std::pin::pin!(freed);
            // From here on no notice is missed.
            freed.as_mut().enable();
            if self.try_begin() {
                return Transfer(self);
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

    /// A transfer went well.
    pub(super) fn went_well(&self) {
        let mut state = self.state();
        state.well += 1;
        if state.well >= state.allowed && state.allowed < MOST {
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

/// A transfer under way.
#[derive(Debug)]
pub(super) struct Transfer<'a>(&'a Transfers);

impl Drop for Transfer<'_> {
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

    /// How many begin at once.
    fn at_once(transfers: &Transfers) -> usize {
        let begun = std::iter::from_fn(|| transfers.begin().now_or_never());
        begun.take(MOST + 1).collect::<Vec<_>>().len()
    }

    #[test]
    fn each_busy_answer_halves_them_and_success_brings_them_back_one_by_one() {
        let transfers = Transfers::default();
        assert_eq!(at_once(&transfers), 8);
        let mut allowed = Vec::new();
        for _ in 0..4 {
            transfers.slow_down();
            allowed.push(at_once(&transfers));
        }
        assert_eq!(allowed, [4, 2, 1, 1]);
        allowed.clear();
        for _ in 0..8 {
            transfers.went_well();
            allowed.push(at_once(&transfers));
        }
        assert_eq!(allowed, [2, 2, 3, 3, 3, 4, 4, 4]);
    }

    #[test]
    fn whoever_waits_begins_when_another_ends() {
        let transfers = Transfers::default();
        for _ in 0..3 {
            transfers.slow_down();
        }
        let first = transfers.begin().now_or_never().expect("free");
        let mut second = std::pin::pin!(transfers.begin());
        assert!(second.as_mut().now_or_never().is_none());
        drop(first);
        assert!(second.as_mut().now_or_never().is_some());
    }

    proptest! {
        #[test]
        fn there_is_always_one_and_never_more_than_the_most(steps in prop::collection::vec(any::<bool>(), 0..40)) {
            let transfers = Transfers::default();
            for busy in steps {
                if busy { transfers.slow_down() } else { transfers.went_well() }
                prop_assert!((1..=MOST).contains(&at_once(&transfers)));
            }
        }
    }
}

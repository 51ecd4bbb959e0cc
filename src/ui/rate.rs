//! How fast bytes move, over the last few seconds.

use std::collections::VecDeque;
use std::time::Duration;

/// What happened before is forgotten: a rate tells what is, and never jumps with each chunk.
const WINDOW: Duration = Duration::from_secs(4);

/// Milliseconds below which a rate says nothing.
const SHORTEST: u64 = 500;

/// Counts at moments, oldest first.
#[derive(Debug, Default)]
pub(super) struct Rate(VecDeque<(Duration, u64)>);

impl Rate {
    /// Bytes a second, if `moved` have moved at `now`; `None` until that can be told.
    pub(super) fn at(&mut self, now: Duration, moved: u64) -> Option<u64> {
        // What a failed attempt sent never arrived.
        if self.0.back().is_some_and(|(_, last)| *last > moved) {
            self.0.clear();
        }
        self.0.push_back((now, moved));
        while self.0.len() > 2
            && self
                .0
                .get(1)
                .is_some_and(|(at, _)| now.saturating_sub(*at) >= WINDOW)
        {
            self.0.pop_front();
        }
        let (since, before) = *self.0.front()?;
        let milliseconds = u64::try_from(now.saturating_sub(since).as_millis()).ok()?;
        if milliseconds < SHORTEST {
            return None;
        }
        (moved - before)
            .saturating_mul(1000)
            .checked_div(milliseconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_seconds_count_and_what_is_taken_back_begins_anew() {
        let mut rate = Rate::default();
        let second = Duration::from_secs;
        assert_eq!(rate.at(second(0), 0), None);
        assert_eq!(rate.at(second(1), 500), Some(500));
        assert_eq!(rate.at(second(2), 1000), Some(500));
        for now in 3..20 {
            rate.at(second(now), 1000);
        }
        assert_eq!(rate.at(second(20), 1000), Some(0));
        assert_eq!(rate.at(second(21), 200), None);
        assert_eq!(rate.at(second(22), 300), Some(100));
    }
}

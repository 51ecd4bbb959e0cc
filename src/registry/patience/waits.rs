//! Waiting: pauses of random length, hosts that asked to be left alone for a while, and how much is asked of
//! one at the same time.

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::limit::{Limit, Running};
use crate::registry::options::Listener;
use crate::report::Clock;

/// Requests that one host is sent at the same time, those that carry blobs included.
const MOST_REQUESTS: usize = 32;
/// Each growth beyond what a host takes means that a request is refused, and one that is refused six times is given
/// up. A limit that grows after each answer brings that about, one that grows after eight times as many does not.
const CAUTION: usize = 8;
/// A run that was told to wait comes back within so much more of what it was told, lest all runs that were told
/// so at the same time come back together.
const SPREAD: f64 = 0.1;
/// A shorter wait is nothing to be told.
const TOLD: Duration = Duration::from_secs(3);

/// The waits of a run. An interrupt ends them, because it ends whoever waits.
#[derive(Debug)]
pub(in crate::registry) struct Patience {
    clock: Clock,
    /// Until when, on the clock, nothing may be sent to a host.
    gates: Mutex<BTreeMap<String, Duration>>,
    /// How many requests a host is sent at the same time.
    limits: Mutex<BTreeMap<String, Arc<Limit>>>,
    random: AtomicU64,
    /// How much of [`SPREAD`] this run takes.
    lateness: f64,
    listener: Listener,
}

impl Patience {
    /// Waits by `clock`. The same `seed` gives the same pauses. `listener` hears of long ones that hosts ask for.
    pub(in crate::registry) fn new(clock: Clock, seed: Option<u64>, listener: Listener) -> Self {
        // The standard library's way to a number that differs in each process.
        let seed = seed.unwrap_or_else(|| RandomState::new().build_hasher().finish());
        let mut patience = Self {
            clock,
            gates: Mutex::default(),
            limits: Mutex::default(),
            random: AtomicU64::new(seed),
            lateness: 0.0,
            listener,
        };
        patience.lateness = patience.share();
        patience
    }

    /// Waits as long as it says.
    pub(in crate::registry) async fn pause(&self, pause: Duration) {
        if !pause.is_zero() && !self.clock.advance(pause) {
            tokio::time::sleep(pause).await;
        }
    }

    /// Asks everybody to leave a host alone for a while, and a little longer.
    pub(in crate::registry) fn close_gate(&self, host: &str, wait: Duration) {
        let now = self.clock.now();
        let until = now + wait.mul_f64(1.0 + SPREAD * self.lateness);
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        let gate = gates.entry(host.to_owned()).or_default();
        // What was refused together is told once.
        let is_new = until.saturating_sub(now.max(*gate)) >= TOLD;
        *gate = until.max(*gate);
        drop(gates);
        if is_new {
            self.listener.waits(host, until.saturating_sub(now));
        }
    }

    /// Waits until a host may be asked.
    pub(in crate::registry) async fn pass_gate(&self, host: &str) {
        loop {
            let left = self.left(host);
            if left.is_zero() {
                return;
            }
            self.pause(left).await;
        }
    }

    /// Waits until a host may be asked, and until one more of its `limit` may begin.
    pub(in crate::registry) async fn turn<'l>(&self, host: &str, limit: &'l Limit) -> Running<'l> {
        loop {
            self.pass_gate(host).await;
            let running = limit.begin().await;
            // It may have been closed meanwhile, and the limit lowered.
            if self.left(host).is_zero() {
                return running;
            }
        }
    }

    /// How long a host may not be asked.
    fn left(&self, host: &str) -> Duration {
        let gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        let until = gates.get(host).copied().unwrap_or_default();
        until.saturating_sub(self.clock.now())
    }

    /// The limit on requests to a host.
    pub(in crate::registry) fn limit(&self, host: &str) -> Arc<Limit> {
        let mut limits = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        let limit = limits.entry(host.to_owned());
        Arc::clone(limit.or_insert_with(|| Arc::new(Limit::of(MOST_REQUESTS, CAUTION))))
    }

    /// A random number between 0 and 1, so that those who failed together do not come back together.
    pub(in crate::registry) fn share(&self) -> f64 {
        // SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators").
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let state = self.random.fetch_add(STEP, Ordering::Relaxed);
        let mut mixed = state.wrapping_add(STEP);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let top = u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap_or(u32::MAX);
        f64::from(top) / f64::from(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Event, Recording};

    #[test]
    fn a_long_wait_is_told_and_those_refused_together_are_told_once() {
        let (clock, heard) = (Clock::by_hand(), Arc::new(Recording::default()));
        let listener = Listener::new(Arc::<Recording>::clone(&heard));
        let patience = Patience::new(clock.clone(), Some(1), listener);
        patience.close_gate("ghcr.io", Duration::from_secs(1));
        assert_eq!(heard.events(), []);
        for _ in 0..3 {
            patience.close_gate("ghcr.io", Duration::from_secs(30));
        }
        clock.advance(Duration::from_mins(1));
        patience.close_gate("ghcr.io", Duration::from_mins(2));
        let told = heard.events().into_iter().map(|event| match event {
            Event::Status { subject, .. } => subject,
            other => panic!("{other:?}"),
        });
        let told: Vec<String> = told.collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].starts_with('3') && told[0].ends_with(" s, as `ghcr.io` asks"));
        assert!(told[1].starts_with("12"), "{told:?}");
    }

    #[test]
    fn the_same_seed_gives_the_same_shares_and_they_are_spread() {
        let shares = |seed| {
            let patience = Patience::new(Clock::by_hand(), Some(seed), Listener::default());
            (0..1000).map(|_| patience.share()).collect::<Vec<f64>>()
        };
        let first = shares(1);
        assert_eq!(first, shares(1));
        assert_ne!(first, shares(2));
        assert!(first.iter().all(|share| (0.0..=1.0).contains(share)));
        let mean = first.iter().sum::<f64>() / 1000.0;
        assert!((0.45..0.55).contains(&mean), "{mean}");
    }

    #[test]
    fn a_gate_holds_for_its_host_only_and_only_grows() {
        let clock = Clock::by_hand();
        let patience = Patience::new(clock.clone(), Some(1), Listener::default());
        patience.close_gate("a", Duration::from_secs(8));
        patience.close_gate("a", Duration::from_secs(2));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        runtime.block_on(patience.pass_gate("b"));
        assert_eq!(clock.now(), Duration::ZERO);
        runtime.block_on(patience.pass_gate("a"));
        let passed = clock.now();
        assert!((8.0..=8.8).contains(&passed.as_secs_f64()), "{passed:?}");
        runtime.block_on(patience.pass_gate("a"));
        assert_eq!(clock.now(), passed);
    }
}

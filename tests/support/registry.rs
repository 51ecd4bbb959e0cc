//! The two servers, their connections and their common state.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::answer::Answer;
use super::chance::Chance;
use super::contents::Contents;
use super::echo::{self, Echo};
use super::exchange::{Exchange, Origin};
use super::fault::{Act, Fault, Faults};
use super::guard::{Anonymous, Guard, Tokens};
use super::wire::{Head, Wire};

/// Tells how much time went by.
type Now = Arc<dyn Fn() -> Duration + Send + Sync>;

/// How the registry is where it keeps to the specification.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) guard: Guard,
    /// What whoever does not say who it is may do.
    pub(crate) anonymous: Anonymous,
    /// Tokens end by it.
    pub(crate) now: Now,
    pub(crate) mounts: bool,
    pub(crate) immutable_tags: bool,
    pub(crate) immutable_status: u16,
    /// A right that manifests need besides that to push.
    pub(crate) manifest_right: Option<&'static str>,
    /// What a manifest with unknown blobs is answered with; where it is `None`, it is taken.
    pub(crate) unknown_status: Option<u16>,
    pub(crate) chunk_minimum: Option<u64>,
    /// What refusals and warnings repeat, secrets included.
    pub(crate) echoes: Echo,
    /// More requests than this at the same time, those to the token service excepted, are told to come back in half a minute.
    pub(crate) at_once: Option<usize>,
    /// The repositories that exist; where it is `None`, a push makes them.
    pub(crate) repositories: Option<Vec<String>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            guard: Guard::Open,
            anonymous: Anonymous::Refused,
            now: Arc::new(|| Duration::ZERO),
            mounts: true,
            immutable_tags: false,
            immutable_status: 400,
            manifest_right: None,
            unknown_status: Some(400),
            chunk_minimum: None,
            echoes: Echo::Nothing,
            at_once: None,
            repositories: None,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Settings")
            .field("guard", &self.guard)
            .finish_non_exhaustive()
    }
}

#[derive(Default)]
pub(super) struct State {
    pub(super) contents: Contents,
    pub(super) tokens: Tokens,
    pub(super) faults: Faults,
    pub(super) chance: Option<Chance>,
    pub(super) log: Vec<Exchange>,
    pub(super) flooded: u64,
    /// Requests that are being answered.
    pub(super) running: usize,
    pub(super) stopped: bool,
}

pub(super) struct Shared {
    pub(super) registry: SocketAddr,
    pub(super) other: SocketAddr,
    pub(super) settings: Settings,
    pub(super) state: Mutex<State>,
    /// Told whenever a request came in.
    pub(super) noted: Condvar,
}

/// A running registry with another origin beside it; both end with the value.
pub(crate) struct FaultRegistry {
    shared: Arc<Shared>,
}

impl FaultRegistry {
    pub(crate) fn start(settings: Settings) -> Self {
        let bind = || TcpListener::bind("127.0.0.1:0").expect("a free port");
        let (registry, other) = (bind(), bind());
        let address = |listener: &TcpListener| listener.local_addr().expect("bound");
        let shared = Arc::new(Shared {
            registry: address(&registry),
            other: address(&other),
            settings,
            state: Mutex::default(),
            noted: Condvar::new(),
        });
        for (listener, origin) in [(registry, Origin::Registry), (other, Origin::Other)] {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.listen(&listener, origin));
        }
        Self { shared }
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn host(&self) -> String {
        self.shared.registry.to_string()
    }

    /// The numbers, from 0, of faults that never happened.
    pub(crate) fn unused(&self) -> Vec<usize> {
        self.shared.state().faults.unused()
    }

    pub(crate) fn add(&self, fault: Fault) {
        self.shared.state().faults.add(fault);
    }

    /// Of a thousand requests, lets so many fail, as `seed` has it.
    pub(crate) fn fail_by_chance(&self, seed: u64, faults: u64) {
        self.shared.state().chance = Some(Chance::new(seed, faults));
    }

    /// How many failed by chance.
    pub(crate) fn chances(&self) -> u64 {
        let state = self.shared.state();
        state.chance.as_ref().map_or(0, |chance| chance.happened)
    }

    /// Every request so far, to both origins.
    pub(crate) fn log(&self) -> Vec<Exchange> {
        self.shared.state().log.clone()
    }

    /// Forgets the log.
    pub(crate) fn forget(&self) {
        self.shared.state().log.clear();
    }

    /// Waits until a request with this method and this part in its path came in.
    pub(crate) fn wait_for(&self, method: &str, part: &str) {
        let missing = |state: &mut State| !state.log.iter().any(|seen| seen.is(method, part));
        let limit = Duration::from_mins(2);
        let noted = &self.shared.noted;
        let (state, waited) = noted
            .wait_timeout_while(self.shared.state(), limit, missing)
            .expect("no server panicked");
        drop(state);
        assert!(!waited.timed_out(), "no {method} {part}");
    }

    /// How many requests to the registry itself had this method and this part in their path.
    pub(crate) fn count(&self, method: &str, part: &str) -> usize {
        let state = self.shared.state();
        let ours =
            |exchange: &&Exchange| exchange.origin == Origin::Registry && exchange.is(method, part);
        state.log.iter().filter(ours).count()
    }

    pub(crate) fn blob(&self, repository: &str, digest: &str) -> Option<Vec<u8>> {
        self.shared
            .state()
            .contents
            .blob(repository, digest)
            .cloned()
    }

    /// Stores a blob without a push.
    pub(crate) fn store_blob(&self, repository: &str, digest: &str, bytes: &[u8]) {
        let mut state = self.shared.state();
        let blobs = &mut state.contents.repository(repository).blobs;
        blobs.insert(digest.to_owned(), bytes.to_vec());
    }

    /// The bytes of the manifest under a tag or digest.
    pub(crate) fn manifest(&self, repository: &str, reference: &str) -> Option<Vec<u8>> {
        let mut state = self.shared.state();
        let found = state.contents.repository(repository).manifest(reference);
        found.map(|(_, manifest)| manifest.bytes.clone())
    }

    /// Uploads that were opened and neither committed nor dropped.
    pub(crate) fn open_uploads(&self) -> usize {
        self.shared.state().contents.sessions.len()
    }

    /// Bytes that floods could get rid of.
    pub(crate) fn flooded(&self) -> u64 {
        self.shared.state().flooded
    }
}

impl Drop for FaultRegistry {
    fn drop(&mut self) {
        self.shared.state().stopped = true;
        // Wakes the listeners.
        let _ = TcpStream::connect(self.shared.registry);
        let _ = TcpStream::connect(self.shared.other);
    }
}

/// A request that is being answered.
struct Running<'a>(&'a Shared);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.state().running -= 1;
    }
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listen(self: Arc<Self>, listener: &TcpListener, origin: Origin) {
        for stream in listener.incoming() {
            if self.state().stopped {
                return;
            }
            let Some(wire) = stream.ok().and_then(|stream| Wire::new(stream).ok()) else {
                continue;
            };
            let shared = Arc::clone(&self);
            thread::spawn(move || shared.converse(wire, origin));
        }
    }

    /// Takes one request after the other from a connection, as long as it stands.
    fn converse(&self, mut wire: Wire, origin: Origin) {
        while let Some(head) = wire.head() {
            let (entry, act) = self.note(origin, &head);
            match act {
                Some(Act::Early { answer, drain }) => {
                    self.finish(entry, &answer);
                    let mut answer = self.filled(answer, head.path(), "");
                    if self.settings.echoes != Echo::Nothing {
                        echo::repeat(&mut answer, &head, &[], &self.gossip());
                    }
                    let _ = wire.answer(&head.method, &answer, usize::MAX);
                    if drain {
                        wire.drain();
                    }
                    return;
                }
                Some(Act::Reset { after }) => {
                    let _ = wire.body(after.min(head.length()));
                    return wire.reset();
                }
                Some(Act::HangUp) => return wire.hang_up(),
                Some(Act::Gather(count)) if !self.gather(&head, count) => return wire.hang_up(),
                Some(Act::Silence) => return wire.wait_for_end(),
                Some(Act::Drip) => return wire.drip(),
                Some(Act::Raw(bytes)) => {
                    let _ = wire.raw(bytes);
                    return;
                }
                Some(Act::Flood(status, flood)) => {
                    let sent = wire.flood(status, flood);
                    self.state().flooded += sent;
                    return;
                }
                _ => {}
            }
            let Ok(body) = wire.body(head.length()) else {
                return;
            };
            self.state().log[entry].body = body.len() as u64;
            let Some(running) = self.begin(&head) else {
                let answer = Answer::status(429).with("Retry-After", "30");
                self.finish(entry, &answer);
                if wire.answer(&head.method, &answer, usize::MAX).is_err() {
                    return;
                }
                continue;
            };
            let answer = self.answer(origin, &head, &body, act.as_ref());
            if let Some(Act::Late(time)) = act {
                self.hold(time);
            }
            // Whoever has its answer may ask again.
            drop(running);
            if matches!(act, Some(Act::LoseAnswer)) {
                return wire.reset();
            }
            self.finish(entry, &answer);
            let most = match act {
                Some(Act::Truncate(most)) => most,
                _ => usize::MAX,
            };
            if wire.answer(&head.method, &answer, most).is_err() || most < usize::MAX {
                return;
            }
        }
    }

    /// Holds an answer back for some time.
    fn hold(&self, time: Duration) {
        let held = |state: &mut State| !state.stopped;
        drop(self.noted.wait_timeout_while(self.state(), time, held));
    }

    /// Begins to answer a request, which takes until others came in meanwhile or some time went by; `None` is
    /// where there are too many already.
    fn begin(&self, head: &Head) -> Option<Running<'_>> {
        let running = Running(self);
        let mut state = self.state();
        state.running += 1;
        let limited = head.path() != "/token";
        let Some(most) = self.settings.at_once.filter(|_| limited) else {
            return Some(running);
        };
        if state.running > most {
            return None;
        }
        let seen = state.log.len();
        let more = |state: &mut State| state.log.len() < seen + most;
        let time = Duration::from_millis(20);
        let _ = self.noted.wait_timeout_while(state, time, more);
        Some(running)
    }

    /// Waits until `count` requests came in that are like this one but for the repository; tells whether they
    /// did.
    fn gather(&self, head: &Head, count: usize) -> bool {
        let kind = |path: &str| path.rsplit_once("/blobs/").map(|(_, end)| end.to_owned());
        let of_blob = kind(head.path());
        let query = |query: &str| query.split('&').next().map(str::to_owned);
        let missing = |state: &mut State| {
            let alike = state.log.iter().filter(|seen| {
                seen.method == head.method
                    && kind(&seen.path) == of_blob
                    && query(&seen.query) == query(head.query())
            });
            alike.count() < count
        };
        let limit = Duration::from_secs(30);
        let (state, waited) = self
            .noted
            .wait_timeout_while(self.state(), limit, missing)
            .expect("no server panicked");
        drop(state);
        !waited.timed_out()
    }

    /// Writes a request down, and finds what shall happen to it.
    fn note(&self, origin: Origin, head: &Head) -> (usize, Option<Act>) {
        let mut state = self.state();
        state.log.push(Exchange {
            origin,
            method: head.method.clone(),
            path: head.path().to_owned(),
            query: head.query().to_owned(),
            headers: head.headers.clone(),
            body: 0,
            status: None,
        });
        self.noted.notify_all();
        let act = state.faults.take(origin, head);
        let act = act.or_else(|| state.chance.as_mut()?.take(head));
        (state.log.len() - 1, act)
    }

    /// What was shown until now and nobody else should hear.
    pub(super) fn gossip(&self) -> Vec<String> {
        if self.settings.echoes != Echo::Everything {
            return Vec::new();
        }
        let state = self.state();
        let shown = state.log.iter().flat_map(|exchange| {
            let permit = exchange.header("authorization");
            [permit.unwrap_or_default(), &exchange.query].map(str::to_owned)
        });
        let shown: BTreeSet<String> = shown.filter(|text| !text.is_empty()).collect();
        shown.into_iter().collect()
    }

    fn finish(&self, entry: usize, answer: &Answer) {
        // The log may have been forgotten meanwhile.
        if let Some(exchange) = self.state().log.get_mut(entry) {
            exchange.status = Some(answer.status);
        }
    }
}

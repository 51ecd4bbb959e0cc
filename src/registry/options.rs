//! How a client goes about its work.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::report::{Event, Reporter};

/// What a caller may choose.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long things may take.
    pub limits: Limits,
    /// Whether what was sent is looked for afterwards: registries acknowledge what they do not store.
    pub confirm: bool,
    /// Registries (`HOST[:PORT]`) that are spoken to over plain http, passwords included.
    pub insecure: Vec<String>,
    /// The time that all calls may take together; time between them does not count.
    pub budget: Option<Duration>,
    /// What the lengths of pauses are drawn from; where it is `None`, they differ in every run.
    pub seed: Option<u64>,
    /// Who hears of long waits.
    pub listener: Listener,
}

/// Hears of what a client does on its own account; nobody unless a caller says so.
#[derive(Clone, Default)]
pub struct Listener(Option<Arc<dyn Reporter>>);

impl Listener {
    /// `reporter` hears of it.
    pub fn new(reporter: Arc<dyn Reporter>) -> Self {
        Self(Some(reporter))
    }

    /// Says that nothing is asked of a host for a while.
    pub(super) fn waits(&self, host: &str, wait: Duration) {
        if let Some(reporter) = &self.0 {
            reporter.report(Event::Status {
                verb: "Waiting",
                subject: format!("{} s, as `{host}` asks", wait.as_secs()),
            });
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Listener({})", self.0.is_some())
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            confirm: true,
            insecure: Vec::new(),
            budget: None,
            seed: None,
            listener: Listener::default(),
        }
    }
}

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For a connection.
    pub connect: Duration,
    /// For the headers of an answer, from the moment all is sent; and for a wanted body.
    pub answer: Duration,
    /// For the answer to the last request of an upload: registries copy large blobs before it.
    pub commit: Duration,
    /// Without any byte of a body moving.
    pub idle: Duration,
    /// Between two signs of life on a connection that several requests share, and for the answer to one:
    /// a connection that died without a word would else take every further request with it.
    pub ping: Duration,
    /// For a request that only spares the registry some work.
    pub courtesy: Duration,
    /// The pause before the second attempt.
    pub first_wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            answer: Duration::from_mins(1),
            commit: Duration::from_mins(5),
            idle: Duration::from_mins(1),
            ping: Duration::from_secs(15),
            courtesy: Duration::from_secs(3),
            first_wait: Duration::from_millis(500),
        }
    }
}

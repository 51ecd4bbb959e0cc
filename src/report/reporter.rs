//! Who hears of events.

use std::sync::Mutex;

use super::Event;

/// Takes events from any thread.
pub trait Reporter: Send + Sync {
    /// Takes one event; never fails, because a run does not end for want of a terminal.
    fn report(&self, event: Event);
}

/// Keeps every event, for tests and for callers that look afterwards.
#[derive(Debug, Default)]
pub struct Recording {
    events: Mutex<Vec<Event>>,
}

impl Recording {
    /// All events so far, in order.
    pub fn events(&self) -> Vec<Event> {
        self.events
            .lock()
            .map(|events| events.clone())
            .unwrap_or_default()
    }
}

impl Reporter for Recording {
    fn report(&self, event: Event) {
        if let Ok(mut events) = self.events.lock() {
            events.push(event);
        }
    }
}

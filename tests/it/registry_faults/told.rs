//! All that would be printed of what happens at a registry, and the secrets that must not be in it.
//!
//! Every client of a [`super::stage::Stage`] tells everything here, and no stage ends well that told a
//! secret, so that no test has to think of it.

use std::io::{self, Cursor, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use cargo_lighter::destination::DestinationError;
use cargo_lighter::hint::Hint as _;
use cargo_lighter::registry::foreign::repeats;
use cargo_lighter::report::{DeliverySummary, Event, Reporter as _, Step, with_causes};
use cargo_lighter::ui::{Console, Format, Streams, Verbosity};

/// What is secret whoever logs in: passwords of tests, tokens that the registry issues, and the state of an
/// upload in an address and decoded.
const SENTINELS: [&str; 4] = ["secret", "token-sentinel", "_state=", "a+b=upload"];

/// Everything that was told, at the highest verbosity, for people and for programs.
#[derive(Debug)]
pub(super) struct Told {
    consoles: [Console; 2],
    text: Captured,
    login: Option<String>,
}

impl Told {
    /// Nothing was told yet; `login` is `user:password`.
    pub(super) fn new(login: Option<&str>) -> Self {
        let text = Captured::default();
        let consoles = [Format::Text, Format::Json].map(|format| {
            let streams = Streams {
                stdout: Box::new(text.clone()),
                stderr: Box::new(text.clone()),
                stdin: Box::new(Cursor::new([])),
                stdout_is_terminal: false,
                stderr_is_terminal: false,
            };
            Console::new(streams, Verbosity::Verbose, false, format)
        });
        Self {
            consoles,
            text,
            login: login.map(str::to_owned),
        }
    }

    /// What only those hear who ask for detail.
    pub(super) fn notes(&self, notes: Vec<String>) {
        for note in notes {
            self.report(&Event::Verbose(note));
        }
    }

    /// What a registry warned of.
    pub(super) fn warnings(&self, warnings: Vec<String>) {
        for warning in warnings {
            self.report(&Event::Warning(warning));
        }
    }

    /// What was stored.
    pub(super) fn delivery(&self, service: &str, delivery: &DeliverySummary) {
        self.report(&Event::Delivered {
            service: service.to_owned(),
            delivery: delivery.clone(),
        });
    }

    /// What went wrong, in every form in which a run shows it, and in that of a panic.
    pub(super) fn error(&self, service: &str, error: &DestinationError) {
        self.report(&Event::Failed {
            service: service.to_owned(),
            step: Step::Deliver,
            error: with_causes(error).join("\n"),
            hint: error.hint(),
        });
        for console in &self.consoles {
            console.error(error);
            console.raw(&format!("{error:?}"));
        }
    }

    fn report(&self, event: &Event) {
        for console in &self.consoles {
            console.report(event.clone());
        }
    }

    /// Fails if a secret was told since this was asked last.
    pub(super) fn check(&self) -> Result<(), String> {
        let text = self.text.take();
        if let Some(sentinel) = SENTINELS.iter().find(|sentinel| text.contains(*sentinel)) {
            return Err(format!("`{sentinel}` in: {text}"));
        }
        // Each line alone: one as a whole may be JSON.
        let login = self.login.as_deref();
        let told = |line: &&str| login.is_some_and(|login| repeats(line, login));
        match text.lines().find(told) {
            Some(line) => Err(format!("the password in: {line}")),
            None => Ok(()),
        }
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.check().expect("no secret is told");
        }
    }
}

/// A stream that is read afterwards.
#[derive(Debug, Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    fn take(&self) -> String {
        let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&std::mem::take(&mut *bytes)).into_owned()
    }
}

impl Write for Captured {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bytes.extend_from_slice(buffer);
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

mod tests {
    use cargo_lighter::digest::Digest;
    use cargo_lighter::registry::RegistryError;
    use cargo_lighter::report::DeliveryStatus;

    use super::*;

    fn planted(text: &str) -> DestinationError {
        // The name of a registry is repeated as it is given.
        DestinationError::Registry(RegistryError::InvalidRegistry {
            name: text.to_owned(),
            why: "of a reason",
        })
    }

    #[test]
    fn a_secret_is_found_in_whatever_form_it_is_told() {
        let login = "me:pass/w0rd";
        for secret in [
            "pass/w0rd",
            "pass%2Fw0rd",
            "pass&#x2f;w0rd",
            r"pass\u002fw0rd",
            "bWU6cGFzcy93MHJk",
            "cGFzcy93MHJk",
            "token-sentinel-7",
            "/v2/x?_state=a",
        ] {
            let told = Told::new(Some(login));
            told.error("orders", &planted(secret));
            assert!(told.check().is_err(), "{secret} in an error");
            told.warnings(vec![format!("it says {secret}")]);
            assert!(told.check().is_err(), "{secret} in a warning");
            told.notes(vec![format!("it says {secret}")]);
            assert!(told.check().is_err(), "{secret} in a note");
            told.error("orders", &planted("of no interest"));
            assert_eq!(told.check(), Ok(()));
        }
    }

    #[test]
    #[should_panic(expected = "no secret is told")]
    fn a_test_that_asks_nobody_fails_all_the_same() {
        let told = Told::new(None);
        told.warnings(vec!["token-sentinel-1".to_owned()]);
    }

    #[test]
    fn deliveries_are_looked_at() {
        let told = Told::new(None);
        let delivery = DeliverySummary {
            destination: "docker://h".to_owned(),
            reference: vec!["h/token-sentinel".to_owned()],
            tags: Vec::new(),
            digest: Digest::of(b""),
            status: DeliveryStatus::Pushed,
            uploaded_bytes: 0,
            mounted_blobs: 0,
            existing_blobs: 0,
            requests: 0,
        };
        told.delivery("orders", &delivery);
        assert!(told.check().is_err());
    }
}
